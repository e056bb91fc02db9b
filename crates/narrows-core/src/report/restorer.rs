//! What a fit of a restorer found, as plain public data.

use narrows_engine::Network;
use narrows_images::{Channels, Image, Sheet, Store};
use serde::{Deserialize, Serialize};

use super::{Restoration, Training};
use crate::recipe::Recipe;

/// Rows of the contact sheet.
pub(crate) const SHEET_ROWS: usize = 4;
/// Pixels of a cell.
const SHEET_SIDE: usize = 200;

/// Everything the fit of a restorer has to say.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RestorerReport {
    /// Version of the library that fitted.
    pub version: String,
    /// What became of the images.
    #[serde(alias = "pictures")]
    pub album: AlbumReport,
    /// The damage that it undoes.
    pub damage: String,
    /// The network, in words: what it is and that it has no bottleneck.
    pub network: String,
    /// Trainable numbers.
    pub parameters: u64,
    /// How the weights were found.
    pub training: Training,
    /// How well held-out images are restored.
    pub quality: Option<Restoration>,
    /// Some of them, input, output, truth and difference side by side: a PNG file in base64.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub sheet: String,
    /// What a careful user should know before trusting the model.
    pub warnings: Vec<String>,
    /// The recipe, complete.
    pub recipe: Recipe,
}

/// What became of the images of a fit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AlbumReport {
    /// Where they came from, as given.
    pub source: String,
    /// Images that could be read.
    pub read: u64,
    /// Those that could not, each with the reason.
    pub skipped: Vec<SkippedImage>,
    /// What a pixel holds, as fitted.
    pub channels: Channels,
    /// The least and the greatest height, in pixels.
    pub heights: [usize; 2],
    /// The least and the greatest width, in pixels.
    pub widths: [usize; 2],
    /// Images that trained the weights.
    pub train: u64,
    /// Images that chose which weights to keep.
    pub validation: u64,
    /// Images that set the threshold, p-values and scales; they never trained.
    #[serde(default)]
    pub calibration: u64,
}

/// An image that could not be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SkippedImage {
    /// Its name.
    pub name: String,
    /// Why.
    pub reason: String,
}

impl AlbumReport {
    /// Of a store, of which so many train and so many choose.
    pub(crate) fn of(images: &Store, channels: Channels, train: u64, validation: u64) -> AlbumReport {
        let sizes = || (0..images.len()).map(|i| images.size(i));
        let span = |sides: &mut dyn Iterator<Item = usize>| {
            sides.fold([usize::MAX, 0], |[least, greatest], side| [least.min(side), greatest.max(side)])
        };
        let skipped = images.skipped().iter();
        AlbumReport {
            source: images.source().to_owned(),
            read: images.len() as u64,
            skipped: skipped.map(|s| SkippedImage { name: s.name.clone(), reason: s.reason.clone() }).collect(),
            channels,
            heights: span(&mut sizes().map(|(height, _, _)| height)),
            widths: span(&mut sizes().map(|(_, width, _)| width)),
            train,
            validation,
            calibration: 0,
        }
    }
}

/// Damaged, restored and clean images, and what the last two differ by.
pub(crate) fn sheet_of(shown: Vec<[Image; 3]>) -> Sheet {
    let mut sheet = Sheet::new(&["input", "output", "truth", "difference"]).with_side(SHEET_SIDE);
    for [input, output, truth] in shown.into_iter().take(SHEET_ROWS) {
        let difference = output.difference(&truth);
        sheet.row(vec![input, output, truth, difference]);
    }
    sheet
}

impl RestorerReport {
    /// A report that still lacks the quality.
    pub(crate) fn begun(recipe: &Recipe, images: AlbumReport, network: &Network, training: Training) -> RestorerReport {
        RestorerReport {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            album: images,
            damage: training.corruption.clone(),
            network: recipe.backbone.describe(),
            parameters: network.n_params() as u64,
            training,
            quality: None,
            sheet: String::new(),
            warnings: Vec::new(),
            recipe: recipe.clone(),
        }
    }

    /// Adds the quality, and what there is to warn of.
    pub(crate) fn finish(&mut self, quality: Restoration, shown: Vec<[Image; 3]>, is_held_out: bool) {
        if !is_held_out {
            self.warnings.push("no image was held out: the quality is that of images it trained on".to_owned());
        }
        let means = &quality.means;
        if means.restored.psnr <= means.input.psnr {
            self.warnings.push(format!(
                "held-out images are no better restored ({:.2} dB) than left as they are ({:.2} dB): more images or more \
                 train.steps may help",
                means.restored.psnr, means.input.psnr
            ));
        }
        self.sheet = sheet_of(shown).to_base64();
        self.quality = Some(quality);
    }
}
