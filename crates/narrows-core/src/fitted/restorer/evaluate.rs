//! The restoration quality: clean images are corrupted, restored, and compared with the originals, with the corrupted
//! image and a classical method as baselines.

use narrows_engine::rng::{Purpose, Stream};
use narrows_images::classical::baseline;
use narrows_images::{Image, PreparedDamages, Store};

use super::Restorer;
use crate::error::Result;
use crate::report::{Baseline, ImageQuality, Restoration, RestorationMeans, SHEET_ROWS, Similarity, sheet_of};

/// Seed of the corruption, fixed so that the figures are reproducible.
const SEED: u64 = 0;

/// The stages of an image: clean, corrupted, resized, restored.
struct Steps {
    clean: Image,
    damaged: Image,
    input: Image,
    restored: Image,
}

impl Restorer {
    /// Corrupts clean images, restores them, and compares them with the originals.
    ///
    /// # Errors
    /// If an image can no longer be read, or that of a watermark, which models of older versions do not keep.
    pub fn evaluate(&self, images: &Store) -> Result<Restoration> {
        let ready = self.ready()?;
        let one = |i: usize| Ok(self.quality(images.name(i), &self.steps(images, i, &ready)?));
        let qualities = (0..images.len()).map(one).collect::<Result<_>>()?;
        Ok(Restoration::of(self.damages().to_string(), qualities))
    }

    /// A contact sheet of the first images: input, output, truth and difference.
    ///
    /// # Errors
    /// As [`Restorer::evaluate`].
    pub fn sheet(&self, images: &Store) -> Result<Image> {
        let ready = self.ready()?;
        let one = |i: usize| Ok(self.steps(images, i, &ready)?.shown());
        let shown = (0..images.len().min(SHEET_ROWS)).map(one).collect::<Result<_>>()?;
        Ok(sheet_of(shown).image())
    }

    fn steps(&self, images: &Store, i: usize, ready: &PreparedDamages) -> Result<Steps> {
        let clean = images.get(i)?.to_channels(self.channels);
        // Edges beyond a multiple of the scale are lost in the smaller image.
        let scale = self.scale();
        let whole = |side: usize| (side / scale).max(1) * scale;
        let clean = clean.padded_reflect(0, 0, whole(clean.height), whole(clean.width));
        let damaged = ready.apply(&clean, &mut Stream::new(SEED, Purpose::Corruption, 0, i as u64));
        let restored = self.restore(&damaged);
        let input = self.base().lifted(&damaged);
        Ok(Steps { clean, damaged, input, restored })
    }

    fn quality(&self, name: String, steps: &Steps) -> ImageQuality {
        let Steps { clean, damaged, input, restored } = steps;
        let baseline = baseline(self.damages(), damaged, self.channels);
        ImageQuality {
            name,
            qualities: RestorationMeans {
                restored: Similarity::of(clean, restored),
                input: Similarity::of(clean, input),
                baseline: Baseline { name: baseline.name, similarity: Similarity::of(clean, &baseline.image) },
            },
        }
    }
}

impl Steps {
    /// The columns of a contact sheet: corrupted, restored, clean.
    fn shown(self) -> [Image; 3] {
        [self.input, self.restored, self.clean]
    }
}

/// The quality on these images, and the first few of them: corrupted, restored, clean.
pub(super) fn with_sheet(
    restorer: &Restorer,
    images: &Store,
    which: &[usize],
) -> Result<(Restoration, Vec<[Image; 3]>)> {
    let ready = restorer.ready()?;
    let mut qualities = Vec::new();
    let mut sheet = Vec::new();
    for &image in which {
        let steps = restorer.steps(images, image, &ready)?;
        qualities.push(restorer.quality(images.name(image), &steps));
        sheet.push(steps.shown());
    }
    Ok((Restoration::of(restorer.damages().to_string(), qualities), sheet))
}
