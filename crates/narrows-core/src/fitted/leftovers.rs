//! What is left to learn from once columns without information are left out.

use crate::data::{ColumnKind, DropReason, Dropped, Inferred, Schema, Table};
use crate::error::{Error, Hint, Place, Result};

/// Refuses a table most columns of which look like numbers or dates and cannot be read: a model of what is left would
/// tell nothing of the data.
pub(super) fn check_spelling(table: &Table, inferred: &Inferred) -> Result<()> {
    let is_empty = |dropped: &&Dropped| matches!(dropped.reason, DropReason::Constant | DropReason::AllMissing);
    let columns = inferred.schema.columns.len() - inferred.dropped.iter().filter(is_empty).count();
    let unread = inferred.unread.len();
    if 2 * unread <= columns {
        return Ok(());
    }
    let names: Vec<String> = inferred.unread.iter().take(12).map(|name| format!("`{name}`")).collect();
    let notes = inferred.notes.iter().filter(|note| names.iter().any(|name| note.contains(name.as_str()))).take(3);
    let message = format!(
        "{unread} of {columns} columns look like numbers or dates that cannot be read: {}",
        notes.cloned().collect::<Vec<_>>().join("; ")
    );
    Err(Error::data(Place::source(table.source()), message).with_hint(Hint::of(
        "say how they are written with [date_format], [numeric], [missing] or [categorical], or leave them out with [ignore]",
    )))
}

/// Whether the column is left out as an identifier of whole numbers, or holds nothing.
pub(super) fn is_number_of_rows(schema: &Schema, dropped: &Dropped) -> bool {
    match dropped.reason {
        DropReason::Identifier => schema.get(&dropped.column).is_some_and(|column| column.kind == ColumnKind::Numeric),
        reason => matches!(reason, DropReason::Constant | DropReason::AllMissing),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, StringArray};

    use super::*;
    use crate::data::infer;

    fn table(columns: &[(&str, &dyn Fn(usize) -> String)], n: usize) -> Table {
        let array = |of: &dyn Fn(usize) -> String| Arc::new((0..n).map(|i| Some(of(i))).collect::<StringArray>());
        let columns = columns.iter().map(|(name, of)| ((*name).to_owned(), array(of) as ArrayRef));
        Table::from_arrays(columns.collect(), "made").unwrap()
    }

    fn check(table: &Table) -> Result<()> {
        check_spelling(table, &infer(table)?)
    }

    #[test]
    fn a_table_lost_to_its_spelling_is_refused() {
        let odd = |i: usize| format!("{i}/Foo/2025");
        let made = table(&[("a", &odd), ("b", &odd), ("x", &|i| (i * i % 7).to_string())], 30);
        let error = check(&made).unwrap_err().to_string();
        assert!(
            error.starts_with("made: 2 of 3 columns look like numbers or dates that cannot be read: column `a`"),
            "{error}"
        );
        let made = table(&[("a", &odd), ("x", &|i| (i * i % 7).to_string())], 30);
        assert!(check(&made).is_ok());
    }
}
