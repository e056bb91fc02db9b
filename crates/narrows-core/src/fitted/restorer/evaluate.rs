//! How well damage is undone: clean images are damaged, restored, and compared with what they were; the damaged image
//! and a classical method stand beside.

use narrows_engine::rng::{Purpose, Stream};
use narrows_images::classical::baseline;
use narrows_images::{Image, PreparedDamages, Store};

use super::Restorer;
use crate::error::Result;
use crate::report::{Baseline, ImageQuality, Restoration, RestorationMeans, SHEET_ROWS, Similarity, sheet_of};

/// The seed of the damage: the figures are part of the answer, so they do not change from run to run.
const SEED: u64 = 0;

/// An image on its way: clean, damaged, brought to the restored one's size, restored.
struct Steps {
    clean: Image,
    damaged: Image,
    input: Image,
    restored: Image,
}

impl Restorer {
    /// Damages clean images, restores them, and compares.
    ///
    /// # Errors
    /// Where an image can no longer be read, or the damage's own image.
    pub fn evaluate(&self, images: &Store) -> Result<Restoration> {
        let ready = self.damages().ready()?;
        let one = |i: usize| Ok(self.quality(images.name(i), &self.steps(images, i, &ready)?));
        let qualities = (0..images.len()).map(one).collect::<Result<_>>()?;
        Ok(Restoration::of(self.damages().to_string(), qualities))
    }

    /// A contact sheet of the first images: input, output, truth and difference.
    ///
    /// # Errors
    /// As [`Restorer::evaluate`].
    pub fn sheet(&self, images: &Store) -> Result<Image> {
        let ready = self.damages().ready()?;
        let one = |i: usize| Ok(self.steps(images, i, &ready)?.shown());
        let shown = (0..images.len().min(SHEET_ROWS)).map(one).collect::<Result<_>>()?;
        Ok(sheet_of(shown).image())
    }

    fn steps(&self, images: &Store, i: usize, ready: &PreparedDamages) -> Result<Steps> {
        let clean = images.get(i)?.to_channels(self.channels);
        // What is left over at the edges by a smaller image cannot come back.
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
    /// What a contact sheet shows: damaged, restored, clean.
    fn shown(self) -> [Image; 3] {
        [self.input, self.restored, self.clean]
    }
}

/// The quality on these images, and images of the first few of them: damaged, restored, clean.
pub(super) fn with_sheet(
    restorer: &Restorer,
    images: &Store,
    which: &[usize],
) -> Result<(Restoration, Vec<[Image; 3]>)> {
    let ready = restorer.damages().ready()?;
    let mut qualities = Vec::new();
    let mut sheet = Vec::new();
    for &image in which {
        let steps = restorer.steps(images, image, &ready)?;
        qualities.push(restorer.quality(images.name(image), &steps));
        sheet.push(steps.shown());
    }
    Ok((Restoration::of(restorer.damages().to_string(), qualities), sheet))
}
