//! What a user would compare an autoencoder with, and what is measured in its code: PCA, an isolation forest, nearest
//! neighbours, a Gaussian and mixtures of them.
//!
//! Each is fitted on the same prepared rows as the network: row-major `f32`, shape `[n, width]`, no missing values.
//! Each is plain data with public fields, so that a model file can hold it, and each scores a row in the same way
//! whatever rows stand beside it and however many threads work.

pub mod gaussian;
pub mod isolation_forest;
pub mod memory_bank;
pub mod mixture;
pub mod neighbourhood;
pub mod neighbours;
pub mod overview;
pub mod pca;

mod covariance;
#[cfg(test)]
pub(crate) mod golden;
mod principal_axes;
pub(crate) mod random;
mod rows;
mod subsamples;

pub use gaussian::{Gaussian, Shrinkage};
pub use isolation_forest::IsolationForest;
pub use memory_bank::MemoryBank;
pub use mixture::{Covariance, Mixture};
pub use neighbourhood::{Nearness, Neighbourhood};
pub use neighbours::Neighbours;
pub use overview::Overview;
pub use pca::{Components, Pca};
pub(crate) use rows::weighted;
pub use subsamples::Draw;
