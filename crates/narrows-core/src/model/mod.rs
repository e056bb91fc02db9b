//! The five axes of an autoencoder, and how their choices become a network.
//!
//! `backbone`, `latent`, `sparsity`, `corruption` and `loss` are independent choices; the named kinds (sparse,
//! denoising, variational, ...) are presets, not classes. This module lists layers and corrupts inputs; it computes
//! no gradients.

pub mod backbone;
mod code;
mod conv;
pub mod corruption;
mod dense;
pub(crate) mod lapped;
pub mod latent;
pub mod loss;
mod lstm;
pub mod restore;
pub mod sparsity;

pub use backbone::{Backbone, Conv, Dense, Lapped, Lstm, Norm, Restore};
pub use corruption::Corruption;
pub use latent::Latent;
pub use loss::{Loss, Pixels, Structural};
/// Height, width and channels of the images in a [`Shape`].
pub use narrows_engine::Map;
pub use sparsity::Sparsity;

use narrows_engine::Network;

use crate::error::{Hint, Result};
use crate::prep::Block;

/// The axes that define a network; corruption applies to its input.
#[derive(Debug, Clone, Copy)]
pub struct Axes<'a> {
    /// Layer architecture.
    pub backbone: &'a Backbone,
    /// Form of the code.
    pub latent: &'a Latent,
    /// Penalty on the code's activity.
    pub sparsity: &'a Sparsity,
    /// Reconstruction loss.
    pub loss: &'a Loss,
}

/// Memory layout of a sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// Unordered values.
    Row,
    /// Time-major series: the channels of a point are adjacent.
    Sequence {
        /// Number of points.
        steps: usize,
        /// Values per point.
        channels: usize,
    },
    /// Row-major images: the channels of a pixel are adjacent.
    Map(Map),
}

/// Builds the network for prepared rows made of `blocks`: the output groups follow from the blocks and the loss axis.
///
/// # Errors
/// [`crate::Error::Recipe`] for invalid layers, or a backbone that does not match the data.
pub(crate) fn build(axes: Axes<'_>, blocks: &[Block], shape: Shape) -> Result<Network> {
    let Axes { backbone, latent, sparsity, loss } = axes;
    let width = blocks.last().map_or(0, |block| block.range.end);
    let output = loss::output(loss, blocks, shape)?;
    let network = match (backbone, shape) {
        (Backbone::Dense(dense), _) => dense::build(dense, latent, sparsity, width, output),
        (Backbone::Lstm(lstm), Shape::Sequence { steps, channels }) => {
            lstm::build(lstm, latent, sparsity, (steps, channels), output)
        }
        (Backbone::Conv(conv), Shape::Sequence { steps, channels }) => {
            conv::build(conv, latent, sparsity, Map::series(steps, channels), output)
        }
        (Backbone::Conv(conv), Shape::Map(map)) => conv::build(conv, latent, sparsity, map, output),
        (Backbone::Lapped(lapped), Shape::Map(map)) => lapped::build(lapped, latent, sparsity, map, output),
        (Backbone::Lapped(_), Shape::Row | Shape::Sequence { .. }) => {
            Err(crate::Error::recipe("backbone", "expected dense, conv or lstm, got lapped, which reads images"))
        }
        (Backbone::Lstm(_), Shape::Map(_)) => Err(crate::Error::recipe(
            "backbone",
            "expected conv, dense or restore for images, got lstm, which reads series",
        )),
        (Backbone::Restore(_), Shape::Map(_)) => {
            let message = "expected conv or dense for a model with a code, got restore, which has none";
            Err(crate::Error::recipe("backbone", message)
                .with_hint(Hint::of("restore needs a corruption to remove, such as [corrupt=gaussian:25]")))
        }
        (Backbone::Restore(_), Shape::Row | Shape::Sequence { .. }) => {
            Err(crate::Error::recipe("backbone", "expected dense, conv or lstm, got restore, which reads images"))
        }
        (Backbone::Lstm(_) | Backbone::Conv(_), Shape::Row) => {
            Err(crate::Error::recipe("backbone", "expected dense for a table, got a backbone that reads series")
                .with_hint(Hint::of("series are read with [kind=series]")))
        }
    }?;
    if network.n_params() > MOST_PARAMETERS {
        let got = network.n_params();
        let message =
            format!("expected a network of at most {MOST_PARAMETERS} parameters, got {got} for {width} inputs");
        let hint = Hint::of("smaller numbers in [backbone.nodes], or fewer columns with [columns]");
        return Err(crate::Error::recipe("backbone", message).with_hint(hint));
    }
    Ok(network)
}

/// Parameters of a network: 2^28 of them are a gigabyte, of which training holds several.
const MOST_PARAMETERS: usize = 1 << 28;
