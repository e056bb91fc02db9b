//! The usual operations by name.

use crate::graph::{Attribute, Element, Graph, OperatorSet, Value};

/// What a dimension is reduced to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reduction {
    /// The sum.
    Sum,
    /// The mean.
    Mean,
    /// The least.
    Min,
    /// The highest.
    Max,
}

impl Graph {
    /// a + b
    pub fn add(&mut self, a: Value, b: Value) -> Value {
        self.op("Add", &[a, b])
    }

    /// a - b
    pub fn sub(&mut self, a: Value, b: Value) -> Value {
        self.op("Sub", &[a, b])
    }

    /// a b, element by element.
    pub fn mul(&mut self, a: Value, b: Value) -> Value {
        self.op("Mul", &[a, b])
    }

    /// a / b, element by element.
    pub fn div(&mut self, a: Value, b: Value) -> Value {
        self.op("Div", &[a, b])
    }

    /// The product of matrices.
    pub fn matmul(&mut self, a: Value, b: Value) -> Value {
        self.op("MatMul", &[a, b])
    }

    /// a where `condition` holds, else b.
    pub fn select(&mut self, condition: Value, a: Value, b: Value) -> Value {
        self.op("Where", &[condition, a, b])
    }

    /// Whether a value is a number: NaN does not equal itself. (`IsNaN` of doubles is not everywhere.)
    pub fn is_number(&mut self, x: Value) -> Value {
        self.op("Equal", &[x, x])
    }

    /// The opposite truth.
    pub fn not(&mut self, x: Value) -> Value {
        self.op("Not", &[x])
    }

    /// Within these bounds; NaN stays NaN.
    pub fn clamp(&mut self, x: Value, least: Value, most: Value) -> Value {
        let (below, above) = (self.op("Less", &[x, least]), self.op("Greater", &[x, most]));
        let x = self.select(below, least, x);
        self.select(above, most, x)
    }

    /// With other elements.
    pub fn cast(&mut self, x: Value, element: Element) -> Value {
        self.op_with("Cast", &[x], &[("to", Attribute::Int(element.code().into()))])
    }

    /// Side by side along `axis`.
    pub fn concat(&mut self, values: &[Value], axis: i64) -> Value {
        match values {
            [value] => *value,
            _ => self.op_with("Concat", values, &[("axis", Attribute::Int(axis))]),
        }
    }

    /// Of this shape: 0 keeps a dimension, -1 takes what is left.
    pub fn reshape(&mut self, x: Value, shape: &[i64]) -> Value {
        let shape = self.ints(shape);
        self.op("Reshape", &[x, shape])
    }

    /// Dimensions in another order.
    pub fn transpose(&mut self, x: Value, order: &[i64]) -> Value {
        self.op_with("Transpose", &[x], &[("perm", Attribute::Ints(order.to_vec()))])
    }

    /// From `first` to before `end` along `axis`.
    pub fn slice(&mut self, x: Value, first: i64, end: i64, axis: i64) -> Value {
        let (first, end, axis) = (self.ints(&[first]), self.ints(&[end]), self.ints(&[axis]));
        self.op("Slice", &[x, first, end, axis])
    }

    /// The entries at `indices` along `axis`.
    pub fn gather(&mut self, x: Value, indices: Value, axis: i64) -> Value {
        self.op_with("Gather", &[x, indices], &[("axis", Attribute::Int(axis))])
    }

    /// A dimension of 1 before `axis`.
    pub fn unsqueeze(&mut self, x: Value, axis: i64) -> Value {
        let axes = self.ints(&[axis]);
        self.op("Unsqueeze", &[x, axes])
    }

    /// Dimensions reduced, each to one entry if `keep`, else to none.
    pub fn reduce(&mut self, reduction: Reduction, x: Value, axes: &[i64], keep: bool) -> Value {
        let operator = match reduction {
            Reduction::Sum => "ReduceSum",
            Reduction::Mean => "ReduceMean",
            Reduction::Min => "ReduceMin",
            Reduction::Max => "ReduceMax",
        };
        let keep = ("keepdims", Attribute::Int(keep.into()));
        // Until 18 the axes of all but a sum are a setting.
        if reduction != Reduction::Sum && self.operators() == OperatorSet::V17 {
            return self.op_with(operator, &[x], &[("axes", Attribute::Ints(axes.to_vec())), keep]);
        }
        let axes = self.ints(axes);
        self.op_with(operator, &[x, axes], &[keep])
    }
}
