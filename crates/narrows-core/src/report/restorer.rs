//! The report of a restorer fit as plain data.

use narrows_engine::Network;
use narrows_images::{Channels, Image, Sheet, Store};
use serde::{Deserialize, Serialize};

use super::{Restoration, Training};
use crate::recipe::Recipe;

/// Rows of the contact sheet.
pub(crate) const SHEET_ROWS: usize = 4;
/// Cell size in pixels.
const SHEET_SIDE: usize = 200;

/// The report of a restorer fit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RestorerReport {
    /// Version of the library that fitted.
    pub version: String,
    /// Images read and how they were split.
    #[serde(alias = "pictures")]
    pub album: AlbumReport,
    /// The corruption that it removes.
    pub damage: String,
    /// Description of the network.
    pub network: String,
    /// Trainable parameters.
    pub parameters: u64,
    /// Training history.
    pub training: Training,
    /// Restoration quality on held-out images.
    pub quality: Option<Restoration>,
    /// Contact sheet of input, output, truth and difference: PNG in base64.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub sheet: String,
    /// Limitations to check before using the model.
    pub warnings: Vec<String>,
    /// The complete recipe.
    pub recipe: Recipe,
}

/// Images read and how they were split.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AlbumReport {
    /// Source, as given.
    pub source: String,
    /// Images read.
    pub read: u64,
    /// Images that could not be read, with the reason.
    pub skipped: Vec<SkippedImage>,
    /// Channels per pixel, as fitted.
    pub channels: Channels,
    /// Minimum and maximum height, in pixels.
    pub heights: [usize; 2],
    /// Minimum and maximum width, in pixels.
    pub widths: [usize; 2],
    /// Training images.
    pub train: u64,
    /// Validation images, used to select the weights.
    pub validation: u64,
    /// Calibration images, used for threshold, p-values and scales only.
    #[serde(default)]
    pub calibration: u64,
}

/// An image that could not be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SkippedImage {
    /// Its name.
    pub name: String,
    /// The error.
    pub reason: String,
}

impl AlbumReport {
    /// The report of a store with these numbers of training and validation images.
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

/// Contact sheet of corrupted, restored and clean images and the difference of the last two.
pub(crate) fn sheet_of(shown: Vec<[Image; 3]>) -> Sheet {
    let mut sheet = Sheet::new(&["input", "output", "truth", "difference"]).with_side(SHEET_SIDE);
    for [input, output, truth] in shown.into_iter().take(SHEET_ROWS) {
        let difference = output.difference(&truth);
        sheet.row(vec![input, output, truth, difference]);
    }
    sheet
}

impl RestorerReport {
    /// The report without the quality.
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

    /// Adds the quality and warnings.
    pub(crate) fn finish(&mut self, quality: Restoration, shown: Vec<[Image; 3]>, is_held_out: bool) {
        if !is_held_out {
            self.warnings.push("no image was held out: quality was measured on training images".to_owned());
        }
        let means = &quality.means;
        if means.restored.psnr <= means.input.psnr {
            self.warnings.push(format!(
                "restored images ({:.2} dB) are no better than the input ({:.2} dB): more images or more train.steps may help",
                means.restored.psnr, means.input.psnr
            ));
        }
        self.sheet = sheet_of(shown).to_base64();
        self.quality = Some(quality);
    }
}
