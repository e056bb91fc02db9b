//! Drift: whether new data are still like those that a model was fitted to.
//!
//! Scores of new rows are compared with the calibration scores, which are of rows that did not train, and each column
//! with its distribution in the training rows. Every test allows for both samples being finite, and all p-values are
//! corrected together (Holm 1979), so that unchanged data are reported with a probability of at most the level. As among
//! many rows any small difference is significant, a change also has to be of some size to be called drift.

mod alarm;
mod column;
mod comparison;
mod correction;
mod counts;
mod image_monitor;
mod kolmogorov;
mod martingale;
mod monitor;
mod population;
mod words;

use serde::Serialize;

pub use alarm::DriftAlarm;
pub use image_monitor::ImageDriftMonitor;
pub use martingale::DriftMartingale;
pub use monitor::DriftMonitor;

use crate::fitted::BrokenInvariants;

// What these sizes cost in false alarms and in power on ten public tables: `bench/drift.py`, the section on drift of
// `bench/RESULTS.md`.

/// Least Kolmogorov-Smirnov distance of a change that is called drift.
pub const LEAST_DISTANCE: f64 = 0.1;
/// Least population stability index of a change that is called drift: by custom, less is no change.
pub const LEAST_PSI: f64 = 0.1;
/// Least change of a share of missing cells that is called drift.
pub const LEAST_MISSING: f64 = 0.02;
/// A promised rate is called broken if so many times the rows are flagged.
pub const LEAST_EXCESS: f64 = 1.5;
/// The level if none is given.
pub const LEVEL: f64 = 0.01;

/// New data compared with those of the fit; the output of `drift --json`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DriftReport {
    /// Whether anything has drifted.
    pub has_drifted: bool,
    /// What has, in words, most important first; empty if nothing has.
    pub findings: Vec<String>,
    /// Greatest probability that unchanged data are reported.
    pub level: f64,
    /// What a row of the comparison is: `row` of a table or a point of a series, or `image`.
    pub unit: &'static str,
    /// Rows read.
    pub rows: u64,
    /// Rows without a score, which are in no test of scores.
    pub unscored: u64,
    /// Number of independent rows among those with a score: fewer for points of series, whose neighbours share windows.
    pub independent: u64,
    /// The scores.
    pub score: ScoreDrift,
    /// The share of rows above the threshold.
    pub threshold: ThresholdDrift,
    /// The columns that the network reads; empty if the model does not know their distribution.
    pub columns: Vec<ColumnDrift>,
    /// Rows that are not as all training rows were, by column.
    pub broken: Vec<BrokenInvariants>,
    /// What was filled, clipped, ignored or not compared, as sentences without a full stop.
    pub notes: Vec<String>,
}

/// The scores of new rows compared with the calibration scores: p-values of unchanged data are uniform.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ScoreDrift {
    /// Number of calibration scores.
    pub calibration: u64,
    /// Kolmogorov-Smirnov distance between both distributions, from 0 to 1.
    pub distance: f64,
    /// Its two-sample p-value.
    pub p_value: f64,
    /// The p-value corrected for the number of tests.
    pub corrected: f64,
    /// Median calibration score.
    pub median_was: Option<f64>,
    /// Median of the new scores.
    pub median: Option<f64>,
    /// Significant and of some size.
    pub has_drifted: bool,
}

/// The rows above the threshold compared with what the calibration scores lead to expect.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ThresholdDrift {
    /// The threshold.
    pub threshold: f64,
    /// Number of rows above it.
    pub flagged: u64,
    /// Their share of the rows with a score.
    pub share: f64,
    /// The promised rate, if the rule gives one.
    pub promised_rate: Option<f64>,
    /// Share of the calibration scores above the threshold.
    pub share_was: f64,
    /// Probability of so many rows, or more, if nothing has changed; the beta-binomial of ranks among the calibration scores.
    pub p_value: f64,
    /// The p-value corrected for the number of tests.
    pub corrected: f64,
    /// Whether the promise, or what calibration showed, still stands.
    pub stands: bool,
}

/// A column of new data compared with its training rows.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ColumnDrift {
    /// The column.
    pub column: String,
    /// Rows with a value.
    pub n: u64,
    /// Kolmogorov-Smirnov distance of numbers, from 0 to 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub distance: Option<f64>,
    /// Population stability index, over tenths of the training rows or over levels.
    pub psi: Option<f64>,
    /// The p-value of the distribution: of Kolmogorov and Smirnov for numbers, chi-squared for levels; `None` if there is
    /// nothing to compare.
    pub p_value: Option<f64>,
    /// This p-value corrected for the number of tests.
    pub corrected: Option<f64>,
    /// Whether the distribution has drifted.
    pub has_drifted: bool,
    /// Quartiles of the training rows, of numbers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quartiles_were: Option<[f64; 3]>,
    /// Quartiles of the new rows, of numbers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quartiles: Option<[f64; 3]>,
    /// Rows with a level that no training row had, of categories.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unseen: Option<u64>,
    /// The level whose share has changed most, of categories.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub level: Option<LevelDrift>,
    /// Its missing cells.
    pub missing: MissingDrift,
}

/// The share of one level.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LevelDrift {
    /// The level.
    pub level: String,
    /// Its share of the training rows with a value.
    pub share_was: f64,
    /// Its share of the new rows with a value.
    pub share: f64,
}

/// The missing cells of a column.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MissingDrift {
    /// Their share of the training rows.
    pub share_was: f64,
    /// Their share of the new rows.
    pub share: f64,
    /// Fisher's exact p-value; `None` if no cell is missing.
    pub p_value: Option<f64>,
    /// The p-value corrected for the number of tests.
    pub corrected: Option<f64>,
    /// Significant and of some size.
    pub has_drifted: bool,
}
