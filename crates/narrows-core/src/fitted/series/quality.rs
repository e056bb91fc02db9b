//! Range-aware metrics of a series model on labelled points: anomalies are events, and a score slightly before or after
//! one is not an error.

use serde::{Deserialize, Serialize};

use super::events::SHORT_GAP;
use crate::detect::{Events, bridged, vus};
use crate::error::Result;
use crate::fitted::core::Core;

/// The buffer if no period is known, as in the authors' code.
const USUAL_BUFFER: usize = 100;

/// Metrics of points in time, averaged over the series that have points of both classes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SeriesQuality {
    /// Volume under the surface, precision-recall (Paparrizos et al. 2022).
    pub vus_pr: f64,
    /// Volume under the surface, ROC.
    pub vus_roc: f64,
    /// Area under the precision-recall curve, with labels widened by the whole buffer.
    pub range_auc_pr: f64,
    /// Area under the ROC curve, with labels widened by the whole buffer.
    pub range_auc_roc: f64,
    /// The widest buffer around an anomaly, in points: the period.
    pub buffer: usize,
    /// Labelled events.
    pub n_events: u64,
    /// Share of the predicted events that overlap a labelled one (Hundman et al. 2018); `None` if none was predicted.
    pub event_precision: Option<f64>,
    /// Share of the labelled events that overlap a predicted one.
    pub event_recall: f64,
    /// Harmonic mean of both.
    pub event_f1: f64,
    /// `vus_pr` and `vus_roc` of PCA over the same windows.
    pub pca_vus: [f64; 2],
    /// `vus_pr` and `vus_roc` of an isolation forest over the same windows.
    pub isolation_forest_vus: [f64; 2],
}

/// The labelled and scored points of one series, in temporal order.
#[derive(Debug, Default)]
pub(crate) struct Trace {
    pub(crate) scores: Vec<f64>,
    pub(crate) pca: Vec<f64>,
    pub(crate) isolation_forest: Vec<f64>,
    pub(crate) labels: Vec<bool>,
    /// Labelled points without a score.
    pub(crate) unscored: u64,
}

impl SeriesQuality {
    /// The metrics; `None` if no series has points of both classes.
    pub(crate) fn of(traces: &[Trace], core: &Core) -> Result<Option<SeriesQuality>> {
        let both = |trace: &&Trace| trace.labels.contains(&true) && trace.labels.contains(&false);
        let judged: Vec<&Trace> = traces.iter().filter(both).collect();
        if judged.is_empty() {
            return Ok(None);
        }
        let period = core.report.series.as_ref().and_then(|series| series.period);
        let buffer = period.unwrap_or(USUAL_BUFFER);
        let mut sums = [0.0; 8];
        for trace in &judged {
            let ours = vus(&trace.scores, &trace.labels, buffer)?;
            let range = crate::detect::range_auc(&trace.scores, &trace.labels, buffer)?;
            let pca = vus(&trace.pca, &trace.labels, buffer)?;
            let forest = vus(&trace.isolation_forest, &trace.labels, buffer)?;
            let found = [ours.pr, ours.roc, range.pr, range.roc, pca.pr, pca.roc, forest.pr, forest.roc];
            sums.iter_mut().zip(found).for_each(|(sum, x)| *sum += x / judged.len() as f64);
        }
        let [vus_pr, vus_roc, range_auc_pr, range_auc_roc, pca_pr, pca_roc, forest_pr, forest_roc] = sums;
        let mut events = Events::default();
        for trace in traces {
            let called: Vec<bool> = trace.scores.iter().map(|score| core.threshold.is_anomaly(*score)).collect();
            events += Events::new(&bridged(&called, SHORT_GAP), &trace.labels)?;
        }
        Ok(Some(SeriesQuality {
            vus_pr,
            vus_roc,
            range_auc_pr,
            range_auc_roc,
            buffer,
            n_events: events.labelled,
            event_precision: events.precision(),
            event_recall: events.recall().unwrap_or(0.0),
            event_f1: events.f1().unwrap_or(0.0),
            pca_vus: [pca_pr, pca_roc],
            isolation_forest_vus: [forest_pr, forest_roc],
        }))
    }
}
