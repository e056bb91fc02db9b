//! New rows like the old: codes drawn from what codes look like, decoded, and given the grain of the data.
//!
//! Of tables a decoder's output is taken for what it is, a distribution: flags, categories and missing cells are drawn by
//! their probabilities, and numbers have the noise that rebuilding leaves over, within the range and with the decimals of
//! training rows. The values of series and the pixels of images are the decoder's means.

use narrows_engine::Threads;
use narrows_engine::rng::{Purpose, Stream};
use narrows_images::Image;
use statrs::distribution::{ContinuousCDF, Normal};

use super::Fitted;
use super::adapter::{Adapter, TableAdapter};
use crate::data::Table;
use crate::error::{Error, Result};
use crate::prep::{BlockKind, Cell, PrepCounts, Prepared};

/// Streams of [`Purpose::Sample`] beside those of the codes: for cells, and for the noise on given codes.
const CELLS: u64 = 1;
const VARIED: u64 = 2;
/// The largest side of a manifold.
const WIDEST_MANIFOLD: usize = 100;

impl Fitted {
    /// Rows `first..first + n` of an endless sequence of new rows that `seed` names; so a million rows stream, and
    /// come out the same in one piece or in many.
    ///
    /// # Errors
    /// Where the decoded values cannot be brought back to columns.
    pub fn generate(&self, n: usize, first: u64, seed: u64, threads: &Threads) -> Result<Table> {
        let mut output = self.decoded_draws(n, first, seed, threads);
        match &self.adapter {
            Adapter::Table(adapter) => adapter.pipeline.table_of(drawn(adapter, &mut output, first, seed, threads)),
            Adapter::Series(adapter) => adapter.rows_of(&output, &[], &[]),
            Adapter::Images(_) => Err(super::images::not_a_table()),
        }
    }

    /// Images `first..first + n` of an endless sequence of new ones that `seed` names.
    ///
    /// # Errors
    /// [`Error::Mismatch`] where the model is not of images.
    pub fn generate_images(&self, n: usize, first: u64, seed: u64, threads: &Threads) -> Result<Vec<Image>> {
        self.images()?;
        self.decode_images(&self.drawn_codes(n, first, seed), threads)
    }

    /// `side` by `side` images whose codes lie on a grid: at even steps of the probability of both units, the first from
    /// left to right, the second from bottom to top.
    ///
    /// # Errors
    /// [`Error::Mismatch`] where the model is not of images, or its code has more or fewer than 2 units;
    /// [`Error::Recipe`] for a side that is none.
    pub fn manifold(&self, side: usize, threads: &Threads) -> Result<Vec<Image>> {
        self.images()?;
        if self.code_size() != 2 {
            let message = format!("expected a model with a code of 2 units for a manifold, got {}", self.code_size());
            return Err(Error::mismatch(message).with_hint("fit one with --set backbone.code_size=2"));
        }
        if !(1..=WIDEST_MANIFOLD).contains(&side) {
            let message = format!("expected from 1 to {WIDEST_MANIFOLD} images a side, got {side}");
            return Err(Error::recipe("--manifold", message));
        }
        let normal = Normal::standard();
        let at = |i: usize| normal.inverse_cdf((i as f64 + 0.5) / side as f64) as f32;
        let (mean, spread) = self.density.moments(2);
        let mut codes = Vec::with_capacity(2 * side * side);
        for (row, column) in (0..side).flat_map(|row| (0..side).map(move |column| (row, column))) {
            codes.push(mean[0] + spread[0] * at(column));
            codes.push(mean[1] + spread[1] * at(side - 1 - row));
        }
        codes.chunks_exact_mut(2).for_each(|code| self.density.hold(code));
        self.decode_images(&codes, threads)
    }

    /// Generated rows in prepared units, as held-out rows are: NaN in the target where a cell is missing.
    pub(super) fn generated_samples(&self, n: usize, seed: u64, threads: &Threads) -> Prepared {
        let mut input = self.decoded_draws(n, 0, seed, threads);
        let width = self.scorer.network.outputs();
        let mut target;
        match &self.adapter {
            Adapter::Table(adapter) => {
                let cells = drawn(adapter, &mut input, 0, seed, threads);
                target = input.clone();
                let names = adapter.schema.names();
                for block in adapter.pipeline.blocks() {
                    let hidden = matches!(block.kind, BlockKind::Number | BlockKind::Flag | BlockKind::Cyclic);
                    let Some(column) = names.iter().position(|name| hidden && *name == block.column) else { continue };
                    let missing = (0..n).filter(|row| cells[column][*row] == Cell::Missing);
                    missing.for_each(|row| target[row * width..][block.range.clone()].fill(f32::NAN));
                }
            }
            Adapter::Series(_) => target = input.clone(),
            Adapter::Images(_) => {
                // As a file holds them: a black that is not quite black is no other distribution.
                input.iter_mut().for_each(|pixel| *pixel = (pixel.clamp(0.0, 1.0) * 255.0).round() / 255.0);
                target = input.clone();
            }
        }
        Prepared { input, target, n, width, counts: PrepCounts::default() }
    }

    /// Adds `spread` times the spread of each unit, at random, to a code; stream `i` of those that `seed` names.
    pub(super) fn vary(&self, code: &mut [f32], units: &[f32], spread: f32, seed: u64, i: u64) {
        // Left as it is to the bit, so that it decodes to the reconstruction.
        if spread == 0.0 {
            return;
        }
        let mut stream = Stream::new(seed, Purpose::Sample, VARIED, i);
        code.iter_mut().zip(units).for_each(|(code, unit)| *code += spread * unit * stream.normal());
    }

    fn drawn_codes(&self, n: usize, first: u64, seed: u64) -> Vec<f32> {
        (0..n as u64).flat_map(|i| self.density.code_at(self.code_size(), seed, first + i)).collect()
    }

    fn decoded_draws(&self, n: usize, first: u64, seed: u64, threads: &Threads) -> Vec<f32> {
        self.scorer.decode(&self.drawn_codes(n, first, seed), n, threads)
    }
}

/// PatchSampler the cells of decoded rows, by column, and writes them over what was decoded.
fn drawn(adapter: &TableAdapter, output: &mut [f32], first: u64, seed: u64, threads: &Threads) -> Vec<Vec<Cell>> {
    let stream = |row: usize| Stream::new(seed, Purpose::Sample, CELLS, first + row as u64);
    threads.install(|| adapter.pipeline.draw(output, &adapter.grains, stream))
}
