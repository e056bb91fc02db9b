//! How well damage is undone: clean pictures are damaged, restored, and compared with what they were; the damaged picture
//! and a classical method stand beside.

use narrows_engine::Threads;
use narrows_engine::rng::{Purpose, Stream};
use narrows_pictures::classical::rival;
use narrows_pictures::{Picture, ReadyDamages, Store};

use super::Restorer;
use crate::error::Result;
use crate::report::{PictureQuality, Restoration, RestorationMeans, Rival, SHEET_ROWS, Similarity, sheet_of};

/// The seed of the damage: the figures are part of the answer, so they do not change from run to run.
const SEED: u64 = 0;

/// A picture on its way: clean, damaged, brought to the restored one's size, restored.
struct Steps {
    clean: Picture,
    damaged: Picture,
    input: Picture,
    restored: Picture,
}

impl Restorer {
    /// Damages clean pictures, restores them, and compares.
    ///
    /// # Errors
    /// Where a picture can no longer be read, or the damage's own picture.
    pub fn evaluate(&self, pictures: &Store, threads: &Threads) -> Result<Restoration> {
        let ready = self.damages().ready()?;
        let one = |i: usize| Ok(self.quality(pictures.name(i), &self.steps(pictures, i, &ready, threads)?));
        let qualities = (0..pictures.len()).map(one).collect::<Result<_>>()?;
        Ok(Restoration::of(self.damages().to_string(), qualities))
    }

    /// A contact sheet of the first pictures: input, output, truth and difference.
    ///
    /// # Errors
    /// As [`Restorer::evaluate`].
    pub fn sheet(&self, pictures: &Store, threads: &Threads) -> Result<Picture> {
        let ready = self.damages().ready()?;
        let one = |i: usize| Ok(self.steps(pictures, i, &ready, threads)?.shown());
        let shown = (0..pictures.len().min(SHEET_ROWS)).map(one).collect::<Result<_>>()?;
        Ok(sheet_of(shown).picture())
    }

    fn steps(&self, pictures: &Store, i: usize, ready: &ReadyDamages, threads: &Threads) -> Result<Steps> {
        let clean = pictures.get(i)?.to_channels(self.channels);
        // What is left over at the edges by a smaller picture cannot come back.
        let scale = self.scale();
        let whole = |side: usize| (side / scale).max(1) * scale;
        let clean = clean.padded_reflect(0, 0, whole(clean.height), whole(clean.width));
        let damaged = ready.apply(&clean, &mut Stream::new(SEED, Purpose::Corruption, 0, i as u64));
        let restored = self.restore(&damaged, threads);
        let input = self.base().lifted(&damaged);
        Ok(Steps { clean, damaged, input, restored })
    }

    fn quality(&self, name: String, steps: &Steps) -> PictureQuality {
        let Steps { clean, damaged, input, restored } = steps;
        let rival = rival(self.damages(), damaged, self.channels);
        PictureQuality {
            name,
            qualities: RestorationMeans {
                restored: Similarity::of(clean, restored),
                input: Similarity::of(clean, input),
                rival: Rival { name: rival.name, similarity: Similarity::of(clean, &rival.picture) },
            },
        }
    }
}

impl Steps {
    /// What a contact sheet shows: damaged, restored, clean.
    fn shown(self) -> [Picture; 3] {
        [self.input, self.restored, self.clean]
    }
}

/// The quality on these pictures, and pictures of the first few of them: damaged, restored, clean.
pub(super) fn with_sheet(
    restorer: &Restorer,
    pictures: &Store,
    which: &[usize],
    threads: &Threads,
) -> Result<(Restoration, Vec<[Picture; 3]>)> {
    let ready = restorer.damages().ready()?;
    let mut qualities = Vec::new();
    let mut sheet = Vec::new();
    for &picture in which {
        let steps = restorer.steps(pictures, picture, &ready, threads)?;
        qualities.push(restorer.quality(pictures.name(picture), &steps));
        sheet.push(steps.shown());
    }
    Ok((Restoration::of(restorer.damages().to_string(), qualities), sheet))
}
