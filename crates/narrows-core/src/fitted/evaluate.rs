//! How a model fares on labelled rows, PCA and an isolation forest always beside it.

use narrows_engine::Threads;
use serde::{Deserialize, Serialize};

use super::Fitted;
use super::adapter::Adapter;
use super::images::not_a_table;
use super::roles::{Verdict, verdicts};
use super::series_quality::{SeriesQuality, Trace};
use crate::data::{Layout, Table};
use crate::detect::{Estimate, Threshold, evaluation};
use crate::error::{Error, Place, Result};

/// The bootstrap's seed: the intervals are part of the answer, so they do not change from run to run.
const BOOTSTRAP_SEED: u64 = 0;

/// Metrics of a model on labelled rows, beside the baselines; what `evaluate --json` prints.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Evaluation {
    /// Labelled rows.
    pub n: u64,
    /// Rows whose label is not the normal one.
    pub n_anomalies: u64,
    /// Area under the ROC curve.
    pub auc_roc: f64,
    /// Average precision.
    pub auc_pr: f64,
    /// Rows that score above it were called anomalies.
    pub threshold: f64,
    /// Share of the called rows that are anomalies; none where no row was called.
    pub precision: Option<f64>,
    /// Share of the anomalies that were called.
    pub recall: f64,
    /// Harmonic mean of precision and recall.
    pub f1: f64,
    /// Share of the normal rows that were called.
    pub false_alarm_rate: f64,
    /// The same rows through the baselines.
    pub baselines: BaselineMetrics,
    /// Bootstrap intervals, 95 %.
    pub intervals: Intervals,
    /// The rule behind the threshold.
    pub rule: Threshold,
    /// The false-alarm rate the rule promises, where it promises one.
    pub promised_rate: Option<f64>,
    /// The best F1 any threshold reaches on these very rows: a bound, not a result.
    pub best_f1: BestF1,
    /// Rows without a label, left out.
    pub unlabelled: u64,
    /// Rows without a score, left out: points of series that warm up, or at which nothing was observed.
    #[serde(default)]
    pub unscored: u64,
    /// Of points in time: the metrics that know of neighbours.
    #[serde(flatten)]
    pub series: Option<SeriesQuality>,
}

/// The baselines.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BaselineMetrics {
    /// PCA's reconstruction error.
    pub pca: RankingQuality,
    /// An isolation forest.
    pub isolation_forest: RankingQuality,
}

/// Ranking quality.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RankingQuality {
    /// Area under the ROC curve.
    pub auc_roc: f64,
    /// Average precision.
    pub auc_pr: f64,
}

/// Bootstrap intervals, 95 %, as `[low, high]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Intervals {
    /// Of the area under the ROC curve.
    pub auc_roc: [f64; 2],
    /// Of the average precision.
    pub auc_pr: [f64; 2],
    /// Of F1 at the threshold.
    pub f1: [f64; 2],
}

/// The best F1 and where it is reached, chosen with the labels of the evaluated rows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BestF1 {
    /// The threshold.
    pub threshold: f64,
    /// F1 there.
    pub f1: f64,
}

/// Collects labelled rows, table by table; keeps a few numbers a row.
pub struct Evaluator<'a> {
    fitted: &'a Fitted,
    label: String,
    normal: String,
    scores: Vec<f64>,
    pca: Vec<f64>,
    isolation_forest: Vec<f64>,
    labels: Vec<bool>,
    unlabelled: u64,
    unscored: u64,
    /// The points of each series, in the order of time.
    traces: Vec<Trace>,
}

impl Fitted {
    /// An evaluation in which `label` tells normal rows by the value `normal`.
    pub fn evaluator(&self, label: &str, normal: &str) -> Evaluator<'_> {
        Evaluator {
            fitted: self,
            label: label.to_owned(),
            normal: normal.to_owned(),
            scores: Vec::new(),
            pca: Vec::new(),
            isolation_forest: Vec::new(),
            labels: Vec::new(),
            unlabelled: 0,
            unscored: 0,
            traces: Vec::new(),
        }
    }
}

impl Evaluator<'_> {
    /// Scores the rows of `table`; of points in time, all rows at once.
    ///
    /// # Errors
    /// Where the label or a feature column is missing or does not fit.
    pub fn add(&mut self, table: &Table, threads: &Threads) -> Result<()> {
        let verdicts = verdicts(table, &self.label, &self.normal)?;
        self.unlabelled += verdicts.iter().filter(|verdict| **verdict == Verdict::Unlabelled).count() as u64;
        match &self.fitted.adapter {
            Adapter::Series(adapter) if adapter.layout == Layout::Long => {
                let traces = self.fitted.trace_points(adapter, table, &verdicts, threads)?;
                for trace in traces {
                    self.unscored += trace.unscored;
                    self.labels.extend(&trace.labels);
                    self.scores.extend(&trace.scores);
                    self.pca.extend(&trace.pca);
                    self.isolation_forest.extend(&trace.isolation_forest);
                    self.traces.push(trace);
                }
                Ok(())
            }
            _ => self.add_samples(table, &verdicts, threads),
        }
    }

    /// Adds one sample with its scores.
    pub(super) fn push(&mut self, is_anomalous: bool, score: f64, pca: f64, isolation_forest: f64) {
        self.labels.push(is_anomalous);
        self.scores.push(score);
        self.pca.push(pca);
        self.isolation_forest.push(isolation_forest);
    }

    fn add_samples(&mut self, table: &Table, verdicts: &[Verdict], threads: &Threads) -> Result<()> {
        let labelled: Vec<u32> =
            (0..table.n_rows() as u32).filter(|row| verdicts[*row as usize] != Verdict::Unlabelled).collect();
        if labelled.is_empty() {
            return Ok(());
        }
        let table = table.take(&labelled);
        let (labelled, prepared) = match &self.fitted.adapter {
            Adapter::Table(adapter) => (labelled, adapter.prepare(&table)?.prepared),
            Adapter::Series(adapter) => {
                let samples = adapter.prepare(&table)?;
                let scored: Vec<u32> =
                    (0..labelled.len() as u32).filter(|i| samples.set.series[*i as usize].is_observed()).collect();
                self.unscored += (labelled.len() - scored.len()) as u64;
                let labelled = scored.iter().map(|i| labelled[*i as usize]).collect();
                (labelled, adapter.whole_of(&samples, &scored).prepared)
            }
            Adapter::Images(_) => return Err(not_a_table()),
        };
        self.labels.extend(labelled.iter().map(|row| verdicts[*row as usize] == Verdict::Anomalous));
        self.scores.extend(self.fitted.scorer.score(&prepared, threads));
        let (pca, forest) = self.fitted.baselines.scores(&prepared, threads);
        self.pca.extend(pca);
        self.isolation_forest.extend(forest);
        Ok(())
    }

    /// The metrics over all rows.
    ///
    /// # Errors
    /// [`Error::Data`] where the labelled rows are not of both kinds: no ranking metric exists then.
    pub fn finish(self) -> Result<Evaluation> {
        let of = |scores: &[f64], threshold| {
            evaluation::ThresholdMetrics::new(scores, &self.labels, threshold, BOOTSTRAP_SEED)
        };
        let ours = of(&self.scores, self.fitted.decision.threshold)?;
        let (Some(auc_roc), Some(auc_pr), Some(f1)) = (ours.auc_roc, ours.auc_pr, ours.f1) else {
            let n_normal = ours.n_rows - ours.n_anomalies;
            return Err(Error::data(
                Place::column(&self.label),
                format!(
                    "expected rows labelled `{}` and others, got {n_normal} of the first and {} of the second",
                    self.normal, ours.n_anomalies
                ),
            )
            .with_hint("--normal names the label's value for normal rows"));
        };
        let quality = |scores: &[f64]| -> Result<RankingQuality> {
            let baseline = of(scores, f64::INFINITY)?;
            let value = |estimate: Option<Estimate>| estimate.map_or(f64::NAN, |estimate| estimate.value);
            Ok(RankingQuality { auc_roc: value(baseline.auc_roc), auc_pr: value(baseline.auc_pr) })
        };
        let best = Threshold::BestF1.decide(&self.fitted.calibration, Some((&self.scores, &self.labels)))?;
        let best_f1 = evaluation::ThresholdMetrics::new(&self.scores, &self.labels, best.threshold, BOOTSTRAP_SEED)?
            .confusion
            .f1();
        Ok(Evaluation {
            n: ours.n_rows,
            n_anomalies: ours.n_anomalies,
            auc_roc: auc_roc.value,
            auc_pr: auc_pr.value,
            threshold: ours.threshold,
            precision: ours.confusion.precision(),
            recall: ours.confusion.recall().unwrap_or(0.0),
            f1: f1.value,
            false_alarm_rate: ours.confusion.false_alarm_rate().unwrap_or(0.0),
            baselines: BaselineMetrics { pca: quality(&self.pca)?, isolation_forest: quality(&self.isolation_forest)? },
            intervals: Intervals {
                auc_roc: [auc_roc.low, auc_roc.high],
                auc_pr: [auc_pr.low, auc_pr.high],
                f1: [f1.low, f1.high],
            },
            rule: self.fitted.decision.rule.clone(),
            promised_rate: self.fitted.decision.promised_rate,
            best_f1: BestF1 { threshold: best.threshold, f1: best_f1.unwrap_or(0.0) },
            unlabelled: self.unlabelled,
            unscored: self.unscored,
            series: SeriesQuality::of(&self.traces, self.fitted)?,
        })
    }
}
