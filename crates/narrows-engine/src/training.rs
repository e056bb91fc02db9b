//! Training as every executor offers it: what it is given, what it returns, and the steps in between.

use std::fmt;
use std::sync::Arc;

use crate::error::ShapeError;
use crate::executor::PreparedNetwork;
use crate::optim::Optimizer;
use crate::params::Params;
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

/// Trains one network.
///
/// Same seed, same bits: every random number is keyed by its row's id, so that neither the place of a row in its
/// batch nor the number of threads can change what it receives.
pub trait Trainer: fmt::Debug + Send {
    /// The forward pass in training: dropout, batch statistics and latent noise are on. It moves the
    /// running statistics.
    ///
    /// # Panics
    ///
    /// If the batch has no rows or more than the trainer's capacity, or a length does not fit.
    fn forward(&mut self, batch: &Batch<'_>);

    /// The output loss of every row of the last forward pass, `[n]`.
    fn row_losses(&self) -> &[f32];

    /// The backward pass for the last forward pass: fills the gradient of
    /// sum w_i row_loss_i / sum w_i + code_penalty_weight * mean code penalty + sparsity penalty.
    ///
    /// # Panics
    ///
    /// If there was no [`forward`](Self::forward) since the last backward pass, or the number of
    /// weights is not that of the rows.
    fn backward(&mut self, row_weights: RowWeights<'_>, code_penalty_weight: f32) -> StepLoss;

    /// Moves the parameters along the last gradient; returns its norm before clipping.
    ///
    /// If the norm is infinite or NaN, parameters and optimiser stay as they are: the caller sees it
    /// in the result and still holds usable weights.
    fn update(&mut self, learning_rate: f32) -> f32;

    /// Forward, backward with uniform weights, and update.
    fn step(&mut self, batch: &Batch<'_>, code_penalty_weight: f32, learning_rate: f32) -> StepLoss {
        self.forward(batch);
        let loss = self.backward(RowWeights::Uniform, code_penalty_weight);
        self.update(learning_rate);
        loss
    }

    /// The parameters as they are now.
    fn params(&self) -> Params;

    /// The network with the parameters as they are now, for inference.
    fn prepared(&self) -> Arc<dyn PreparedNetwork>;

    /// A copy of all that a resumed run needs.
    fn state(&self) -> TrainerState;

    /// Goes on from `state`, to the bit as the run that saved it would have.
    ///
    /// # Errors
    ///
    /// If the state is another network's.
    fn restore(&mut self, state: &TrainerState) -> Result<(), ShapeError>;
}
