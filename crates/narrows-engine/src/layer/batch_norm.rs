//! Batch normalisation (Ioffe and Szegedy 2015): y = gamma (x - mean) / sqrt(var + eps) + beta.
//!
//! In training, mean and (biased) variance are the batch's own, per column, and the running buffers
//! move towards them by `momentum`, the variance unbiased, as in PyTorch. At inference the running
//! buffers are used, so a row does not depend on its neighbours.
//!
//! Backward, with h = (x - mean) / sqrt(var + eps): dbeta = sum dy, dgamma = sum dy h,
//! dx = gamma / sqrt(var + eps) (dy - dbeta / n - h dgamma / n).

use crate::kernels::columns::{self, Band};
use crate::kernels::vectorised;
use crate::params::ParamKind;
use crate::rng::Stream;

use super::ops::{Entries, LayerOps, LayerParams, OutOfRange, Requirements, WeightPacking};
use super::{Backward, COLUMN_TILE, ELEMENT_COST, Forward, Gradients, Inference, norm};

/// Normalises each column over the batch.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BatchNorm {
    /// Width of input and output.
    pub features: usize,
    /// Added to the variance; PyTorch's default is 1e-5.
    pub eps: f32,
    /// Share of the new batch in the running statistics; PyTorch's default is 0.1.
    pub momentum: f32,
}

/// y = scale x + shift per column, the form normalisation takes once the statistics are known.
fn affine(scale: &[f32], shift: &[f32], input: &[f32], output: &mut [f32]) {
    let width = scale.len();
    vectorised!({
        for (x, y) in input.chunks_exact(width).zip(output.chunks_exact_mut(width)) {
            for j in 0..width {
                y[j] = x[j].mul_add(scale[j], shift[j]);
            }
        }
    });
}

impl LayerParams for BatchNorm {
    fn entries(&self, kind: ParamKind) -> Entries {
        match kind {
            ParamKind::Trainable => norm::affine(self.features),
            ParamKind::Buffer => norm::running(self.features),
        }
    }

    fn init(&self, kind: ParamKind, values: &mut [f32], _: &dyn Fn(usize) -> Stream) {
        match kind {
            ParamKind::Trainable => norm::init_affine(values),
            ParamKind::Buffer => norm::init_running(values),
        }
    }

    fn packing(&self) -> Option<&dyn WeightPacking> {
        None
    }
}

impl LayerOps for BatchNorm {
    fn describe(&self) -> String {
        format!("BatchNorm({})", self.features)
    }

    fn widths(&self) -> Option<(usize, usize)> {
        Some((self.features, self.features))
    }

    fn out_of_range(&self) -> Option<OutOfRange> {
        norm::running_out_of_range(self.eps, self.momentum)
    }

    fn params(&self) -> Option<&dyn LayerParams> {
        Some(self)
    }

    /// Kept are mean, 1 / sqrt(var + eps), and the affine scale and shift; at inference the last two are scratch.
    fn requirements(&self, _: usize, _: usize) -> Requirements {
        Requirements { saved: 4 * self.features, inference_scratch: 2 * self.features, ..Requirements::NONE }
    }

    fn backward_reads_output(&self) -> bool {
        false
    }

    fn fuses_activation(&self) -> bool {
        false
    }

    /// Normalises by the batch and moves the running statistics.
    ///
    /// The spread of a single row is not known: it comes out as beta, and the running statistics stay.
    /// (PyTorch refuses it.)
    fn forward(&self, pass: Forward<'_>, input: &[f32], output: &mut [f32]) {
        let Forward { rows, params, buffers: running, saved, .. } = pass;
        let width = self.features;
        let n = rows.n as f32;
        let (gamma, beta) = params.split_at(width);
        let (mean, rest) = saved.split_at_mut(width);
        let (inverse, rest) = rest.split_at_mut(width);
        let (scale, shift) = rest.split_at_mut(width);

        let tile = rows.tile(width * ELEMENT_COST);
        let columns = if tile >= rows.n { width } else { COLUMN_TILE };
        let band = |t: usize| Band { data: input, width, first: t * columns };
        rows.threads.chunks2((mean, columns), (inverse, columns), |t, mean, var| {
            columns::sums(band(t), mean);
            mean.iter_mut().for_each(|mean| *mean /= n);
            columns::square_deviations(band(t), mean, var);
            var.iter_mut().for_each(|var| *var /= n);
        });
        if rows.n > 1 {
            let (running_mean, running_var) = running.split_at_mut(width);
            let unbiased = n / (n - 1.0);
            for j in 0..width {
                running_mean[j] += self.momentum * (mean[j] - running_mean[j]);
                running_var[j] += self.momentum * (inverse[j] * unbiased - running_var[j]);
            }
        }
        for j in 0..width {
            inverse[j] = (inverse[j] + self.eps).sqrt().recip();
            scale[j] = gamma[j] * inverse[j];
            shift[j] = (-mean[j]).mul_add(scale[j], beta[j]);
        }
        let (scale, shift) = (&*scale, &*shift);
        rows.threads.chunks(output, tile * width, |t, output| {
            affine(scale, shift, &input[t * tile * width..][..output.len()], output);
        });
    }

    /// Normalises by the running statistics.
    fn infer(&self, pass: Inference<'_>, input: &[f32], output: &mut [f32]) {
        let Inference { params, buffers: running, scratch, .. } = pass;
        let width = self.features;
        let (scale, shift) = scratch[..2 * width].split_at_mut(width);
        for j in 0..width {
            scale[j] = params[j] / (running[width + j] + self.eps).sqrt();
            shift[j] = (-running[j]).mul_add(scale[j], params[width + j]);
        }
        affine(scale, shift, input, output);
    }

    /// The gradients for gamma and beta, then that for the input, in place of that for the output.
    fn backward(&self, pass: Backward<'_>, gradients: &mut Gradients) {
        let Backward { rows, params, saved, input, output, gradient: d_params, .. } = pass;
        let gradient = gradients.current(output.len());
        let width = self.features;
        let (mean, inverse) = (&saved[..width], &saved[width..2 * width]);
        let (d_gamma, d_beta) = d_params.split_at_mut(width);
        let tile = rows.tile(width * ELEMENT_COST);
        let columns = if tile >= rows.n { width } else { COLUMN_TILE };
        let d_output = &*gradient;
        rows.threads.chunks2((d_gamma, columns), (d_beta, columns), |t, d_gamma, d_beta| {
            let first = t * columns;
            let range = first..first + d_beta.len();
            let (mean, inverse) = (&mean[range.clone()], &inverse[range.clone()]);
            columns::sums(Band { data: d_output, width, first }, d_beta);
            vectorised!({
                d_gamma.fill(0.0);
                for (x, g) in input.chunks_exact(width).zip(d_output.chunks_exact(width)) {
                    let (x, g) = (&x[range.clone()], &g[range.clone()]);
                    for j in 0..d_gamma.len() {
                        d_gamma[j] += g[j] * ((x[j] - mean[j]) * inverse[j]);
                    }
                }
            });
        });
        let (d_gamma, d_beta) = (&*d_gamma, &*d_beta);
        let (gamma, n) = (&params[..width], rows.n as f32);
        rows.threads.chunks(gradient, tile * width, |t, gradient| {
            let input = &input[t * tile * width..][..gradient.len()];
            vectorised!({
                for (x, g) in input.chunks_exact(width).zip(gradient.chunks_exact_mut(width)) {
                    for j in 0..width {
                        let h = (x[j] - mean[j]) * inverse[j];
                        let centred = g[j] - (h.mul_add(d_gamma[j], d_beta[j])) / n;
                        g[j] = gamma[j] * inverse[j] * centred;
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
        let norm = |features| Layer::BatchNorm(BatchNorm { features, eps: 1e-5, momentum: 0.1 });
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
    fn training_running_statistics_and_inference_agree_with_pytorch() {
        crate::golden::check("batch_norm", &network());
    }

    #[test]
    fn a_single_row_leaves_the_running_statistics() {
        let network = network();
        let params = network.init(1);
        let config =
            TrainConfig { optimizer: Optimizer::Adam(AdamConfig::default()), clip: None, sparsity: Sparsity::None };
        let mut trainer = CpuExecutor::serial().trainer(&network, params.clone(), config, 1).unwrap();
        let row = [0.5; 5];
        let batch = Batch { input: &row, target: &row, rows: &[0], seed: 1, epoch: 0 };
        assert!(trainer.step(&batch, 0.0, 1e-3).total.is_finite());
        for name in ["encoder.1.running_mean", "encoder.1.running_var"] {
            assert_eq!(trainer.params().get(name), params.get(name));
        }
    }
}
