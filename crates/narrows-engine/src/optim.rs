//! Adam (Kingma and Ba 2015) and AdamW (Loshchilov and Hutter 2019), by PyTorch's formulas.
//!
//! m <- m + (1 - b1)(g - m); v <- b2 v + (1 - b2) g^2;
//! w <- w - lr / (1 - b1^t) * m / (sqrt(v) / sqrt(1 - b2^t) + eps).
//! Adam adds decay * w to g; AdamW first shrinks w by lr * decay. One pass does all of it, clipping
//! included.

use crate::kernels::threads::Threads;
use crate::kernels::{sum, vectorised};

/// How parameters follow their gradients.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Optimizer {
    /// Weight decay enters the gradient.
    Adam(AdamConfig),
    /// Weight decay is decoupled from the gradient.
    AdamW(AdamConfig),
}

/// The settings of Adam and AdamW.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AdamConfig {
    /// Memory of the mean gradient.
    pub beta1: f32,
    /// Memory of the squared gradient.
    pub beta2: f32,
    /// Added to the root of the squared gradient.
    pub eps: f32,
    /// Weight decay, on all trainable parameters as in PyTorch.
    pub weight_decay: f32,
}

impl Default for AdamConfig {
    /// Betas 0.9 and 0.999, eps 1e-8, no decay.
    fn default() -> Self {
        Self { beta1: 0.9, beta2: 0.999, eps: 1e-8, weight_decay: 0.0 }
    }
}

/// Parameters that one task updates.
const SLICE: usize = 1 << 14;

/// The parameters and moments that a step changes, of one length.
pub(crate) struct State<'a> {
    pub params: &'a mut [f32],
    pub first: &'a mut [f32],
    pub second: &'a mut [f32],
}

/// The numbers of one update.
#[derive(Clone, Copy)]
pub(crate) struct UpdateStep {
    pub learning_rate: f32,
    /// Number of this step, from 1.
    pub number: u64,
    /// Factor on the gradient, from clipping.
    pub gradient_scale: f32,
}

impl Optimizer {
    /// Updates parameters and moments from the gradient.
    pub(crate) fn step(&self, state: State<'_>, gradient: &[f32], step: UpdateStep, threads: &Threads) {
        let (Self::Adam(config) | Self::AdamW(config)) = *self;
        let lr = f64::from(step.learning_rate);
        let (beta1, beta2) = (f64::from(config.beta1), f64::from(config.beta2));
        let t = step.number.min(i32::MAX as u64) as i32;
        let step_size = (lr / (1.0 - beta1.powi(t))) as f32;
        let root_scale = (1.0 - beta2.powi(t)).sqrt().recip() as f32;
        let decay = f64::from(config.weight_decay);
        let (shrink, added) = match self {
            Self::Adam(_) => (1.0, config.weight_decay),
            Self::AdamW(_) => ((1.0 - lr * decay) as f32, 0.0),
        };
        let (new1, new2) = ((1.0 - beta1) as f32, (1.0 - beta2) as f32);
        let AdamConfig { beta2, eps, .. } = config;
        let slice = if gradient.len() < 2 * SLICE { gradient.len() } else { SLICE };
        let arrays = [state.params, state.first, state.second];
        threads.chunks3(arrays, slice, |i, params, first, second| {
            let gradient = &gradient[i * slice..][..params.len()];
            vectorised!({
                let moments = first.iter_mut().zip(second.iter_mut());
                for ((w, (m, v)), &g) in params.iter_mut().zip(moments).zip(gradient) {
                    let g = added.mul_add(*w, g * step.gradient_scale);
                    *m = new1.mul_add(g - *m, *m);
                    *v = (new2 * g).mul_add(g, *v * beta2);
                    let root = v.sqrt().mul_add(root_scale, eps);
                    *w = (-step_size).mul_add(*m / root, *w * shrink);
                }
            });
        });
    }
}

/// The Euclidean norm of the gradient: partial sums of fixed slices, added in order in f64.
pub(crate) fn norm(gradient: &[f32]) -> f32 {
    let squares: f64 = vectorised!({
        let mut squares = 0.0;
        for slice in gradient.chunks(4096) {
            squares += f64::from(sum::sum(
                slice,
                #[inline(always)]
                |g| g * g,
            ));
        }
        squares
    });
    squares.sqrt() as f32
}

/// The factor that brings a gradient of this norm down to `clip`, by PyTorch's formula.
pub(crate) fn clip_scale(norm: f32, clip: f32) -> f32 {
    (clip / (norm + 1e-6)).min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::*;

    fn network() -> Network {
        Network::new(
            vec![Layer::dense(5, 4), Layer::Activation(Activation::Tanh), Layer::dense(4, 3)],
            Latent::Point,
            vec![Layer::dense(3, 5)],
            Output::single(5, Loss::Mse),
        )
        .unwrap()
    }

    fn config(optimizer: Optimizer, clip: Option<f32>) -> TrainConfig {
        TrainConfig { optimizer, clip, sparsity: Sparsity::None }
    }

    #[test]
    fn training_agrees_with_pytorch() {
        let adam = AdamConfig { weight_decay: 0.1, ..AdamConfig::default() };
        let golden = crate::golden::check_config;
        golden("adam_decay", &network(), config(Optimizer::Adam(adam), None));
        golden("adamw_decay", &network(), config(Optimizer::AdamW(adam), None));
        let plain = Optimizer::Adam(AdamConfig::default());
        golden("clipped", &network(), config(plain, Some(0.1)));
    }

    #[test]
    fn the_norm_is_euclidean() {
        let gradient: Vec<f32> = (0..10_000).map(|i| (i % 7) as f32 - 3.0).collect();
        let want = gradient.iter().map(|&g| f64::from(g * g)).sum::<f64>().sqrt();
        assert!((f64::from(norm(&gradient)) / want - 1.0).abs() < 1e-6);
        assert_eq!(clip_scale(0.5, 1.0), 1.0);
        assert!((clip_scale(4.0, 1.0) - 0.25).abs() < 1e-6);
    }
}
