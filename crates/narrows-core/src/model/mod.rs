//! The five axes of an autoencoder, and how a point in that space becomes a network.
//!
//! `backbone`, `latent`, `sparsity`, `corruption` and `loss` are independent choices; the named kinds (sparse,
//! denoising, variational, ...) are presets, not classes. This floor lists layers and damages inputs; it computes
//! no gradient.

pub mod backbone;
mod code;
mod conv;
pub mod corruption;
mod dense;
pub mod latent;
pub mod loss;
mod lstm;
pub mod restore;
pub mod sparsity;

pub use backbone::{Backbone, Conv, Dense, Lstm, Norm, Restore};
pub use corruption::Corruption;
pub use latent::Latent;
pub use loss::{Loss, Pixels, Structural};
pub use sparsity::Sparsity;

use narrows_engine::{Map, Network};

use crate::error::{Hint, Result};
use crate::prep::Block;

/// The axes that make a network; corruption is what happens to its input.
#[derive(Debug, Clone, Copy)]
pub struct Axes<'a> {
    /// How the layers are laid out.
    pub backbone: &'a Backbone,
    /// What the code is.
    pub latent: &'a Latent,
    /// What is asked of the code's activity.
    pub sparsity: &'a Sparsity,
    /// How a reconstruction is judged.
    pub loss: &'a Loss,
}

/// How the values of a sample lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// Side by side, in no order that means anything.
    Row,
    /// Point after point in time, the channels of a point side by side.
    Sequence {
        /// Points.
        steps: usize,
        /// Values of a point.
        channels: usize,
    },
    /// Row of pixels after row, the channels of a pixel side by side.
    Map(Map),
}

/// Builds the network for prepared rows made of `blocks`: the output groups follow the blocks and the loss axis.
///
/// # Errors
/// [`crate::Error::Recipe`] for a layer that cannot be built, or a backbone that needs time where there is none.
pub fn build(axes: Axes<'_>, blocks: &[Block], shape: Shape) -> Result<Network> {
    let Axes { backbone, latent, sparsity, loss } = axes;
    let width = blocks.last().map_or(0, |block| block.range.end);
    let output = loss::output(loss, blocks, shape)?;
    match (backbone, shape) {
        (Backbone::Dense(dense), _) => dense::build(dense, latent, sparsity, width, output),
        (Backbone::Lstm(lstm), Shape::Sequence { steps, channels }) => {
            lstm::build(lstm, latent, sparsity, (steps, channels), output)
        }
        (Backbone::Conv(conv), Shape::Sequence { steps, channels }) => {
            conv::build(conv, latent, sparsity, Map::series(steps, channels), output)
        }
        (Backbone::Conv(conv), Shape::Map(map)) => conv::build(conv, latent, sparsity, map, output),
        (Backbone::Lstm(_), Shape::Map(_)) => Err(crate::Error::recipe(
            "backbone",
            "expected conv, dense or restore for images, got lstm, which reads series",
        )),
        (Backbone::Restore(_), Shape::Map(_)) => {
            let message = "expected conv or dense for a model with a code, got restore, which has none";
            Err(crate::Error::recipe("backbone", message)
                .with_hint(Hint::of("restore needs a damage to undo, such as [corrupt=gaussian:25]")))
        }
        (Backbone::Restore(_), Shape::Row | Shape::Sequence { .. }) => {
            Err(crate::Error::recipe("backbone", "expected dense, conv or lstm, got restore, which reads images"))
        }
        (Backbone::Lstm(_) | Backbone::Conv(_), Shape::Row) => {
            Err(crate::Error::recipe("backbone", "expected dense for a table, got a backbone that reads series")
                .with_hint(Hint::of("series are read with [kind=series]")))
        }
    }
}
