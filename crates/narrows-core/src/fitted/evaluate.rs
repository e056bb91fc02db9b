//! Evaluation metrics on labelled rows, with PCA and an isolation forest as baselines.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::adapter::TabularAdapter;
use super::core::Core;
use super::labels::LabelReader;
use super::roles::Verdict;
use super::scoring::OutsideRange;
use super::series::{SeriesQuality, Trace};
use crate::data::Table;
use crate::detect::{Confusion, Estimate, PixelMetrics, RankPrecision, Threshold, evaluation};
use crate::error::{Error, Hint, Place, Result};
use crate::prep::Prepared;
use crate::report::Label;

/// Seed of the bootstrap, fixed so that the intervals are reproducible.
const BOOTSTRAP_SEED: u64 = 0;

/// Metrics of a model and of the baselines on labelled rows; the output of `evaluate --json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Evaluation {
    /// The label column with its values, if rows have one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<Label>,
    /// Number of labelled rows.
    pub n: u64,
    /// Number of rows whose label is not the normal one.
    pub n_anomalies: u64,
    /// Area under the ROC curve.
    pub auc_roc: f64,
    /// Average precision.
    pub auc_pr: f64,
    /// Threshold above which rows were predicted anomalous.
    pub threshold: f64,
    /// Share of the predicted anomalies that are anomalous; `None` if none was predicted.
    pub precision: Option<f64>,
    /// Share of the anomalies that were predicted.
    pub recall: f64,
    /// Harmonic mean of precision and recall.
    pub f1: f64,
    /// Share of the normal rows that were predicted anomalous.
    pub false_alarm_rate: f64,
    /// Confusion matrix at the threshold.
    #[serde(default)]
    pub confusion: Confusion,
    /// Precision and recall of the rows with the highest scores.
    #[serde(default)]
    pub precision_at: Vec<RankPrecision>,
    /// Metrics of the baselines on the same rows.
    pub baselines: BaselineMetrics,
    /// 95 % bootstrap intervals.
    pub intervals: Intervals,
    /// The rule behind the threshold.
    pub rule: Threshold,
    /// The guaranteed false-alarm rate, if the rule guarantees one.
    pub promised_rate: Option<f64>,
    /// The best F1 over all thresholds on the evaluated rows: an upper bound, not a result.
    pub best_f1: BestF1,
    /// Number of rows without a label, which are left out.
    pub unlabelled: u64,
    /// Number of rows without a score, which are left out: points in the warm-up or without observed values.
    #[serde(default)]
    pub unscored: u64,
    /// Numeric columns that lie beyond their training range in nearly all rows, as sentences: scores say little then.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub beyond: Vec<String>,
    /// How well heat maps locate defects, for images with masks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pixels: Option<PixelMetrics>,
    /// Range-aware metrics, for points of series.
    #[serde(flatten)]
    pub series: Option<SeriesQuality>,
}

/// Metrics of the baselines.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BaselineMetrics {
    /// PCA's reconstruction error.
    pub pca: RankingQuality,
    /// An isolation forest.
    pub isolation_forest: RankingQuality,
}

/// Ranking metrics.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RankingQuality {
    /// Area under the ROC curve.
    pub auc_roc: f64,
    /// Average precision.
    pub auc_pr: f64,
}

/// 95 % bootstrap intervals, as `[low, high]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Intervals {
    /// Of the area under the ROC curve.
    pub auc_roc: [f64; 2],
    /// Of the average precision.
    pub auc_pr: [f64; 2],
    /// Of F1 at the threshold.
    pub f1: [f64; 2],
}

/// The best F1 and its threshold, chosen with the labels of the evaluated rows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BestF1 {
    /// The threshold.
    pub threshold: f64,
    /// F1 at that threshold.
    pub f1: f64,
}

/// Evaluates a model on a sequence of labelled tables; keeps a few numbers per row.
#[derive(Debug)]
pub struct Evaluator {
    adapter: Arc<dyn TabularAdapter>,
    core: Arc<Core>,
    labels: LabelReader,
    unlabelled: u64,
    samples: EvaluationSamples,
}

impl Evaluator {
    pub(super) fn new(
        adapter: Arc<dyn TabularAdapter>,
        core: Arc<Core>,
        label: &str,
        normal: Option<&str>,
    ) -> Evaluator {
        let known = core.report.label.as_ref().filter(|known| known.column == label);
        let normal = normal.or_else(|| known?.normal.as_deref());
        let labels = LabelReader::new(label, normal);
        Evaluator { adapter, core, labels, unlabelled: 0, samples: EvaluationSamples::default() }
    }

    /// Evaluates precision at these ranks, instead of the usual ones.
    #[must_use]
    pub fn at_ranks(mut self, ranks: Vec<u64>) -> Evaluator {
        self.samples.ranks = ranks;
        self
    }

    /// Scores the rows of `table`; points of series must be passed all at once, and so must rows if the normal value
    /// is not known.
    ///
    /// # Errors
    /// If the label or a feature column is missing or does not fit, or no value of the label is evidently the normal one.
    pub fn add(&mut self, table: &Table) -> Result<()> {
        self.add_rows(table).map(|_| ())
    }

    /// The same, and what the labels say of each row.
    pub(super) fn add_rows(&mut self, table: &Table) -> Result<Vec<Verdict>> {
        let verdicts = self.labels.read(table)?;
        self.unlabelled += verdicts.iter().filter(|verdict| **verdict == Verdict::Unlabelled).count() as u64;
        self.adapter.evaluate(&self.core, table, &verdicts, &mut self.samples)?;
        Ok(verdicts)
    }

    /// The metrics over all rows.
    ///
    /// # Errors
    /// [`Error::Data`] if the labelled rows are not of both classes, so that ranking metrics are undefined.
    pub fn finish(self) -> Result<Evaluation> {
        let label = self.labels.label();
        let normal = label.normal.clone().unwrap_or_default();
        let found = self.samples.metrics(&self.core, &label.column, &normal, self.unlabelled);
        let evaluation = found.map_err(|error| error.with_hint(self.labels.advice()))?;
        Ok(Evaluation { label: Some(label), ..evaluation })
    }
}

/// The scored samples of an evaluation: a few numbers per sample.
#[derive(Debug, Default)]
pub struct EvaluationSamples {
    scores: Vec<f64>,
    pca: Vec<f64>,
    isolation_forest: Vec<f64>,
    labels: Vec<bool>,
    pub(super) unscored: u64,
    outside: Vec<OutsideRange>,
    /// Number of rows that `outside` counts among.
    rows: u64,
    /// The points of each series, in temporal order.
    traces: Vec<Trace>,
    /// Ranks to evaluate at; the usual ones if empty.
    ranks: Vec<u64>,
}

impl EvaluationSamples {
    /// Adds one sample with its scores.
    pub(super) fn push(&mut self, is_anomalous: bool, score: f64, pca: f64, isolation_forest: f64) {
        self.labels.push(is_anomalous);
        self.scores.push(score);
        self.pca.push(pca);
        self.isolation_forest.push(isolation_forest);
    }

    /// Adds prepared samples with their scores and verdicts; those without a score are counted.
    pub(super) fn add_scored(
        &mut self,
        core: &Core,
        prepared: &Prepared,
        scores: Vec<f64>,
        verdicts: impl Iterator<Item = Verdict>,
    ) {
        let (pca, forest) = core.baselines.scores(prepared, core.compute());
        for (((score, verdict), pca), forest) in scores.into_iter().zip(verdicts).zip(pca).zip(forest) {
            match score.is_nan() {
                true => self.unscored += 1,
                false => self.push(verdict == Verdict::Anomalous, score, pca, forest),
            }
        }
    }

    /// Adds the cells outside their training range among `rows` rows.
    pub(super) fn note_outside(&mut self, outside: &[OutsideRange], rows: usize) {
        OutsideRange::merge(&mut self.outside, outside);
        self.rows += rows as u64;
    }

    /// Adds the labelled points of one series.
    pub(super) fn add_trace(&mut self, trace: Trace) {
        self.unscored += trace.unscored;
        self.labels.extend(&trace.labels);
        self.scores.extend(&trace.scores);
        self.pca.extend(&trace.pca);
        self.isolation_forest.extend(&trace.isolation_forest);
        self.traces.push(trace);
    }

    /// The metrics over all samples; `label` and `normal` are used in messages.
    pub(super) fn metrics(&self, core: &Core, label: &str, normal: &str, unlabelled: u64) -> Result<Evaluation> {
        let of = |scores: &[f64], threshold| {
            evaluation::ThresholdMetrics::new(scores, &self.labels, threshold, BOOTSTRAP_SEED)
        };
        let ours = of(&self.scores, core.threshold.decision.threshold)?;
        let (Some(auc_roc), Some(auc_pr), Some(f1)) = (ours.auc_roc, ours.auc_pr, ours.f1) else {
            let n_normal = ours.n_rows - ours.n_anomalies;
            return Err(Error::data(
                Place::column(label),
                format!(
                    "expected rows labelled `{}` and others, got {n_normal} of the first and {} of the second",
                    normal, ours.n_anomalies
                ),
            )
            .with_hint(Hint::of("[normal] names the label's value in normal rows")));
        };
        let quality = |scores: &[f64]| -> Result<RankingQuality> {
            let baseline = of(scores, f64::INFINITY)?;
            let value = |estimate: Option<Estimate>| estimate.map_or(f64::NAN, |estimate| estimate.value);
            Ok(RankingQuality { auc_roc: value(baseline.auc_roc), auc_pr: value(baseline.auc_pr) })
        };
        let best = Threshold::BestF1.decide(&core.threshold.calibration, Some((&self.scores, &self.labels)))?;
        let best_f1 = evaluation::ThresholdMetrics::new(&self.scores, &self.labels, best.threshold, BOOTSTRAP_SEED)?
            .confusion
            .f1();
        Ok(Evaluation {
            label: None,
            n: ours.n_rows,
            n_anomalies: ours.n_anomalies,
            auc_roc: auc_roc.value,
            auc_pr: auc_pr.value,
            threshold: ours.threshold,
            precision: ours.confusion.precision(),
            recall: ours.confusion.recall().unwrap_or(0.0),
            f1: f1.value,
            false_alarm_rate: ours.confusion.false_alarm_rate().unwrap_or(0.0),
            confusion: ours.confusion,
            precision_at: RankPrecision::at(&self.scores, &self.labels, &self.ranks)?,
            baselines: BaselineMetrics { pca: quality(&self.pca)?, isolation_forest: quality(&self.isolation_forest)? },
            intervals: Intervals {
                auc_roc: [auc_roc.low, auc_roc.high],
                auc_pr: [auc_pr.low, auc_pr.high],
                f1: [f1.low, f1.high],
            },
            rule: core.threshold.decision.rule.clone(),
            promised_rate: core.threshold.decision.promised_rate,
            best_f1: BestF1 { threshold: best.threshold, f1: best_f1.unwrap_or(0.0) },
            unlabelled,
            unscored: self.unscored,
            beyond: OutsideRange::beyond(&self.outside, self.rows),
            pixels: None,
            series: SeriesQuality::of(&self.traces, core)?,
        })
    }
}
