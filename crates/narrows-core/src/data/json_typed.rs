//! Cells of JSON as those of a column that is known: each by itself, whatever stands in the rows beside it.

use super::json_column::JsonKind;
use super::json_row::JsonCell;
use super::schema::{Column, ColumnKind};
use super::token;
use super::unreadable::Unreadable;

/// A known column, and its cells so far that are not written as in it.
#[derive(Debug)]
pub(super) struct TypedColumn {
    column: Column,
    unreadable: Option<Unreadable>,
}

impl TypedColumn {
    pub(super) fn new(column: &Column) -> TypedColumn {
        TypedColumn { column: column.clone(), unreadable: None }
    }

    /// The type in which its cells are kept.
    pub(super) fn kind(&self) -> JsonKind {
        match self.column.kind {
            ColumnKind::Numeric => JsonKind::Number,
            ColumnKind::Boolean => JsonKind::Flag,
            ColumnKind::Category | ColumnKind::Text | ColumnKind::Datetime => JsonKind::Word,
        }
    }

    /// The cell of a row as one of this type; one that cannot be read is counted, and missing.
    pub(super) fn read(&mut self, cell: &JsonCell, row: u64) -> JsonCell {
        self.value(cell).unwrap_or_else(|| {
            let text = match cell {
                JsonCell::Word(word) => word.clone(),
                JsonCell::Number(x) => x.to_string(),
                other => other.describe(),
            };
            self.unreadable.get_or_insert_with(|| Unreadable::new(&self.column, row)).push(&text);
            JsonCell::Null
        })
    }

    fn value(&self, cell: &JsonCell) -> Option<JsonCell> {
        let column = &self.column;
        match (self.kind(), cell) {
            (_, JsonCell::Null) => Some(JsonCell::Null),
            (_, JsonCell::List) => None,
            (JsonKind::Number, JsonCell::Number(_)) | (JsonKind::Flag, JsonCell::Flag(_)) => Some(cell.clone()),
            (JsonKind::Flag, JsonCell::Number(x)) if *x == 0.0 || *x == 1.0 => Some(JsonCell::Flag(*x == 1.0)),
            (JsonKind::Number | JsonKind::Flag, JsonCell::Word(word)) => {
                let text = word.trim();
                let value = match (self.kind(), text) {
                    _ if column.missing.iter().any(|word| word.eq_ignore_ascii_case(text)) => {
                        return Some(JsonCell::Null);
                    }
                    (JsonKind::Number, _) => column.number(text).filter(|x| !x.is_nan()).map(JsonCell::Number),
                    (_, "1") => Some(JsonCell::Flag(true)),
                    (_, "0") => Some(JsonCell::Flag(false)),
                    _ => token::flag(text).map(JsonCell::Flag),
                };
                value.or_else(|| column.is_missing(text).then_some(JsonCell::Null))
            }
            (JsonKind::Word, JsonCell::Word(_)) => Some(cell.clone()),
            (JsonKind::Word, JsonCell::Number(x)) => Some(JsonCell::Word(x.to_string())),
            (JsonKind::Word, JsonCell::Flag(flag)) => Some(JsonCell::Word(flag.to_string())),
            _ => None,
        }
    }

    /// What is to be told of its cells so far.
    pub(super) fn warning(&self) -> Option<String> {
        self.unreadable.as_ref().map(|unreadable| format!("{unreadable}; taken as missing"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(kind: ColumnKind, cells: &[JsonCell], expected: &str, told: Option<&str>) {
        let mut column = TypedColumn::new(&Column { missing: vec!["off".to_owned()], ..Column::new("x", kind) });
        let read: Vec<String> = (0..).zip(cells).map(|(row, cell)| column.read(cell, row).describe()).collect();
        assert_eq!(read.join(", "), expected);
        assert_eq!(column.warning().as_deref(), told);
    }

    #[test]
    fn each_cell_is_read_by_itself_and_others_are_counted() {
        let word = |text: &str| JsonCell::Word(text.to_owned());
        let (number, flag) = (JsonCell::Number, JsonCell::Flag);
        check(
            ColumnKind::Numeric,
            &[number(1.5), word(" 2 "), word("NA"), word("off"), flag(true), word("x"), JsonCell::List, JsonCell::Null],
            "the number 1.5, the number 2, null, null, null, null, null, null",
            Some("column `x`: 3 cells are not numbers, from row 4: `true`, `x`, `an array`; taken as missing"),
        );
        check(
            ColumnKind::Boolean,
            &[flag(true), number(0.0), word("yes"), word("1"), number(2.0)],
            "true, false, true, true, null",
            Some("column `x`: 1 cell is not true or false, in row 4: `2`; taken as missing"),
        );
        check(
            ColumnKind::Category,
            &[word("a"), number(7.0), flag(false)],
            "the text `a`, the text `7`, the text `false`",
            None,
        );
    }
}
