//! A Gaussian code (Kingma and Welling 2014).
//!
//! The encoder's output is [mean | log_var], twice the code. In training z = mean + e^(log_var/2) eps
//! with eps from the row's own stream; at inference z = mean, so scoring has no randomness.
//! log_var is clamped to [-10, 10], with no gradient beyond. A row's divergence from the standard normal
//! is KL = -1/2 sum(1 + log_var - mean^2 - e^log_var).

use crate::kernels::{maths, sum, vectorised};

/// Bound of |log_var|.
const LOG_VAR_BOUND: f32 = 10.0;

#[inline(always)]
fn clamp(log_var: f32) -> f32 {
    let x = if log_var > LOG_VAR_BOUND { LOG_VAR_BOUND } else { log_var };
    if x < -LOG_VAR_BOUND { -LOG_VAR_BOUND } else { x }
}

/// Holds the log-variances of one row's [mean | log_var] to their bound.
pub(super) fn clamp_log_var(encoded: &mut [f32]) {
    let half = encoded.len() / 2;
    encoded[half..].iter_mut().for_each(|log_var| *log_var = clamp(*log_var));
}

/// The divergence of one row's [mean | log_var] from the standard normal.
pub(super) fn divergence(encoded: &[f32]) -> f32 {
    let (mean, log_var) = encoded.split_at(encoded.len() / 2);
    let terms = mean.iter().zip(log_var).map(|(mean, log_var)| {
        let log_var = clamp(*log_var);
        mean * mean + log_var.exp() - 1.0 - log_var
    });
    0.5 * terms.sum::<f32>()
}

/// The Gaussian latent of a given code size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Gaussian {
    pub(crate) code_size: usize,
}

impl Gaussian {
    /// code = mean + e^(log_var / 2) noise, and the divergence of every row.
    pub(super) fn forward(&self, input: &[f32], noise: &[f32], code: &mut [f32], kl: &mut [f32]) {
        let width = self.code_size;
        vectorised!({
            let rows = input.chunks_exact(2 * width).zip(noise.chunks_exact(width));
            for (((x, noise), z), kl) in rows.zip(code.chunks_exact_mut(width)).zip(kl.iter_mut()) {
                let (mean, log_var) = x.split_at(width);
                for j in 0..width {
                    let deviation = maths::exp(0.5 * clamp(log_var[j]));
                    z[j] = deviation.mul_add(noise[j], mean[j]);
                }
                *kl = 0.5
                    * sum::sum_of_pairs(
                        mean,
                        log_var,
                        #[inline(always)]
                        |mean, log_var| {
                            let log_var = clamp(log_var);
                            mean.mul_add(mean, maths::exp(log_var)) - 1.0 - log_var
                        },
                    );
            }
        });
    }

    /// The gradient for [mean | log_var] from that for the code, plus that of `kl_share` times each
    /// row's divergence.
    pub(super) fn backward(&self, input: &[f32], noise: &[f32], d_code: &[f32], kl_share: f32, d_input: &mut [f32]) {
        let width = self.code_size;
        vectorised!({
            let rows = input.chunks_exact(2 * width).zip(noise.chunks_exact(width));
            let gradients = d_code.chunks_exact(width).zip(d_input.chunks_exact_mut(2 * width));
            for ((x, noise), (d_z, d_x)) in rows.zip(gradients) {
                let (mean, log_var) = x.split_at(width);
                let (d_mean, d_log_var) = d_x.split_at_mut(width);
                for j in 0..width {
                    let free = clamp(log_var[j]) == log_var[j];
                    let half = 0.5 * maths::exp(0.5 * clamp(log_var[j]));
                    // With half = sigma / 2, e^log_var = 4 half^2.
                    let slope = 0.5 * kl_share * (4.0 * half * half - 1.0);
                    d_mean[j] = kl_share.mul_add(mean[j], d_z[j]);
                    d_log_var[j] = if free { (d_z[j] * noise[j]).mul_add(half, slope) } else { 0.0 };
                }
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::*;

    #[test]
    fn gradients_agree_with_finite_differences() {
        let network = Network::new(
            vec![Layer::dense(5, 6), Layer::Activation(Activation::Tanh), Layer::dense(6, 4)],
            Latent::Gaussian,
            vec![Layer::dense(2, 5)],
            Output::single(5, Loss::Mse),
        )
        .unwrap();
        assert_eq!(network.code_size(), 2);
        crate::gradcheck::check(&network, Sparsity::None);
        crate::gradcheck::check(&network, Sparsity::L1 { weight: 0.1 });
    }

    #[test]
    fn divergence_and_gradients_agree_with_pytorch() {
        let case = crate::golden::Case::load("gaussian");
        let numbers = |key: &str| case.numbers(key);
        let (input, noise) = (numbers("input"), numbers("noise"));
        let gaussian = Gaussian { code_size: 3 };
        let n = input.len() / 6;
        let (mut code, mut kl) = (vec![0.0; 3 * n], vec![0.0; n]);
        gaussian.forward(&input, &noise, &mut code, &mut kl);
        crate::golden::assert_close("code", &code, &numbers("code"));
        crate::golden::assert_close("kl", &kl, &numbers("kl"));
        let mut d_input = vec![0.0; 6 * n];
        // The script's loss: sum of code * d_code, plus 0.3 times the mean divergence.
        gaussian.backward(&input, &noise, &numbers("d_code"), 0.3 / n as f32, &mut d_input);
        crate::golden::assert_close("d_input", &d_input, &numbers("d_input"));
    }
}
