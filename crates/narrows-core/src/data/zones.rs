//! Checks that all times of a column have a time zone, or none has.
//!
//! A time without a zone is read as UTC, which is unsafe next to times with a zone.

use jiff::Timestamp;

use super::date_text::DateText;
use super::form::Form;
use super::table::Table;
use super::token;
use crate::error::{Error, Place, Result};

/// Rejects a column in which some times have a zone (`Z`, `+02:00`) and others do not.
///
/// Call it on the raw table, before [`conform`](super::conform()) converts to UTC. Different zones are
/// allowed, as are columns that are not text. Cells that are not times are left to
/// [`conform`](super::conform()).
///
/// # Errors
/// [`Error::Data`] with the first row that differs; [`Error::Mismatch`] if there is no such column.
pub fn check_zones(table: &Table, column: &str) -> Result<()> {
    let place = Place::column(column).of(table.source());
    let Form::Words(words) = Form::of(table.expect_column(column)?, &place)? else { return Ok(()) };
    let mut first: Option<(u64, bool)> = None;
    for (row, cell) in (table.first_row()..).zip(&words) {
        let text = cell.unwrap_or_default().trim();
        let is_zoned = names_a_zone(text);
        // Cells of equal zonedness need not be parsed.
        if first.is_some_and(|(_, is_first_zoned)| is_first_zoned == is_zoned) || !is_time(text) {
            continue;
        }
        let Some((first_row, _)) = first else {
            first = Some((row, is_zoned));
            continue;
        };
        return Err(unlike(place.at_row(row), text, is_zoned, &format!("in row {first_row}")));
    }
    Ok(())
}

/// Whether the time in the only row of a raw table has a zone; `None` without a time. For streams, in
/// which previous rows are gone: `first` is the result for them.
///
/// # Errors
/// As [`check_zones`].
pub(crate) fn check_zone(row: &Table, column: &str, first: Option<bool>) -> Result<Option<bool>> {
    let place = Place::column(column).of(row.source());
    let Form::Words(words) = Form::of(row.expect_column(column)?, &place)? else { return Ok(None) };
    let text = words.iter().next().flatten().unwrap_or_default().trim();
    let is_zoned = names_a_zone(text);
    if first.is_some_and(|first| first != is_zoned) && is_time(text) {
        return Err(unlike(place.at_row(row.first_row()), text, is_zoned, "in the rows of this series before"));
    }
    Ok(is_time(text).then_some(is_zoned))
}

fn unlike(place: Place, text: &str, is_zoned: bool, like: &str) -> Error {
    let expected = if is_zoned { "a time without a zone" } else { "a time with a zone such as `Z` or `+02:00`" };
    let got: String = text.chars().take(40).collect();
    let error = Error::data(place, format!("expected {expected} as {like}, got `{got}`"));
    error.with_hint("write all times with a zone or all without; without one they are read as UTC")
}

pub(super) fn names_a_zone(text: &str) -> bool {
    // After the date a time without a zone has none of these bytes, so it is not parsed.
    let may = text.bytes().skip(10).any(|byte| matches!(byte, b'Z' | b'z' | b'+' | b'-'));
    may && (text.parse::<Timestamp>().is_ok() || DateText::of(text).is_some_and(|date| date.is_zoned))
}

fn is_time(text: &str) -> bool {
    token::moment(text).is_some() || DateText::of(text).is_some()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, StringArray};

    use super::*;

    fn check(cells: &[&str], expected: &str) {
        let array: ArrayRef = Arc::new(StringArray::from(cells.to_vec()));
        let table = Table::from_arrays(vec![("t".to_owned(), array)], "t.csv").unwrap();
        let got = check_zones(&table, "t").map_or_else(|error| error.to_string(), |()| "fine".to_owned());
        assert_eq!(got, expected);
    }

    #[test]
    fn one_clock_or_zones_throughout_are_fine() {
        check(&["2024-01-01T00:00:00Z", "2024-01-01T03:00:00+02:00", "2024-01-01 03:00:00-05"], "fine");
        check(&["2024-01-01T00:00:00", "2024-01-02", "", "NA", "not a time +", "2024-01-01 00:05"], "fine");
        check(&["31.01.2025 14:05", "1.2.2025 14:05"], "fine");
        check(&["1", "2"], "fine");
        let numbers = Table::from_columns(vec![("t", vec![1.0])]).unwrap();
        assert!(check_zones(&numbers, "t").is_ok());
        assert!(check_zones(&numbers, "u").is_err());
    }

    #[test]
    fn the_first_time_that_differs_is_named() {
        check(
            &["", "2024-01-01T00:00:00", "x", "2024-01-01T00:05:00Z", "2024-01-01T00:10:00Z"],
            "t.csv, column `t`, row 3: expected a time without a zone as in row 1, got `2024-01-01T00:05:00Z`",
        );
        check(
            &["31/Jan/2025:14:05:00 +0100", "31/Jan/2025 14:05"],
            "t.csv, column `t`, row 1: expected a time with a zone such as `Z` or `+02:00` as in row 0, got \
             `31/Jan/2025 14:05`",
        );
        check(
            &["2024-01-01T00:00:00+01:00", "2024-01-02"],
            "t.csv, column `t`, row 1: expected a time with a zone such as `Z` or `+02:00` as in row 0, got \
             `2024-01-02`",
        );
    }
}
