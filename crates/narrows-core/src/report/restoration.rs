//! How well damage is undone: restored images beside the damaged ones and a classical method's.

use narrows_images::{Channels, Image, colourfulness, compare};
use serde::{Deserialize, Serialize};

/// How well damage is undone, on average over images.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Restoration {
    /// Images.
    pub n: u64,
    /// What was done to them.
    pub damage: String,
    /// Means over the images.
    #[serde(flatten)]
    pub means: RestorationMeans,
    /// Each image by itself.
    #[serde(alias = "pictures")]
    pub images: Vec<ImageQuality>,
}

/// The restored images beside the damaged ones and a classical method's, all against the clean ones.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RestorationMeans {
    /// As the model restores them.
    pub restored: Similarity,
    /// As they came: bicubic where they had become smaller, grey where they had lost their colours.
    pub input: Similarity,
    /// As a classical method restores them.
    pub baseline: Baseline,
}

/// A classical method.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Baseline {
    /// Its name.
    pub name: String,
    /// How well it does.
    #[serde(flatten)]
    pub similarity: Similarity,
}

/// One image.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ImageQuality {
    /// Its name.
    pub name: String,
    /// How it fared.
    #[serde(flatten)]
    pub qualities: RestorationMeans,
}

/// How alike an image is to the clean one; values in [0, 1], clipped as a file would hold them.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Similarity {
    /// Peak signal-to-noise ratio in dB, peak 1; over several images, the mean of theirs.
    pub psnr: f64,
    /// Structural similarity (Wang et al. 2004); none where an image is smaller than its window of 11 pixels.
    pub ssim: Option<f64>,
    /// Mean squared error.
    pub mse: f64,
    /// Mean binary cross-entropy, of a network with a code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bce: Option<f64>,
    /// Colourfulness (Hasler and Süsstrunk 2003), of images in colour.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub colourfulness: Option<f64>,
}

impl Similarity {
    /// Of `got` to `clean`.
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

    /// The means of each figure; of those that some images lack, none.
    pub(crate) fn mean(all: impl Iterator<Item = Similarity> + Clone) -> Similarity {
        let n = all.clone().count().max(1) as f64;
        let mean = |figure: fn(Similarity) -> f64| all.clone().map(figure).sum::<f64>() / n;
        let mean_of =
            |figure: fn(Similarity) -> Option<f64>| all.clone().map(figure).sum::<Option<f64>>().map(|sum| sum / n);
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
