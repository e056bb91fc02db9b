//! What a model finds in other data than it was fitted to, as plain data: printed as JSON, rendered as a section of the
//! model's page.

use serde::{Deserialize, Serialize};

use super::number::{count, number, percent};
use super::scored_data::Noun;
use super::{AnomalousStretch, Detection, TopRow, WorstImage};
use crate::detect::{Confusion, Estimate, RankPrecision};

/// A share of anomalies this many times the promised rate says that something has changed.
const FAR_ABOVE: f64 = 2.0;

/// What a model finds in new data.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NewDataReport {
    /// Source of the data, as given.
    pub source: String,
    /// Rows or images read.
    pub rows: u64,
    /// Those that have a score.
    pub scored: u64,
    /// Those above the threshold.
    pub anomalies: u64,
    /// The decision rule, the calibration scores and, as `anomalies`, the scores of the new data.
    pub detection: Detection,
    /// The highest-scoring rows, or the peaks of events; empty for images.
    pub top: Vec<TopRow>,
    /// What was filled, clipped, ignored or left out.
    pub notes: Vec<String>,
    /// Points of series only: the ranges around the highest peaks.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stretches: Vec<AnomalousStretch>,
    /// Images only: those that score highest.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub worst: Vec<WorstImage>,
    /// Images only: the first of them with their heat maps, PNG in base64.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub worst_sheet: String,
    /// With a label: how well anomalies are found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metrics: Option<NewDataMetrics>,
}

/// Detection metrics on labelled data.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NewDataMetrics {
    /// Labelled rows.
    pub n: u64,
    /// Those labelled anomalous.
    pub n_anomalies: u64,
    /// Area under the ROC curve.
    pub auc_roc: Estimate,
    /// Average precision.
    pub auc_pr: Estimate,
    /// Harmonic mean of precision and recall at the threshold.
    pub f1: Estimate,
    /// Share of anomalies among flagged rows; `None` if none is flagged.
    pub precision: Option<f64>,
    /// Share of anomalies that are flagged.
    pub recall: f64,
    /// Share of normal rows that are flagged.
    pub false_alarm_rate: f64,
    /// Confusion matrix at the threshold.
    pub confusion: Confusion,
    /// Precision and recall of the highest scores.
    pub precision_at: Vec<RankPrecision>,
    /// The same areas for the baselines.
    pub baselines: Vec<BaselineAreas>,
}

/// A baseline on the same rows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BaselineAreas {
    /// Its name.
    pub name: String,
    /// Area under the ROC curve.
    pub auc_roc: f64,
    /// Average precision.
    pub auc_pr: f64,
}

/// How the share of anomalies compares with the promised rate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum AlarmRate {
    /// No rate was promised.
    Unpromised,
    /// No more than normal data may have, or not by much.
    AsPromised {
        /// The promised rate.
        promised: f64,
    },
    /// Far more.
    FarAbove {
        /// The promised rate.
        promised: f64,
    },
}

impl NewDataReport {
    /// Share of scored rows above the threshold; 0 if none is scored.
    pub fn anomaly_share(&self) -> f64 {
        self.anomalies as f64 / self.scored.max(1) as f64
    }

    /// How that share compares with the promised rate.
    pub fn alarm_rate(&self) -> AlarmRate {
        match self.detection.promised_rate {
            None => AlarmRate::Unpromised,
            Some(promised) if self.anomaly_share() > FAR_ABOVE * promised => AlarmRate::FarAbove { promised },
            Some(promised) => AlarmRate::AsPromised { promised },
        }
    }

    /// The share of anomalies against the promised rate, as a sentence; `noun` is what is scored.
    pub fn verdict(&self, noun: Noun) -> String {
        let Noun { one, many } = noun;
        if self.scored == 0 {
            return format!("No {one} has a score.");
        }
        let share = self.anomaly_share();
        let (anomalies, scored) = (count(self.anomalies), count(self.scored));
        let above = format!("{anomalies} of {scored} {many} ({}) are above the threshold", percent(share));
        match self.alarm_rate() {
            AlarmRate::Unpromised => format!("{above}; the rule of the threshold promises no rate."),
            AlarmRate::AsPromised { promised } => {
                format!("{above}; of normal {many} on average at most {} are.", percent(promised))
            }
            AlarmRate::FarAbove { promised } => format!(
                "{above}, {} times the {} that normal {many} have at most on average: either anomalies are frequent here, or the data has changed since the fit.",
                number(share / promised),
                percent(promised),
            ),
        }
    }
}
