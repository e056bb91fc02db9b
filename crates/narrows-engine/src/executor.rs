//! What computes: an executor reads a [`Network`] and its [`Params`], and trains or runs it.
//!
//! Network and parameters are data, and know nothing of how they are computed. The CPU's executor is
//! [`CpuExecutor`](crate::CpuExecutor); `contract` holds the checks that every executor must pass.

use std::fmt;
use std::sync::Arc;

use crate::error::ShapeError;
use crate::network::Network;
use crate::params::Params;
use crate::training::{TrainConfig, Trainer};

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
