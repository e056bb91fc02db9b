//! The numbers of Narrows: autoencoders as plain data, and a CPU executor that trains and runs them.
//!
//! A [`Network`] is an encoder, a latent and a decoder: lists of [`Layer`]s and nothing else. Its
//! [`Params`] are named, shaped views on one flat arena, in PyTorch's layouts. An [`Executor`] reads the two: it
//! makes a [`Trainer`] that steps the parameters, and a [`PreparedNetwork`] that encodes, decodes and reconstructs
//! whole batches. The one here is the [`CpuExecutor`]; `narrows-gpu` has another.
//!
//! Two promises, each held by tests:
//!
//! - **Same seed, same bits.** Training gives the same parameters for any number of threads.
//! - **Rows are independent.** At inference a row's result is the same to the bit, whatever rows
//!   surround it and however many threads compute it.
//!
//! ```
//! use narrows_engine::*;
//!
//! let network = Network::new(
//!     vec![Layer::dense(3, 8), Layer::Activation(Activation::Tanh), Layer::dense(8, 2)],
//!     Latent::Point,
//!     vec![Layer::dense(2, 3)],
//!     Output::single(3, Loss::Mse),
//! )?;
//! let params = network.init(7);
//! let config = TrainConfig {
//!     optimizer: Optimizer::Adam(AdamConfig::default()),
//!     clip: None,
//!     sparsity: Sparsity::None,
//! };
//! let executor = CpuExecutor::serial();
//! let mut trainer = executor.trainer(&network, params, config, 4)?;
//! let rows = [0.1, 0.2, 0.3, 0.9, 0.8, 0.7];
//! let batch = Batch { input: &rows, target: &rows, rows: &[0, 1], seed: 7, epoch: 0 };
//! let first = trainer.step(&batch, 0.0, 1e-2);
//! let second = trainer.step(&batch, 0.0, 1e-2);
//! assert!(second.total < first.total);
//!
//! let prepared = executor.prepare(&network, &trainer.params())?;
//! let (mut codes, mut output) = ([0.0; 4], [0.0; 6]);
//! prepared.reconstruct(&rows, &mut codes, &mut output);
//! # Ok::<(), ShapeError>(())
//! ```

mod error;
mod kernels;
pub mod rng;

mod latent;
mod layer;
mod loss;
mod network;
mod optim;
mod params;
mod schedule;
mod sparsity;

mod executor;
mod training;

mod cpu;

#[doc(hidden)]
pub mod contract;

#[cfg(test)]
mod golden;
#[cfg(test)]
mod gradcheck;

pub use cpu::CpuExecutor;
pub use error::ShapeError;
pub use executor::{Executor, PreparedNetwork, Trainer};
pub use kernels::arch::instruction_set;
pub use kernels::threads::Threads;
pub use latent::Latent;
pub use layer::{
    Activation, Add, BatchNorm, Conv, ConvTranspose, Dense, DenseInit, Direction, Dropout, GroupNorm, Lapped,
    LappedWay, Layer, LayerNorm, Lstm, Map, MapNorm, Padding, PaddingMode, PixelShuffle, Pool, PoolKind, Repeat,
    Rounding, SequenceOutput, TimeDense, Upsample, UpsampleKind,
};
pub use loss::{Group, Loss, Output, Pixels, Similarity, Structure};
pub use network::Network;
pub use optim::{AdamConfig, Optimizer};
pub use params::{Entry, ParamKind, Params};
pub use schedule::{Plateau, Schedule, WarmUp};
pub use sparsity::Sparsity;
pub use training::{Batch, RowWeights, StepLoss, TrainConfig, TrainerState};
