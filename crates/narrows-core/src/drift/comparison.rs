//! What new samples of any kind are compared by: their scores, those above the threshold, and named columns of them.

use std::sync::Arc;

use arrow::array::ArrayRef;

use super::words::findings;
use super::{
    ColumnDrift, DriftReport, LEAST_DISTANCE, LEAST_EXCESS, LEAST_MISSING, LEAST_PSI, MissingDrift, ScoreDrift,
    ThresholdDrift,
};
use super::{column::ColumnCounter, correction, counts, kolmogorov};
use crate::distribution::{GridCounts, QuantileGrid, Thinned};
use crate::fitted::{CalibratedThreshold, Core, ScoreCounts};
use crate::range::Rate;

/// How samples are scored: points of a stream by the last window alone, with a threshold of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Arrival {
    Whole,
    Stream,
}

impl Arrival {
    /// The threshold that scores of this kind are compared with.
    pub(super) fn threshold(self, core: &Core) -> &CalibratedThreshold {
        match (self, &core.stream_threshold) {
            (Arrival::Stream, Some(threshold)) => threshold,
            (Arrival::Stream, None) | (Arrival::Whole, _) => &core.threshold,
        }
    }
}

/// Whether missing cells can be compared: of points of series it is not known how many there were.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum MissingCells {
    Compared,
    Unknown,
}

/// New samples, counted.
#[derive(Debug)]
pub(super) struct Comparison {
    /// The noun of a sample.
    unit: &'static str,
    core: Arc<Core>,
    arrival: Arrival,
    missing: MissingCells,
    level: Rate,
    /// Independent samples per sample: fewer than one for points of series.
    density: f64,
    calibration: QuantileGrid,
    scores: GridCounts,
    sample: Thinned,
    flagged: u64,
    counts: ScoreCounts,
    columns: Vec<ColumnCounter>,
}

impl Comparison {
    pub(super) fn new(
        unit: &'static str,
        core: &Arc<Core>,
        (arrival, missing): (Arrival, MissingCells),
        level: Rate,
    ) -> Comparison {
        let known = &arrival.threshold(core).calibration;
        let density = if known.scores.is_empty() { 1.0 } else { known.blocks as f64 / known.scores.len() as f64 };
        let calibration = QuantileGrid::whole(&known.scores);
        Comparison {
            unit,
            core: Arc::clone(core),
            arrival,
            missing,
            level,
            density,
            scores: GridCounts::new(&calibration),
            calibration,
            sample: Thinned::default(),
            flagged: 0,
            counts: ScoreCounts::default(),
            columns: core.distribution.iter().flat_map(|d| &d.columns).map(ColumnCounter::new).collect(),
        }
    }

    fn known(&self) -> &CalibratedThreshold {
        self.arrival.threshold(&self.core)
    }

    /// Whether a column is compared.
    pub(super) fn compares(&self, name: &str) -> bool {
        self.columns.iter().any(|column| column.name() == name)
    }

    /// Counts scores; NaN is none.
    pub(super) fn add_scores(&mut self, scores: &[f64], counts: &ScoreCounts) {
        for score in scores.iter().filter(|score| !score.is_nan()) {
            self.scores.add(&self.calibration, *score);
            self.sample.add(*score);
            self.flagged += u64::from(self.known().is_anomaly(*score));
        }
        self.counts.add(counts);
    }

    /// The columns compared, each with the number of its missing cells so far.
    pub(super) fn missing(&self) -> impl Iterator<Item = (&str, u64)> {
        self.columns.iter().map(|column| (column.name(), column.n_missing()))
    }

    /// Counts the cells of the compared columns that `of` finds.
    pub(super) fn add_columns<'a>(&mut self, of: impl Fn(&str) -> Option<&'a ArrayRef>) {
        for column in &mut self.columns {
            if let Some(array) = of(column.name()) {
                column.add(array);
            }
        }
    }

    /// Number of samples read.
    pub(super) fn rows(&self) -> u64 {
        self.counts.rows
    }

    /// The comparison of the samples read so far.
    pub(super) fn report(&self) -> DriftReport {
        let independent = |n: u64| (n as f64 * self.density).floor() as u64;
        let mut score = self.score(independent(self.scores.n));
        let mut flagged = self.flagged();
        let compared = |column: &ColumnCounter| column.compared(self.density, self.missing);
        let mut columns: Vec<ColumnDrift> = self.columns.iter().map(compared).collect();

        let mut p_values = vec![score.p_value, flagged.p_value];
        p_values.extend(columns.iter().flat_map(|column| [column.p_value, column.missing.p_value]).flatten());
        let mut corrected = correction::corrected(&p_values).into_iter();
        let level = self.level.get();
        let mut next = |is_tested: bool| is_tested.then(|| corrected.next().unwrap_or(1.0));
        let is_significant = |corrected: Option<f64>| corrected.is_some_and(|p| p <= level);
        score.corrected = next(true).unwrap_or(1.0);
        flagged.corrected = next(true).unwrap_or(1.0);
        score.has_drifted = score.corrected <= level && score.distance >= LEAST_DISTANCE;
        let expected = flagged.promised_rate.unwrap_or(flagged.share_was);
        flagged.stands = flagged.corrected > level || flagged.share < LEAST_EXCESS * expected;
        for column in &mut columns {
            column.corrected = next(column.p_value.is_some());
            column.missing.corrected = next(column.missing.p_value.is_some());
            let is_far =
                column.distance.is_some_and(|d| d >= LEAST_DISTANCE) || column.psi.is_some_and(|i| i >= LEAST_PSI);
            column.has_drifted = is_significant(column.corrected) && is_far;
            let MissingDrift { share, share_was, corrected, .. } = column.missing;
            column.missing.has_drifted = is_significant(corrected) && (share - share_was).abs() >= LEAST_MISSING;
        }
        let mut report = DriftReport {
            has_drifted: score.has_drifted
                || !flagged.stands
                || columns.iter().any(|column| column.has_drifted || column.missing.has_drifted),
            findings: Vec::new(),
            level,
            unit: self.unit,
            rows: self.counts.rows,
            unscored: self.counts.unscored,
            independent: independent(self.scores.n),
            score,
            threshold: flagged,
            columns,
            broken: self.counts.broken.clone(),
            notes: self.notes(),
        };
        report.findings = findings(&report);
        report
    }

    fn score(&self, independent: u64) -> ScoreDrift {
        let known = &self.known().calibration;
        let distance = if self.scores.n == 0 { 0.0 } else { kolmogorov::distance(&self.calibration, &self.scores) };
        ScoreDrift {
            calibration: known.scores.len() as u64,
            distance,
            p_value: kolmogorov::p_value(distance, known.blocks as u64, independent),
            corrected: 1.0,
            median_was: known.median(),
            median: self.sample.quartiles().map(|[_, median, _]| median),
            has_drifted: false,
        }
    }

    fn flagged(&self) -> ThresholdDrift {
        let CalibratedThreshold { calibration: known, decision } = self.known();
        let above = known.scores.iter().filter(|score| decision.is_anomaly(**score)).count() as f64;
        let share_was = if known.scores.is_empty() { 0.0 } else { above / known.scores.len() as f64 };
        let n = self.scores.n;
        let [flagged, rows] = [self.flagged, n].map(|count| (count as f64 * self.density).floor() as u64);
        let p_value = match known.blocks {
            0 => 1.0,
            blocks => counts::above_threshold(flagged, rows, share_was * blocks as f64, blocks as f64),
        };
        ThresholdDrift {
            threshold: decision.threshold,
            flagged: self.flagged,
            share: if n == 0 { 0.0 } else { self.flagged as f64 / n as f64 },
            promised_rate: decision.promised_rate,
            share_was,
            p_value,
            corrected: 1.0,
            stands: true,
        }
    }

    fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        if self.core.distribution.is_none() {
            let what = if self.unit == "image" { "their brightness and other measures" } else { "columns" };
            notes.push(format!(
                "no reference distribution in this model, which an older version fitted: only scores are compared; \
                 fit it again to compare {what}"
            ));
        }
        if self.known().calibration.scores.is_empty() {
            notes.push("the model has no calibration scores to compare scores with".to_owned());
        }
        notes.extend(self.counts.notes());
        notes
    }
}
