//! Pieces of pictures, damaged, and what the network should add to them.

use narrows_engine::rng::{Purpose, Stream};
use narrows_pictures::{Damage, Damages, Picture, ReadyDamages, Side, compare};

use super::base::Base;
use crate::error::Result;
use crate::images::Draws;
use crate::train::{Key, Samples, Sources};

/// Side of what is damaged where a damage is drawn to the size of the picture: a piece alone would get a small one.
const SURROUNDINGS: usize = 320;
/// Pieces of it, of which every other time the most damaged one is taken: elsewhere there is nothing to learn.
const TRIES: u32 = 4;

/// What a restoring network trains on.
pub(super) struct RestoreSamples<'a> {
    /// Views of [`view_side`] pixels.
    pub(super) draws: Draws<'a>,
    pub(super) damages: &'a Damages,
    pub(super) ready: &'a ReadyDamages,
    pub(super) base: Base,
    /// Side of a damaged piece.
    pub(super) patch: usize,
}

/// Side of the views to draw for damaged pieces of `patch` pixels.
pub(super) fn view_side(damages: &Damages, patch: usize) -> usize {
    let fits_the_picture =
        |damage: &Damage| matches!(damage, Damage::Watermark { .. } | Damage::Blocks { side: Side::Share(_), .. });
    let damaged = if damages.as_slice().iter().any(fits_the_picture) { patch.max(SURROUNDINGS) } else { patch };
    damaged * damages.scale()
}

impl RestoreSamples<'_> {
    /// A piece of the clean and of the damaged picture.
    fn piece(&self, clean: &Picture, damaged: &Picture, (top, left): (usize, usize)) -> [Picture; 2] {
        let (side, scale) = (self.patch, self.base.ends().scale);
        [clean.crop(top * scale, left * scale, side * scale, side * scale), damaged.crop(top, left, side, side)]
    }

    /// How much a piece is damaged.
    fn harm(&self, [clean, damaged]: &[Picture; 2]) -> f64 {
        compare::mse(clean, &self.base.lifted(damaged))
    }
}

impl Samples for RestoreSamples<'_> {
    fn inputs(&self) -> usize {
        self.patch * self.patch * self.base.ends().input
    }

    fn outputs(&self) -> usize {
        let ends = self.base.ends();
        self.patch * self.patch * ends.scale * ends.scale * ends.output
    }

    fn draw(&self, sample: u32, key: Key, input: &mut [f32], target: &mut [f32]) -> Result<()> {
        let view = self.draws.view(sample, key.seed, key.epoch)?;
        let mut stream = Stream::new(key.seed, Purpose::Corruption, key.epoch, u64::from(sample));
        let damaged = self.ready.apply(&view, &mut stream);
        let room = (damaged.height - self.patch) as u32;
        let tries = if room > 0 && stream.below(2) == 1 { TRIES } else { 1 };
        let place = |stream: &mut Stream| match room {
            0 => (0, 0),
            _ => (stream.below(room + 1) as usize, stream.below(room + 1) as usize),
        };
        let pieces = (0..tries).map(|_| self.piece(&view, &damaged, place(&mut stream)));
        let [clean, damaged] = pieces.max_by(|a, b| self.harm(a).total_cmp(&self.harm(b))).expect("a try at least");
        self.base.wanted(&clean, &damaged, target);
        input.copy_from_slice(&damaged.pixels);
        Ok(())
    }

    fn damage(&self) -> String {
        self.damages.to_string()
    }

    fn sources(&self) -> Option<Sources> {
        self.draws.store.at_once().map(|at_once| Sources { samples: self.draws.per_picture, at_once })
    }

    fn expect(&self, samples: &[u32]) {
        self.draws.expect(samples);
    }

    fn are_costly(&self) -> bool {
        true
    }
}
