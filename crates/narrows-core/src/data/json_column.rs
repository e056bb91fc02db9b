//! A column of JSON cells: its type, and the cells of a batch.

use arrow::array::{ArrayBuilder, ArrayRef, BooleanBuilder, Float64Builder, NullArray, StringBuilder};
use arrow::datatypes::DataType;
use std::sync::Arc;

use super::json_row::JsonCell;
use super::token;

/// The type of a column; `Null` until a value is seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum JsonKind {
    Null,
    Number,
    Flag,
    /// Text, or several types, all as text.
    Word,
    /// Arrays, which are not read.
    List,
}

impl JsonKind {
    /// The type with one more cell; `None` for arrays among other values.
    pub(super) fn with(self, cell: &JsonCell) -> Option<JsonKind> {
        let kind = match cell {
            JsonCell::Null => return Some(self),
            JsonCell::Number(_) => JsonKind::Number,
            JsonCell::Flag(_) => JsonKind::Flag,
            JsonCell::Word(_) => JsonKind::Word,
            JsonCell::List => JsonKind::List,
        };
        match (self, kind) {
            (JsonKind::Null, kind) => Some(kind),
            (one, other) if one == other => Some(one),
            (JsonKind::List, _) | (_, JsonKind::List) => None,
            _ => Some(JsonKind::Word),
        }
    }

    /// Whether a cell of a column of text is of another type.
    pub(super) fn is_text_for(self, cell: &JsonCell) -> bool {
        self == JsonKind::Word && matches!(cell, JsonCell::Number(_) | JsonCell::Flag(_))
    }

    pub(super) fn data_type(self) -> DataType {
        match self {
            JsonKind::Null | JsonKind::List => DataType::Null,
            JsonKind::Number => DataType::Float64,
            JsonKind::Flag => DataType::Boolean,
            JsonKind::Word => DataType::Utf8,
        }
    }

    pub(super) fn describe(self) -> &'static str {
        match self {
            JsonKind::Null => "null",
            JsonKind::Number => "a number",
            JsonKind::Flag => "true or false",
            JsonKind::Word => "text",
            JsonKind::List => "an array",
        }
    }
}

/// The cells of a column in one batch.
pub(super) enum JsonColumn {
    Null,
    Number(Float64Builder),
    Flag(BooleanBuilder),
    Word(StringBuilder),
}

impl JsonColumn {
    pub(super) fn new(kind: JsonKind) -> JsonColumn {
        match kind {
            JsonKind::Null | JsonKind::List => JsonColumn::Null,
            // Without room for a thousand cells, which many columns would fill the memory with.
            JsonKind::Number => JsonColumn::Number(Float64Builder::with_capacity(0)),
            JsonKind::Flag => JsonColumn::Flag(BooleanBuilder::with_capacity(0)),
            JsonKind::Word => JsonColumn::Word(StringBuilder::with_capacity(0, 0)),
        }
    }

    /// Writes the cell of row `row`; rows before it without this key are missing. `None` for a cell of another type.
    pub(super) fn push(&mut self, row: usize, cell: &JsonCell) -> Option<()> {
        if *cell == JsonCell::Null {
            return Some(());
        }
        self.pad(row);
        match (self, cell) {
            (JsonColumn::Number(builder), JsonCell::Number(x)) => builder.append_value(*x),
            // What says that a number is missing, or a number as text.
            (JsonColumn::Number(builder), JsonCell::Word(word)) => match token::number(word.trim()) {
                Some(x) if !x.is_nan() => builder.append_value(x),
                _ if token::is_missing(word.trim()) => builder.append_null(),
                _ => return None,
            },
            (JsonColumn::Flag(builder), JsonCell::Flag(flag)) => builder.append_value(*flag),
            (JsonColumn::Word(builder), JsonCell::Word(word)) => builder.append_value(word),
            (JsonColumn::Word(builder), JsonCell::Number(x)) => builder.append_value(x.to_string()),
            (JsonColumn::Word(builder), JsonCell::Flag(flag)) => builder.append_value(flag.to_string()),
            _ => return None,
        }
        Some(())
    }

    fn pad(&mut self, rows: usize) {
        match self {
            JsonColumn::Null => {}
            JsonColumn::Number(builder) => builder.append_nulls(rows - builder.len()),
            JsonColumn::Flag(builder) => builder.append_nulls(rows - builder.len()),
            JsonColumn::Word(builder) => (builder.len()..rows).for_each(|_| builder.append_null()),
        }
    }

    pub(super) fn finish(mut self, rows: usize) -> ArrayRef {
        self.pad(rows);
        match self {
            JsonColumn::Null => Arc::new(NullArray::new(rows)),
            JsonColumn::Number(mut builder) => Arc::new(builder.finish()),
            JsonColumn::Flag(mut builder) => Arc::new(builder.finish()),
            JsonColumn::Word(mut builder) => Arc::new(builder.finish()),
        }
    }
}
