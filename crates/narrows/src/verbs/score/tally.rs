//! Counts over all batches of a scoring run, for the summary line.

use narrows_core::data::Unreadable;
use narrows_core::recipe::DataKind;
use narrows_core::{BrokenInvariants, OutsideRange, ScoreCounts, Scores};
use serde::Serialize;

use crate::talk::{Talk, count, grouped};

/// Counts for the summary line, and the summary of `--json`.
#[derive(Debug, Default, Serialize)]
pub(super) struct Tally {
    pub(super) rows: u64,
    pub(super) anomalies: u64,
    missing: u64,
    unreadable: Vec<Unreadable>,
    clipped: u64,
    unseen_levels: u64,
    #[serde(rename = "ignored_columns")]
    extra_columns: Vec<String>,
    gaps: u64,
    gap_points: u64,
    unscored: u64,
    unknown_series: Vec<String>,
    infinite: u64,
    outside_training_range: Vec<OutsideRange>,
    broken_invariants: Vec<BrokenInvariants>,
    lacking_columns: Vec<String>,
    /// Among the warnings.
    #[serde(skip)]
    notes: Vec<String>,
    /// Whether scores have remarks.
    #[serde(skip)]
    has_flags: bool,
    pub(super) warming_up: u64,
    pub(super) bad_lines: u64,
}

impl Tally {
    /// The tally of scores of this kind of data.
    pub(super) fn of(kind: DataKind) -> Tally {
        Tally { has_flags: kind == DataKind::Series, ..Tally::default() }
    }

    pub(super) fn add(&mut self, scores: &Scores) {
        self.anomalies += scores.is_anomaly.iter().filter(|flag| **flag).count() as u64;
        self.add_counts(&scores.counts);
    }

    pub(super) fn add_counts(&mut self, counts: &ScoreCounts) {
        self.rows += counts.rows;
        self.missing += counts.missing;
        Unreadable::merge(&mut self.unreadable, &counts.unreadable);
        self.clipped += counts.clipped;
        self.unseen_levels += counts.unseen_levels;
        self.gaps += counts.gaps;
        self.gap_points += counts.gap_points;
        self.unscored += counts.unscored;
        self.unknown_series.extend(counts.unknown_series.iter().cloned());
        self.infinite += counts.infinite;
        self.notes.extend(counts.notes.iter().cloned());
        BrokenInvariants::merge(&mut self.broken_invariants, &counts.broken);
        if self.lacking_columns.is_empty() {
            self.lacking_columns.clone_from(&counts.lacking);
        }
        OutsideRange::merge(&mut self.outside_training_range, &counts.outside);
        if self.extra_columns.is_empty() {
            self.extra_columns.clone_from(&counts.extra_columns);
        }
    }

    pub(super) fn tell(&self, talk: Talk) {
        let share = 100.0 * self.anomalies as f64 / self.rows.max(1) as f64;
        let scored =
            format!("{} scored, {} anomalous ({share:.2} %)", count(self.rows, "row"), grouped(self.anomalies));
        talk.line([vec![scored], self.warnings()].concat().join("; "));
        if talk == Talk::Quiet {
            self.unreadable.iter().for_each(|unreadable| talk.warn(taken_as_missing(unreadable)));
        }
    }

    /// What was filled, clipped, ignored or left out.
    pub(super) fn warnings(&self) -> Vec<String> {
        let unscored = if self.has_flags { "see the column `flag`" } else { "as they have no value" };
        let told = [
            (self.missing, count(self.missing, "missing cell")),
            (self.infinite, count(self.infinite, "infinite cell")),
            (self.clipped, format!("{} extreme values clipped", grouped(self.clipped))),
            (self.unseen_levels, count(self.unseen_levels, "unseen category value")),
            (
                self.gaps,
                format!("{} of {}, filled and not scored", count(self.gaps, "gap"), count(self.gap_points, "point")),
            ),
            (self.unscored, format!("{} without a score, {unscored}", count(self.unscored, "row"))),
            (self.warming_up, format!("{} warming up", count(self.warming_up, "row"))),
            (self.bad_lines, format!("{} skipped", count(self.bad_lines, "invalid line"))),
        ];
        let mut warnings: Vec<String> = told.into_iter().filter(|(n, _)| *n > 0).map(|(_, words)| words).collect();
        warnings.extend(BrokenInvariants::notes(&self.broken_invariants));
        if !self.lacking_columns.is_empty() {
            let names = self.lacking_columns.join(", ");
            warnings.push(format!("columns that never changed in training are not there to be compared: {names}"));
        }
        warnings.extend(OutsideRange::beyond(&self.outside_training_range, self.rows));
        warnings.extend(self.notes.iter().cloned());
        if !self.unknown_series.is_empty() {
            let names = self.unknown_series.join(", ");
            warnings.push(format!("series not seen in training, without their own scale: {names}"));
        }
        if !self.extra_columns.is_empty() {
            warnings.push(format!("ignored columns, not used by the model: {}", self.extra_columns.join(", ")));
        }
        warnings.extend(self.unreadable.iter().map(taken_as_missing));
        warnings
    }
}

fn taken_as_missing(unreadable: &Unreadable) -> String {
    format!("{unreadable}; taken as missing")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_of_later_rows_is_told_over_all_batches() {
        let mut tally = Tally::default();
        let counts = |rows, above| ScoreCounts {
            rows,
            outside: vec![
                OutsideRange { column: "Time".to_owned(), above, below: 0 },
                OutsideRange { column: "x".to_owned(), above: 1, below: 2 },
            ],
            ..ScoreCounts::default()
        };
        tally.add_counts(&counts(15, 15));
        assert!(tally.warnings().is_empty(), "few rows");
        tally.add_counts(&counts(85, 85));
        assert_eq!(tally.warnings(), ["all rows are above the training range of `Time`"]);
    }
}
