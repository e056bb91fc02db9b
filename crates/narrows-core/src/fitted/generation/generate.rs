//! New samples like the training data: codes drawn from their distribution, and decoded.
//!
//! A decoder's output for a table is a distribution: flags, categories and missing cells are drawn by their
//! probabilities, and numbers get the noise of the residuals, within the range and with the decimals of training rows. The
//! values of series and the pixels of images are the decoder's means.

use narrows_engine::rng::{Purpose, Stream};

use crate::fitted::core::Core;

/// Streams of [`Purpose::Sample`] beside those of the codes: for cells, and for the noise on given codes.
const CELLS: u64 = 1;
const VARIED: u64 = 2;

/// Codes `first..first + n` of the endless sequence that `seed` names, `[n, code_size]`.
pub(crate) fn drawn_codes(core: &Core, n: usize, first: u64, seed: u64) -> Vec<f32> {
    (0..n as u64).flat_map(|i| core.density.code_at(core.code_size(), seed, first + i)).collect()
}

/// The same, decoded: `[n, width]`.
pub(crate) fn decoded_draws(core: &Core, n: usize, first: u64, seed: u64) -> Vec<f32> {
    core.decode(&drawn_codes(core, n, first, seed))
}

/// The randomness of a generated row's cells.
pub(crate) fn cell_stream(seed: u64, row: u64) -> Stream {
    Stream::new(seed, Purpose::Sample, CELLS, row)
}

/// Adds Gaussian noise to a code, `spread` times the standard deviation of each unit; stream `i` of those that `seed`
/// names.
pub(crate) fn vary(code: &mut [f32], deviations: &[f32], spread: f32, seed: u64, i: u64) {
    // Left as it is to the bit, so that it decodes to the reconstruction.
    if spread == 0.0 {
        return;
    }
    let mut stream = Stream::new(seed, Purpose::Sample, VARIED, i);
    code.iter_mut().zip(deviations).for_each(|(code, deviation)| *code += spread * deviation * stream.normal());
}
