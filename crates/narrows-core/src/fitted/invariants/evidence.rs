//! Rows against invariants: which they break, and the scores that follow.
//!
//! A broken constant multiplies the score, which counts as 1 at least, by one plus the number of rows that kept it, summed
//! over those broken; from [`Invariants::CERTAIN_ROWS`] on the score is at least [`Invariants::CERTAIN`], whatever the network says. A missing
//! cell in a column that was complete is a failure of the reading rather than of what is read, and common where data
//! is joined: there the number of rows counts by its square root.

use std::collections::BTreeMap;

use arrow::array::{Array, ArrayRef};
use serde::Serialize;

use super::{Constant, Invariants};
use crate::data::{CellValues, Schema, Table};
use crate::detect::Reason;

/// Columns of which breaks are told one by one.
const TOLD_COLUMNS: usize = 8;

/// What the rows of a table say of the invariants.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Evidence {
    /// The rows that break any.
    broken: BTreeMap<u32, Broken>,
    /// Rows of which the network sees nothing.
    unseen: Vec<u32>,
    /// Compared columns that the table lacks.
    pub(crate) lacking: Vec<String>,
    /// Rows with broken invariants, by column.
    pub(crate) counts: Vec<BrokenInvariants>,
    decides_alone: bool,
}

/// Rows that break the invariants of one column.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct BrokenInvariants {
    /// The column.
    pub column: String,
    /// What all training rows kept, as in "always ok in 400 training rows".
    pub kept: String,
    /// Number of rows that break it.
    pub rows: u64,
}

impl BrokenInvariants {
    /// Adds the rows of a later part of the same table to those before.
    pub fn merge(all: &mut Vec<BrokenInvariants>, more: &[BrokenInvariants]) {
        for broken in more {
            match all.iter_mut().find(|known| (&known.column, &known.kept) == (&broken.column, &broken.kept)) {
                Some(known) => known.rows += broken.rows,
                None => all.push(broken.clone()),
            }
        }
    }

    /// One sentence for each of the first columns, as in "`raid_state`: always ok in 400 training rows, not so in 3 rows".
    pub fn notes(all: &[BrokenInvariants]) -> Vec<String> {
        let sentence = |broken: &BrokenInvariants| {
            let rows = if broken.rows == 1 { "1 row".to_owned() } else { format!("{} rows", broken.rows) };
            format!("`{}`: {}, not so in {rows}", broken.column, broken.kept)
        };
        let mut notes: Vec<String> = all.iter().take(TOLD_COLUMNS).map(sentence).collect();
        if let Some(more) = all.len().checked_sub(TOLD_COLUMNS).filter(|more| *more > 0) {
            notes.push(format!("{more} more columns are not as in all training rows"));
        }
        notes
    }
}

/// The invariants that a row breaks.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Broken {
    /// The reasons: first changed constants, then missing cells.
    pub(crate) reasons: Vec<Reason>,
    /// Whether a constant is among them.
    has_constant: bool,
    /// A score of at least 1 is multiplied by this.
    factor: f64,
    /// The least score.
    least: f64,
}

impl Broken {
    /// The score of the row, raised; NaN is no score of its own.
    pub(crate) fn raised(&self, score: f64) -> f64 {
        match (score.is_nan(), self.has_constant) {
            // Nothing else was observed, so missing cells are no surprise.
            (true, false) => score,
            (true, true) => self.factor.max(self.least),
            (false, _) if self.factor > 1.0 => (score.max(1.0) * self.factor).max(self.least),
            (false, _) => score.max(self.least),
        }
    }
}

impl Evidence {
    /// The scores of these rows of the table, raised where they break invariants; NaN for rows of which nothing was
    /// observed.
    pub(crate) fn judged(&self, rows: impl IntoIterator<Item = u32>, mut scores: Vec<f64>) -> Vec<f64> {
        scores.iter_mut().zip(rows).for_each(|(score, row)| *score = self.judge(row, *score));
        scores
    }

    /// The score of one row.
    pub(crate) fn judge(&self, row: u32, score: f64) -> f64 {
        let score = match self.is_unseen(row) {
            true => f64::NAN,
            false if self.decides_alone && !score.is_nan() => 1.0,
            false => score,
        };
        self.broken.get(&row).map_or(score, |broken| broken.raised(score))
    }

    /// Whether the network sees no value of a row.
    pub(crate) fn is_unseen(&self, row: u32) -> bool {
        self.unseen.binary_search(&row).is_ok()
    }

    /// Whether nothing but the invariants decides.
    pub(crate) fn decides_alone(&self) -> bool {
        self.decides_alone
    }

    /// Whether no row breaks any.
    pub(crate) fn is_silent(&self) -> bool {
        self.broken.is_empty()
    }

    /// What a row breaks.
    pub(crate) fn broken(&self, row: u32) -> Option<&Broken> {
        self.broken.get(&row)
    }

    /// The `k` first reasons of a row: what it breaks, then `others` of columns that keep their invariants.
    pub(crate) fn reasons(&self, row: u32, others: Vec<Reason>, k: usize) -> Vec<Reason> {
        let others = if self.decides_alone || self.is_unseen(row) { Vec::new() } else { others };
        let Some(broken) = self.broken.get(&row) else { return others };
        if self.is_unseen(row) && !broken.has_constant {
            return Vec::new();
        }
        with_broken(broken, others, k)
    }
}

/// The `k` first reasons: those of `broken` invariants, then `others` of other columns.
pub(crate) fn with_broken(broken: &Broken, others: Vec<Reason>, k: usize) -> Vec<Reason> {
    let is_new = |reason: &Reason| broken.reasons.iter().all(|known| known.column != reason.column);
    broken.reasons.iter().cloned().chain(others.into_iter().filter(is_new)).take(k).collect()
}

impl Invariants {
    /// A constant that so many rows kept makes a row that breaks it an anomaly by itself.
    pub(crate) const CERTAIN_ROWS: u64 = 99;
    /// The least score of such a row.
    pub(crate) const CERTAIN: f64 = 1e6;

    /// Compares the rows of a table: its columns in `typed`, those that the network reads, are taken from there.
    pub(crate) fn compared(&self, typed: &Table, raw: &Table, schema: &Schema) -> Evidence {
        let column = |name: &str| match schema.get(name) {
            Some(_) => typed.column(name),
            None => raw.column(name).or_else(|| alike(raw, name)),
        };
        let mut evidence =
            Evidence { unseen: unseen(typed, schema), decides_alone: self.decide_alone, ..Evidence::default() };
        let n = typed.n_rows();
        let mut weights: BTreeMap<u32, Weights> = BTreeMap::new();
        for constant in &self.constants {
            let Some(array) = column(constant.name()) else {
                evidence.lacking.push(constant.name().to_owned());
                continue;
            };
            evidence.compare(constant, &CellValues::of(&constant.column, array), n, &mut weights);
        }
        for name in &self.complete {
            let Some(array) = column(name) else { continue };
            let constant = self.constants.iter().find(|constant| constant.name() == name);
            let read = constant.map(|constant| &constant.column).or_else(|| schema.get(name));
            let Some(read) = read else { continue };
            evidence.look_for_holes((name, self.rows), &CellValues::of(read, array), n, &mut weights);
        }
        for (row, weights) in weights {
            let broken = evidence.broken.entry(row).or_default();
            (broken.factor, broken.least) = self.weighed(&weights);
        }
        evidence
    }

    /// By what a score is multiplied, and what it is at least.
    fn weighed(&self, weights: &Weights) -> (f64, f64) {
        let (mut factor, mut least) = (1.0, 0.0_f64);
        let level = |levels: &[f64], breaks: usize| breaks.checked_sub(1).and_then(|i| levels.get(i)).copied();
        match level(&self.chance.constants, weights.constants) {
            Some(level) => least = least.max(level),
            None => {
                factor += weights.kept;
                least = if weights.most_kept >= Self::CERTAIN_ROWS { Self::CERTAIN } else { least };
            }
        }
        match level(&self.chance.missing, weights.missing) {
            Some(level) => least = least.max(level),
            None => factor *= 1.0 + (weights.missing as f64 * self.rows as f64).sqrt(),
        }
        (factor, least)
    }
}

/// What a row breaks, in numbers.
#[derive(Default)]
struct Weights {
    constants: usize,
    /// The rows that kept them, summed.
    kept: f64,
    most_kept: u64,
    missing: usize,
}

impl Evidence {
    /// Compares the cells of one column with its constant.
    fn compare(&mut self, constant: &Constant, cells: &CellValues<'_>, n: usize, weights: &mut BTreeMap<u32, Weights>) {
        let kept = constant.describe();
        let mut rows = 0;
        for row in 0..n as u32 {
            let Some(got) = cells.get(row as usize) else { continue };
            if constant.value.as_ref().is_some_and(|value| value.is_same(&got)) {
                continue;
            }
            rows += 1;
            let broken = self.broken.entry(row).or_default();
            broken.has_constant = true;
            broken.reasons.push(Reason::broken(constant.name(), &kept, got.to_string()));
            let weights = weights.entry(row).or_default();
            weights.constants += 1;
            weights.kept += constant.rows as f64;
            weights.most_kept = weights.most_kept.max(constant.rows);
        }
        self.count(constant.name(), kept, rows);
    }

    /// Looks for missing cells of a complete column.
    fn look_for_holes(
        &mut self,
        (name, kept): (&str, u64),
        cells: &CellValues<'_>,
        n: usize,
        weights: &mut BTreeMap<u32, Weights>,
    ) {
        if cells.is_whole() {
            return;
        }
        let kept = format!("never missing in {kept} training rows");
        let mut rows = 0;
        for row in (0..n as u32).filter(|row| cells.get(*row as usize).is_none()) {
            rows += 1;
            self.broken.entry(row).or_default().reasons.push(Reason::broken(name, &kept, "nothing"));
            weights.entry(row).or_default().missing += 1;
        }
        self.count(name, kept, rows);
    }

    fn count(&mut self, column: &str, kept: String, rows: u64) {
        self.counts.extend((rows > 0).then(|| BrokenInvariants { column: column.to_owned(), kept, rows }));
    }
}

/// The rows of which no column of the schema has a value.
pub(crate) fn unseen(typed: &Table, schema: &Schema) -> Vec<u32> {
    let arrays: Vec<&ArrayRef> = schema.columns.iter().filter_map(|column| typed.column(&column.name)).collect();
    if arrays.is_empty() || arrays.iter().any(|array| array.null_count() == 0) {
        return Vec::new();
    }
    (0..typed.n_rows() as u32).filter(|row| arrays.iter().all(|array| array.is_null(*row as usize))).collect()
}

/// The only column whose name differs in blanks around it alone.
fn alike<'a>(table: &'a Table, name: &str) -> Option<&'a ArrayRef> {
    let names = table.names();
    let mut alike = names.iter().filter(|other| other.trim() == name.trim());
    match (alike.next(), alike.next()) {
        (Some(only), None) => table.column(only),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{Float64Array, StringArray};

    use super::super::{Candidate, LearntInvariants};
    use super::*;
    use crate::data::{Column, ColumnKind, conform};

    /// A table of what the network reads, `x`, and of a state that never changed.
    fn table(x: &[Option<f64>], states: &[&str]) -> Table {
        let columns: Vec<(String, ArrayRef)> = vec![
            ("x".to_owned(), Arc::new(Float64Array::from(x.to_vec()))),
            ("state".to_owned(), Arc::new(StringArray::from(states.to_vec()))),
        ];
        Table::from_arrays(columns, "new.csv").unwrap()
    }

    fn schema() -> Schema {
        Schema { columns: vec![Column::new("x", ColumnKind::Numeric)] }
    }

    /// Invariants of `n` rows, of which the last `odd` each alone have another flag.
    fn invariants(n: u32) -> Invariants {
        let (x, states): (Vec<Option<f64>>, Vec<&str>) = (0..n).map(|i| (Some(f64::from(i)), "ok")).unzip();
        let table = table(&x, &states);
        let columns = [Column::new("x", ColumnKind::Numeric), Column::new("state", ColumnKind::Category)];
        let candidates: Vec<Candidate<'_>> =
            columns.iter().map(|column| Candidate { column, array: table.column(&column.name).unwrap() }).collect();
        LearntInvariants::of(&candidates, &(0..n).collect::<Vec<_>>()).calibrated(&[1.0])
    }

    fn evidence(invariants: &Invariants, table: &Table) -> Evidence {
        let (typed, _) = conform(table.clone(), &schema()).unwrap();
        invariants.compared(&typed, table, &schema())
    }

    #[test]
    fn a_broken_constant_counts_by_the_rows_that_kept_it() {
        let new = table(&[Some(1.0), Some(2.0)], &["ok", "FAILED"]);
        let scores = |n: u32| evidence(&invariants(n), &new).judged(0..2, vec![0.5, 0.5]);
        assert_eq!(scores(9), [0.5, 10.0]);
        assert_eq!(scores(98), [0.5, 99.0]);
        assert_eq!(scores(99), [0.5, 1e6]);
        let found = evidence(&invariants(99), &new);
        let told: Vec<String> = found.reasons(1, Vec::new(), 3).iter().map(Reason::to_string).collect();
        assert_eq!(told, ["`state`: always ok in 99 training rows, got FAILED"]);
        assert_eq!((found.counts[0].rows, found.reasons(0, Vec::new(), 3).len()), (1, 0));
    }

    #[test]
    fn a_missing_cell_counts_less_and_a_row_without_any_has_no_score() {
        let new = table(&[None, Some(2.0), None, None], &["ok", "", "", "FAILED"]);
        let scores = evidence(&invariants(100), &new).judged(0..4, vec![0.5, 2.0, 0.5, 0.5]);
        // The network sees nothing of the first row, and of the last; a changed constant needs no network.
        assert!(scores[0].is_nan() && scores[2].is_nan());
        assert_eq!((scores[1], scores[3]), (22.0, 1e6));
    }

    #[test]
    fn a_column_that_is_not_there_is_told_and_blanks_around_its_name_do_not_matter() {
        let new = table(&[Some(1.0)], &["FAILED"]);
        assert_eq!(evidence(&invariants(100), &new.without(&["state"])).lacking, ["state"]);
        let columns = vec![
            ("x".to_owned(), new.column("x").unwrap().clone()),
            (" state".to_owned(), new.column("state").unwrap().clone()),
        ];
        let found = evidence(&invariants(100), &Table::from_arrays(columns, "new.csv").unwrap());
        assert!(found.lacking.is_empty() && found.judge(0, 0.1) == 1e6);
    }

    #[test]
    fn reasons_of_broken_invariants_come_first_and_stand_for_their_columns() {
        let found = evidence(&invariants(9), &table(&[Some(1.0)], &["FAILED"]));
        let others = vec![Reason::number("state", 0.6, 1.0, 2.0), Reason::number("x", 0.4, 1.0, 2.0)];
        let columns =
            |k| found.reasons(0, others.clone(), k).into_iter().map(|reason| reason.column).collect::<Vec<_>>();
        assert_eq!((columns(3), columns(1)), (vec!["state".to_owned(), "x".to_owned()], vec!["state".to_owned()]));
    }

    #[test]
    fn breaks_of_parts_are_added() {
        let part = |rows| BrokenInvariants { column: "a".to_owned(), kept: "always 1".to_owned(), rows };
        let mut all = vec![part(2)];
        BrokenInvariants::merge(&mut all, &[part(3)]);
        assert_eq!(all, [part(5)]);
    }
}
