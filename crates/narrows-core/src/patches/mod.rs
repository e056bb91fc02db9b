//! Pieces of images: drawn at random for training, laid over a whole image when a model is used, and put together
//! again.

mod draw;
mod grid;

pub(crate) use draw::{PatchSampler, PatchShape, Turning, whole};
pub(crate) use grid::TileGrid;
