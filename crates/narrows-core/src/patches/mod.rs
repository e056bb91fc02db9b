//! Image patches: random ones for training, a covering grid for inference, and recombination of the
//! results.

mod draw;
mod grid;

pub(crate) use draw::{PatchSampler, PatchShape, Turning, whole};
pub(crate) use grid::TileGrid;
