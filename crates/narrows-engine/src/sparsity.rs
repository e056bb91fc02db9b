//! Penalties on the code's activity: none, L1 for few large values, or KL for a mean activity (Ng 2011).

use crate::kernels::{columns, sum, vectorised};

/// A penalty on the code, as the decoder receives it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Sparsity {
    /// No penalty.
    None,
    /// weight * mean over rows of sum |code|.
    L1 {
        /// The penalty's weight.
        weight: f32,
    },
    /// weight * sum over units j of KL(target || mean over the batch of code j); the code must lie in
    /// (0, 1), so the encoder must end in a sigmoid.
    Kl {
        /// The target of the mean activity, in (0, 1).
        target: f32,
        /// The penalty's weight.
        weight: f32,
    },
}

/// A unit's mean activity is kept this far from 0 and 1, where the divergence is infinite.
const MEAN_MARGIN: f32 = 1e-6;

impl Sparsity {
    /// Penalty for the code `[n, width]`, its weight included; adds its gradient to `gradient`.
    ///
    /// `scratch` holds one float a unit. The work is small beside the layers', so one thread does it.
    pub(crate) fn apply(&self, code: &[f32], width: usize, gradient: &mut [f32], scratch: &mut [f32]) -> f32 {
        let n = (code.len() / width) as f32;
        match *self {
            Self::None => 0.0,
            Self::L1 { weight } => {
                let share = weight / n;
                vectorised!({
                    for (g, &z) in gradient.iter_mut().zip(code) {
                        let slope = share.copysign(z);
                        *g += if z == 0.0 { 0.0 } else { slope };
                    }
                    share
                        * sum::sum(
                            code,
                            #[inline(always)]
                            |z| z.abs(),
                        )
                })
            }
            Self::Kl { target, weight } => {
                let slopes = &mut scratch[..width];
                columns::sums(columns::Band { data: code, width, first: 0 }, slopes);
                let mut penalty = 0.0;
                for slope in slopes.iter_mut() {
                    let mean = (*slope / n).clamp(MEAN_MARGIN, 1.0 - MEAN_MARGIN);
                    penalty += target * (target / mean).ln() + (1.0 - target) * ((1.0 - target) / (1.0 - mean)).ln();
                    *slope = weight / n * ((1.0 - target) / (1.0 - mean) - target / mean);
                }
                let slopes = &*slopes;
                vectorised!({
                    for row in gradient.chunks_exact_mut(width) {
                        for (g, &slope) in row.iter_mut().zip(slopes) {
                            *g += slope;
                        }
                    }
                });
                weight * penalty
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::*;

    fn network() -> Network {
        Network::new(
            vec![Layer::dense(5, 4), Layer::Activation(Activation::Sigmoid)],
            Latent::Point,
            vec![Layer::dense(4, 5)],
            Output::single(5, Loss::Mse),
        )
        .unwrap()
    }

    const L1: Sparsity = Sparsity::L1 { weight: 0.05 };
    const KL: Sparsity = Sparsity::Kl { target: 0.1, weight: 0.2 };

    #[test]
    fn gradients_agree_with_finite_differences() {
        crate::gradcheck::check(&network(), L1);
        crate::gradcheck::check(&network(), KL);
    }

    #[test]
    fn training_agrees_with_pytorch() {
        let config = |sparsity| TrainConfig { sparsity, ..crate::golden::config() };
        crate::golden::check_config("sparse_l1", &network(), config(L1));
        crate::golden::check_config("sparse_kl", &network(), config(KL));
    }
}
