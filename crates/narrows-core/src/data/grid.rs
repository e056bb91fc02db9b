//! From rows with times to series on a regular grid.
//!
//! Networks on windows need equidistant points, but rows are often late, missing, or of several series in turn. Each row
//! is placed by its time, rounded to whole steps *after the previous row*, not after the first: clocks drift, and
//! rounding errors relative to a distant row would accumulate. Positions without a row
//! are gaps of missing values.

use std::collections::HashMap;

use arrow::array::{Array, Float64Array, StringArray};

use super::duplicates::{Duplicates, RisingRows, SharedPoint, are_few, out_of_order};
use super::form::Form;
use super::gaps::LongGap;
use super::groups::{Group, groups};
use super::layout::TimeColumns;
use super::moment::Moment;
use super::series::{Series, SeriesCounts, SeriesSet, cell, n_rows, no_channel, numbers};
use super::step::Step;
use super::table::Table;
use super::token;
use crate::error::{Error, Hint, Place, Result};

/// Rows out of order are named one by one if at most one in so many rows is.
const MANY_STRAYS: usize = 50;
const SEVERAL: &str = "name the column that identifies the series with [id]";
/// A row is uneven if it deviates from its grid position by more than this share of a step.
const UNEVEN: f64 = 0.1;
/// Gaps of up to this many points are always filled.
const FEW_GAP_POINTS: u64 = 1_000_000;
/// More gap points per row than this indicate wrong times.
const MOST_GAP_POINTS_A_ROW: u64 = 10;

impl SeriesSet {
    /// Reads each row as a point of the series named by its id; rows of different series may alternate.
    ///
    /// The table is typed by [`conform`](super::conform()): times are `Datetime` or `Numeric` (call
    /// [`check_zones`](super::check_zones()) first), channels `Numeric` or `Boolean`, and ids preferably `Text`, which keeps
    /// `007` and `7` distinct. `step` is the step of the training series; without it, the step is the median of the
    /// differences found.
    ///
    /// # Errors
    /// [`Error::Data`] for a missing time or id, for times that do not increase within a series or are equal in more rows
    /// than the choice in `columns` allows, and for implausibly long gaps; [`Error::Mismatch`] for missing or mistyped columns, and
    /// if the typical step differs from `step` by over a tenth.
    ///
    /// ```
    /// use narrows_core::data::{SeriesSet, Table, TimeColumns};
    /// let table = Table::from_columns(vec![("second", vec![0.0, 1.0, 3.0, 4.0]), ("x", vec![5.0, 6.0, 8.0, 9.0])])?;
    /// let (time, channels) = (Some("second".to_owned()), vec!["x".to_owned()]);
    /// let columns = TimeColumns { time, channels, ..TimeColumns::default() };
    /// let set = SeriesSet::long(&table, &columns, None)?;
    /// assert_eq!(set.series[0].rows, [Some(0), Some(1), None, Some(2), Some(3)]);
    /// assert_eq!(set.counts.gap_points, 1);
    /// # Ok::<(), narrows_core::Error>(())
    /// ```
    pub fn long(table: &Table, columns: &TimeColumns, step: Option<Step>) -> Result<SeriesSet> {
        if columns.channels.is_empty() {
            return Err(no_channel(table));
        }
        let channels: Vec<Float64Array> =
            columns.channels.iter().map(|name| numbers(table, name)).collect::<Result<_>>()?;
        let groups = groups(table, &columns.id)?;
        let mut set = SeriesSet { channels: columns.channels.clone(), step, ..SeriesSet::default() };
        set.counts.series = groups.len() as u64;
        match &columns.time {
            Some(time) => {
                let mut clock = Clock::new(table, columns, time, &groups, step)?;
                let rising = clock.rising(&groups, &channels, &mut set)?;
                set.step = clock.step;
                for (group, rising) in groups.into_iter().zip(rising) {
                    let series = clock.lay(group.id, rising, &channels, &mut set)?;
                    set.series.push(series);
                }
            }
            None => {
                for group in groups {
                    let mut series = Series { id: group.id, ..Series::default() };
                    group.rows.into_iter().for_each(|row| series.push(row, &channels, &mut set.counts));
                    set.series.push(series);
                }
            }
        }
        set.counts.points = set.series.iter().map(|series| series.n_points() as u64).sum();
        set.notes.extend(set.gap_note());
        Ok(set)
    }
}

impl Series {
    fn push(&mut self, row: u32, channels: &[Float64Array], counts: &mut SeriesCounts) {
        let first = self.values.len();
        self.values.extend(channels.iter().map(|channel| cell(channel, row)));
        self.rows.push(Some(row));
        counts.missing += self.values[first..].iter().filter(|value| value.is_nan()).count() as u64;
        counts.infinite += self.values[first..].iter().filter(|value| value.is_infinite()).count() as u64;
    }
}

impl Series {
    /// A point of several rows, the first of which opened it.
    fn push_shared(
        &mut self,
        rows: &[u32],
        duplicates: Duplicates,
        channels: &[Float64Array],
        counts: &mut SeriesCounts,
    ) {
        let chosen = if duplicates == Duplicates::Last { rows[rows.len() - 1] } else { rows[0] };
        let point = self.rows.len();
        self.merged.extend(rows.iter().filter(|row| **row != chosen).map(|row| (*row, point)));
        if duplicates != Duplicates::Mean {
            return self.push(chosen, channels, counts);
        }
        self.rows.push(Some(chosen));
        for channel in channels {
            let known: Vec<f64> = rows.iter().map(|row| cell(channel, *row)).filter(|x| !x.is_nan()).collect();
            counts.missing += u64::from(known.is_empty());
            counts.infinite += u64::from(known.iter().any(|x| x.is_infinite()));
            self.values.push(known.iter().sum::<f64>() / known.len() as f64);
        }
    }
}

/// The time of every row, and the step.
struct Clock<'a> {
    table: &'a Table,
    column: &'a str,
    ids: &'a [String],
    duplicates: Duplicates,
    times: Vec<Moment>,
    /// The step of the training series.
    expected: Option<Step>,
    /// `None` if no series has two rows.
    step: Option<Step>,
}

impl<'a> Clock<'a> {
    fn new(
        table: &'a Table,
        columns: &'a TimeColumns,
        column: &'a str,
        groups: &[Group],
        expected: Option<Step>,
    ) -> Result<Clock<'a>> {
        let times = times(table, column)?;
        let (ids, duplicates) = (columns.id.as_slice(), columns.duplicates);
        let mut clock = Clock { table, column, ids, duplicates, times, expected, step: expected };
        if expected.is_none() {
            clock.step = Step::usual(clock.differences(groups.iter().map(|group| group.rows.as_slice())), &clock.times);
        }
        Ok(clock)
    }

    /// The times between successive rows, where they rise.
    fn differences<'r>(&self, groups: impl Iterator<Item = &'r [u32]>) -> Vec<f64> {
        let pairs = groups.flat_map(|rows| rows.windows(2));
        pairs.map(|pair| self.since(pair[1], pair[0])).filter(|since| *since > 0.0).collect()
    }

    /// The rows of each series in the order of time, and the step between them.
    fn rising(&mut self, groups: &[Group], channels: &[Float64Array], set: &mut SeriesSet) -> Result<Vec<RisingRows>> {
        let of_group = |group: &Group| RisingRows::of(&group.rows, &self.times, self.step);
        let rising: Vec<RisingRows> = groups.iter().map(of_group).collect();
        // Of all rows that are out of order, the first in the file is reported.
        let fallen = groups.iter().zip(&rising).filter_map(|(group, rising)| Some((group, rising.fallen?)));
        if let Some((group, (before, row))) = fallen.min_by_key(|(_, (_, row))| *row) {
            return Err(self.not_rising(group, before, row));
        }
        self.check_duplicates(&rising, channels, set)?;
        let found = self.differences(rising.iter().map(|rising| rising.rows.as_slice()));
        let usual = Step::usual(found.clone(), &self.times);
        let between = Step::between_samples(found, &self.times);
        match self.expected {
            Some(expected) if between.is_some_and(|between| expected.is_near(between)) => {}
            Some(expected) => self.check(expected, usual)?,
            None => self.step = between,
        }
        Ok(rising)
    }

    /// Counts rows that share a time, and rejects them if they must not.
    fn check_duplicates(&self, rising: &[RisingRows], channels: &[Float64Array], set: &mut SeriesSet) -> Result<()> {
        let repeated: Vec<SharedPoint> = rising.iter().flat_map(|rising| rising.repeated.iter().copied()).collect();
        let merged = rising.iter().flat_map(|rising| rising.merged.iter().copied());
        let is_equal = |(row, known): &SharedPoint| {
            channels.iter().all(|channel| {
                let (a, b) = (cell(channel, *row), cell(channel, *known));
                a == b || (a.is_nan() && b.is_nan())
            })
        };
        let (equal, differing): (Vec<SharedPoint>, Vec<SharedPoint>) = merged.partition(is_equal);
        let first = |of: &[SharedPoint]| of.iter().copied().min();
        let refused = match self.duplicates {
            Duplicates::Error => first(&[equal.as_slice(), &differing, &repeated].concat()),
            Duplicates::Auto if !are_few(differing.len() as u64, self.times.len()) => first(&differing),
            _ => None,
        };
        if let Some((row, known)) = refused {
            return Err(self.twice(known, row, equal.len() + differing.len() + repeated.len()));
        }
        set.counts.duplicates = (equal.len() + differing.len() + repeated.len()) as u64;
        let counts = match self.duplicates {
            Duplicates::Last => "the last of each counts",
            Duplicates::Mean => "the mean of each counts",
            _ => "the first of each counts",
        };
        // A clock that is put back shows an hourly reading twice.
        let is_hourly = self.step.is_some_and(Step::is_an_hour);
        let clocks = if is_hourly { "; `timezone` if clocks were put back" } else { "" };
        let mut note = |rows: &[SharedPoint], what: &str| {
            if let Some((row, _)) = first(rows) {
                let n = if rows.len() == 1 { "1 row".to_owned() } else { format!("{} rows", rows.len()) };
                set.notes.push(format!("{n} {what}, the first in row {}", self.row_number(row)));
            }
        };
        note(&equal, "equal to another row at the same time, left out");
        let words = "at the time of another row, with other values";
        note(&differing, &format!("{words} ({counts}, see `duplicates`{clocks})"));
        let words = "of an hour that is gone through again, as local time does when clocks are put back";
        note(&repeated, &format!("{words} ({counts}; `timezone` distinguishes the two passes)"));
        Ok(())
    }

    /// Rejects rows whose step differs from the expected one.
    fn check(&self, expected: Step, found: Option<Step>) -> Result<()> {
        let got = match (found, self.times.first()) {
            (_, Some(time)) if !expected.suits(*time) => match time {
                Moment::Instant(_) => "got dates".to_owned(),
                Moment::Number(_) => "got numbers".to_owned(),
            },
            (Some(found), _) if !expected.is_near(found) => format!("got one every {found}"),
            _ => return Ok(()),
        };
        let place = format!("{}: column `{}`", self.table.source(), self.column);
        let error = Error::mismatch(format!("{place}: expected a point every {expected} as when fitted, {got}"));
        Err(error.with_hint(format!("bring the data to one point every {expected}, or fit a model to this data")))
    }

    fn since(&self, row: u32, before: u32) -> f64 {
        self.times[row as usize].since(self.times[before as usize])
    }

    fn lay(&self, id: String, rising: RisingRows, channels: &[Float64Array], set: &mut SeriesSet) -> Result<Series> {
        let mut series = Series { id, ..Series::default() };
        series.values.reserve(rising.rows.len() * channels.len());
        let mut sharing: HashMap<u32, Vec<u32>> = HashMap::new();
        for (row, known) in rising.merged.into_iter().chain(rising.repeated) {
            sharing.entry(known).or_insert_with(|| vec![known]).push(row);
        }
        let mut before: Option<u32> = None;
        for row in rising.rows {
            if let (Some(before), Some(step)) = (before, self.step) {
                let steps = self.since(row, before) / step.units();
                let whole = step.whole(self.since(row, before));
                set.counts.uneven += u64::from((steps - whole).abs() > UNEVEN);
                set.counts.gaps += u64::from(whole > 1.0);
                // Counts that overflow saturate, far above the limit.
                let missed = whole as u64 - 1;
                set.counts.gap_points = set.counts.gap_points.saturating_add(missed);
                if missed > set.longest_gap.as_ref().map_or(0, |gap| gap.points) {
                    let at = |row: u32| (self.row_number(row), self.times[row as usize]);
                    set.longest_gap = Some(LongGap { points: missed, before: at(before), after: at(row) });
                }
                self.check_gaps(before, row, step, set.counts.gap_points)?;
                for passed in 1..whole as u64 {
                    let part = passed as f64 / whole;
                    series.times.push(self.times[before as usize].after(self.since(row, before) * part));
                    series.rows.push(None);
                    series.values.extend(channels.iter().map(|_| f64::NAN));
                }
            }
            series.times.push(self.times[row as usize]);
            match sharing.get(&row) {
                None => series.push(row, channels, &mut set.counts),
                Some(rows) => series.push_shared(rows, self.duplicates, channels, &mut set.counts),
            }
            before = Some(row);
        }
        Ok(series)
    }

    fn check_gaps(&self, before: u32, row: u32, step: Step, gap_points: u64) -> Result<()> {
        let rows = self.times.len() as u64;
        if gap_points <= FEW_GAP_POINTS.max(MOST_GAP_POINTS_A_ROW * rows) {
            return Ok(());
        }
        let (time, then) = (self.times[row as usize], self.times[before as usize]);
        let message = format!(
            "expected a point every {step}, but {time} comes after {then} (row {}): up to here gaps take \
             {gap_points} points, in a table of {rows} rows",
            self.row_number(before)
        );
        let error = Error::data(place(self.table, self.column, row), message);
        Err(error.with_hint(Hint::of(
            "check the time; if it is right, split the data there and name the parts as series with [id]",
        )))
    }

    /// The error for a row at the time of another, one of `n`.
    fn twice(&self, before: u32, row: u32, n: usize) -> Error {
        let time = self.times[row as usize];
        let more = if n > 1 { format!(", as do others in {} rows", n - 1) } else { String::new() };
        let message = format!("the time {time} occurs twice, before in row {}{more}", self.row_number(before));
        let remedy = "[duplicates=first], `last` or `mean` makes one point of such rows";
        Error::data(place(self.table, self.column, row), message).with_hint(match self.series() {
            Some(ids) => Hint::from(format!("series are identified by {ids}; ")).then(remedy),
            None => Hint::of("if rows belong to several series, ").then(SEVERAL).then("; ").then(remedy),
        })
    }

    fn not_rising(&self, group: &Group, before: u32, row: u32) -> Error {
        let (time, then) = (self.times[row as usize], self.times[before as usize]);
        let strays = out_of_order(&group.rows, &self.times);
        if strays.len() * MANY_STRAYS <= group.rows.len() {
            let stray = |row: &u32| format!("row {} ({})", self.row_number(*row), self.times[*row as usize]);
            let named: Vec<String> = strays.iter().take(5).map(stray).collect();
            let more = if strays.len() > 5 { format!(" and {} more", strays.len() - 5) } else { String::new() };
            let message = format!("expected rising times, but few rows are out of order: {}{more}", named.join(", "));
            let place = place(self.table, self.column, strays[0]);
            return Error::data(place, message).with_hint("correct their times, remove them, or sort all rows by time");
        }
        let message = format!("expected a time after {then} in row {}, got {time}", self.row_number(before));
        Error::data(place(self.table, self.column, row), message).with_hint(match self.series() {
            Some(ids) => Hint::from(format!("sort the rows by {ids} and `{}`", self.column)),
            None => Hint::from(format!("sort the rows by `{}`; if they belong to several series, ", self.column))
                .then(SEVERAL),
        })
    }

    /// The id columns, for messages.
    fn series(&self) -> Option<String> {
        let names: Vec<String> = self.ids.iter().map(|id| format!("`{id}`")).collect();
        (!names.is_empty()).then(|| names.join(" and "))
    }

    /// The row's number in the whole data.
    fn row_number(&self, row: u32) -> u64 {
        self.table.first_row() + u64::from(row)
    }
}

/// The time of every row.
fn times(table: &Table, column: &str) -> Result<Vec<Moment>> {
    let whole = Place::column(column).of(table.source());
    let times: Vec<Option<Moment>> = match Form::of(table.expect_column(column)?, &whole)? {
        Form::Moments(array) => array.iter().map(|time| time.map(Moment::Instant)).collect(),
        Form::Numbers(array) => array.iter().map(|time| time.map(Moment::Number)).collect(),
        Form::Words(words) if words.null_count() == words.len() => vec![None; words.len()],
        Form::Words(words) => return Err(unreadable(table, column, &words)),
        Form::Flags(_) => {
            let message =
                format!("{}: column `{column}`: expected dates or numbers, got true or false", table.source());
            return Err(Error::mismatch(message));
        }
    };
    let checked = |(row, time): (u32, Option<Moment>)| match time {
        Some(Moment::Number(number)) if !number.is_finite() => {
            Err(Error::data(place(table, column, row), format!("expected a time, got `{number}`")))
        }
        Some(time) => Ok(time),
        None => {
            let error = Error::data(place(table, column, row), "expected a time, got a missing cell");
            Err(error.with_hint("remove the row, or fill in its time"))
        }
    };
    (0..n_rows(table)?).zip(times).map(checked).collect()
}

/// The error for times stored as text: for the first row that is neither a date nor a number, else for the column.
fn unreadable(table: &Table, column: &str, words: &StringArray) -> Error {
    let is_time = |cell: Option<&str>| {
        let text = cell.unwrap_or_default().trim();
        token::is_missing(text) || token::number(text).is_some() || token::moment(text).is_some()
    };
    let Some(row) = words.iter().position(|cell| !is_time(cell)) else {
        let message = format!("{}: column `{column}`: expected dates or numbers throughout, got text", table.source());
        return Error::mismatch(message);
    };
    let got: String = words.value(row).trim().chars().take(40).collect();
    let expected = "a date such as 2024-03-12 or 2024-03-12T14:20:00Z, or a number";
    let error = Error::data(place(table, column, row as u32), format!("expected {expected}, got `{got}`"));
    error.with_hint("write times as ISO 8601: year, month, day, then the time of day")
}

fn place(table: &Table, column: &str, row: u32) -> Place {
    Place::cell(column, table.first_row() + u64::from(row)).of(table.source())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::ArrayRef;

    use super::*;
    use crate::data::{Column, ColumnKind, Schema, conform};

    const NAN: f64 = f64::NAN;

    /// Minutes of one day as text, with seconds after the point.
    fn clock(minutes: &[f64]) -> Vec<String> {
        let at = |minute: &f64| Moment::Instant((minute * 60e6).round() as i64).to_string();
        minutes.iter().map(at).collect()
    }

    /// A typed table of a column `x` and any of `time` and `id`.
    fn table(time: Option<(&[String], ColumnKind)>, id: Option<&[&str]>, x: &[f64]) -> Result<(Table, TimeColumns)> {
        let words = |cells: Vec<&str>| Arc::new(StringArray::from(cells)) as ArrayRef;
        let mut columns = vec![("x".to_owned(), Arc::new(Float64Array::from(x.to_vec())) as ArrayRef)];
        let mut kinds = vec![ColumnKind::Numeric];
        if let Some((cells, kind)) = time {
            columns.push(("time".to_owned(), words(cells.iter().map(String::as_str).collect())));
            kinds.push(kind);
        }
        if let Some(cells) = id {
            columns.push(("id".to_owned(), words(cells.to_vec())));
            kinds.push(ColumnKind::Text);
        }
        let roles = TimeColumns {
            time: time.map(|_| "time".to_owned()),
            id: id.map(|_| "id".to_owned()).into_iter().collect(),
            channels: vec!["x".to_owned()],
            ..TimeColumns::default()
        };
        let column = |((name, _), kind): (&(String, ArrayRef), ColumnKind)| Column::new(name.clone(), kind);
        let schema = Schema { columns: columns.iter().zip(kinds).map(column).collect() };
        let (typed, conformed) = conform(Table::from_arrays(columns, "t.csv")?, &schema)?;
        conformed.require(&typed, "time")?;
        Ok((typed, roles))
    }

    fn dated(times: &[String], id: Option<&[&str]>, step: Option<&str>) -> Result<SeriesSet> {
        let x: Vec<f64> = (0..times.len()).map(|row| row as f64).collect();
        let (table, roles) = table(Some((times, ColumnKind::Datetime)), id, &x)?;
        SeriesSet::long(&table, &roles, step.map(|step| step.parse().unwrap()))
    }

    /// Each series with the rows its points came from, and what was counted.
    fn shown(set: &SeriesSet) -> String {
        let row = |row: &Option<u32>| row.map_or("-".to_owned(), |row| row.to_string());
        let rows = |series: &Series| series.rows.iter().map(row).collect::<Vec<_>>().join(" ");
        let series = set.series.iter().map(|series| format!("{}: {}", series.id, rows(series)));
        let SeriesCounts { points, gaps, gap_points, missing, uneven, .. } = set.counts;
        let step = set.step.map_or("no step".to_owned(), |step| step.to_string());
        let series: Vec<String> = series.collect();
        format!("{} | {step} {points} {gaps} {gap_points} {missing} {uneven}", series.join(", "))
    }

    /// `expected`: the series, then the step, points, gaps, points in gaps, missing cells, uneven rows.
    fn check(minutes: &[f64], id: Option<&[&str]>, step: Option<&str>, expected: &str) {
        let got = dated(&clock(minutes), id, step).map_or_else(|error| error.to_string(), |set| shown(&set));
        assert_eq!(got, expected, "{minutes:?}");
    }

    #[test]
    fn rows_take_their_places_and_places_without_a_row_are_gaps() {
        check(&[0.0, 5.0, 10.0], None, None, ": 0 1 2 | 5 min 3 0 0 0 0");
        check(&[0.0, 5.0, 20.0, 25.0], None, None, ": 0 1 - - 2 3 | 5 min 6 1 2 0 0");
        check(&[0.0, 5.0, 10.0, 22.0], None, None, ": 0 1 2 - 3 | 5 min 5 1 1 0 1");
        let set = dated(&clock(&[0.0, 5.0, 10.0, 22.0]), None, None).unwrap();
        let series = &set.series[0];
        assert_eq!(series.start(), Some(Moment::Instant(0)));
        // The point in the gap lies between its neighbours, the others are where the table has them.
        let times: Vec<String> = (0..5).map(|point| series.time(point).to_string()[11..].to_owned()).collect();
        assert_eq!(times, ["00:00:00Z", "00:05:00Z", "00:10:00Z", "00:16:00Z", "00:22:00Z"]);
        assert!(series.values[3].is_nan());
        assert_eq!(series.values[4], 3.0);
    }

    #[test]
    fn jitter_is_no_gap_and_adds_up_to_none() {
        check(&[0.0, 5.01, 9.99, 15.2, 20.0, 24.97], None, None, ": 0 1 2 3 4 5 | 5 min 6 0 0 0 0");
        // Every row is 0.3 minutes late after the one before: a place counted from the first would soon be off by one.
        let late: Vec<f64> = (0..40).map(|row| f64::from(row) * 5.3).collect();
        let set = dated(&clock(&late), None, Some("5 min")).unwrap();
        assert_eq!((set.series[0].n_points(), set.counts.gaps, set.counts.uneven), (40, 0, 0));
        check(&[0.0, 1.0, 5.0, 10.0, 15.0, 20.0], None, None, ": 0 1 2 3 4 5 | 5 min 6 0 0 0 2");
    }

    #[test]
    fn ids_may_alternate_and_each_has_its_own_clock() {
        let ids = ["b", "a", "b", "a", "b"];
        check(&[0.0, 3.0, 5.0, 8.0, 15.0], Some(&ids), None, "b: 0 2 - 4, a: 1 3 | 5 min 6 1 1 0 0");
        check(&[0.0, 0.0, 5.0], Some(&["007", "7", "7"]), None, "007: 0, 7: 1 2 | 5 min 3 0 0 0 0");
        let numbers = Table::from_columns(vec![("id", vec![7.0, 0.5, 7.0]), ("x", vec![1.0, 2.0, 3.0])]).unwrap();
        let roles = TimeColumns { id: vec!["id".to_owned()], channels: vec!["x".to_owned()], ..TimeColumns::default() };
        let set = SeriesSet::long(&numbers, &roles, None).unwrap();
        assert_eq!(shown(&set), "7: 0 2, 0.5: 1 | no step 3 0 0 0 0");
        check(
            &[0.0, 5.0],
            Some(&["a", " NA"]),
            None,
            "t.csv, column `id`, row 1: expected which series the row is of, got nothing",
        );
    }

    #[test]
    fn numbers_are_times_too_and_no_times_are_one_step_apart() {
        let times: Vec<String> = ["0.1", "0.2", "0.3", "0.6"].map(str::to_owned).to_vec();
        let (numbers, roles) = table(Some((&times, ColumnKind::Numeric)), None, &[1.0; 4]).unwrap();
        let set = SeriesSet::long(&numbers, &roles, None).unwrap();
        assert_eq!(shown(&set), ": 0 1 2 - - 3 | 0.1 6 1 2 0 0");
        assert_eq!(set.series[0].time(3).to_string(), "0.4");
        let (plain, roles) = table(None, None, &[1.0, NAN, 3.0]).unwrap();
        let set = SeriesSet::long(&plain, &roles, None).unwrap();
        assert_eq!(shown(&set), ": 0 1 2 | no step 3 0 0 1 0");
        assert_eq!((set.series[0].start(), set.series[0].time(2).to_string()), (None, "2".to_owned()));
    }

    #[test]
    fn few_rows_are_series_too() {
        check(&[], None, None, " | no step 0 0 0 0 0");
        check(&[3.0], None, None, ": 0 | no step 1 0 0 0 0");
        check(&[3.0], None, Some("5 min"), ": 0 | 5 min 1 0 0 0 0");
        check(&[0.0, 0.0], Some(&["a", "b"]), None, "a: 0, b: 1 | no step 2 0 0 0 0");
    }

    #[test]
    fn missing_cells_are_counted_and_gaps_are_not_among_them() {
        let times = clock(&[0.0, 5.0, 15.0, 20.0]);
        let (half, roles) = table(Some((&times, ColumnKind::Datetime)), None, &[1.0, NAN, 3.0, NAN]).unwrap();
        let set = SeriesSet::long(&half, &roles, None).unwrap();
        assert_eq!(shown(&set), ": 0 1 - 2 3 | 5 min 5 1 1 2 0");
        let known: Vec<bool> = set.series[0].values.iter().map(|value| !value.is_nan()).collect();
        assert_eq!(known, [true, false, false, true, false]);
    }

    #[test]
    fn times_that_do_not_rise_are_refused() {
        check(
            &[0.0, 10.0, 5.0, 2.0],
            None,
            None,
            "t.csv, column `time`, row 2: expected a time after 1970-01-01T00:10:00Z in row 1, got 1970-01-01T00:05:00Z",
        );
        check(
            &[0.0, 5.0, 5.0],
            None,
            None,
            "t.csv, column `time`, row 2: the time 1970-01-01T00:05:00Z occurs twice, before in row 1",
        );
        // Of several wrong series, the first wrong row in the file is reported.
        check(
            &[9.0, 9.0, 10.0, 8.0, 7.0],
            Some(&["a", "b", "a", "b", "a"]),
            None,
            "t.csv, column `time`, row 3: expected a time after 1970-01-01T00:09:00Z in row 1, got 1970-01-01T00:08:00Z",
        );
        let hint =
            |minutes: &[f64], id: Option<&[&str]>| dated(&clock(minutes), id, None).unwrap_err().hint_text().unwrap();
        let several = "if they belong to several series, name the column that identifies the series with `id`";
        assert_eq!(hint(&[5.0, 0.0], None), format!("sort the rows by `time`; {several}"));
        assert_eq!(hint(&[5.0, 0.0], Some(&["a", "a"])), "sort the rows by `id` and `time`");
        let remedy = "`duplicates=first`, `last` or `mean` makes one point of such rows";
        let several = "name the column that identifies the series with `id`";
        assert_eq!(hint(&[0.0, 0.0], None), format!("if rows belong to several series, {several}; {remedy}"));
        assert_eq!(hint(&[0.0, 0.0], Some(&["a", "a"])), format!("series are identified by `id`; {remedy}"));
    }

    #[test]
    fn rows_at_one_time_become_one_point_as_chosen() {
        let check = |duplicates: Duplicates, expected: &str| {
            let times = clock(&[0.0, 5.0, 5.0, 10.0, 10.0, 15.0]);
            let x = [1.0, 2.0, 4.0, 7.0, 7.0, 8.0];
            let (table, roles) = table(Some((&times, ColumnKind::Datetime)), None, &x).unwrap();
            let set = SeriesSet::long(&table, &TimeColumns { duplicates, ..roles }, None);
            let shown = |set: SeriesSet| format!("{:?} {:?}", set.series[0].values, set.series[0].merged);
            assert_eq!(set.map_or_else(|error| error.to_string(), shown), expected, "{duplicates:?}");
        };
        check(Duplicates::First, "[1.0, 2.0, 7.0, 8.0] [(2, 1), (4, 2)]");
        check(Duplicates::Last, "[1.0, 4.0, 7.0, 8.0] [(1, 1), (3, 2)]");
        check(Duplicates::Mean, "[1.0, 3.0, 7.0, 8.0] [(2, 1), (4, 2)]");
        let twice = "t.csv, column `time`, row 2: the time 1970-01-01T00:05:00Z occurs twice, before in row 1, as do \
                     others in 1 rows";
        check(Duplicates::Error, twice);
        check(Duplicates::Auto, twice);
    }

    #[test]
    fn few_duplicates_and_an_hour_of_a_clock_put_back_are_told_and_no_error() {
        let mut minutes: Vec<f64> = (0..400).map(|i| f64::from(i) * 15.0).collect();
        minutes.insert(50, minutes[49]);
        let set = dated(&clock(&minutes), None, None).unwrap();
        assert_eq!((set.counts.duplicates, set.series[0].n_points(), set.counts.gaps), (1, 400, 0));
        let told = "1 row at the time of another row, with other values (the first of each counts, see `duplicates`), the \
                    first in row 50";
        assert_eq!(set.notes, [told]);
        let mut again: Vec<f64> = (0..400).map(|i| f64::from(i) * 15.0).collect();
        again.splice(12..12, [8.0, 9.0, 10.0, 11.0].map(|i| i * 15.0));
        let set = dated(&clock(&again), None, None).unwrap();
        assert_eq!((set.counts.duplicates, set.series[0].n_points(), set.counts.gaps), (4, 400, 0));
        assert!(set.notes[0].starts_with("4 rows of an hour that is gone through again"), "{:?}", set.notes);
    }

    #[test]
    fn few_rows_out_of_order_are_named() {
        let mut minutes: Vec<f64> = (0..200).map(|i| 1e6 + f64::from(i) * 5.0).collect();
        (minutes[70], minutes[120]) = (0.0, 9e6);
        let error = dated(&clock(&minutes), None, None).unwrap_err().to_string();
        assert_eq!(
            error,
            "t.csv, column `time`, row 70: expected rising times, but few rows are out of order: row 70 \
             (1970-01-01T00:00:00Z), row 120 (1987-02-11T00:00:00Z)"
        );
    }

    #[test]
    fn several_columns_identify_a_series_together() {
        let words = |cells: [&'static str; 4]| Arc::new(StringArray::from(cells.to_vec())) as ArrayRef;
        let columns = vec![
            ("plant".to_owned(), words(["p", "p", "q", "p"])),
            ("pump".to_owned(), words(["1", "2", "1", "1"])),
            ("x".to_owned(), Arc::new(Float64Array::from(vec![1.0, 2.0, 3.0, 4.0])) as ArrayRef),
        ];
        let table = Table::from_arrays(columns, "t.csv").unwrap();
        let id = vec!["plant".to_owned(), "pump".to_owned()];
        let roles = TimeColumns { id, channels: vec!["x".to_owned()], ..TimeColumns::default() };
        let set = SeriesSet::long(&table, &roles, None).unwrap();
        assert_eq!(shown(&set), "p / 1: 0 3, p / 2: 1, q / 1: 2 | no step 4 0 0 0 0");
    }

    #[test]
    fn times_that_cannot_be_read_are_refused() {
        let dates = |cells: &[&str]| {
            let cells: Vec<String> = cells.iter().map(|cell| (*cell).to_owned()).collect();
            dated(&cells, None, None).unwrap_err().to_string()
        };
        assert_eq!(dates(&["2024-01-01", ""]), "t.csv, column `time`, row 1: expected a time, got a missing cell");
        assert_eq!(
            dates(&["2024-01-01", "02/01/2024"]),
            "t.csv, column `time`, row 1: expected a date such as 2024-03-12 or 2024-03-12T14:20:00Z, got `02/01/2024`"
        );
        let other = |cells: &[&str], kind: ColumnKind| {
            let cells: Vec<String> = cells.iter().map(|cell| (*cell).to_owned()).collect();
            let (table, roles) = table(Some((&cells, kind)), None, &vec![0.0; cells.len()]).unwrap();
            SeriesSet::long(&table, &roles, None).unwrap_err().to_string()
        };
        assert_eq!(
            other(&["2024-01-01", "12:30"], ColumnKind::Text),
            "t.csv, column `time`, row 1: expected a date such as 2024-03-12 or 2024-03-12T14:20:00Z, or a number, got \
             `12:30`"
        );
        assert_eq!(
            other(&["2024-01-01", "7"], ColumnKind::Category),
            "t.csv: column `time`: expected dates or numbers throughout, got text"
        );
        assert_eq!(
            other(&["1", "inf"], ColumnKind::Numeric),
            "t.csv, column `time`, row 1: expected a time, got `inf`"
        );
        assert_eq!(
            other(&["", ""], ColumnKind::Text),
            "t.csv, column `time`, row 0: expected a time, got a missing cell"
        );
        assert_eq!(
            other(&["yes"], ColumnKind::Boolean),
            "t.csv: column `time`: expected dates or numbers, got true or false"
        );
    }

    #[test]
    fn a_gap_that_must_be_a_mistake_is_refused() {
        let minutes = |last: f64| [0.0, 1.0, 2.0, last];
        let set = dated(&clock(&minutes(1_000_002.0)), None, None).unwrap();
        assert_eq!(set.counts.gap_points, 999_999);
        check(
            &minutes(2_000_002.0),
            None,
            None,
            "t.csv, column `time`, row 3: expected a point every 1 min, but 1973-10-20T21:22:00Z comes after \
             1970-01-01T00:02:00Z (row 2): up to here gaps take 1999999 points, in a table of 4 rows",
        );
        let apart: Vec<String> = ["0", "1e-300", "2e-300", "1e300"].map(str::to_owned).to_vec();
        let (apart, roles) = table(Some((&apart, ColumnKind::Numeric)), None, &[0.0; 4]).unwrap();
        assert!(SeriesSet::long(&apart, &roles, None).is_err());
    }

    #[test]
    fn another_step_than_the_fitted_one_is_refused() {
        check(&[0.0, 5.3, 10.6], None, Some("5 min"), ": 0 1 2 | 5 min 3 0 0 0 0");
        check(
            &[0.0, 60.0, 120.0],
            None,
            Some("5 min"),
            "t.csv: column `time`: expected a point every 5 min as when fitted, got one every 1 h",
        );
        check(
            &[0.0, 60.0],
            None,
            Some("0.5"),
            "t.csv: column `time`: expected a point every 0.5 as when fitted, got dates",
        );
        let (numbers, roles) = table(Some((&["1".to_owned()], ColumnKind::Numeric)), None, &[0.0]).unwrap();
        let error = SeriesSet::long(&numbers, &roles, Some("5 min".parse().unwrap())).unwrap_err();
        assert!(error.to_string().ends_with("expected a point every 5 min as when fitted, got numbers"), "{error}");
        assert_eq!(
            error.hint_text().as_deref(),
            Some("bring the data to one point every 5 min, or fit a model to this data")
        );
    }

    #[test]
    fn columns_must_be_there() {
        let (table, roles) = table(None, None, &[1.0]).unwrap();
        let refused = |roles: TimeColumns| SeriesSet::long(&table, &roles, None).unwrap_err().to_string();
        assert_eq!(refused(TimeColumns { id: vec!["i".into()], ..roles.clone() }), "there is no column `i`");
        assert_eq!(refused(TimeColumns { time: Some("t".into()), ..roles.clone() }), "there is no column `t`");
        assert_eq!(refused(TimeColumns { channels: vec!["y".into()], ..roles.clone() }), "there is no column `y`");
        assert_eq!(refused(TimeColumns::default()), "t.csv: expected at least one column of values, got none");
    }
}
