//! Pieces of pictures: drawn at random for training, laid over a whole picture when a model is used, and put together
//! again.

mod draw;
mod grid;

pub(crate) use draw::{Cut, Draws, Turning, whole};
pub(crate) use grid::Grid;
