//! The columns of a graph: an input each, of typed cells.

use std::collections::HashSet;

use narrows_onnx::{Dim, Element, Graph, Value};

use crate::data::{Column, ColumnKind, Schema};

/// Microseconds of a second.
pub(super) const MICROS: f64 = 1e6;

/// The cells of a column, `[N, 1]`.
#[derive(Debug, Clone, Copy)]
pub(super) struct CellNodes {
    /// Numbers and flags as doubles; moments in microseconds since 1970; words as text. Undefined where missing.
    pub(super) value: Value,
    /// Whether a cell is there.
    pub(super) known: Value,
}

/// A column and its input.
#[derive(Debug)]
pub(super) struct InputColumn {
    pub(super) column: Column,
    /// The name of the input, which differs where the column's is taken or empty.
    pub(super) input: String,
    pub(super) cells: CellNodes,
}

/// The columns that a graph reads.
#[derive(Debug)]
pub(super) struct InputColumns(pub(super) Vec<InputColumn>);

impl InputColumns {
    /// Adds an input for each column of the schema.
    pub(super) fn add(graph: &mut Graph, schema: &Schema, taken: &[&str]) -> InputColumns {
        let names = input_names(schema, taken);
        // Inputs keep their names, so they come first.
        let values: Vec<Value> = schema
            .columns
            .iter()
            .zip(&names)
            .map(|(column, input)| graph.input(input, element(column.kind), &[Dim::BATCH, Dim::Fixed(1)]))
            .collect();
        let column = |((column, input), value): ((&Column, String), Value)| {
            let cells = CellNodes::read(graph, &input, column.kind, value);
            InputColumn { column: column.clone(), input, cells }
        };
        InputColumns(schema.columns.iter().zip(names).zip(values).map(column).collect())
    }

    /// The cells of a column.
    pub(super) fn cells(&self, name: &str) -> Option<CellNodes> {
        self.0.iter().find(|column| column.column.name == name).map(|column| column.cells)
    }
}

/// The elements of an input.
pub(super) fn element(kind: ColumnKind) -> Element {
    match kind {
        ColumnKind::Numeric | ColumnKind::Boolean | ColumnKind::Datetime => Element::Double,
        ColumnKind::Category | ColumnKind::Text => Element::String,
    }
}

/// The names of the inputs: those of the columns, with underscores after them where they are taken.
pub(super) fn input_names(schema: &Schema, taken: &[&str]) -> Vec<String> {
    let columns: HashSet<&str> = schema.names().into_iter().collect();
    let mut used: HashSet<String> = taken.iter().map(|name| (*name).to_owned()).collect();
    let mut names = Vec::with_capacity(schema.columns.len());
    for column in &schema.columns {
        let mut name = if column.name.is_empty() { "_".to_owned() } else { column.name.clone() };
        while used.contains(&name) || (name != column.name && columns.contains(name.as_str())) {
            name.push('_');
        }
        used.insert(name.clone());
        names.push(name);
    }
    names
}

impl CellNodes {
    fn read(graph: &mut Graph, input: &str, kind: ColumnKind, value: Value) -> CellNodes {
        graph.scope(&format!("read/{input}"));
        match kind {
            ColumnKind::Numeric | ColumnKind::Boolean => CellNodes { value, known: graph.is_number(value) },
            ColumnKind::Datetime => {
                let micros = graph.double(MICROS);
                let scaled = graph.mul(value, micros);
                // `Round` of doubles is not everywhere.
                let half = graph.double(0.5);
                let above = graph.add(scaled, half);
                CellNodes { value: graph.op("Floor", &[above]), known: graph.is_number(value) }
            }
            ColumnKind::Category | ColumnKind::Text => {
                let nothing = graph.texts(&[1], &[""]);
                let missing = graph.op("Equal", &[value, nothing]);
                CellNodes { value, known: graph.not(missing) }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_are_taken_get_an_underscore() {
        let column = |name: &str| Column::new(name, ColumnKind::Numeric);
        let schema = Schema { columns: ["x", "label", "label_", ""].map(column).to_vec() };
        assert_eq!(input_names(&schema, &["label", "scores"]), ["x", "label__", "label_", "_"]);
    }
}
