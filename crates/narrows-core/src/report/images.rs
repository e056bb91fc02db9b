//! What a fit on images has to say beyond a fit on rows.

use serde::{Deserialize, Serialize};

use super::{AlbumReport, Similarity};

/// The images, how they were seen, and how well held-out ones are rebuilt.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ImagesReport {
    /// What became of the images.
    #[serde(alias = "pictures")]
    pub album: AlbumReport,
    /// What of an image the network sees at once, in words.
    pub view: String,
    /// Pixels from a piece to the next; none where images are seen as a whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stride: Option<usize>,
    /// The backbone, in words.
    pub backbone: String,
    /// How well held-out images are rebuilt.
    pub quality: Reconstruction,
    /// Some of them, input, output, truth and difference side by side: a PNG file in base64.
    pub sheet: String,
    /// The images that score highest, highest first.
    pub worst: Vec<WorstImage>,
    /// The first of them with their heat maps: a PNG file in base64.
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

/// How well images come through the code, on average over images, as the network sees them: whole ones in the
/// network's size, others piece by piece.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Reconstruction {
    /// Images.
    pub n: u64,
    /// What was done to them first; `none` where nothing was.
    pub damage: String,
    /// The model.
    pub model: Similarity,
    /// PCA with as many components as the code has units, on the same input.
    pub pca: Similarity,
    /// The damaged images as they came, where they were damaged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input: Option<Similarity>,
    /// Of a gaussian latent under binary cross-entropy: the negative evidence lower bound, in nats a sample.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub negative_elbo: Option<f64>,
}
