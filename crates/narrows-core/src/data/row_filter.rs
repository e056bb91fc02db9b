//! Applies a filter to tables, and counts what it kept.

use std::collections::BTreeMap;
use std::convert::Infallible;

use super::filter::{Filter, is_called};
use super::outcomes::Outcomes;
use super::stored_column::StoredColumn;
use super::table::Table;
use crate::error::{Error, Place, Result};

/// A filter at work.
pub(super) struct RowFilter {
    filter: Filter,
    /// Columns that are read for the filter only.
    dropped: Vec<String>,
    kept: u64,
    seen: u64,
    /// Cells that could not be compared, by column: their number, the first one and its row.
    unclear: BTreeMap<String, (u64, String, u64)>,
}

impl RowFilter {
    /// Applies `filter`, then leaves out the columns of `dropped`.
    pub(super) fn new(filter: Filter, dropped: Vec<String>) -> RowFilter {
        RowFilter { filter, dropped, kept: 0, seen: 0, unclear: BTreeMap::new() }
    }

    /// The rows of a table that match, with their numbers in the input; `None` without any. Without types, blanks around
    /// cells do not count.
    pub(super) fn matching(&mut self, table: &Table, has_types: bool) -> Option<Table> {
        let rows = self.rows(table, has_types);
        self.seen += table.n_rows() as u64;
        self.kept += rows.len() as u64;
        let kept = match rows.len() {
            0 => return None,
            n if n == table.n_rows() => table.clone(),
            _ => table.numbered().take(&rows),
        };
        Some(self.without_dropped(&kept))
    }

    /// The table without the columns that are there for the filter only.
    pub(super) fn without_dropped(&self, table: &Table) -> Table {
        if self.dropped.is_empty() { table.clone() } else { table.without(&self.dropped) }
    }

    /// Counts rows that were not read, since none of them can match.
    pub(super) fn skip(&mut self, rows: u64) {
        self.seen += rows;
    }

    /// How many rows matched.
    pub(super) fn note(&self) -> String {
        format!("{} of {} rows match {}", grouped(self.kept), grouped(self.seen), self.filter)
    }

    /// Cells that could not be compared.
    pub(super) fn warnings(&self) -> Vec<String> {
        let warning = |(column, (n, first, row)): (&String, &(u64, String, u64))| {
            let cells = if *n == 1 { "cell".to_owned() } else { "cells".to_owned() };
            format!(
                "{} {cells} of `{column}` could not be compared as the filter asks, first `{first}` in row {row}: \
                 the comparison is neither true nor false",
                grouped(*n)
            )
        };
        self.unclear.iter().map(warning).collect()
    }

    /// The rows of a whole table that match, what is noted and what is warned of.
    ///
    /// # Errors
    /// [`Error::Recipe`] for unknown columns, [`Error::Data`] if no row matches.
    pub(super) fn of_whole(mut self, table: &Table) -> Result<(Table, String, Vec<String>)> {
        self.filter.check_columns(&table.names())?;
        let matching = self.matching(table, false);
        self.check_any(table.source(), 0)?;
        Ok((matching.unwrap_or_else(|| table.slice(0, 0)), self.note(), self.warnings()))
    }

    /// An error if there were rows, or files that the names of their folders exclude, and none matched.
    pub(super) fn check_any(&self, source: &str, n_excluded: usize) -> Result<()> {
        if self.kept > 0 || (self.seen == 0 && n_excluded == 0) {
            return Ok(());
        }
        let among = match (self.seen, n_excluded) {
            (0, n) => format!("in {n} files, by the names of their folders"),
            (rows, 0) => format!("among {}", grouped(rows)),
            (rows, n) => format!("among {}, and {n} files are excluded by the names of their folders", grouped(rows)),
        };
        let message = format!("expected rows that match {}, got none {among}", self.filter);
        let error = Error::data(Place::source(source), message);
        Err(match self.warnings().into_iter().next() {
            Some(warning) => error.with_hint(warning),
            None => error,
        })
    }

    /// The rows of a table that match.
    pub(super) fn rows(&mut self, table: &Table, has_types: bool) -> Vec<u32> {
        let has_semicolons = table.has_semicolons();
        let names = table.names();
        let unclear = &mut self.unclear;
        let outcomes: Result<Vec<Outcomes>, Infallible> = self.filter.condition().evaluate(&mut |test| {
            let index = names.iter().position(|name| is_called(name, &test.column));
            let Some(array) = index.map(|index| table.batch().column(index)) else {
                return Ok(vec![Outcomes::UNKNOWN; table.n_rows()]);
            };
            let column = match has_types {
                true => StoredColumn::typed(array),
                false => StoredColumn::written(array, has_semicolons),
            };
            let outcome = |row: usize| {
                let (outcome, is_unclear) = test.test.outcome(column.cell(row));
                if is_unclear {
                    let first = || (0, column.cell(row).to_string(), table.row_number(row));
                    unclear.entry(test.column.clone()).or_insert_with(first).0 += 1;
                }
                outcome
            };
            Ok((0..table.n_rows()).map(outcome).collect())
        });
        let Ok(outcomes) = outcomes;
        (0..).zip(outcomes).filter(|(_, outcome)| *outcome == Outcomes::TRUE).map(|(row, _)| row).collect()
    }
}

/// A number with commas between thousands.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, Float64Array, StringArray};

    use super::*;

    fn table() -> Table {
        let amounts = Float64Array::from(vec![Some(1.0), None, Some(f64::NAN), Some(-4.0), Some(5.0)]);
        let words = StringArray::from(vec![Some("DE"), Some("FR"), Some("DE"), None, Some("DE")]);
        let columns: Vec<(String, ArrayRef)> =
            vec![("amount".to_owned(), Arc::new(amounts)), ("country".to_owned(), Arc::new(words))];
        Table::from_arrays(columns, "t").unwrap()
    }

    fn check(filter: &str, expected: &[u64]) {
        let mut rows = RowFilter::new(filter.parse().unwrap(), Vec::new());
        let found = rows.matching(&table(), true).map_or_else(Vec::new, |table| table.row_numbers());
        assert_eq!(found, expected, "{filter}");
    }

    #[test]
    fn rows_for_which_the_condition_is_true_keep_their_numbers() {
        check("amount > 0", &[0, 4]);
        check("not amount > 0", &[3]);
        check("amount > 0 or country = 'DE'", &[0, 2, 4]);
        check("amount is null", &[1, 2]);
        check("amount is not null and country is null", &[3]);
        check("country != 'DE'", &[1]);
        check("country in ('FR', 'DE') and amount between -9 and 1", &[0]);
        check("country not in ('DE')", &[1]);
        check("amount = 7", &[]);
        check("amount > 0 or amount <= 0 or amount is null", &[0, 1, 2, 3, 4]);
    }

    #[test]
    fn what_is_read_for_the_filter_only_is_left_out() {
        let mut rows = RowFilter::new("amount > 0".parse().unwrap(), vec!["amount".to_owned()]);
        assert_eq!(rows.matching(&table(), true).unwrap().names(), ["country"]);
        rows.skip(999_995);
        assert_eq!(rows.note(), "2 of 1,000,000 rows match amount > 0");
        assert!(rows.check_any("t", 0).is_ok());
    }

    #[test]
    fn cells_that_cannot_be_compared_are_counted_and_named() {
        let mut rows = RowFilter::new("country > 5".parse().unwrap(), Vec::new());
        assert!(rows.matching(&table(), true).is_none());
        assert!(rows.warnings()[0].starts_with("4 cells of `country` could not be compared"), "{:?}", rows.warnings());
        assert!(rows.warnings()[0].contains("first `DE` in row 0"));
        let error = rows.check_any("t", 0).unwrap_err();
        assert_eq!(error.to_string(), "t: expected rows that match country > 5, got none among 5");
        assert!(error.hint_text().is_some());
    }
}
