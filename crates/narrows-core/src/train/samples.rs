//! The samples that batches are drawn from.

use rayon::prelude::*;

use narrows_engine::Batch;

use super::order::Sources;
use crate::error::Result;
use crate::model::Corruption;
use crate::model::corruption::Donors;
use crate::prep::{Block, Prepared};

/// Keys the corruption of a sample by training and epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Key {
    /// The training's seed.
    pub seed: u64,
    /// The epoch, from 0.
    pub epoch: u64,
}

/// Training samples, addressed by number.
pub(crate) trait SampleSource: Sync {
    /// Input width.
    fn inputs(&self) -> usize;

    /// Output width.
    fn outputs(&self) -> usize;

    /// Writes the corrupted `input` `[inputs]` and the clean `target` `[outputs]` of a sample: a pure function of
    /// sample and key.
    ///
    /// # Errors
    /// If the sample can no longer be read.
    fn draw(&self, sample: u32, key: Key, input: &mut [f32], target: &mut [f32]) -> Result<()>;

    /// Description of the corruption.
    fn damage(&self) -> String;

    /// For samples that are expensive to read: which of them share a source.
    fn sources(&self) -> Option<Sources> {
        None
    }

    /// Announces samples that will be drawn, so that they can be read ahead.
    fn expect(&self, _samples: &[u32]) {}

    /// Whether drawing a sample is expensive enough to be parallelised.
    fn are_costly(&self) -> bool {
        false
    }
}

/// Prepared rows with a corruption.
pub(crate) struct PreparedSamples<'a> {
    /// The rows.
    pub prepared: &'a Prepared,
    /// Their columns.
    pub blocks: &'a [Block],
    /// The corruption.
    pub corruption: Corruption,
}

impl SampleSource for PreparedSamples<'_> {
    fn inputs(&self) -> usize {
        self.prepared.width
    }

    fn outputs(&self) -> usize {
        self.prepared.width
    }

    fn draw(&self, sample: u32, key: Key, input: &mut [f32], target: &mut [f32]) -> Result<()> {
        let width = self.prepared.width;
        let from = sample as usize * width..(sample as usize + 1) * width;
        target.copy_from_slice(&self.prepared.target[from.clone()]);
        input.copy_from_slice(&self.prepared.input[from]);
        let donors = Donors { rows: &self.prepared.input, width };
        let mut stream = Corruption::stream(key.seed, key.epoch, u64::from(sample));
        self.corruption.apply(input, &mut stream, self.blocks, donors);
        Ok(())
    }

    fn damage(&self) -> String {
        self.corruption.to_string()
    }
}

/// A reusable buffer for the samples of a step.
pub(super) struct Gather<'a> {
    samples: &'a dyn SampleSource,
    seed: u64,
    input: Vec<f32>,
    target: Vec<f32>,
}

impl<'a> Gather<'a> {
    pub(super) fn new(samples: &'a dyn SampleSource, seed: u64, capacity: usize) -> Gather<'a> {
        let input = vec![0.0; capacity * samples.inputs()];
        let target = vec![0.0; capacity * samples.outputs()];
        Gather { samples, seed, input, target }
    }

    /// The batch of `rows` in `epoch`: clean targets, corrupted inputs.
    pub(super) fn batch<'b>(&'b mut self, rows: &'b [u32], epoch: u64) -> Result<Batch<'b>> {
        let Gather { samples, seed, input, target } = self;
        let (inputs, outputs) = (samples.inputs(), samples.outputs());
        let key = Key { seed: *seed, epoch };
        if samples.are_costly() {
            let rows = rows.par_iter().zip(input.par_chunks_mut(inputs)).zip(target.par_chunks_mut(outputs));
            rows.try_for_each(|((row, input), target)| samples.draw(*row, key, input, target))?;
        } else {
            let mut rows = rows.iter().zip(input.chunks_mut(inputs)).zip(target.chunks_mut(outputs));
            rows.try_for_each(|((row, input), target)| samples.draw(*row, key, input, target))?;
        }
        let (input, target) = (&input[..rows.len() * inputs], &target[..rows.len() * outputs]);
        Ok(Batch { input, target, rows, seed: *seed, epoch })
    }
}
