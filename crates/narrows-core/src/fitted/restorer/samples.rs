//! Corrupted patches of images and their residual targets.

use narrows_engine::rng::{Purpose, Stream};
use narrows_images::{Damage, Damages, PreparedDamages, Side};

use super::base::Base;
use super::holes::{self, Holed};
use crate::error::Result;
use crate::patches::PatchSampler;
use crate::train::{Key, SampleSource, Sources};

/// Maximum side of the region that is corrupted if a corruption scales with the image: a patch alone would get a small
/// one, a whole photograph would take long.
const SURROUNDINGS: usize = 512;

/// The training samples of a restoring network.
pub(super) struct RestoreSamples<'a> {
    /// Views of [`view_side`] pixels.
    pub(super) draws: PatchSampler,
    pub(super) damages: &'a Damages,
    pub(super) ready: &'a PreparedDamages,
    pub(super) base: Base,
    /// Side of a corrupted patch.
    pub(super) patch: usize,
}

/// Side of the views to draw for corrupted patches of `patch` pixels, from images whose longest side is `longest`.
pub(super) fn view_side(damages: &Damages, patch: usize, longest: usize) -> usize {
    let fits_the_image =
        |damage: &Damage| matches!(damage, Damage::Watermark { .. } | Damage::Blocks { side: Side::Share(_), .. });
    let scale = damages.scale();
    let surroundings = (longest / scale).min(SURROUNDINGS);
    let damaged = if damages.as_slice().iter().any(fits_the_image) { patch.max(surroundings) } else { patch };
    damaged * scale
}

impl RestoreSamples<'_> {
    /// Where a patch is cut from a square of this side.
    fn place(&self, side: usize, stream: &mut Stream) -> (usize, usize) {
        match (side - self.patch) as u32 {
            0 => (0, 0),
            room => (stream.below(room + 1) as usize, stream.below(room + 1) as usize),
        }
    }
}

impl SampleSource for RestoreSamples<'_> {
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
        if let Some(side) = holes::side(self.damages) {
            let holed = Holed::drawn(&view, self.ready, side, &mut stream);
            let (top, left) = self.place(view.height, &mut stream);
            let holed = holed.crop(top, left, self.patch, self.patch);
            holed.wanted(&view.crop(top, left, self.patch, self.patch), target);
            input.copy_from_slice(&holed.joined());
            return Ok(());
        }
        let damaged = self.ready.apply(&view, &mut stream);
        let (top, left) = self.place(damaged.height, &mut stream);
        let scale = self.base.ends().scale;
        let damaged = damaged.crop(top, left, self.patch, self.patch);
        let clean = view.crop(top * scale, left * scale, self.patch * scale, self.patch * scale);
        self.base.wanted(&clean, &damaged, target);
        input.copy_from_slice(&damaged.pixels);
        Ok(())
    }

    fn damage(&self) -> String {
        self.damages.to_string()
    }

    fn sources(&self) -> Option<Sources> {
        self.draws.store.at_once().map(|at_once| Sources { samples: self.draws.per_image, at_once })
    }

    fn expect(&self, samples: &[u32]) {
        self.draws.expect(samples);
    }

    fn are_costly(&self) -> bool {
        true
    }
}
