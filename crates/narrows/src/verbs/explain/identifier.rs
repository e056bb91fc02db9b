//! Finds rows by the value of an identifier.

use arrow::array::AsArray;
use arrow::compute::cast;
use arrow::datatypes::DataType;
use narrows_core::data::{DropReason, Table};
use narrows_core::report::Role;
use narrows_core::{Error, TabularModel};

/// The columns that identify rows, and the values that are looked for.
pub(super) struct Identifiers {
    /// The model's: the column that names the series, or those that the fit left out as identifiers.
    columns: Vec<String>,
    values: Vec<String>,
}

impl Identifiers {
    /// Looks for these values in the columns that the model knows as identifiers.
    pub(super) fn new(model: &dyn TabularModel, values: Vec<String>) -> Identifiers {
        Identifiers { columns: columns_of(model), values }
    }

    /// The rows of `table` that have one of the values.
    ///
    /// A value `COLUMN=VALUE` is looked for in that column.
    pub(super) fn rows(&self, table: &Table) -> Result<Vec<u32>, Error> {
        let mut found = vec![false; table.n_rows()];
        for value in &self.values {
            let named = value.split_once('=').filter(|(column, _)| table.column(column).is_some());
            let (columns, value) = match named {
                Some((column, value)) => (vec![column.to_owned()], value),
                None => {
                    (self.columns.iter().filter(|name| table.column(name).is_some()).cloned().collect(), value.as_str())
                }
            };
            if columns.is_empty() {
                let names = table.names().iter().take(20).copied().collect::<Vec<_>>().join(", ");
                let error = Error::recipe("--id", format!("no column identifies the rows, to look for `{value}` in"));
                return Err(error.with_hint(format!("name the column: --id COLUMN={value}; columns: {names}")));
            }
            for column in columns {
                for (row, cell) in cells(table, &column).into_iter().enumerate() {
                    found[row] |= cell.is_some_and(|cell| is_same(&cell, value));
                }
            }
        }
        Ok((0..table.n_rows() as u32).filter(|row| found[*row as usize]).collect())
    }

    /// The error if no row has any of the values.
    pub(super) fn none_found(&self, source: &str) -> Error {
        let columns =
            if self.columns.is_empty() { String::new() } else { format!(" in `{}`", self.columns.join("`, `")) };
        let message = format!("{source}: expected a row with `{}`{columns}, got none", self.values.join("` or `"));
        Error::mismatch(message).with_hint("another column is named by --id COLUMN=VALUE")
    }
}

/// The columns that identify rows of the model's kind.
pub(super) fn columns_of(model: &dyn TabularModel) -> Vec<String> {
    if let Some(id) = model.id_column() {
        return vec![id.to_owned()];
    }
    let reason = DropReason::Identifier.to_string();
    let columns = model.report().columns.iter();
    columns
        .filter(|column| column.role == Role::Dropped && column.words == reason)
        .map(|column| column.name.clone())
        .collect()
}

/// The cells of a column as text.
pub(super) fn cells(table: &Table, column: &str) -> Vec<Option<String>> {
    let text = table.column(column).and_then(|array| cast(array, &DataType::Utf8).ok());
    match text {
        Some(text) => text.as_string::<i32>().iter().map(|cell| cell.map(str::to_owned)).collect(),
        None => vec![None; table.n_rows()],
    }
}

/// Equal as text, or as numbers: a column of whole numbers may have been read as decimals.
fn is_same(cell: &str, value: &str) -> bool {
    let number = |text: &str| text.trim().parse::<f64>().ok();
    cell.trim() == value.trim() || number(cell).is_some_and(|cell| Some(cell) == number(value))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, Float64Array, StringArray};

    use super::*;

    fn table() -> Table {
        let columns: Vec<(String, ArrayRef)> = vec![
            ("order".to_owned(), Arc::new(StringArray::from(vec!["A-1", "A-2", "A-1"]))),
            ("n".to_owned(), Arc::new(Float64Array::from(vec![7.0, 8.0, 9.0]))),
        ];
        Table::from_arrays(columns, "test").unwrap()
    }

    fn check(columns: &[&str], values: &[&str], expected: Option<&[u32]>) {
        let owned = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        let identifiers = Identifiers { columns: owned(columns), values: owned(values) };
        assert_eq!(identifiers.rows(&table()).ok().as_deref(), expected, "{columns:?} {values:?}");
    }

    #[test]
    fn rows_are_found_by_the_columns_of_the_model_or_by_a_named_one() {
        check(&["order"], &["A-1"], Some(&[0, 2]));
        check(&["order"], &["A-2", "n=9"], Some(&[1, 2]));
        check(&["n"], &["8"], Some(&[1]));
        check(&[], &["order=A-2"], Some(&[1]));
        check(&["order"], &["A-9"], Some(&[]));
        check(&[], &["A-1"], None);
        check(&["gone"], &["A-1"], None);
    }
}
