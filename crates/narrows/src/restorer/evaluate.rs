//! How well damage is undone: clean pictures are damaged, restored, and compared with what they were; the damaged picture
//! and a classical method stand beside.

use narrows_engine::Threads;
use narrows_engine::rng::{Purpose, Stream};
use narrows_pictures::classical::{self, rival};
use narrows_pictures::{Picture, ReadyDamages, Store};

use super::Restorer;
use crate::error::Result;
use crate::report::{PictureQuality, Restoration, RestorationMeans, Rival, SHEET_ROWS, Similarity, sheet_of};

/// The seed of the damage: the figures are part of the answer, so they do not change from run to run.
const SEED: u64 = 0;

/// A picture on its way: clean, damaged, restored.
struct Steps {
    clean: Picture,
    input: Picture,
    restored: Picture,
    rival: classical::Rival,
}

impl Restorer {
    /// Damages clean pictures, restores them, and compares.
    ///
    /// # Errors
    /// Where a picture can no longer be read, or the damage's own picture.
    pub fn evaluate(&self, pictures: &Store, threads: &Threads) -> Result<Restoration> {
        let all: Vec<usize> = (0..pictures.len()).collect();
        let mut qualities = Vec::with_capacity(all.len());
        let ready = self.damages().ready()?;
        for picture in all {
            let steps = self.steps(pictures, picture, &ready, threads)?;
            qualities.push(quality(pictures.name(picture), &steps));
        }
        Ok(Restoration::of(self.damages().to_string(), qualities))
    }

    /// A contact sheet of the first pictures: input, output, truth and difference.
    ///
    /// # Errors
    /// As [`Restorer::evaluate`].
    pub fn sheet(&self, pictures: &Store, threads: &Threads) -> Result<Picture> {
        let first: Vec<usize> = (0..pictures.len().min(SHEET_ROWS)).collect();
        Ok(sheet_of(with_sheet(self, pictures, &first, threads)?.1).picture())
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
        let rival = rival(self.damages(), &damaged, self.channels);
        Ok(Steps { clean, input, restored, rival })
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
        qualities.push(quality(pictures.name(picture), &steps));
        sheet.push([steps.input, steps.restored, steps.clean]);
    }
    Ok((Restoration::of(restorer.damages().to_string(), qualities), sheet))
}

fn quality(name: String, steps: &Steps) -> PictureQuality {
    let Steps { clean, input, restored, rival } = steps;
    PictureQuality {
        name,
        qualities: RestorationMeans {
            restored: Similarity::of(clean, restored),
            input: Similarity::of(clean, input),
            rival: Rival { name: rival.name.clone(), similarity: Similarity::of(clean, &rival.picture) },
        },
    }
}
