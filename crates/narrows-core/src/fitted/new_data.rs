//! The report on data that a model was not fitted to: scores beside those of calibration, the worst rows with reasons,
//! the rate of anomalies against the promised one.

use super::core::Core;
use super::evaluate::{Evaluation, Evaluator};
use super::roles::Verdict;
use super::scoring::{Explained, ScoreCounts, Scores};
use super::series::{NewPoints, new_points};
use super::summary::detection;
use super::tabular::{TabularKind, TabularModel};
use crate::data::Table;
use crate::detect::{Estimate, Reason};
use crate::error::Result;
use crate::report::{AnomalousStretch, BaselineAreas, NewDataMetrics, NewDataReport, TopRow};

/// Rows that a report lists.
const TOP_ROWS: usize = 20;
/// Reasons of each.
const TOP_REASONS: usize = 6;

/// Makes the report on a sequence of tables; keeps a number per row and the worst rows.
#[derive(Debug)]
pub struct NewDataReporter<'m> {
    pub(super) model: &'m dyn TabularModel,
    source: String,
    evaluator: Option<Evaluator>,
    rows: u64,
    /// Scores that are known.
    scores: Vec<f64>,
    counts: ScoreCounts,
    /// The highest-scoring independent rows so far, and how many are kept.
    worst: Vec<WorstRow>,
    kept: usize,
    top: Vec<TopRow>,
    stretches: Vec<AnomalousStretch>,
}

/// One of the highest-scoring rows.
#[derive(Debug)]
struct WorstRow {
    score: f64,
    number: u64,
    table: Table,
}

/// The highest-scoring rows with their reasons, highest first.
#[derive(Debug, Default)]
pub(super) struct ExplainedRows {
    pub(super) numbers: Vec<u64>,
    /// The rows; `None` if there are none.
    pub(super) table: Option<Table>,
    pub(super) reasons: Vec<Vec<Reason>>,
}

impl<'m> NewDataReporter<'m> {
    /// A report on data from `source`.
    pub fn new(model: &'m dyn TabularModel, source: impl Into<String>) -> NewDataReporter<'m> {
        NewDataReporter {
            model,
            source: source.into(),
            evaluator: None,
            rows: 0,
            scores: Vec::new(),
            counts: ScoreCounts::default(),
            worst: Vec::new(),
            kept: TOP_ROWS,
            top: Vec::new(),
            stretches: Vec::new(),
        }
    }

    /// With metrics: column `label` has the value `normal` in normal rows, as in [`TabularModel::evaluator`].
    #[must_use]
    pub fn labelled(mut self, label: &str, normal: Option<&str>) -> NewDataReporter<'m> {
        self.evaluator = Some(self.model.evaluator(label, normal));
        self
    }

    /// Keeps more of the highest-scoring rows than a report lists.
    pub(super) fn keeping(mut self, rows: usize) -> NewDataReporter<'m> {
        self.kept = rows.max(TOP_ROWS);
        self
    }

    /// Scores the rows of `table`; points of series must be passed all at once, and so must rows if they have a label whose
    /// normal value is not known.
    ///
    /// # Errors
    /// If the columns do not fit the model's, or the label's values are not understood.
    pub fn add(&mut self, table: &Table) -> Result<()> {
        self.add_scored(table)?;
        if let (false, TabularKind::Series(model)) = (self.model.rows_are_independent(), self.model.by_kind()) {
            self.set_points(new_points(&model, table, None)?);
        }
        Ok(())
    }

    /// The same without the events of series, which are of [`set_points`](Self::set_points). Returns the scores, and what
    /// the labels say of each row if there are labels.
    pub(super) fn add_scored(&mut self, table: &Table) -> Result<(Scores, Vec<Verdict>)> {
        let scores = self.model.score(table)?;
        let verdicts = match &mut self.evaluator {
            Some(evaluator) => evaluator.add_rows(table)?,
            None => Vec::new(),
        };
        self.rows += table.n_rows() as u64;
        self.counts.add(&scores.counts);
        self.scores.extend(scores.score.iter().copied().filter(|score| !score.is_nan()));
        if self.model.rows_are_independent() {
            self.keep_worst(table, &scores);
        }
        Ok((scores, verdicts))
    }

    /// The events of points.
    pub(super) fn set_points(&mut self, points: NewPoints) {
        (self.top, self.stretches) = (points.top, points.stretches);
    }

    fn keep_worst(&mut self, table: &Table, scores: &Scores) {
        let lowest = self.worst.get(self.kept - 1).map_or(f64::NEG_INFINITY, |row| row.score);
        let mut rows: Vec<u32> =
            (0..table.n_rows() as u32).filter(|row| scores.score[*row as usize] > lowest).collect();
        rows.sort_by(|a, b| scores.score[*b as usize].total_cmp(&scores.score[*a as usize]));
        for row in rows.into_iter().take(self.kept) {
            // Copied, so that the row does not keep its whole batch in memory.
            let (number, score) = (table.row_number(row as usize), scores.score[row as usize]);
            let copy = table.take(&[row]).batch().clone();
            self.worst.push(WorstRow { score, number, table: Table::new(copy, table.source(), number) });
        }
        self.worst.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.number.cmp(&b.number)));
        self.worst.truncate(self.kept);
    }

    /// The report, with metrics if the data has labels.
    ///
    /// # Errors
    /// If the worst rows cannot be explained, or the labelled rows are not of both classes.
    pub fn finish(self) -> Result<NewDataReport> {
        Ok(self.finish_explained(TOP_REASONS)?.0)
    }

    /// The report, and all rows that were kept with `k` reasons each.
    pub(super) fn finish_explained(mut self, k: usize) -> Result<(NewDataReport, ExplainedRows)> {
        let mut explained = ExplainedRows::default();
        if !self.worst.is_empty() {
            let tables: Vec<Table> = self.worst.iter().map(|row| row.table.clone()).collect();
            let table = Table::concat(&tables)?;
            let Explained { scores, reasons } = self.model.explain(&table, k)?;
            for (i, row) in self.worst.iter().take(TOP_ROWS).enumerate() {
                self.top.push(TopRow {
                    row: row.number,
                    score: scores.score[i],
                    p_value: scores.p_value[i],
                    is_anomaly: scores.is_anomaly[i],
                    reasons: reasons[i].iter().take(TOP_REASONS).cloned().collect(),
                });
            }
            let numbers = self.worst.iter().map(|row| row.number).collect();
            explained = ExplainedRows { numbers, table: Some(table), reasons };
        }
        let kind = self.model.by_kind();
        let mut report = scored(kind.core(), self.source, self.rows, &self.scores);
        report.notes = self.counts.notes();
        (report.top, report.stretches) = (self.top, self.stretches);
        report.metrics = match self.evaluator {
            Some(evaluator) => Some(evaluator.finish()?.summary()),
            None => None,
        };
        Ok((report, explained))
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
        let report = reporter.finish().unwrap();
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
