//! Generation of new samples: codes are drawn from their density and decoded.
//!
//! A decoder's output for a table is a distribution: flags, categories and missing cells are drawn by their
//! probabilities, and numbers get noise with the deviation of the residuals, within the range and with the decimals of
//! training rows. The values of series and the pixels of images are the decoder's means.

use narrows_engine::rng::{Purpose, Stream};

use crate::fitted::core::Core;

/// Streams of [`Purpose::Sample`], in addition to those of the codes: for cells, and for noise on given codes.
const CELLS: u64 = 1;
const VARIED: u64 = 2;

/// Codes `first..first + n` of the infinite sequence given by `seed`, `[n, code_size]`.
pub(crate) fn drawn_codes(core: &Core, n: usize, first: u64, seed: u64) -> Vec<f32> {
    (0..n as u64).flat_map(|i| core.density.code_at(core.code_size(), seed, first + i)).collect()
}

/// The decoded draws, `[n, width]`.
pub(crate) fn decoded_draws(core: &Core, n: usize, first: u64, seed: u64) -> Vec<f32> {
    core.decode(&drawn_codes(core, n, first, seed))
}

/// The random stream for a generated row's cells.
pub(crate) fn cell_stream(seed: u64, row: u64) -> Stream {
    Stream::new(seed, Purpose::Sample, CELLS, row)
}

/// Adds Gaussian noise to a code, `spread` times the standard deviation of each unit; `i` and `seed` select the stream.
pub(crate) fn vary(code: &mut [f32], deviations: &[f32], spread: f32, seed: u64, i: u64) {
    // Unchanged to the bit, so that it decodes to the reconstruction.
    if spread == 0.0 {
        return;
    }
    let mut stream = Stream::new(seed, Purpose::Sample, VARIED, i);
    code.iter_mut().zip(deviations).for_each(|(code, deviation)| *code += spread * deviation * stream.normal());
}
