//! Classical methods of image restoration and compression, as baselines for the networks.

mod baseline;
mod fill;
mod lossy;
mod median;
mod non_local_means;
mod unsharp;

pub use baseline::{Baseline, baseline};
pub use fill::fill;
pub use lossy::{Lossy, Stored, at_bytes, mosaic};
pub use median::median;
pub use non_local_means::{noise_level, non_local_means};
pub use unsharp::unsharp;
