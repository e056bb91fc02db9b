//! Cells that are not written as in their column and became missing.

use std::fmt;

use serde::Serialize;

use super::schema::Column;

/// Different texts kept as examples.
const EXAMPLES: usize = 3;
/// Characters of a text that are shown.
const SHOWN: usize = 40;

/// Cells of one column that are not written as in the column and became missing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Unreadable {
    /// The column.
    pub column: String,
    /// What its cells should be.
    pub expected: String,
    /// Number of such cells.
    pub cells: u64,
    /// Row of the first.
    pub first_row: u64,
    /// Some of the texts.
    pub examples: Vec<String>,
}

impl Unreadable {
    pub(super) fn new(column: &Column, first_row: u64) -> Unreadable {
        let (column, expected) = (column.name.clone(), column.describe());
        Unreadable { column, expected, cells: 0, first_row, examples: Vec::new() }
    }

    pub(super) fn push(&mut self, text: &str) {
        self.cells += 1;
        if self.examples.len() < EXAMPLES {
            self.keep(text.chars().take(SHOWN).collect());
        }
    }

    fn keep(&mut self, example: String) {
        if self.examples.len() < EXAMPLES && !self.examples.contains(&example) {
            self.examples.push(example);
        }
    }

    /// Adds the cells of a later part of the same table to those before.
    pub fn merge(all: &mut Vec<Unreadable>, more: &[Unreadable]) {
        for unreadable in more {
            match all.iter_mut().find(|known| known.column == unreadable.column) {
                Some(known) => {
                    known.cells += unreadable.cells;
                    known.first_row = known.first_row.min(unreadable.first_row);
                    unreadable.examples.iter().for_each(|example| known.keep(example.clone()));
                }
                None => all.push(unreadable.clone()),
            }
        }
    }
}

/// As in "column `x`: 2 cells are not numbers, from row 7: `off`, `n.v.`".
impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Unreadable { column, expected, cells, first_row, examples } = self;
        let (are, from) = if *cells == 1 { ("cell is", "in") } else { ("cells are", "from") };
        write!(
            f,
            "column `{column}`: {cells} {are} not {expected}, {from} row {first_row}: `{}`",
            examples.join("`, `")
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::ColumnKind;

    #[test]
    fn parts_of_a_table_are_told_together() {
        let column = Column::new("x", ColumnKind::Numeric);
        let part = |first_row: u64, texts: &[&str]| {
            let mut part = Unreadable::new(&column, first_row);
            texts.iter().for_each(|text| part.push(text));
            part
        };
        let mut all = vec![part(3, &["off", "off", "-"])];
        Unreadable::merge(&mut all, &[part(900, &["-", "a", "b"])]);
        assert_eq!(all[0].to_string(), "column `x`: 6 cells are not numbers, from row 3: `off`, `-`, `a`");
    }
}
