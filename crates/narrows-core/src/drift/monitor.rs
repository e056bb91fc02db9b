//! Reads new data, in batches if rows are independent, and compares them with those of the fit in bounded memory.

use std::sync::Arc;

use super::words::findings;
use super::{
    ColumnDrift, DriftReport, LEAST_DISTANCE, LEAST_EXCESS, LEAST_MISSING, LEAST_PSI, MissingDrift, ScoreDrift,
    ThresholdDrift,
};
use super::{column::ColumnCounter, correction, counts, kolmogorov};
use crate::data::{self, Schema, Table};
use crate::distribution::{GridCounts, QuantileGrid, Thinned};
use crate::error::Result;
use crate::fitted::{Core, ScoreCounts, Scores, TabularKind, TabularModel};
use crate::range::Rate;

/// Compares new data with those that a model was fitted to.
///
/// ```
/// use narrows_core::drift::DriftMonitor;
/// use narrows_core::{Dataset, Recipe, Session, data::Table, fit};
///
/// let x = |n: u32, shift: f64| -> Vec<f64> { (0..n).map(|i| f64::from(i * 7919 % 1000) / 1000.0 + shift).collect() };
/// let table = |n, shift| Table::from_columns(vec![("a", x(n, shift)), ("b", x(n, 0.0))]);
/// let mut recipe = Recipe::preset("simple".parse()?);
/// recipe.set("train.steps=200")?;
/// let model = fit(&recipe, Dataset::from(table(1000, 0.0)?), &Session::default())?.into_table()?;
///
/// let mut monitor = DriftMonitor::new(&model, "0.01".parse()?);
/// monitor.add(&table(500, 0.3)?)?;
/// let report = monitor.finish();
/// assert!(report.has_drifted && report.columns[0].has_drifted && !report.columns[1].has_drifted);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct DriftMonitor {
    model: TabularKind,
    core: Arc<Core>,
    level: Rate,
    /// Independent rows per row: fewer than one for points of series.
    density: f64,
    calibration: QuantileGrid,
    scores: GridCounts,
    sample: Thinned,
    flagged: u64,
    counts: ScoreCounts,
    /// The columns to compare.
    schema: Schema,
    columns: Vec<ColumnCounter>,
}

impl DriftMonitor {
    /// Nothing read yet; unchanged data are reported with a probability of at most `level`.
    pub fn new(model: &dyn TabularModel, level: Rate) -> DriftMonitor {
        let kind = model.by_kind();
        let core = Arc::clone(kind.core());
        let known = &core.threshold.calibration;
        let density = if known.scores.is_empty() { 1.0 } else { known.blocks as f64 / known.scores.len() as f64 };
        let calibration = QuantileGrid::whole(&known.scores);
        let columns: Vec<ColumnCounter> =
            core.distribution.iter().flat_map(|d| &d.columns).map(ColumnCounter::new).collect();
        let is_compared = |name: &str| columns.iter().any(|column| column.name() == name);
        let schema = model.schema().columns.iter().filter(|column| is_compared(&column.name)).cloned().collect();
        DriftMonitor {
            model: kind,
            level,
            density,
            scores: GridCounts::new(&calibration),
            calibration,
            sample: Thinned::default(),
            flagged: 0,
            counts: ScoreCounts::default(),
            schema: Schema { columns: schema },
            columns,
            core,
        }
    }

    /// Reads new rows; those of series all at once, as their scores depend on each other.
    ///
    /// # Errors
    /// If the columns do not fit the model's.
    pub fn add(&mut self, table: &Table) -> Result<()> {
        let scores = match &self.model {
            TabularKind::Table(model) => model.score(table)?,
            TabularKind::Series(model) => model.score(table)?,
        };
        self.add_scored(table, &scores)
    }

    /// The same with the scores that the model gave these rows.
    ///
    /// # Errors
    /// If the columns do not fit the model's.
    pub fn add_scored(&mut self, table: &Table, scores: &Scores) -> Result<()> {
        for score in scores.score.iter().filter(|score| !score.is_nan()) {
            self.scores.add(&self.calibration, *score);
            self.sample.add(*score);
            self.flagged += u64::from(self.core.threshold.is_anomaly(*score));
        }
        self.counts.add(&scores.counts);
        if !self.columns.is_empty() {
            let (typed, _) = data::conform(table.clone(), &self.schema)?;
            for column in &mut self.columns {
                if let Some(array) = typed.column(column.name()) {
                    column.add(array);
                }
            }
        }
        Ok(())
    }

    /// Number of rows read.
    pub fn rows(&self) -> u64 {
        self.counts.rows
    }

    /// The columns compared, each with the number of its missing cells so far.
    pub fn missing(&self) -> impl Iterator<Item = (&str, u64)> {
        self.columns.iter().map(|column| (column.name(), column.n_missing()))
    }

    /// The comparison of all rows read.
    pub fn finish(self) -> DriftReport {
        self.report()
    }

    /// The comparison of the rows read so far.
    pub fn report(&self) -> DriftReport {
        let independent = |n: u64| (n as f64 * self.density).floor() as u64;
        let mut score = self.score(independent(self.scores.n));
        let mut flagged = self.flagged();
        let mut columns: Vec<ColumnDrift> = self.columns.iter().map(|column| column.compared(self.density)).collect();

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
        let known = &self.core.threshold.calibration;
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
        let decision = &self.core.threshold.decision;
        let known = &self.core.threshold.calibration;
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
            let words = "no reference distribution in this model, which an older version fitted: only scores are compared; \
                         fit it again to compare columns";
            notes.push(words.to_owned());
        }
        if self.core.threshold.calibration.scores.is_empty() {
            notes.push("the model has no calibration scores to compare scores with".to_owned());
        }
        notes.extend(self.counts.notes());
        notes
    }
}
