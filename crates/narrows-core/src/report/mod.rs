//! The report of a fit as plain data: printed as JSON by `fit --json`, stored in the model file, rendered as HTML.
//!
//! It contains no time and no machine details, so the same data and recipe give the same bytes.

mod bottleneck;
#[cfg(feature = "report")]
pub mod card;
mod concern;
mod generation;
#[cfg(feature = "report")]
pub mod html;
mod images;
mod label;
mod new_data;
// Without pages few numbers are written.
#[cfg_attr(not(feature = "report"), allow(dead_code))]
mod number;
mod restoration;
mod restorer;
mod scored_data;
mod series;
mod verdict;

use serde::{Deserialize, Serialize};

pub use crate::data::{Population, PopulationColumn};
pub use crate::train::{Check, Stop, Training};
pub use bottleneck::Bottleneck;
pub use concern::{Concern, Grade};
pub use generation::{DensityReport, GenerationReport, UnitsReport};
pub use images::{ImagesReport, Reconstruction, WorstImage};
pub use label::{Label, LabelValue};
pub use new_data::{AlarmRate, BaselineAreas, NewDataMetrics, NewDataReport};
pub use restoration::{Baseline, ImageQuality, Restoration, RestorationMeans, Similarity};
pub use restorer::{AlbumReport, RestorerReport, SkippedImage};
pub(crate) use restorer::{SHEET_ROWS, sheet_of};
pub use scored_data::{
    CalibrationSample, ColumnPanel, DrawnImage, DrawnSeries, IdentifyingColumn, ListedRows, Noun, RowDetails,
    SampleLayout, ScoredData,
};
pub(crate) use scored_data::{DETAILED, DETAILED_CELLS, DRAWN_VALUES, LISTED, REASONS, SHOWN_IMAGES};
pub use series::{AnomalousStretch, ChannelTrace, SeriesReport, StretchEvent, WindowExample};
pub use verdict::FitVerdict;

use crate::baseline::Pca;
use crate::detect::{Reason, SetAside, Threshold};
use crate::recipe::Recipe;

/// The report of a fit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// Version of the library that fitted.
    pub version: String,
    /// Source of the data, as given.
    pub source: String,
    /// The label column, if one was given.
    pub label: Option<Label>,
    /// How the rows were split.
    pub rows: RowCounts,
    /// The rows that the fitted ones are a sample of; absent where all rows were used, and in reports of older versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub population: Option<Population>,
    /// Every column of the input, in order.
    pub columns: Vec<ColumnReport>,
    /// Automatic choices, and what was filled, clipped or ignored.
    pub notes: Vec<String>,
    /// Limitations to check before using the model.
    pub warnings: Vec<String>,
    /// The network as built.
    pub network: NetworkReport,
    /// Training history per member.
    pub training: Vec<Training>,
    /// The decision rule and the scores behind it.
    pub detection: Detection,
    /// Held-out reconstruction error compared with PCA of the same code size.
    pub pca: PcaComparison,
    /// Information flow through the code; absent in reports of older versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bottleneck: Option<Bottleneck>,
    /// The training file's highest-scoring rows.
    pub top: Vec<TopRow>,
    /// Codes of a sample of rows on their first two principal components.
    pub code_map: Vec<CodePoint>,
    /// These axes, on which other codes have a place, too; absent in reports of older versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code_axes: Option<Pca>,
    /// Generation; absent before format 4.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub generation: Option<GenerationReport>,
    /// Time series only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub series: Option<SeriesReport>,
    /// Images only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub images: Option<ImagesReport>,
    /// The complete recipe.
    pub recipe: Recipe,
}

/// How the rows were split.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct RowCounts {
    /// Rows read.
    pub read: u64,
    /// Rows excluded because their label is not the normal one.
    pub not_normal: u64,
    /// Rows excluded because their label is missing.
    pub unlabelled: u64,
    /// Training rows.
    pub train: u64,
    /// Validation rows, used for early stopping.
    pub validation: u64,
    /// Calibration rows, used for threshold, p-values and scales only.
    pub calibration: u64,
}

/// One column of the input and its preprocessing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ColumnReport {
    /// Name.
    pub name: String,
    /// Type, as inferred: numeric, boolean, category, datetime, text.
    pub kind: String,
    /// Its role.
    pub role: Role,
    /// Description of its preprocessing.
    pub words: String,
    /// Missing cells in the training rows.
    pub missing: u64,
    /// Reconstruction quality on held-out rows: 1 - error / variance for numbers, accuracy for categories.
    pub quality: Option<f64>,
}

/// The role of a column.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Input that is reconstructed.
    Feature,
    /// Marks normal rows; never a feature.
    Label,
    /// Excluded by the user.
    Ignored,
    /// Excluded as uninformative; the reason is in `words`.
    Dropped,
    /// Never changed in training rows: not reconstructed, but compared; `words` says with what.
    Invariant,
}

/// The network as built.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NetworkReport {
    /// Input width: columns after preparation.
    pub inputs: usize,
    /// Width of the code.
    pub code_size: usize,
    /// Layers from input to output; activations and norms are described with their dense layer.
    pub layers: Vec<LayerReport>,
    /// Trainable parameters per member.
    pub parameters: usize,
    /// Networks in the ensemble.
    pub members: usize,
    /// Description of the losses and output activations.
    pub loss: String,
}

/// One layer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LayerReport {
    /// Part of the network.
    pub part: NetworkPart,
    /// Units.
    pub width: usize,
    /// Description, such as `dense 58, relu`.
    pub words: String,
    /// Height, width and channels of a feature map.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub map: Option<[usize; 3]>,
}

/// Part of the network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NetworkPart {
    /// The data.
    Input,
    /// Between input and code.
    Encoder,
    /// The bottleneck.
    Code,
    /// Between code and output.
    Decoder,
    /// The reconstruction.
    Output,
}

/// The decision rule and the scores behind it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Detection {
    /// The rule.
    pub rule: Threshold,
    /// Rows with higher scores are anomalies.
    pub threshold: f64,
    /// The guaranteed false-alarm rate on unseen normal rows, if the rule gives one.
    pub promised_rate: Option<f64>,
    /// Series only: number of independent blocks behind the calibration scores.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pieces: Option<u64>,
    /// Held-out scores set aside as anomalies: the threshold and the histogram are of the others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub set_aside: Option<SetAside>,
    /// The threshold without the highest calibration scores, if the rule is one of calibration scores of single rows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trimmed: Option<TrimmedThreshold>,
    /// Histogram of calibration scores.
    pub histogram: Histogram,
    /// Histogram of the scores of labelled anomalies on the same edges, if there are any.
    pub anomalies: Option<Histogram>,
}

/// What the threshold would be without the highest hundredth of the calibration scores: if some of them are anomalies, the
/// true threshold lies between the two.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct TrimmedThreshold {
    /// Number of scores left out.
    pub left_out: u64,
    /// The threshold that the rule sets on the others.
    pub threshold: f64,
    /// Share of the calibration rows between both thresholds.
    pub flagged_more: f64,
}

/// A histogram.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Histogram {
    /// `n + 1` ascending, log-spaced edges; values outside are counted in the first and last bin.
    pub edges: Vec<f64>,
    /// `n` counts.
    pub counts: Vec<u64>,
}

/// Held-out mean squared errors per prepared value of the model and of PCA.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PcaComparison {
    /// PCA components: the code size, or the rank of the data if that is smaller.
    pub components: usize,
    /// Mean squared error of PCA on calibration rows.
    pub pca_error: f64,
    /// Mean squared error of the model on the same rows.
    pub model_error: f64,
}

/// One of the highest-scoring rows.
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
    /// The top contributing columns.
    pub reasons: Vec<Reason>,
}

/// One row's code in two dimensions.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct CodePoint {
    /// First principal component.
    pub x: f64,
    /// Second principal component.
    pub y: f64,
    /// The row's score.
    pub score: f64,
    /// Above the threshold.
    pub is_anomaly: bool,
}
