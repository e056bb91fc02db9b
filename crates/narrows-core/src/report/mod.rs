//! What a fit found, as plain public data: printed as JSON by `fit --json`, kept in the model file, drawn as HTML.
//!
//! No clock and no machine is in it, so the same data and recipe give the same report, to the byte.

mod bottleneck;
mod generation;
pub mod html;
mod images;
mod restoration;
mod restorer;
mod series;

use serde::{Deserialize, Serialize};

pub use crate::train::{Check, Stop, Training};
pub use bottleneck::Bottleneck;
pub use generation::{DensityReport, GenerationReport, UnitsReport};
pub use images::{ImagesReport, Reconstruction, WorstImage};
pub use restoration::{Baseline, ImageQuality, Restoration, RestorationMeans, Similarity};
pub use restorer::{AlbumReport, RestorerReport, SkippedImage};
pub(crate) use restorer::{SHEET_ROWS, sheet_of};
pub use series::{AnomalousStretch, ChannelTrace, SeriesReport, StretchEvent, WindowExample};

use crate::detect::{Reason, Threshold};
use crate::recipe::Recipe;

/// Everything a fit has to say.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// Version of the library that fitted.
    pub version: String,
    /// Where the data came from, as given.
    pub source: String,
    /// The column that told normal rows, where one was named.
    pub label: Option<Label>,
    /// What became of the rows.
    pub rows: RowCounts,
    /// Every column of the input, in its order.
    pub columns: Vec<ColumnReport>,
    /// What was chosen, filled, clipped or ignored, in words.
    pub notes: Vec<String>,
    /// What a careful user should know before trusting the model.
    pub warnings: Vec<String>,
    /// The network as built.
    pub network: NetworkReport,
    /// One history a member.
    pub training: Vec<Training>,
    /// The decision rule and what it rests on.
    pub detection: Detection,
    /// Reconstruction of held-out rows beside PCA's at the same code size.
    pub pca: PcaComparison,
    /// What passes through the code; models of older versions did not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bottleneck: Option<Bottleneck>,
    /// The training file's highest-scoring rows.
    pub top: Vec<TopRow>,
    /// Codes of a sample of rows on their first two principal axes.
    pub code_map: Vec<CodePoint>,
    /// Where new rows come from and how good they are; none in reports before format 4.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub generation: Option<GenerationReport>,
    /// What was made of time, where the rows are time series.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub series: Option<SeriesReport>,
    /// What was made of the images, where the samples are images.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub images: Option<ImagesReport>,
    /// The recipe, complete.
    pub recipe: Recipe,
}

/// The column that tells normal rows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Label {
    /// Its name.
    pub column: String,
    /// Its value for normal rows; without it all rows trained.
    pub normal: Option<String>,
}

/// What became of the rows.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct RowCounts {
    /// RowCounts read.
    pub read: u64,
    /// RowCounts left out because their label is not the normal one.
    pub not_normal: u64,
    /// RowCounts whose label is missing, left out too.
    pub unlabelled: u64,
    /// RowCounts that trained the weights.
    pub train: u64,
    /// RowCounts that chose when to stop.
    pub validation: u64,
    /// RowCounts that set the threshold, p-values and scales; they never trained.
    pub calibration: u64,
}

/// One column of the input and what was done with it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ColumnReport {
    /// Name.
    pub name: String,
    /// Type, as inferred: numeric, boolean, category, datetime, text.
    pub kind: String,
    /// Its part in the model.
    pub role: Role,
    /// What was done to it, in words.
    pub words: String,
    /// Missing cells in the training rows.
    pub missing: u64,
    /// How well held-out rows are rebuilt: 1 - error / variance for numbers, share of right answers for categories.
    pub quality: Option<f64>,
}

/// A column's part in the model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Goes in and is rebuilt.
    Feature,
    /// Says which rows are normal; never a feature.
    Label,
    /// Left out as asked.
    Ignored,
    /// Left out because nothing can be learned from it; the reason is in `words`.
    Dropped,
}

/// The network as built.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NetworkReport {
    /// Values that go in: columns after preparation.
    pub inputs: usize,
    /// Width of the code.
    pub code_size: usize,
    /// Layers from input to output, activations and norms told with their dense layer.
    pub layers: Vec<LayerReport>,
    /// Trainable numbers of one member.
    pub parameters: usize,
    /// Networks in the ensemble.
    pub members: usize,
    /// The losses chosen and their output activations, in words.
    pub loss: String,
}

/// One layer, for the drawing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LayerReport {
    /// Side of the network.
    pub part: NetworkPart,
    /// Units.
    pub width: usize,
    /// Such as `dense 58, relu`.
    pub words: String,
    /// Height, width and channels, where its units lie on a map of pixels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub map: Option<[usize; 3]>,
}

/// Side of the network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NetworkPart {
    /// The data.
    Input,
    /// Towards the code.
    Encoder,
    /// The narrow place.
    Code,
    /// Back towards the data.
    Decoder,
    /// The reconstruction.
    Output,
}

/// The decision rule and what it rests on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Detection {
    /// The rule.
    pub rule: Threshold,
    /// RowCounts that score above it are anomalies.
    pub threshold: f64,
    /// The false-alarm rate the rule promises on fresh normal rows, where it promises one.
    pub promised_rate: Option<f64>,
    /// Of points in time: independent pieces behind the calibration scores, which are fewer than these.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pieces: Option<u64>,
    /// Counts of calibration scores.
    pub histogram: Histogram,
    /// Counts of the scores of rows that the label calls anomalous, on the same edges, where there are any.
    pub anomalies: Option<Histogram>,
}

/// Counts between edges.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Histogram {
    /// `n + 1` edges, rising, evenly spaced in the logarithm; values outside are counted in the first and last bin.
    pub edges: Vec<f64>,
    /// `n` counts.
    pub counts: Vec<u64>,
}

/// Held-out reconstruction error, per prepared value, beside PCA's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PcaComparison {
    /// Components PCA was given: the code size, or fewer where the data has no more.
    pub components: usize,
    /// Mean squared error of PCA on calibration rows.
    pub pca_error: f64,
    /// Mean squared error of the model on the same rows.
    pub model_error: f64,
}

/// A row worth looking at.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TopRow {
    /// Row of the training file, from 0.
    pub row: u64,
    /// Its score.
    pub score: f64,
    /// Its conformal p-value.
    pub p_value: f64,
    /// Above the threshold.
    pub is_anomaly: bool,
    /// The columns to blame.
    pub reasons: Vec<Reason>,
}

/// One row's code in two dimensions.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct CodePoint {
    /// First principal axis of the codes.
    pub x: f64,
    /// Second principal axis.
    pub y: f64,
    /// The row's score.
    pub score: f64,
    /// Above the threshold.
    pub is_anomaly: bool,
}
