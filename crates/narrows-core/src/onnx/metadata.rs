//! The metadata of a file: what its inputs and outputs mean.

use narrows_onnx::{Element, Graph};
use serde::Serialize;
use serde_json::json;

use super::scorer::unsupported;
use crate::data::ColumnKind;
use crate::detect::Decision;
use crate::error::Result;
use crate::prep::Block;

/// Entries `narrows.*` of a file's metadata; values other than the kind are JSON.
#[derive(Debug, Default)]
pub(super) struct Metadata(Vec<(&'static str, String)>);

/// An input that holds a column.
#[derive(Debug, Serialize)]
pub(super) struct InputEntry<'a> {
    /// The name in the graph.
    pub(super) input: &'a str,
    pub(super) column: &'a str,
    pub(super) kind: ColumnKind,
    pub(super) element: &'static str,
}

/// The name of elements in metadata, as ONNX has it.
pub(super) fn element_name(element: Element) -> &'static str {
    match element {
        Element::Float => "float",
        Element::Int64 => "int64",
        Element::String => "string",
        Element::Bool => "bool",
        Element::Double => "double",
    }
}

impl Metadata {
    /// Those of a kind of model.
    pub(super) fn of(kind: &'static str) -> Metadata {
        Metadata(vec![("narrows.kind", kind.to_owned()), ("narrows.version", env!("CARGO_PKG_VERSION").to_owned())])
    }

    /// Adds an entry.
    pub(super) fn add(&mut self, key: &'static str, value: &impl Serialize) {
        // Names and numbers, which are always JSON.
        self.0.push((key, serde_json::to_string(value).unwrap_or_default()));
    }

    /// Adds threshold, rule and promised rate.
    pub(super) fn add_decision(&mut self, decision: &Decision) {
        let Decision { threshold, rule, promised_rate, .. } = decision;
        self.add("narrows.threshold", &json!({"threshold": threshold, "rule": rule, "promised_rate": promised_rate}));
    }

    /// Adds the places of the columns in prepared rows.
    pub(super) fn add_blocks(&mut self, blocks: &[Block]) {
        let block = |block: &Block| {
            let Block { column, kind, range, .. } = block;
            json!({"column": column, "kind": format!("{kind:?}").to_lowercase(), "first": range.start, "width": range.len()})
        };
        self.add("narrows.prepared", &blocks.iter().map(block).collect::<Vec<_>>());
    }

    /// The bytes of a file.
    pub(super) fn encode(&self, graph: Graph) -> Result<Vec<u8>> {
        let entries: Vec<(&str, &str)> = self.0.iter().map(|(key, value)| (*key, value.as_str())).collect();
        graph.encode(&entries).map_err(unsupported)
    }
}
