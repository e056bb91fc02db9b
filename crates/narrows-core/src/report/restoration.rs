//! Restoration quality: restored images compared with the corrupted input and a classical method.

use narrows_images::{Channels, Image, colourfulness, compare};
use serde::{Deserialize, Serialize};

/// Restoration quality, averaged over images.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Restoration {
    /// Number of images.
    pub n: u64,
    /// Corruption of the images.
    pub damage: String,
    /// Means over the images.
    #[serde(flatten)]
    pub means: RestorationMeans,
    /// Results by image.
    #[serde(alias = "pictures")]
    pub images: Vec<ImageQuality>,
}

/// Similarity to the clean images of the restored images, the input and a classical method.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RestorationMeans {
    /// Restored by the model.
    pub restored: Similarity,
    /// The corrupted input; downscaled images enlarged bicubically, images without colour as grey.
    pub input: Similarity,
    /// Restored by a classical method.
    #[serde(alias = "rival")]
    pub baseline: Baseline,
}

/// A classical method.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Baseline {
    /// Its name.
    pub name: String,
    /// Similarity to the clean images.
    #[serde(flatten)]
    pub similarity: Similarity,
}

/// One image.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ImageQuality {
    /// Its name.
    pub name: String,
    /// Its similarities.
    #[serde(flatten)]
    pub qualities: RestorationMeans,
}

/// Similarity to the clean image; pixel values are clipped to [0, 1], as in a file.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Similarity {
    /// Peak signal-to-noise ratio in dB, peak 1; over several images, the mean.
    pub psnr: f64,
    /// Structural similarity (Wang et al. 2004); `None` for images smaller than its 11-pixel window.
    pub ssim: Option<f64>,
    /// Mean squared error.
    pub mse: f64,
    /// Mean binary cross-entropy; networks with a code only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bce: Option<f64>,
    /// Colourfulness (Hasler and Süsstrunk 2003); colour images only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub colourfulness: Option<f64>,
}

impl Similarity {
    /// Similarity of `got` to `clean`.
    pub(crate) fn of(clean: &Image, got: &Image) -> Similarity {
        let got = got.clone().clipped();
        Similarity {
            psnr: compare::psnr(clean, &got),
            ssim: compare::ssim(clean, &got),
            mse: compare::mse(clean, &got),
            bce: None,
            colourfulness: (got.channels == Channels::Rgb).then(|| colourfulness(&got)),
        }
    }

    /// The mean of each metric; `None` for metrics that some images lack.
    pub(crate) fn mean(all: impl Iterator<Item = Similarity> + Clone) -> Similarity {
        let n = all.clone().count().max(1) as f64;
        let mean = |metric: fn(Similarity) -> f64| all.clone().map(metric).sum::<f64>() / n;
        let mean_of =
            |metric: fn(Similarity) -> Option<f64>| all.clone().map(metric).sum::<Option<f64>>().map(|sum| sum / n);
        Similarity {
            psnr: mean(|s| s.psnr),
            ssim: mean_of(|s| s.ssim),
            mse: mean(|s| s.mse),
            bce: mean_of(|s| s.bce),
            colourfulness: mean_of(|s| s.colourfulness),
        }
    }
}

impl Restoration {
    /// The means over these images.
    pub(crate) fn of(damage: String, images: Vec<ImageQuality>) -> Restoration {
        let all = || images.iter().map(|image| &image.qualities);
        let means = RestorationMeans {
            restored: Similarity::mean(all().map(|q| q.restored)),
            input: Similarity::mean(all().map(|q| q.input)),
            baseline: Baseline {
                name: all().next().map_or_else(String::new, |q| q.baseline.name.clone()),
                similarity: Similarity::mean(all().map(|q| q.baseline.similarity)),
            },
        };
        Restoration { n: images.len() as u64, damage, means, images }
    }
}
