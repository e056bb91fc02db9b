//! A graph under construction: inputs, constants, operations, outputs.

use std::collections::{HashMap, HashSet};

use prost::Message;

use crate::error::OnnxError;
use crate::message::{
    AttributeProto, DimensionProto, GraphProto, ModelProto, NodeProto, OperatorSetIdProto, StringStringEntryProto,
    TensorProto, TensorShapeProto, TensorTypeProto, TypeProto, ValueInfoProto,
};

/// A message of Protocol Buffers has fewer bytes.
const MOST_BYTES: usize = 1 << 31;

/// The type of a tensor's elements.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Element {
    /// 32-bit float.
    Float,
    /// 64-bit integer.
    Int64,
    /// Text in UTF-8.
    String,
    /// True or false.
    Bool,
    /// 64-bit float.
    Double,
}

impl Element {
    /// Its number in the format.
    pub(crate) fn code(self) -> i32 {
        match self {
            Element::Float => 1,
            Element::Int64 => 7,
            Element::String => 8,
            Element::Bool => 9,
            Element::Double => 11,
        }
    }
}

/// The version of the default operators that a graph uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum OperatorSet {
    /// 17, with IR version 8.
    V17,
    /// 19, with IR version 9: the first that compares text.
    V19,
}

impl OperatorSet {
    fn version(self) -> i64 {
        match self {
            OperatorSet::V17 => 17,
            OperatorSet::V19 => 19,
        }
    }

    fn ir_version(self) -> i64 {
        match self {
            OperatorSet::V17 => 8,
            OperatorSet::V19 => 9,
        }
    }
}

/// A dimension of an input or output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dim {
    /// This many.
    Fixed(usize),
    /// Any number; those of one name are equal.
    Free(&'static str),
}

impl Dim {
    /// The number of rows, images or windows.
    pub const BATCH: Dim = Dim::Free("N");
}

/// A tensor in a graph: an input, a constant, or the result of an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Value(Option<usize>);

impl Value {
    /// An optional input of an operation that is left out.
    pub const NONE: Value = Value(None);
}

/// A setting of an operation.
#[derive(Debug, Clone, PartialEq)]
pub enum Attribute<'a> {
    /// A number.
    Float(f32),
    /// A whole number.
    Int(i64),
    /// Text.
    Text(&'a str),
    /// Whole numbers.
    Ints(Vec<i64>),
    /// Texts.
    Texts(&'a [&'a str]),
}

/// A graph under construction.
#[derive(Debug)]
pub struct Graph {
    name: String,
    operators: OperatorSet,
    inputs: Vec<ValueInfoProto>,
    outputs: Vec<ValueInfoProto>,
    nodes: Vec<NodeProto>,
    pub(crate) constants: Vec<TensorProto>,
    /// Small constants by content, so that each is there once.
    pub(crate) known: HashMap<(Element, Vec<i64>, Vec<u8>), Value>,
    /// The name of each value.
    names: Vec<String>,
    taken: HashSet<String>,
    /// What precedes the names of values and nodes.
    scope: String,
}

impl Graph {
    /// An empty graph.
    pub fn new(name: &str, operators: OperatorSet) -> Graph {
        Graph {
            name: name.to_owned(),
            operators,
            inputs: Vec::new(),
            outputs: Vec::new(),
            nodes: Vec::new(),
            constants: Vec::new(),
            known: HashMap::new(),
            names: Vec::new(),
            taken: HashSet::new(),
            scope: String::new(),
        }
    }

    /// The version of the default operators that it uses.
    pub fn operators(&self) -> OperatorSet {
        self.operators
    }

    /// Names what follows, as in "scale/3/Mul".
    pub fn scope(&mut self, scope: &str) {
        scope.clone_into(&mut self.scope);
    }

    /// What `build` adds, named within `scope` of the present scope.
    pub fn within<T>(&mut self, scope: &str, build: impl FnOnce(&mut Graph) -> T) -> T {
        let inner = self.scoped(scope);
        let outer = std::mem::replace(&mut self.scope, inner);
        let built = build(self);
        self.scope = outer;
        built
    }

    /// Adds an input, whose name nothing before it has.
    pub fn input(&mut self, name: &str, element: Element, dims: &[Dim]) -> Value {
        self.inputs.push(value_info(name, element, dims));
        self.named(name.to_owned())
    }

    /// Makes a value an output.
    pub fn output(&mut self, name: &str, value: Value, element: Element, dims: &[Dim]) {
        self.outputs.push(value_info(name, element, dims));
        let input = vec![self.name_of(value)];
        self.nodes.push(NodeProto {
            input,
            output: vec![name.to_owned()],
            name: Some(format!("output/{name}")),
            op_type: Some("Identity".to_owned()),
            attribute: Vec::new(),
        });
    }

    /// Adds an operation with one result.
    pub fn op(&mut self, operator: &str, inputs: &[Value]) -> Value {
        self.op_with(operator, inputs, &[])
    }

    /// Adds an operation with settings and one result.
    pub fn op_with(&mut self, operator: &str, inputs: &[Value], attributes: &[(&str, Attribute<'_>)]) -> Value {
        let [value] = self.ops(operator, inputs, attributes);
        value
    }

    /// Adds an operation with settings and several results.
    pub fn ops<const N: usize>(
        &mut self,
        operator: &str,
        inputs: &[Value],
        attributes: &[(&str, Attribute<'_>)],
    ) -> [Value; N] {
        let name = self.scoped(&format!("{}/{operator}", self.nodes.len()));
        let values: [Value; N] = std::array::from_fn(|i| {
            let name = if i == 0 { name.clone() } else { format!("{name}.{i}") };
            self.named(name)
        });
        let node = NodeProto {
            input: inputs.iter().map(|value| self.name_of(*value)).collect(),
            output: values.iter().map(|value| self.name_of(*value)).collect(),
            name: Some(name),
            op_type: Some(operator.to_owned()),
            attribute: attributes.iter().map(|(name, attribute)| attribute_proto(name, attribute)).collect(),
        };
        self.nodes.push(node);
        values
    }

    /// The bytes of a file with this graph and these entries of metadata.
    ///
    /// # Errors
    /// [`OnnxError::TooLarge`] from 2 GiB on.
    pub fn encode(self, metadata: &[(&str, &str)]) -> Result<Vec<u8>, OnnxError> {
        let entry = |(key, value): &(&str, &str)| StringStringEntryProto {
            key: Some((*key).to_owned()),
            value: Some((*value).to_owned()),
        };
        let operators = OperatorSetIdProto { domain: Some(String::new()), version: Some(self.operators.version()) };
        let model = ModelProto {
            ir_version: Some(self.operators.ir_version()),
            producer_name: Some("narrows".to_owned()),
            producer_version: Some(env!("CARGO_PKG_VERSION").to_owned()),
            opset_import: vec![operators],
            metadata_props: metadata.iter().map(entry).collect(),
            graph: Some(GraphProto {
                node: self.nodes,
                name: Some(self.name),
                initializer: self.constants,
                input: self.inputs,
                output: self.outputs,
            }),
        };
        match model.encoded_len() {
            bytes if bytes >= MOST_BYTES => Err(OnnxError::TooLarge { bytes }),
            _ => Ok(model.encode_to_vec()),
        }
    }

    /// A value with this name, or where it is taken one like it.
    pub(crate) fn named(&mut self, mut name: String) -> Value {
        while !self.taken.insert(name.clone()) {
            name.push('\'');
        }
        self.names.push(name);
        Value(Some(self.names.len() - 1))
    }

    /// A name within the scope.
    pub(crate) fn scoped(&self, name: &str) -> String {
        if self.scope.is_empty() { name.to_owned() } else { format!("{}/{name}", self.scope) }
    }

    /// The name of a value; empty for one that is left out.
    pub(crate) fn name_of(&self, value: Value) -> String {
        value.0.map_or_else(String::new, |at| self.names[at].clone())
    }
}

fn value_info(name: &str, element: Element, dims: &[Dim]) -> ValueInfoProto {
    let dim = |dim: &Dim| match dim {
        Dim::Fixed(n) => DimensionProto { dim_value: Some(*n as i64), dim_param: None },
        Dim::Free(name) => DimensionProto { dim_value: None, dim_param: Some((*name).to_owned()) },
    };
    let shape = TensorShapeProto { dim: dims.iter().map(dim).collect() };
    let tensor_type = TensorTypeProto { elem_type: Some(element.code()), shape: Some(shape) };
    ValueInfoProto { name: Some(name.to_owned()), r#type: Some(TypeProto { tensor_type: Some(tensor_type) }) }
}

fn attribute_proto(name: &str, attribute: &Attribute<'_>) -> AttributeProto {
    let mut proto = AttributeProto { name: Some(name.to_owned()), ..AttributeProto::default() };
    let kind = match attribute {
        Attribute::Float(x) => {
            proto.f = Some(*x);
            1
        }
        Attribute::Int(i) => {
            proto.i = Some(*i);
            2
        }
        Attribute::Text(text) => {
            proto.s = Some(text.as_bytes().to_vec());
            3
        }
        Attribute::Ints(ints) => {
            proto.ints.clone_from(ints);
            7
        }
        Attribute::Texts(texts) => {
            proto.strings = texts.iter().map(|text| text.as_bytes().to_vec()).collect();
            8
        }
    };
    proto.r#type = Some(kind);
    proto
}
