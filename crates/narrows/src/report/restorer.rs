//! What a fit of a restorer found, as plain public data.

use narrows_engine::Network;
use narrows_pictures::{Channels, Picture, Sheet, Store};
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
    /// What became of the pictures.
    pub pictures: PicturesReport,
    /// The damage that it undoes.
    pub damage: String,
    /// The network, in words: what it is and that it has no bottleneck.
    pub network: String,
    /// Trainable numbers.
    pub parameters: u64,
    /// How the weights were found.
    pub training: Training,
    /// How well held-out pictures are restored.
    pub quality: Option<Restoration>,
    /// Some of them, input, output, truth and difference side by side: a PNG file in base64.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub sheet: String,
    /// What a careful user should know before trusting the model.
    pub warnings: Vec<String>,
    /// The recipe, complete.
    pub recipe: Recipe,
}

/// What became of the pictures of a fit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PicturesReport {
    /// Where they came from, as given.
    pub source: String,
    /// Pictures that could be read.
    pub read: u64,
    /// Those that could not, each with the reason.
    pub skipped: Vec<SkippedPicture>,
    /// What a pixel holds, as fitted.
    pub channels: Channels,
    /// The least and the greatest height, in pixels.
    pub heights: [usize; 2],
    /// The least and the greatest width, in pixels.
    pub widths: [usize; 2],
    /// Pictures that trained the weights.
    pub train: u64,
    /// Pictures that chose which weights to keep.
    pub validation: u64,
    /// Pictures that set the threshold, p-values and scales; they never trained.
    #[serde(default)]
    pub calibration: u64,
}

/// A picture that could not be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SkippedPicture {
    /// Its name.
    pub name: String,
    /// Why.
    pub reason: String,
}

impl PicturesReport {
    /// Of a store, of which so many train and so many choose.
    pub(crate) fn of(pictures: &Store, channels: Channels, train: u64, validation: u64) -> PicturesReport {
        let sizes = || (0..pictures.len()).map(|i| pictures.size(i));
        let span = |sides: &mut dyn Iterator<Item = usize>| {
            sides.fold([usize::MAX, 0], |[least, greatest], side| [least.min(side), greatest.max(side)])
        };
        let skipped = pictures.skipped().iter();
        PicturesReport {
            source: pictures.source().to_owned(),
            read: pictures.len() as u64,
            skipped: skipped.map(|s| SkippedPicture { name: s.name.clone(), reason: s.reason.clone() }).collect(),
            channels,
            heights: span(&mut sizes().map(|(height, _, _)| height)),
            widths: span(&mut sizes().map(|(_, width, _)| width)),
            train,
            validation,
            calibration: 0,
        }
    }
}

/// Damaged, restored and clean pictures, and what the last two differ by.
pub(crate) fn sheet_of(shown: Vec<[Picture; 3]>) -> Sheet {
    let mut sheet = Sheet::new(&["input", "output", "truth", "difference"]).with_side(SHEET_SIDE);
    for [input, output, truth] in shown.into_iter().take(SHEET_ROWS) {
        let difference = output.difference(&truth);
        sheet.row(vec![input, output, truth, difference]);
    }
    sheet
}

impl RestorerReport {
    /// A report that still lacks the quality.
    pub(crate) fn begun(
        recipe: &Recipe,
        pictures: PicturesReport,
        network: &Network,
        training: Training,
    ) -> RestorerReport {
        RestorerReport {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            pictures,
            damage: training.corruption.clone(),
            network: recipe.backbone.in_words(),
            parameters: network.n_params() as u64,
            training,
            quality: None,
            sheet: String::new(),
            warnings: Vec::new(),
            recipe: recipe.clone(),
        }
    }

    /// Adds the quality, and what there is to warn of.
    pub(crate) fn finish(&mut self, quality: Restoration, shown: Vec<[Picture; 3]>, is_held_out: bool) {
        if !is_held_out {
            self.warnings.push("no picture was held out: the quality is that of pictures it trained on".to_owned());
        }
        let means = &quality.means;
        if means.restored.psnr <= means.input.psnr {
            self.warnings.push(format!(
                "held-out pictures are no better restored ({:.2} dB) than left as they are ({:.2} dB): more pictures or more \
                 train.steps may help",
                means.restored.psnr, means.input.psnr
            ));
        }
        self.sheet = sheet_of(shown).to_base64();
        self.quality = Some(quality);
    }
}
