//! Views of images for the training of a network with a code, corrupted if the recipe says so.

use narrows_engine::rng::{Purpose, Stream};
use narrows_images::{Damages, Filter, Image, PreparedDamages};

use crate::error::Result;
use crate::patches::PatchSampler;
use crate::train::{Key, SampleSource, Sources};

/// The training samples of a network with a code.
pub(crate) struct ImageSamples<'a> {
    pub(crate) draws: &'a PatchSampler,
    /// Values per view.
    pub(crate) width: usize,
    pub(crate) damages: &'a PreparedDamages,
}

impl SampleSource for ImageSamples<'_> {
    fn inputs(&self) -> usize {
        self.width
    }

    fn outputs(&self) -> usize {
        self.width
    }

    fn draw(&self, sample: u32, key: Key, input: &mut [f32], target: &mut [f32]) -> Result<()> {
        let view = self.draws.view(sample, key.seed, key.epoch)?;
        target.copy_from_slice(&view.pixels);
        if self.damages.damages().is_empty() {
            input.copy_from_slice(&view.pixels);
            return Ok(());
        }
        let mut stream = Stream::new(key.seed, Purpose::Corruption, key.epoch, u64::from(sample));
        let damaged = self.damages.apply(&view, &mut stream);
        input.copy_from_slice(&like(&damaged, &view).pixels);
        Ok(())
    }

    fn damage(&self) -> String {
        describe(self.damages.damages())
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

/// The corruptions as text, `none` if there are none.
pub(super) fn describe(damages: &Damages) -> String {
    if damages.is_empty() { "none".to_owned() } else { damages.to_string() }
}

/// A corrupted image resized to the size and channels of the whole one, as a code network requires.
pub(super) fn like(damaged: &Image, whole: &Image) -> Image {
    damaged.to_channels(whole.channels).resized(whole.height, whole.width, Filter::Bicubic)
}
