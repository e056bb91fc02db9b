//! What training is given and returns, whatever executor trains.

use crate::error::ShapeError;
use crate::latent::Latent;
use crate::layer::{Activation, Layer};
use crate::network::Network;
use crate::optim::Optimizer;
use crate::params::{ParamKind, Params};
use crate::sparsity::Sparsity;

/// How to train.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TrainConfig {
    /// The update rule.
    pub optimizer: Optimizer,
    /// The gradient is scaled down to this global norm; none leaves it as it is.
    pub clip: Option<f32>,
    /// The penalty on the code's activity.
    pub sparsity: Sparsity,
}

impl TrainConfig {
    /// Checks that the settings are in range and fit the network.
    ///
    /// # Errors
    ///
    /// As [`Executor::trainer`](crate::Executor::trainer) says of settings.
    pub fn check(&self, network: &Network) -> Result<(), ShapeError> {
        if let Some(clip) = self.clip
            && (clip.is_nan() || clip <= 0.0)
        {
            return Err(ShapeError::new("clip", "a norm above 0", clip));
        }
        if let Sparsity::Kl { target, .. } = self.sparsity {
            if !(target > 0.0 && target < 1.0) {
                return Err(ShapeError::new("sparsity", "a target in (0, 1)", target));
            }
            let last = network.encoder.last();
            let is_point = network.latent != Latent::Gaussian;
            if !is_point || last != Some(&Layer::Activation(Activation::Sigmoid)) {
                let got = last.map_or("none".into(), Layer::to_string);
                let expected = "a point code from an encoder that ends in Sigmoid, for a KL sparsity";
                return Err(ShapeError::new("encoder", expected, format!("{:?} from {got}", network.latent)));
            }
        }
        Ok(())
    }
}

/// A batch of rows to train on.
#[derive(Debug, Clone, Copy)]
pub struct Batch<'a> {
    /// The encoder's input, `[n, inputs]`, perhaps corrupted. Never NaN, but for absent steps before a
    /// recurrent layer, all of whose channels are NaN.
    pub input: &'a [f32],
    /// The target of the decoder, `[n, outputs]`; NaN is unobserved.
    pub target: &'a [f32],
    /// Row ids, `[n]`: with seed and epoch they key all randomness.
    pub rows: &'a [u32],
    /// The run's seed.
    pub seed: u64,
    /// The epoch, so that every epoch draws anew.
    pub epoch: u64,
}

/// How much each row of a batch counts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum RowWeights<'a> {
    /// All the same.
    Uniform,
    /// Weights of at least 0, `[n]`; the reconstruction loss is the weighted mean. A row of weight 0
    /// has no influence on it whatever its loss. The penalties on the code keep counting all rows.
    Given(&'a [f32]),
}

/// The parts of a batch's loss.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StepLoss {
    /// The (weighted) mean of the row losses.
    pub reconstruction: f32,
    /// The mean penalty of a row's code before its weight: a Gaussian's divergence from the standard normal, a
    /// quantised code's bits; else 0.
    pub code_penalty: f32,
    /// The sparsity penalty, its weight included.
    pub sparsity: f32,
    /// Mean |code|.
    pub mean_activity: f32,
    /// reconstruction + code_penalty_weight * code_penalty + sparsity: what was minimised.
    pub total: f32,
}

/// All that a run must keep to go on as if it had never stopped.
#[derive(Debug, Clone, PartialEq)]
pub struct TrainerState {
    /// The parameters and buffers.
    pub params: Params,
    /// First moments, one a trainable parameter.
    pub first: Vec<f32>,
    /// Second moments, one a trainable parameter.
    pub second: Vec<f32>,
    /// Updates done.
    pub steps: u64,
}

impl TrainerState {
    /// The state before the first update.
    pub fn fresh(params: Params) -> TrainerState {
        let trainable: usize =
            params.entries().filter(|entry| entry.kind == ParamKind::Trainable).map(|entry| entry.data.len()).sum();
        TrainerState { params, first: vec![0.0; trainable], second: vec![0.0; trainable], steps: 0 }
    }
}
