//! Constants of a graph.

use crate::graph::{Element, Graph, Value};
use crate::message::TensorProto;

/// Constants up to this size are kept once each.
const SMALL: usize = 256;

impl Graph {
    /// One 32-bit number.
    pub fn float(&mut self, x: f32) -> Value {
        self.floats(&[], &[x])
    }

    /// 32-bit numbers of this shape.
    ///
    /// # Panics
    /// If there are not as many as the shape has.
    pub fn floats(&mut self, shape: &[usize], values: &[f32]) -> Value {
        self.numbers(Element::Float, shape, values.len(), values.iter().flat_map(|x| x.to_le_bytes()).collect())
    }

    /// One 64-bit number.
    pub fn double(&mut self, x: f64) -> Value {
        self.doubles(&[], &[x])
    }

    /// 64-bit numbers of this shape.
    ///
    /// # Panics
    /// If there are not as many as the shape has.
    pub fn doubles(&mut self, shape: &[usize], values: &[f64]) -> Value {
        self.numbers(Element::Double, shape, values.len(), values.iter().flat_map(|x| x.to_le_bytes()).collect())
    }

    /// One whole number.
    pub fn int(&mut self, x: i64) -> Value {
        self.numbers(Element::Int64, &[], 1, x.to_le_bytes().to_vec())
    }

    /// A vector of whole numbers, such as a shape.
    pub fn ints(&mut self, values: &[i64]) -> Value {
        self.ints_of(&[values.len()], values)
    }

    /// Whole numbers of this shape.
    ///
    /// # Panics
    /// If there are not as many as the shape has.
    pub fn ints_of(&mut self, shape: &[usize], values: &[i64]) -> Value {
        self.numbers(Element::Int64, shape, values.len(), values.iter().flat_map(|x| x.to_le_bytes()).collect())
    }

    /// Texts of this shape.
    ///
    /// # Panics
    /// If there are not as many as the shape has.
    pub fn texts(&mut self, shape: &[usize], values: &[&str]) -> Value {
        assert_eq!(shape.iter().product::<usize>(), values.len(), "texts of shape {shape:?}");
        let string_data = values.iter().map(|text| text.as_bytes().to_vec()).collect();
        self.constant(Element::String, shape, None, string_data)
    }

    fn numbers(&mut self, element: Element, shape: &[usize], n: usize, bytes: Vec<u8>) -> Value {
        assert_eq!(shape.iter().product::<usize>(), n, "numbers of shape {shape:?}");
        if bytes.len() > SMALL {
            return self.constant(element, shape, Some(bytes), Vec::new());
        }
        let key = (element, dims(shape), bytes);
        if let Some(known) = self.known.get(&key) {
            return *known;
        }
        let value = self.constant(element, shape, Some(key.2.clone()), Vec::new());
        self.known.insert(key, value);
        value
    }

    fn constant(
        &mut self,
        element: Element,
        shape: &[usize],
        raw_data: Option<Vec<u8>>,
        string_data: Vec<Vec<u8>>,
    ) -> Value {
        let value = self.named(self.scoped(&format!("constant.{}", self.constants.len())));
        self.constants.push(TensorProto {
            dims: dims(shape),
            data_type: Some(element.code()),
            string_data,
            name: Some(self.name_of(value)),
            raw_data,
        });
        value
    }
}

fn dims(shape: &[usize]) -> Vec<i64> {
    shape.iter().map(|n| *n as i64).collect()
}
