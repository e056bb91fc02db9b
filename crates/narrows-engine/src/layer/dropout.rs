//! Dropout (Srivastava et al. 2014), inverted: kept values are scaled by 1 / (1 - rate), so that inference is the
//! identity.
//!
//! The mask is a function of (seed, epoch, row, layer, column), independent of batch size and number of threads.

use crate::kernels::vectorised;
use crate::rng::{Purpose, Stream};

use super::ops::{LayerOps, LayerParams, OutOfRange, Requirements};
use super::{Backward, ELEMENT_COST, Forward, Gradients, Inference, Rows};

/// Zeros values at random in training.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Dropout {
    /// Probability that a value becomes zero, in [0, 1).
    pub rate: f32,
}

/// The key of a dropout layer's random numbers.
#[derive(Clone, Copy)]
pub(crate) struct DropoutKey<'a> {
    pub seed: u64,
    pub epoch: u64,
    /// Row ids, `[n]`.
    pub rows: &'a [u32],
    /// First block of this layer in a row's stream, distinct for the layers of a network.
    pub block: u32,
}

impl Dropout {
    /// Random blocks consumed by a row of `width` values.
    fn blocks(width: usize) -> u32 {
        width.next_multiple_of(64) as u32 / 4
    }

    /// output = input * mask; `mask` is set to 0 or 1 / (1 - rate) for every value.
    fn apply(&self, rows: Rows<'_>, key: DropoutKey<'_>, mask: &mut [f32], input: &[f32], output: &mut [f32]) {
        let width = output.len() / rows.n;
        let tile = rows.tile(width * ELEMENT_COST);
        let mask = &mut mask[..output.len()];
        let keep = (1.0 - self.rate).recip();
        rows.threads.chunks2((output, tile * width), (mask, tile * width), |t, output, mask| {
            for (i, mask) in mask.chunks_exact_mut(width).enumerate() {
                let row = key.rows[t * tile + i];
                let mut stream = Stream::new(key.seed, Purpose::Dropout, key.epoch, row.into());
                stream.seek(key.block);
                stream.fill_uniform(mask);
            }
            let input = &input[t * tile * width..][..output.len()];
            vectorised!({
                for ((y, mask), &x) in output.iter_mut().zip(mask.iter_mut()).zip(input) {
                    *mask = if *mask < self.rate { 0.0 } else { keep };
                    *y = x * *mask;
                }
            });
        });
    }
}

impl LayerOps for Dropout {
    fn describe(&self) -> String {
        format!("Dropout({})", self.rate)
    }

    fn widths(&self) -> Option<(usize, usize)> {
        None
    }

    fn out_of_range(&self) -> Option<OutOfRange> {
        (!(0.0..1.0).contains(&self.rate)).then(|| ("a rate in [0, 1)".into(), self.rate.to_string()))
    }

    fn params(&self) -> Option<&dyn LayerParams> {
        None
    }

    /// Saved is the mask.
    fn requirements(&self, n: usize, width: usize) -> Requirements {
        Requirements { saved: n * width, random_blocks: Self::blocks(width), ..Requirements::NONE }
    }

    fn backward_reads_output(&self) -> bool {
        true
    }

    fn fuses_activation(&self) -> bool {
        false
    }

    fn forward(&self, pass: Forward<'_>, input: &[f32], output: &mut [f32]) {
        self.apply(pass.rows, pass.random, pass.saved, input, output);
    }

    fn infer(&self, _: Inference<'_>, input: &[f32], output: &mut [f32]) {
        output.copy_from_slice(input);
    }

    /// Multiplies the gradient by the mask.
    fn backward(&self, pass: Backward<'_>, gradients: &mut Gradients) {
        let Backward { rows, saved: mask, output, .. } = pass;
        let gradient = gradients.current(output.len());
        let width = gradient.len() / rows.n;
        let tile = rows.tile(width * ELEMENT_COST) * width;
        rows.threads.chunks(gradient, tile, |t, gradient| {
            let mask = &mask[t * tile..][..gradient.len()];
            vectorised!({
                for (g, &mask) in gradient.iter_mut().zip(mask) {
                    *g *= mask;
                }
            });
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::threads::Threads;
    use crate::*;

    #[test]
    fn gradients_agree_with_finite_differences() {
        let dropout = Layer::Dropout(Dropout { rate: 0.4 });
        let network = Network::new(
            vec![dropout, Layer::dense(5, 8), dropout, Layer::dense(8, 3)],
            Latent::Point,
            vec![dropout, Layer::dense(3, 5)],
            Output::single(5, Loss::Mse),
        );
        crate::gradcheck::check(&network.unwrap(), Sparsity::None);
    }

    #[test]
    fn the_mask_follows_the_row_and_drops_at_its_rate() {
        let threads = Threads::serial();
        let rows = Rows { n: 2, threads: &threads };
        let masks = |ids: [u32; 2], block| {
            let (mut mask, mut output) = (vec![0.0; 2000], vec![0.0; 2000]);
            let key = DropoutKey { seed: 1, epoch: 2, rows: &ids, block };
            Dropout { rate: 0.25 }.apply(rows, key, &mut mask, &[1.0; 2000], &mut output);
            assert_eq!(mask, output);
            mask
        };
        let mask = masks([7, 8], 0);
        let swapped = masks([8, 7], 0);
        assert_eq!(mask[..1000], swapped[1000..]);
        assert_ne!(mask[..1000], mask[1000..]);
        assert_ne!(mask, masks([7, 8], Dropout::blocks(1000)));
        let dropped = mask.iter().filter(|&&m| m == 0.0).count();
        assert!((400..600).contains(&dropped), "{dropped}");
        assert!(mask.iter().all(|&m| m == 0.0 || m == 1.0 / 0.75));
    }
}
