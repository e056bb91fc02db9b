//! What computes: an executor reads a [`Network`] and its [`Params`], and trains or runs it.
//!
//! Network and parameters are data, and know nothing of how they are computed. The CPU's executor is
//! [`CpuExecutor`](crate::CpuExecutor); `contract` holds the checks that every executor must pass.

use std::fmt;
use std::sync::Arc;

use crate::error::ShapeError;
use crate::network::Network;
use crate::params::Params;
use crate::training::{Batch, RowWeights, StepLoss, TrainConfig, TrainerState};

/// A device that computes.
pub trait Executor: fmt::Debug + Send + Sync {
    /// Prepares a network for inference: weights in the layout of the kernels, on the device that computes.
    ///
    /// # Errors
    ///
    /// If the network is not valid, the parameters are another network's, or the executor has no kernel for a layer.
    fn prepare(&self, network: &Network, params: &Params) -> Result<Arc<dyn PreparedNetwork>, ShapeError>;

    /// Prepares to train `params` on batches of at most `capacity` rows.
    ///
    /// # Errors
    ///
    /// As [`prepare`](Self::prepare), and if a setting does not suit the network: a KL sparsity needs an encoder
    /// that ends in a sigmoid and a target in (0, 1); a clip must be positive.
    fn trainer(
        &self,
        network: &Network,
        params: Params,
        config: TrainConfig,
        capacity: usize,
    ) -> Result<Box<dyn Trainer>, ShapeError>;

    /// Runs `work` where calls of this executor start fastest: on the CPU, on one of its threads. A training loop
    /// belongs in it; the results are the same without. See `install` for work with a result.
    fn run(&self, work: &mut (dyn FnMut() + Send));
}

impl dyn Executor + '_ {
    /// As [`run`](Executor::run), with a result.
    pub fn install<R: Send>(&self, work: impl FnOnce() -> R + Send) -> R {
        let (mut work, mut result) = (Some(work), None);
        self.run(&mut || result = work.take().map(|work| work()));
        result.expect("an executor runs the work once")
    }
}

/// A network ready to encode, decode and reconstruct rows. It owns all that it reads.
///
/// A call takes a whole batch and cuts it as suits the device: a row's result is the same to the bit alone, in any
/// batch, at any place. Nothing random is drawn. Calls from several threads may run at the same time.
///
/// # Panics
///
/// Every call, if the length of a slice does not fit.
pub trait PreparedNetwork: fmt::Debug + Send + Sync {
    /// The network that was prepared.
    fn network(&self) -> &Network;

    /// Writes the code of every row: `[n, inputs]` to `[n, code_size]`; of a Gaussian code, the mean.
    fn encode(&self, input: &[f32], code: &mut [f32]);

    /// Writes mean and log-variance of the Gaussian code of every row: `[n, inputs]` to `[n, 2 code_size]`.
    ///
    /// # Panics
    ///
    /// If the code is not a Gaussian.
    fn encode_distribution(&self, input: &[f32], encoded: &mut [f32]);

    /// Writes the prediction for every code: `[n, code_size]` to `[n, outputs]`, with links applied, so that binary
    /// and categorical columns are probabilities.
    fn decode(&self, code: &[f32], output: &mut [f32]);

    /// Encodes and decodes: `[n, inputs]` to `[n, code_size]` and `[n, outputs]`.
    fn reconstruct(&self, input: &[f32], code: &mut [f32], output: &mut [f32]);

    /// Writes the loss of every row: the output loss of `[n, inputs]` against the target `[n, outputs]`, NaN
    /// unobserved, plus `code_penalty_weight` times the code's penalty: a Gaussian's divergence, a quantised code's
    /// bits.
    fn losses(&self, input: &[f32], target: &[f32], code_penalty_weight: f32, losses: &mut [f32]);
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
