//! What does without a network what one is trained for: the rivals that it has to beat.

mod fill;
mod lossy;
mod median;
mod non_local_means;
mod rival;
mod unsharp;

pub use fill::fill;
pub use lossy::{Lossy, Stored, at_bytes, mosaic};
pub use median::median;
pub use non_local_means::{noise_level, non_local_means};
pub use rival::{Rival, rival};
pub use unsharp::unsharp;
