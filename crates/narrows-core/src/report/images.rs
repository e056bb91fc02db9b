//! The additional report of a fit on images.

use serde::{Deserialize, Serialize};

use super::{AlbumReport, Similarity};

/// The images, the network input, and reconstruction quality.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ImagesReport {
    /// Images read and how they were split.
    #[serde(alias = "pictures")]
    pub album: AlbumReport,
    /// Description of the network input: whole image or patches.
    pub view: String,
    /// Pixels from one patch to the next; `None` for whole images.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stride: Option<usize>,
    /// Description of the backbone.
    pub backbone: String,
    /// Reconstruction quality on held-out images.
    pub quality: Reconstruction,
    /// Contact sheet of input, output, truth and difference: PNG in base64.
    pub sheet: String,
    /// The images that score highest, highest first.
    pub worst: Vec<WorstImage>,
    /// The first of them with their heat maps: PNG in base64.
    pub worst_sheet: String,
}

/// One of the images that score highest.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WorstImage {
    /// Its name.
    pub name: String,
    /// Its score.
    pub score: f64,
    /// Its conformal p-value.
    pub p_value: f64,
    /// Above the threshold.
    pub is_anomaly: bool,
}

/// Reconstruction quality, averaged over images, at the network's resolution: whole images resized, others patch by
/// patch.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Reconstruction {
    /// Number of images.
    pub n: u64,
    /// Corruption of the input, or `none`.
    pub damage: String,
    /// The model's reconstruction.
    pub model: Similarity,
    /// PCA with as many components as the code has units, on the same input.
    pub pca: Similarity,
    /// The corrupted input itself, if there is a corruption.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input: Option<Similarity>,
    /// Gaussian latent with binary cross-entropy only: the negative ELBO, in nats per sample.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub negative_elbo: Option<f64>,
}
