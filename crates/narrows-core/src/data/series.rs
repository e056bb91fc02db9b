//! Series of points on a regular grid.
//!
//! Tables in [`long`](SeriesSet::long) layout are placed on the grid by their times (see `grid.rs`), tables of
//! [`rows`](SeriesSet::rows) are regular already. Points missing from the table are gaps of
//! missing values and never interpolated.

use arrow::array::{Array, BooleanArray, Float64Array};
use serde::{Deserialize, Serialize};

use super::form::Form;
use super::gaps::LongGap;
use super::moment::Moment;
use super::schema::unknown_column;
use super::step::Step;
use super::table::Table;
use crate::error::{Error, Place, Result};

/// The channel name of series stored as rows.
const ONLY_CHANNEL: &str = "value";

/// One series on a regular grid.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Series {
    /// Identifies the series: the id in a long table, empty if there is only one series; the row number in a table of
    /// rows.
    pub id: String,
    /// Values `[n, channels]`; NaN is missing, in a cell or a gap. Infinite numbers are kept.
    pub values: Vec<f64>,
    /// The table row of each of the `n` points; `None` in a gap.
    pub rows: Vec<Option<u32>>,
    /// The time of each of the `n` points as in the table; interpolated evenly in gaps. Empty without a time column.
    pub times: Vec<Moment>,
    /// Rows that share a point with the row in `rows`, with the point: they have the same time.
    pub merged: Vec<(u32, usize)>,
}

impl Series {
    /// Number of points, including gaps.
    pub fn n_points(&self) -> usize {
        self.rows.len()
    }

    /// Whether any value is observed.
    pub(crate) fn is_observed(&self) -> bool {
        self.values.iter().any(|value| value.is_finite())
    }

    /// Time of the first point, if there is a time column.
    pub fn start(&self) -> Option<Moment> {
        self.times.first().copied()
    }

    /// The time of the point: ISO 8601 or a number when displayed; the index of the point without a time column.
    ///
    /// # Panics
    /// If there is a time column and no such point.
    pub fn time(&self, point: usize) -> Moment {
        if self.times.is_empty() { Moment::Number(point as f64) } else { self.times[point] }
    }
}

/// All series of a table.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SeriesSet {
    /// Channel names, in the order of the values.
    pub channels: Vec<String>,
    /// Time between points; `None` without a time column or if no series has two points.
    pub step: Option<Step>,
    /// The series, in order of their first rows.
    pub series: Vec<Series>,
    /// Counts collected while reading.
    pub counts: SeriesCounts,
    /// The longest gap.
    pub longest_gap: Option<LongGap>,
    /// What was found in the order of the rows, as text.
    pub notes: Vec<String>,
}

/// Counts collected while a table is read as series.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SeriesCounts {
    /// Number of series.
    pub series: u64,
    /// Series without points: rows with all cells missing.
    pub empty: u64,
    /// Points, including gaps.
    pub points: u64,
    /// Gaps: rows more than one step apart.
    pub gaps: u64,
    /// Points in gaps, without a row in the table.
    pub gap_points: u64,
    /// Missing cells of points that have a row.
    pub missing: u64,
    /// Infinite cells.
    pub infinite: u64,
    /// Rows that share a point with another row.
    pub duplicates: u64,
    /// Rows whose time deviates by over a tenth of a step from a whole number of steps after the previous row.
    pub uneven: u64,
}

impl SeriesSet {
    /// Reads each row as a series of one channel, `value`, with these columns as steps, in table order.
    ///
    /// Trailing missing cells shorten a series, others are missing values; a row of missing cells is a
    /// series without points.
    ///
    /// # Errors
    /// [`Error::Mismatch`] for an unknown or non-numeric column; [`Error::Data`] without columns.
    ///
    /// ```
    /// use narrows_core::data::{SeriesSet, Table};
    /// let table = Table::from_columns(vec![("t0", vec![1.0, 4.0]), ("t1", vec![2.0, f64::NAN])])?;
    /// let set = SeriesSet::rows(&table, &["t0".to_owned(), "t1".to_owned()])?;
    /// assert_eq!(set.series[0].values, [1.0, 2.0]);
    /// assert_eq!(set.series[1].values, [4.0]);
    /// # Ok::<(), narrows_core::Error>(())
    /// ```
    pub fn rows(table: &Table, channels: &[String]) -> Result<SeriesSet> {
        let names = table.names();
        if let Some(unknown) = channels.iter().find(|name| !names.contains(&name.as_str())) {
            return Err(unknown_column(unknown, &names));
        }
        let is_step = |name: &&str| channels.iter().any(|channel| channel == name);
        let steps: Vec<Float64Array> =
            names.into_iter().filter(is_step).map(|name| numbers(table, name)).collect::<Result<_>>()?;
        if steps.is_empty() {
            return Err(no_channel(table));
        }
        let mut counts = SeriesCounts::default();
        let row = |row: u32| {
            let n = steps.iter().rposition(|step| step.is_valid(row as usize)).map_or(0, |last| last + 1);
            let values: Vec<f64> = steps[..n].iter().map(|step| cell(step, row)).collect();
            counts.empty += u64::from(n == 0);
            counts.points += n as u64;
            counts.missing += values.iter().filter(|value| value.is_nan()).count() as u64;
            counts.infinite += values.iter().filter(|value| value.is_infinite()).count() as u64;
            let id = (table.first_row() + u64::from(row)).to_string();
            Series { id, values, rows: vec![Some(row); n], ..Series::default() }
        };
        let series: Vec<Series> = (0..n_rows(table)?).map(row).collect();
        counts.series = series.len() as u64;
        Ok(SeriesSet { channels: vec![ONLY_CHANNEL.to_owned()], series, counts, ..SeriesSet::default() })
    }
}

/// A channel: numbers, or booleans as 1 and 0.
pub(super) fn numbers(table: &Table, name: &str) -> Result<Float64Array> {
    let form = Form::of(table.expect_column(name)?, &Place::column(name).of(table.source()))?;
    let got = match form {
        Form::Numbers(array) => return Ok(array),
        Form::Flags(flags) => return Ok(of_flags(&flags)),
        // An empty column has no type that could mismatch.
        Form::Words(words) if words.null_count() == words.len() => return Ok(Float64Array::new_null(words.len())),
        Form::Words(words) => {
            let word: String = words.iter().flatten().next().unwrap_or_default().chars().take(40).collect();
            format!("text such as `{word}`")
        }
        Form::Moments(_) => "dates".to_owned(),
    };
    let error = Error::mismatch(format!("{}: column `{name}`: expected numbers, got {got}", table.source()));
    Err(error.with_hint("the values of a series are numbers; exclude the column"))
}

fn of_flags(flags: &BooleanArray) -> Float64Array {
    flags.iter().map(|flag| flag.map(f64::from)).collect()
}

/// The cell's number; NaN if missing.
pub(super) fn cell(array: &Float64Array, row: u32) -> f64 {
    let row = row as usize;
    if array.is_valid(row) { array.value(row) } else { f64::NAN }
}

/// The number of rows, which must fit 32 bits.
pub(super) fn n_rows(table: &Table) -> Result<u32> {
    u32::try_from(table.n_rows()).map_err(|_| {
        let message = format!("expected at most {} rows of series at once, got {}", u32::MAX, table.n_rows());
        Error::data(Place::source(table.source()), message)
    })
}

pub(super) fn no_channel(table: &Table) -> Error {
    Error::data(Place::source(table.source()), "expected at least one column of values, got none")
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, StringArray};

    use super::*;

    const NAN: f64 = f64::NAN;

    fn owned(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    /// A table with columns `t0`, `t1`, … as steps, read as series.
    fn check(columns: &[&[f64]], expected: &[&str]) -> SeriesSet {
        let columns: Vec<_> =
            columns.iter().enumerate().map(|(i, column)| (format!("t{i}"), column.to_vec())).collect();
        let mut names: Vec<String> = columns.iter().map(|(name, _)| name.clone()).collect();
        // Table order counts, not the order of the request.
        names.reverse();
        let set = SeriesSet::rows(&Table::from_columns(columns).unwrap(), &names).unwrap();
        let shown: Vec<String> =
            set.series.iter().map(|series| format!("{}: {:?}", series.id, series.values)).collect();
        assert_eq!(shown, expected);
        set
    }

    #[test]
    fn missing_cells_shorten_a_row_at_its_end_only() {
        let set = check(
            &[&[1.0, NAN, NAN, 1.0], &[2.0, 5.0, NAN, NAN], &[3.0, NAN, NAN, 4.0]],
            &["0: [1.0, 2.0, 3.0]", "1: [NaN, 5.0]", "2: []", "3: [1.0, NaN, 4.0]"],
        );
        let counts = SeriesCounts { series: 4, empty: 1, points: 8, missing: 2, ..SeriesCounts::default() };
        assert_eq!(set.counts, counts);
        assert_eq!((set.channels, set.step), (owned(&["value"]), None));
        assert_eq!(set.series[1].rows, [Some(1), Some(1)]);
        assert_eq!((set.series[1].start(), set.series[1].time(1)), (None, Moment::Number(1.0)));
    }

    #[test]
    fn one_row_is_one_series_and_no_row_is_none() {
        assert_eq!(check(&[&[7.0]], &["0: [7.0]"]).counts.points, 1);
        check(&[&[]], &[]);
        let late = Table::from_columns(vec![("a", vec![1.0, 2.0])]).unwrap().slice(1, 1);
        let series = SeriesSet::rows(&late, &owned(&["a"])).unwrap().series;
        assert_eq!((series[0].id.as_str(), series[0].rows[0]), ("1", Some(0)));
    }

    #[test]
    fn columns_that_are_no_steps_are_refused() {
        let words: ArrayRef = Arc::new(StringArray::from(vec![None, Some("red")]));
        let none: ArrayRef = Arc::new(StringArray::new_null(2));
        let flags: ArrayRef = Arc::new(BooleanArray::from(vec![true, false]));
        let columns = [("words", words), ("none", none), ("flags", flags)];
        let columns = columns.into_iter().map(|(name, array)| (name.to_owned(), array)).collect();
        let table = Table::from_arrays(columns, "t.csv").unwrap();
        let refused = |names: &[&str]| SeriesSet::rows(&table, &owned(names)).unwrap_err().to_string();
        assert_eq!(refused(&["words"]), "t.csv: column `words`: expected numbers, got text such as `red`");
        assert_eq!(refused(&["word"]), "there is no column `word`");
        assert_eq!(refused(&[]), "t.csv: expected at least one column of values, got none");
        let set = SeriesSet::rows(&table, &owned(&["flags", "none"])).unwrap();
        assert!(set.series[0].values[0].is_nan() && set.series[1].values[1] == 0.0);
    }

    #[test]
    fn counts_go_through_json_unchanged() {
        let counts = SeriesCounts { series: 2, gaps: 3, ..SeriesCounts::default() };
        let text = serde_json::to_string(&counts).unwrap();
        assert_eq!(serde_json::from_str::<SeriesCounts>(&text).unwrap(), counts);
    }
}
