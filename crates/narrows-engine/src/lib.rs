//! The numbers of Narrows: autoencoders as plain data, and a CPU executor that trains and runs them.
//!
//! A [`Network`] is an encoder, a latent and a decoder: lists of [`Layer`]s and nothing else. Its
//! [`Params`] are named, shaped views on one flat arena, in PyTorch's layouts. A [`Trainer`] steps
//! them; [`Network::encode`], [`Network::decode`] and [`Network::reconstruct`] use them.
//!
//! Two promises, each held by tests:
//!
//! - **Same seed, same bits.** Training gives the same parameters for any number of threads.
//! - **A row stands alone.** At inference a row's result is the same to the bit, whatever rows
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
//! let mut trainer = Trainer::new(&network, params, config, 4, Threads::serial())?;
//! let rows = [0.1, 0.2, 0.3, 0.9, 0.8, 0.7];
//! let batch = Batch { input: &rows, target: &rows, rows: &[0, 1], seed: 7, epoch: 0 };
//! let first = trainer.step(&batch, 0.0, 1e-2);
//! let second = trainer.step(&batch, 0.0, 1e-2);
//! assert!(second.total < first.total);
//! # Ok::<(), ShapeError>(())
//! ```

mod error;
mod kernels;
pub mod rng;

mod inference;
mod latent;
mod layer;
mod loss;
mod network;
mod optim;
mod params;
mod plan;
mod schedule;
mod sparsity;
mod trainer;

#[cfg(test)]
mod golden;
#[cfg(test)]
mod gradcheck;

pub use error::ShapeError;
pub use inference::Ready;
pub use kernels::threads::Threads;
pub use latent::Latent;
pub use layer::{
    Activation, Add, BatchNorm, Conv, ConvTranspose, Dense, DenseInit, Direction, Dropout, GroupNorm, Layer, LayerNorm,
    Lstm, Map, MapNorm, Padding, PaddingMode, PixelShuffle, Pool, PoolKind, Repeat, SequenceOutput, TimeDense,
    Upsample, UpsampleKind,
};
pub use loss::{Group, Loss, Mix, Output, Pixels, Structure};
pub use network::Network;
pub use optim::{AdamConfig, Optimizer};
pub use params::{Entry, Kind, Params};
pub use schedule::{Plateau, Schedule, WarmUp};
pub use sparsity::Sparsity;
pub use trainer::{Batch, RowWeights, StepLoss, TrainConfig, Trainer, TrainerState};
