//! Rows that share a time with another row of their series, and hours that a clock shows twice.
//!
//! A logger writes a row twice, or local time goes through an hour again when the clocks are put back. Such rows become
//! one point of the series; what is done with their values is a choice, and it is counted.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::moment::Moment;
use super::step::Step;
use crate::error::{Error, Result};

/// Rows with other values at the time of another row, as a share of all rows, up to which the first ones are taken
/// without being asked: more of them mean several series in one.
const FEW: f64 = 0.01;
/// The hour by which clocks are put back, in microseconds.
const HOUR: f64 = 3.6e9;
/// Clocks are put back once a year.
const NEARLY_A_YEAR: f64 = 300.0 * 24.0 * HOUR;

/// What to do with rows of one series at the same time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Duplicates {
    /// Equal rows are one; of rows with other values the first counts if they are few, else they are an error.
    #[default]
    Auto,
    /// The first row counts.
    First,
    /// The last row counts.
    Last,
    /// The mean of the rows counts.
    Mean,
    /// An error.
    Error,
}

impl Duplicates {
    /// All choices.
    pub const ALL: [Duplicates; 5] =
        [Duplicates::Auto, Duplicates::First, Duplicates::Last, Duplicates::Mean, Duplicates::Error];

    /// The name, as in files and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Duplicates::Auto => "auto",
            Duplicates::First => "first",
            Duplicates::Last => "last",
            Duplicates::Mean => "mean",
            Duplicates::Error => "error",
        }
    }

    /// Whether it is the default.
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "the form that serde asks for")]
    pub(crate) fn is_auto(&self) -> bool {
        *self == Duplicates::Auto
    }
}

impl FromStr for Duplicates {
    type Err = Error;

    fn from_str(name: &str) -> Result<Duplicates> {
        let known = Duplicates::ALL.into_iter().find(|choice| choice.name() == name);
        known.ok_or_else(|| {
            Error::recipe("duplicates", format!("expected `auto`, `first`, `last`, `mean` or `error`, got `{name}`"))
        })
    }
}

/// A row, and the row of the same series whose point it shares.
pub(super) type SharedPoint = (u32, u32);

/// The rows of one series in the order of time.
#[derive(Debug, Default, PartialEq)]
pub(super) struct RisingRows {
    /// Rows with rising times.
    pub(super) rows: Vec<u32>,
    /// Rows at the time of a row among `rows`, with that row.
    pub(super) merged: Vec<SharedPoint>,
    /// Rows of an hour that is gone through again, each with the row of the first pass that it shares a point with.
    pub(super) repeated: Vec<SharedPoint>,
    /// The first row that is before another in the file and after it in time: that row, and this.
    pub(super) fallen: Option<(u32, u32)>,
}

impl RisingRows {
    /// Sorts out the rows of one series; `usual` is the step between them.
    pub(super) fn of(rows: &[u32], times: &[Moment], usual: Option<Step>) -> RisingRows {
        let time = |row: u32| times[row as usize];
        let mut rising = RisingRows::default();
        // The last row of an hour that is gone through again, and when the hour before began to be.
        let (mut again, mut last_fall): (Option<u32>, Option<Moment>) = (None, None);
        for &row in rows {
            let Some(&last) = rising.rows.last() else {
                rising.rows.push(row);
                continue;
            };
            let since = time(row).since(time(last));
            if since > 0.0 {
                rising.rows.push(row);
                again = None;
                continue;
            }
            let is_again = match again {
                Some(before) => time(row).since(time(before)) >= 0.0,
                None => {
                    let is_new = last_fall.is_none_or(|fall| time(last).since(fall) > NEARLY_A_YEAR);
                    since < 0.0 && is_new && is_clock_change(time(last), -since, usual)
                }
            };
            if is_again {
                last_fall = last_fall.filter(|_| again.is_some()).or(Some(time(last)));
                again = Some(row);
                let place = rising.rows.partition_point(|known| time(*known).since(time(row)) <= 0.0);
                rising.repeated.push((row, rising.rows[place.saturating_sub(1)]));
            } else if since == 0.0 {
                rising.merged.push((row, last));
            } else {
                rising.fallen.get_or_insert((last, row));
                rising.rows.push(row);
            }
        }
        rising
    }
}

/// Whether times that fall back by this much do so because clocks are put back by an hour.
fn is_clock_change(time: Moment, back: f64, usual: Option<Step>) -> bool {
    let (Moment::Instant(_), Some(step)) = (time, usual) else { return false };
    // The first row after the change comes a step after the last one before it, and shows an hour less.
    back < HOUR && (back + step.units() - HOUR).abs() <= 0.5 * step.units().min(HOUR / 2.0)
}

/// Whether so many rows with other values are few enough to take the first ones.
pub(super) fn are_few(differing: u64, rows: usize) -> bool {
    differing as f64 <= FEW * rows as f64
}

/// The rows to remove so that the times of the others rise, as few as possible.
pub(super) fn out_of_order(rows: &[u32], times: &[Moment]) -> Vec<u32> {
    let since = |a: u32, b: u32| times[a as usize].since(times[b as usize]);
    // Patience sorting: the last row of the best chain of each length, and each row's predecessor.
    let mut ends: Vec<usize> = Vec::new();
    let mut before: Vec<Option<usize>> = Vec::with_capacity(rows.len());
    for (i, row) in rows.iter().enumerate() {
        let length = ends.partition_point(|end| since(*row, rows[*end]) > 0.0);
        before.push(length.checked_sub(1).map(|shorter| ends[shorter]));
        if length == ends.len() { ends.push(i) } else { ends[length] = i }
    }
    let mut is_kept = vec![false; rows.len()];
    let mut at = ends.last().copied();
    while let Some(i) = at {
        is_kept[i] = true;
        at = before[i];
    }
    rows.iter().zip(is_kept).filter(|(_, kept)| !kept).map(|(row, _)| *row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Times in minutes.
    fn moments(minutes: &[f64]) -> Vec<Moment> {
        minutes.iter().map(|minute| Moment::Instant((minute * 60e6).round() as i64)).collect()
    }

    fn rising(minutes: &[f64], step: &str) -> RisingRows {
        let rows: Vec<u32> = (0..minutes.len() as u32).collect();
        RisingRows::of(&rows, &moments(minutes), Some(step.parse().unwrap()))
    }

    #[test]
    fn rows_at_one_time_share_a_point() {
        let found = rising(&[0.0, 5.0, 5.0, 5.0, 10.0], "5 min");
        assert_eq!((found.rows, found.merged), (vec![0, 1, 4], vec![(2, 1), (3, 1)]));
        assert_eq!((found.repeated, found.fallen), (vec![], None));
    }

    #[test]
    fn an_hour_gone_through_twice_is_told_from_rows_out_of_order() {
        let quarter = [105.0, 120.0, 135.0, 150.0, 165.0, 120.0, 135.0, 150.0, 165.0, 180.0];
        let found = rising(&quarter, "15 min");
        assert_eq!(found.rows, [0, 1, 2, 3, 4, 9]);
        assert_eq!(found.repeated, [(5, 1), (6, 2), (7, 3), (8, 4)]);
        assert_eq!((found.merged, found.fallen), (vec![], None));
        // With jitter, a row joins the point before it.
        let found = rising(&[120.0, 135.0, 150.0, 165.0, 120.2, 134.9, 150.1, 165.0, 180.0], "15 min");
        assert_eq!(found.repeated, [(4, 0), (5, 0), (6, 2), (7, 3)]);
        // Half an hour is no change of clocks, and neither is a second hour in one year.
        assert_eq!(rising(&[120.0, 135.0, 150.0, 135.0, 150.0, 165.0], "15 min").fallen, Some((2, 3)));
        let twice = [&quarter[..], &[195.0, 210.0, 225.0, 180.0]].concat();
        assert_eq!(rising(&twice, "15 min").fallen, Some((12, 13)));
        assert_eq!(rising(&[0.0, 10.0, 5.0, 2.0], "5 min").fallen, Some((1, 2)));
    }

    #[test]
    fn the_rows_that_are_out_of_order_are_found_wherever_they_lead_to() {
        let check = |minutes: &[f64], expected: &[u32]| {
            let rows: Vec<u32> = (0..minutes.len() as u32).collect();
            assert_eq!(out_of_order(&rows, &moments(minutes)), expected, "{minutes:?}");
        };
        check(&[10.0, 11.0, 0.0, 12.0, 13.0], &[2]);
        check(&[10.0, 11.0, 99.0, 98.0, 12.0, 13.0, 14.0], &[2, 3]);
        check(&[1.0, 2.0, 3.0], &[]);
        check(&[], &[]);
    }

    #[test]
    fn choices_are_known_by_name() {
        for choice in Duplicates::ALL {
            assert_eq!(choice.name().parse::<Duplicates>().unwrap(), choice);
        }
        assert!("both".parse::<Duplicates>().is_err());
    }
}
