//! What undoes a damage without a network: the rivals that a trained one has to beat.

mod fill;
mod median;
mod non_local_means;
mod rival;
mod unsharp;

pub use fill::fill;
pub use median::median;
pub use non_local_means::{noise_level, non_local_means};
pub use rival::{Rival, rival};
pub use unsharp::unsharp;
