//! The report on data that a model was not fitted to: scores beside those of calibration, the worst rows with reasons,
//! the rate of anomalies against the promised one.

use super::core::Core;
use super::evaluate::Evaluation;
use super::scoring::ScoreCounts;
use super::series::new_points;
use super::summary::detection;
use super::tabular::{TabularKind, TabularModel};
use crate::data::Table;
use crate::detect::Estimate;
use crate::error::Result;
use crate::report::{AnomalousStretch, BaselineAreas, NewDataMetrics, NewDataReport, TopRow};

/// Rows that are explained.
const TOP_ROWS: usize = 20;
/// Reasons of each.
const TOP_REASONS: usize = 6;

/// Makes the report on a sequence of tables; keeps a number per row and the worst rows.
#[derive(Debug)]
pub struct NewDataReporter<'m> {
    model: &'m dyn TabularModel,
    source: String,
    rows: u64,
    /// Scores that are known.
    scores: Vec<f64>,
    counts: ScoreCounts,
    /// The highest-scoring independent rows so far, with their scores.
    worst: Vec<(f64, Table)>,
    top: Vec<TopRow>,
    stretches: Vec<AnomalousStretch>,
}

impl<'m> NewDataReporter<'m> {
    /// A report on data from `source`.
    pub fn new(model: &'m dyn TabularModel, source: impl Into<String>) -> NewDataReporter<'m> {
        NewDataReporter {
            model,
            source: source.into(),
            rows: 0,
            scores: Vec::new(),
            counts: ScoreCounts::default(),
            worst: Vec::new(),
            top: Vec::new(),
            stretches: Vec::new(),
        }
    }

    /// Scores the rows of `table`; points of series must be passed all at once.
    ///
    /// # Errors
    /// If the columns do not fit the model's.
    pub fn add(&mut self, table: &Table) -> Result<()> {
        let scores = self.model.score(table)?;
        self.rows += table.n_rows() as u64;
        self.counts.add(&scores.counts);
        self.scores.extend(scores.score.iter().copied().filter(|score| !score.is_nan()));
        if let (false, TabularKind::Series(model)) = (self.model.rows_are_independent(), self.model.by_kind()) {
            let points = new_points(&model, table)?;
            (self.top, self.stretches) = (points.top, points.stretches);
            return Ok(());
        }
        let lowest = if self.worst.len() < TOP_ROWS { f64::NEG_INFINITY } else { self.worst[TOP_ROWS - 1].0 };
        let mut rows: Vec<usize> = (0..table.n_rows()).filter(|row| scores.score[*row] > lowest).collect();
        rows.sort_by(|a, b| scores.score[*b].total_cmp(&scores.score[*a]));
        for row in rows.into_iter().take(TOP_ROWS) {
            // Copied, so that the row does not keep its whole batch in memory.
            let place = table.slice(row, 1);
            let copy = Table::new(place.take(&[0]).batch().clone(), place.source(), place.first_row());
            self.worst.push((scores.score[row], copy));
        }
        self.worst.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.first_row().cmp(&b.1.first_row())));
        self.worst.truncate(TOP_ROWS);
        Ok(())
    }

    /// The report; `metrics` if the data has labels.
    ///
    /// # Errors
    /// If the worst rows cannot be explained.
    pub fn finish(mut self, metrics: Option<&Evaluation>) -> Result<NewDataReport> {
        for (_, row) in &self.worst {
            let explained = self.model.explain(row, TOP_REASONS)?;
            let scores = &explained.scores;
            self.top.push(TopRow {
                row: row.first_row(),
                score: scores.score[0],
                p_value: scores.p_value[0],
                is_anomaly: scores.is_anomaly[0],
                reasons: explained.reasons.into_iter().next().unwrap_or_default(),
            });
        }
        let kind = self.model.by_kind();
        let mut report = scored(kind.core(), self.source, self.rows, &self.scores);
        report.notes = self.counts.notes();
        (report.top, report.stretches) = (self.top, self.stretches);
        report.metrics = metrics.map(Evaluation::summary);
        Ok(report)
    }
}

/// The part of the report that scores alone give.
pub(super) fn scored(core: &Core, source: String, rows: u64, scores: &[f64]) -> NewDataReport {
    NewDataReport {
        source,
        rows,
        scored: scores.len() as u64,
        anomalies: scores.iter().filter(|score| core.threshold.is_anomaly(**score)).count() as u64,
        detection: detection(&core.threshold, scores),
        top: Vec::new(),
        notes: Vec::new(),
        stretches: Vec::new(),
        worst: Vec::new(),
        worst_sheet: String::new(),
        metrics: None,
    }
}

impl Evaluation {
    /// The metrics that a report shows.
    pub(super) fn summary(&self) -> NewDataMetrics {
        let estimate = |value: f64, [low, high]: [f64; 2]| Estimate { value, low, high };
        let baselines = [("PCA", &self.baselines.pca), ("isolation forest", &self.baselines.isolation_forest)];
        NewDataMetrics {
            n: self.n,
            n_anomalies: self.n_anomalies,
            auc_roc: estimate(self.auc_roc, self.intervals.auc_roc),
            auc_pr: estimate(self.auc_pr, self.intervals.auc_pr),
            f1: estimate(self.f1, self.intervals.f1),
            precision: self.precision,
            recall: self.recall,
            false_alarm_rate: self.false_alarm_rate,
            confusion: self.confusion,
            precision_at: self.precision_at.clone(),
            baselines: baselines
                .into_iter()
                .map(|(name, areas)| BaselineAreas {
                    name: name.to_owned(),
                    auc_roc: areas.auc_roc,
                    auc_pr: areas.auc_pr,
                })
                .collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fitted::{Dataset, Session, fit};
    use crate::recipe::{Preset, Recipe};
    use crate::report::AlarmRate;

    fn circle(n: usize) -> Table {
        let x = || (0..n).map(|i| i as f64 / 31.0);
        Table::from_columns(vec![("a", x().map(f64::sin).collect()), ("b", x().map(f64::cos).collect())]).unwrap()
    }

    #[test]
    fn new_rows_are_counted_and_the_worst_are_explained() {
        let mut recipe = Recipe::preset(Preset::Simple);
        recipe.set("train.steps=100").unwrap();
        let model = fit(&recipe, Dataset::from(circle(400)), &Session::default()).unwrap().into_table().unwrap();
        let mut reporter = NewDataReporter::new(&model, "new.csv");
        reporter.add(&circle(100)).unwrap();
        let odd = Table::from_columns(vec![("a", vec![0.0, f64::NAN]), ("b", vec![9.0, 0.5])]).unwrap();
        reporter.add(&Table::new(odd.batch().clone(), "new.csv", 100)).unwrap();
        let report = reporter.finish(None).unwrap();
        assert_eq!((report.rows, report.scored, report.top.len()), (102, 102, TOP_ROWS));
        assert_eq!((report.top[0].row, report.top[0].reasons[0].column.as_str()), (100, "b"));
        assert!(report.top.windows(2).all(|pair| pair[0].score >= pair[1].score));
        assert_eq!(report.anomalies, report.top.iter().filter(|row| row.is_anomaly).count() as u64);
        let kept = format!("`a`: never missing in {} training rows, not so in 1 row", model.report().rows.train);
        assert_eq!(report.notes, ["1 missing cells were filled and left out of the scores".to_owned(), kept]);
        let new = report.detection.anomalies.as_ref().unwrap();
        assert_eq!((new.counts.iter().sum::<u64>(), &new.edges), (102, &report.detection.histogram.edges));
    }

    #[test]
    fn a_rate_far_above_the_promised_one_is_told() {
        let mut recipe = Recipe::preset(Preset::Simple);
        recipe.set("train.steps=20").unwrap();
        let model = fit(&recipe, Dataset::from(circle(400)), &Session::default()).unwrap().into_table().unwrap();
        let report = |scores: &[f64]| scored(&model.core, "x".to_owned(), scores.len() as u64, scores);
        assert!(matches!(report(&[0.1; 50]).alarm_rate(), AlarmRate::AsPromised { .. }));
        assert!(matches!(report(&[1e6; 50]).alarm_rate(), AlarmRate::FarAbove { .. }));
        assert_eq!(report(&[]).anomaly_share(), 0.0);
    }
}
