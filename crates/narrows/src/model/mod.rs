//! The five axes of an autoencoder, and how a point in that space becomes a network.
//!
//! `backbone`, `latent`, `sparsity`, `corruption` and `loss` are independent choices; the named kinds (sparse,
//! denoising, variational, ...) are presets, not classes. This floor lists layers and damages inputs; it computes
//! no gradient.

pub mod backbone;
pub mod corruption;
mod dense;
pub mod latent;
pub mod loss;
pub mod sparsity;

pub use backbone::{Backbone, Dense, Norm};
pub use corruption::Corruption;
pub use latent::Latent;
pub use loss::Loss;
pub use sparsity::Sparsity;

use narrows_engine::Network;

use crate::error::Result;
use crate::prep::Block;

/// Builds the network for prepared rows made of `blocks`: the output groups follow the blocks and the loss axis.
pub fn build(
    backbone: &Backbone,
    latent: &Latent,
    sparsity: &Sparsity,
    loss: &Loss,
    blocks: &[Block],
) -> Result<Network> {
    let width = blocks.last().map_or(0, |block| block.range.end);
    let output = loss::output(loss, blocks);
    match backbone {
        Backbone::Dense(dense) => dense::build(dense, latent, sparsity, width, output),
    }
}
