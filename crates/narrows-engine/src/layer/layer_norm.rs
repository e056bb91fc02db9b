//! Layer normalisation (Ba, Kiros and Hinton 2016): each row is normalised over its own columns.
//!
//! y = gamma h + beta with h = (x - mean) / sqrt(var + eps), var biased. Backward, with g = dy gamma:
//! dx = (g - mean(g) - h mean(g h)) / sqrt(var + eps).

use crate::kernels::{sum, vectorised};
use crate::params::ParamKind;
use crate::rng::Stream;

use super::ops::{Entries, LayerOps, LayerParams, OutOfRange, Requirements, WeightPacking};
use super::{Backward, COLUMN_TILE, ELEMENT_COST, Forward, Gradients, Inference, Rows, norm};

/// Normalises each row over its columns.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LayerNorm {
    /// Width of input and output.
    pub features: usize,
    /// Added to the variance; PyTorch's default is 1e-5.
    pub eps: f32,
}

impl LayerNorm {
    /// (mean, 1 / sqrt(var + eps)) of a row.
    #[inline(always)]
    fn statistics(&self, row: &[f32]) -> (f32, f32) {
        let n = row.len() as f32;
        let mean = sum::sum(
            row,
            #[inline(always)]
            |x| x,
        ) / n;
        let var = sum::sum(
            row,
            #[inline(always)]
            |x| (x - mean) * (x - mean),
        ) / n;
        (mean, (var + self.eps).sqrt().recip())
    }

    /// Normalises the rows; `saved` takes the statistics of each, two floats a row.
    fn normalise(&self, rows: Rows<'_>, params: &[f32], saved: &mut [f32], input: &[f32], output: &mut [f32]) {
        let width = self.features;
        let (gamma, beta) = params.split_at(width);
        let tile = rows.tile(width * ELEMENT_COST);
        let saved = &mut saved[..2 * rows.n];
        rows.threads.chunks2((output, tile * width), (saved, tile * 2), |t, output, saved| {
            let input = &input[t * tile * width..][..output.len()];
            vectorised!({
                let pairs = input.chunks_exact(width).zip(output.chunks_exact_mut(width));
                for ((x, y), saved) in pairs.zip(saved.chunks_exact_mut(2)) {
                    let (mean, inverse) = self.statistics(x);
                    saved.copy_from_slice(&[mean, inverse]);
                    for j in 0..width {
                        y[j] = ((x[j] - mean) * inverse).mul_add(gamma[j], beta[j]);
                    }
                }
            });
        });
    }
}

impl LayerParams for LayerNorm {
    fn entries(&self, kind: ParamKind) -> Entries {
        match kind {
            ParamKind::Trainable => norm::affine(self.features),
            ParamKind::Buffer => vec![],
        }
    }

    fn init(&self, kind: ParamKind, values: &mut [f32], _: &dyn Fn(usize) -> Stream) {
        if kind == ParamKind::Trainable {
            norm::init_affine(values);
        }
    }

    fn packing(&self) -> Option<&dyn WeightPacking> {
        None
    }
}

impl LayerOps for LayerNorm {
    fn describe(&self) -> String {
        format!("LayerNorm({})", self.features)
    }

    fn widths(&self) -> Option<(usize, usize)> {
        Some((self.features, self.features))
    }

    fn out_of_range(&self) -> Option<OutOfRange> {
        norm::eps_out_of_range(self.eps)
    }

    fn params(&self) -> Option<&dyn LayerParams> {
        Some(self)
    }

    /// Mean and 1 / sqrt(var + eps) of each row.
    fn requirements(&self, n: usize, _: usize) -> Requirements {
        Requirements { saved: 2 * n, inference_scratch: 2 * n, ..Requirements::NONE }
    }

    fn backward_reads_output(&self) -> bool {
        false
    }

    fn fuses_activation(&self) -> bool {
        false
    }

    fn forward(&self, pass: Forward<'_>, input: &[f32], output: &mut [f32]) {
        self.normalise(pass.rows, pass.params, pass.saved, input, output);
    }

    fn infer(&self, pass: Inference<'_>, input: &[f32], output: &mut [f32]) {
        self.normalise(pass.rows, pass.params, pass.scratch, input, output);
    }

    /// The gradients for gamma and beta, then that for the input, in place of that for the output.
    fn backward(&self, pass: Backward<'_>, gradients: &mut Gradients) {
        let Backward { rows, params, saved, input, output, gradient: d_params, .. } = pass;
        let gradient = gradients.current(output.len());
        let width = self.features;
        let gamma = &params[..width];
        let (d_gamma, d_beta) = d_params.split_at_mut(width);
        let tile = rows.tile(width * ELEMENT_COST);
        let columns = if tile >= rows.n { width } else { COLUMN_TILE };
        let d_output = &*gradient;
        rows.threads.chunks2((d_gamma, columns), (d_beta, columns), |t, d_gamma, d_beta| {
            let range = t * columns..t * columns + d_beta.len();
            vectorised!({
                d_gamma.fill(0.0);
                d_beta.fill(0.0);
                let pairs = input.chunks_exact(width).zip(d_output.chunks_exact(width));
                for ((x, g), saved) in pairs.zip(saved.chunks_exact(2)) {
                    let (x, g) = (&x[range.clone()], &g[range.clone()]);
                    for j in 0..d_beta.len() {
                        d_gamma[j] += g[j] * ((x[j] - saved[0]) * saved[1]);
                        d_beta[j] += g[j];
                    }
                }
            });
        });
        rows.threads.chunks(gradient, tile * width, |t, gradient| {
            let input = &input[t * tile * width..][..gradient.len()];
            let saved = &saved[t * tile * 2..];
            vectorised!({
                let pairs = input.chunks_exact(width).zip(gradient.chunks_exact_mut(width));
                for ((x, g), saved) in pairs.zip(saved.chunks_exact(2)) {
                    let (mean, inverse) = (saved[0], saved[1]);
                    for j in 0..width {
                        g[j] *= gamma[j];
                    }
                    let mean_g = sum::sum(
                        g,
                        #[inline(always)]
                        |g| g,
                    ) / width as f32;
                    let mean_gh = sum::sum_of_pairs(
                        g,
                        x,
                        #[inline(always)]
                        |g, x| g * ((x - mean) * inverse),
                    ) / width as f32;
                    for j in 0..width {
                        let h = (x[j] - mean) * inverse;
                        g[j] = inverse * (g[j] - mean_g - h * mean_gh);
                    }
                }
            });
        });
    }
}

#[cfg(test)]
mod tests {
    use crate::*;

    fn network() -> Network {
        let tanh = Layer::Activation(Activation::Tanh);
        let norm = |features| Layer::LayerNorm(LayerNorm { features, eps: 1e-5 });
        Network::new(
            vec![Layer::dense(5, 4), tanh, norm(4), tanh, Layer::dense(4, 3), tanh],
            Latent::Point,
            vec![norm(3), Layer::dense(3, 5)],
            Output::single(5, Loss::Mse),
        )
        .unwrap()
    }

    #[test]
    fn gradients_agree_with_finite_differences() {
        crate::gradcheck::check(&network(), Sparsity::None);
    }

    #[test]
    fn training_agrees_with_pytorch() {
        crate::golden::check("layer_norm", &network());
    }
}
