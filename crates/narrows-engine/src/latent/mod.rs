//! The kinds of code: a point, a Gaussian, or numbers that will be rounded.
//!
//! The last two add noise in training and have a penalty a row: the Gaussian's divergence from its prior, the rounded
//! code's bits. At inference nothing is drawn.

mod gaussian;
mod quantised;

pub(crate) use gaussian::Gaussian;

use gaussian::clamp_log_var;
pub(crate) use quantised::Quantised;

use crate::layer::{ELEMENT_COST, Rows};
use crate::rng::{Purpose, Stream};

/// The kind of code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Latent {
    /// The encoder's output is the code.
    Point,
    /// The encoder's output is mean and log-variance of the code, `[mean | log_var]`.
    Gaussian,
    /// The encoder's output is the code, which will be rounded to whole numbers.
    Quantised,
}

impl Latent {
    /// Holds the log-variances of one row's `[mean | log_var]` of a Gaussian code to their bound, as training does.
    pub fn bound_log_variances(encoded: &mut [f32]) {
        clamp_log_var(encoded);
    }

    /// Whether the code of a row adds to its loss.
    pub(crate) fn has_penalty(self) -> bool {
        self != Latent::Point
    }

    /// The penalty of a row's code by the encoder's output.
    pub(crate) fn penalty(self, encoded: &[f32]) -> f32 {
        match self {
            Latent::Point => 0.0,
            Latent::Gaussian => gaussian::divergence(encoded),
            Latent::Quantised => quantised::rate(encoded),
        }
    }

    /// How a code of this latent is drawn in training, from `width` values of the encoder.
    pub(crate) fn draw(self, width: usize) -> Option<Draw> {
        match self {
            Latent::Point => None,
            Latent::Gaussian => Some(Draw::Gaussian(Gaussian { code_size: width / 2 })),
            Latent::Quantised => Some(Draw::Quantised(Quantised { code_size: width })),
        }
    }
}

/// The key of the noise.
#[derive(Clone, Copy)]
pub(crate) struct NoiseKey<'a> {
    pub seed: u64,
    pub epoch: u64,
    /// Row ids, `[n]`.
    pub rows: &'a [u32],
}

/// A code that is drawn in training.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Draw {
    Gaussian(Gaussian),
    Quantised(Quantised),
}

impl Draw {
    pub(crate) fn code_size(&self) -> usize {
        match self {
            Draw::Gaussian(gaussian) => gaussian.code_size,
            Draw::Quantised(quantised) => quantised.code_size,
        }
    }

    /// Draws the noise of every row, `[n, code_size]`: standard normals for a Gaussian, rounding errors for a code that will
    /// be rounded.
    pub(crate) fn noise(&self, rows: Rows<'_>, key: NoiseKey<'_>, noise: &mut [f32]) {
        let width = self.code_size();
        let tile = rows.tile(width * ELEMENT_COST);
        rows.threads.chunks(&mut noise[..rows.n * width], tile * width, |t, noise| {
            for (i, noise) in noise.chunks_exact_mut(width).enumerate() {
                let row = key.rows[t * tile + i];
                let mut stream = Stream::new(key.seed, Purpose::Latent, key.epoch, row.into());
                match self {
                    Draw::Gaussian(_) => stream.fill_normal(noise),
                    Draw::Quantised(_) => noise.iter_mut().for_each(|u| *u = stream.uniform() - 0.5),
                }
            }
        });
    }

    /// The code and the penalty of every row.
    pub(crate) fn forward(&self, input: &[f32], noise: &[f32], code: &mut [f32], penalty: &mut [f32]) {
        match self {
            Draw::Gaussian(gaussian) => gaussian.forward(input, noise, code, penalty),
            Draw::Quantised(quantised) => quantised.forward(input, noise, code, penalty),
        }
    }

    /// The gradient for the encoder's output, from that for the code and `share` of each row's penalty.
    pub(crate) fn backward(&self, pass: Drawn<'_>, d_code: &[f32], share: f32, d_input: &mut [f32]) {
        let Drawn { input, noise, code } = pass;
        match self {
            Draw::Gaussian(gaussian) => gaussian.backward(input, noise, d_code, share, d_input),
            Draw::Quantised(quantised) => quantised.backward(code, d_code, share, d_input),
        }
    }
}

/// The values of a forward pass that drew.
#[derive(Clone, Copy)]
pub(crate) struct Drawn<'a> {
    /// The encoder's output.
    pub input: &'a [f32],
    pub noise: &'a [f32],
    pub code: &'a [f32],
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Threads;

    fn drawn(draw: Draw, ids: &[u32]) -> Vec<f32> {
        let threads = Threads::serial();
        let mut noise = vec![0.0; ids.len() * draw.code_size()];
        draw.noise(Rows { n: ids.len(), threads: &threads }, NoiseKey { seed: 3, epoch: 1, rows: ids }, &mut noise);
        noise
    }

    #[test]
    fn noise_follows_the_row() {
        for latent in [Latent::Gaussian, Latent::Quantised] {
            let draw = latent.draw(50).unwrap();
            let k = draw.code_size();
            let noise = drawn(draw, &[4, 9]);
            assert_eq!(noise[..k], drawn(draw, &[9, 4])[k..]);
            assert_ne!(noise[..k], noise[k..]);
        }
    }

    #[test]
    fn a_rounded_code_is_drawn_with_rounding_errors() {
        let noise = drawn(Latent::Quantised.draw(50).unwrap(), &[4, 9]);
        assert!(noise.iter().all(|u| (-0.5..0.5).contains(u)));
        assert!((noise.iter().map(|u| u * u).sum::<f32>() / 100.0 - 1.0 / 12.0).abs() < 0.02);
    }
}
