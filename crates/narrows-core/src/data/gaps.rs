//! How much of a grid of points has rows: gaps are told with their place, and a grid that is mostly gaps is refused.
//!
//! Three wrong times, or rows that follow each other at no even step, would otherwise become thousands of invented points.

use super::moment::Moment;
use super::series::SeriesSet;
use crate::error::{Error, Hint, Place, Result};

/// A fit is refused if gaps have more points than this many times the rows.
const MOST_GAP_POINTS_A_ROW: u64 = 2;
/// Or than this, if they come again and again, as nights and weekends do.
const MOST_IN_REGULAR_GAPS: u64 = 19;
/// Gaps are told with their place from this share of the points on.
const TOLD: f64 = 0.2;
/// And if one has as many points as this.
const LONG: u64 = 1000;
/// If more than one in so many rows comes after a gap, the rows are irregular.
const IRREGULAR: u64 = 20;

/// The longest gap of a table.
#[derive(Debug, Clone, PartialEq)]
pub struct LongGap {
    /// Its points.
    pub points: u64,
    /// Number and time of the row before it.
    pub before: (u64, Moment),
    /// Number and time of the row after it.
    pub after: (u64, Moment),
}

impl SeriesSet {
    /// A note on gaps, if they are many or long.
    pub(crate) fn gap_note(&self) -> Option<String> {
        let gap = self.longest_gap.as_ref()?;
        let share = self.counts.gap_points as f64 / self.counts.points.max(1) as f64;
        (share > TOLD || gap.points >= LONG).then(|| {
            let (before, after) = (&gap.before, &gap.after);
            format!(
                "{} of {} points are in gaps; the longest gap, of {} points, lies between row {} ({}) and row {} ({})",
                self.counts.gap_points, self.counts.points, gap.points, before.0, before.1, after.0, after.1
            )
        })
    }

    /// Rejects series that consist mostly of gaps; `column` has the times, `source` names the table.
    ///
    /// # Errors
    /// [`Error::Data`] with the longest gap, or with the share of gaps if rows are irregular throughout.
    pub(crate) fn check_gaps(&self, column: &str, source: &str) -> Result<()> {
        let (Some(gap), Some(step)) = (&self.longest_gap, self.step) else { return Ok(()) };
        let rows = self.counts.points - self.counts.gap_points;
        let is_irregular = self.counts.gaps * IRREGULAR > rows;
        // A wrong time makes one gap of nearly all points.
        let come_again = !is_irregular && gap.points <= self.counts.gap_points / 2;
        let most = if come_again { MOST_IN_REGULAR_GAPS } else { MOST_GAP_POINTS_A_ROW };
        if self.counts.gap_points <= most * rows {
            return Ok(());
        }
        if is_irregular {
            let share = 100.0 * self.counts.gap_points as f64 / self.counts.points as f64;
            let message = format!(
                "expected rows at an even step, but they are irregular: at the usual step of {step}, {share:.0} % of the \
                 points have no row"
            );
            let error = Error::data(Place::column(column).of(source), message);
            return Err(error.with_hint(Hint::of(
                "bring the rows to an even step first, such as the mean of each minute; or leave the time out with \
                 [ignore], so that rows follow each other one step apart",
            )));
        }
        let (before, after) = (&gap.before, &gap.after);
        let message = format!(
            "expected a point every {step}, but {} comes after {} (row {}): gaps take {} points, in a table of {rows} rows",
            after.1, before.1, before.0, self.counts.gap_points
        );
        Err(Error::data(Place::cell(column, after.0).of(source), message).with_hint(Hint::of(
            "check the time; if it is right, name the parts as series with [id], or leave the time out with [ignore], so \
             that rows follow each other one step apart",
        )))
    }
}

#[cfg(test)]
mod tests {
    use crate::data::{SeriesSet, Table, TimeColumns};

    fn set(seconds: Vec<f64>) -> SeriesSet {
        let x = vec![1.0; seconds.len()];
        let table = Table::from_columns(vec![("t", seconds), ("x", x)]).unwrap();
        let columns = TimeColumns { time: Some("t".into()), channels: vec!["x".into()], ..TimeColumns::default() };
        SeriesSet::long(&table, &columns, None).unwrap()
    }

    fn check(seconds: Vec<f64>, expected: &str) {
        let got = set(seconds).check_gaps("t", "t.csv").map_or_else(|error| error.to_string(), |()| "fine".to_owned());
        assert_eq!(got, expected);
    }

    #[test]
    fn few_times_that_stretch_the_grid_are_named_with_their_row() {
        let mut seconds: Vec<f64> = (0..100).map(f64::from).collect();
        seconds.extend([10_099.0, 10_100.0]);
        let note = "9999 of 10101 points are in gaps; the longest gap, of 9999 points, lies between row 99 (99) and row 100 (10099)";
        assert_eq!(set(seconds.clone()).gap_note().as_deref(), Some(note));
        check(
            seconds,
            "t.csv, column `t`, row 100: expected a point every 1, but 10099 comes after 99 (row 99): gaps take 9999 points, \
             in a table of 102 rows",
        );
        // Weekends are gaps as well, and few enough.
        let weeks: Vec<f64> = (0..100).filter(|day| day % 7 < 5).map(f64::from).collect();
        assert!(set(weeks.clone()).gap_note().is_some());
        check(weeks, "fine");
        check((0..50).map(f64::from).collect(), "fine");
        // Working hours: nights take four fifths of the points, and come again and again.
        let sessions: Vec<f64> = (0..3000).filter(|minute| minute % 300 < 60).map(f64::from).collect();
        check(sessions, "fine");
    }

    #[test]
    fn a_log_at_no_even_step_is_refused_with_its_share_of_gaps() {
        let mut at = 0.0;
        let mut next = |i: usize| {
            at += if i.is_multiple_of(3) { 40.0 + (i % 7) as f64 } else { 1.0 };
            at
        };
        let seconds: Vec<f64> = (0..200).map(&mut next).collect();
        check(
            seconds,
            "t.csv, column `t`: expected rows at an even step, but they are irregular: at the usual step of 1, 93 % of the \
             points have no row",
        );
    }
}
