//! The layers: each file holds a layer's configuration, its forward and, beside it, its backward.
//!
//! A layer is data. Its forward and backward are functions from slices to slices over a whole batch
//! `[n, width]`; they cut their work into tiles themselves and keep nothing: what the backward needs
//! besides inputs and outputs is a `saved` slice that the forward fills.

mod activation;
mod batch_norm;
mod dense;
mod dropout;
mod layer_norm;

use std::fmt;

use crate::kernels::threads::Threads;

pub use activation::Activation;
pub use batch_norm::BatchNorm;
pub use dense::{Dense, DenseInit};
pub use dropout::Dropout;
pub use layer_norm::LayerNorm;

pub(crate) use dense::DenseParams;
pub(crate) use dropout::DropoutKey;

/// One layer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Layer {
    /// y = x W^T + b.
    Dense(Dense),
    /// An elementwise function.
    Activation(Activation),
    /// Normalisation of each column over the batch.
    BatchNorm(BatchNorm),
    /// Normalisation of each row over its columns.
    LayerNorm(LayerNorm),
    /// Random zeros in training.
    Dropout(Dropout),
}

impl Layer {
    /// A dense layer with PyTorch's initial weights.
    pub fn dense(inputs: usize, outputs: usize) -> Self {
        Self::Dense(Dense { inputs, outputs, init: DenseInit::PyTorch })
    }

    /// (inputs, outputs) where the layer states them; an activation or a dropout takes any width.
    pub(crate) fn widths(&self) -> Option<(usize, usize)> {
        match self {
            Self::Dense(dense) => Some((dense.inputs, dense.outputs)),
            Self::BatchNorm(norm) => Some((norm.features, norm.features)),
            Self::LayerNorm(norm) => Some((norm.features, norm.features)),
            Self::Activation(_) | Self::Dropout(_) => None,
        }
    }

    /// The shapes of its trainable entries, in PyTorch's names.
    pub(crate) fn trainable(&self) -> Vec<(&'static str, Vec<usize>)> {
        match self {
            Self::Dense(dense) => {
                vec![("weight", vec![dense.outputs, dense.inputs]), ("bias", vec![dense.outputs])]
            }
            Self::BatchNorm(BatchNorm { features, .. }) | Self::LayerNorm(LayerNorm { features, .. }) => {
                vec![("weight", vec![*features]), ("bias", vec![*features])]
            }
            Self::Activation(_) | Self::Dropout(_) => vec![],
        }
    }

    /// The shapes of its buffers.
    pub(crate) fn buffers(&self) -> Vec<(&'static str, Vec<usize>)> {
        match self {
            Self::BatchNorm(norm) => {
                vec![("running_mean", vec![norm.features]), ("running_var", vec![norm.features])]
            }
            _ => vec![],
        }
    }
}

impl fmt::Display for Layer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dense(dense) => write!(f, "Dense({} -> {})", dense.inputs, dense.outputs),
            Self::Activation(activation) => write!(f, "{activation:?}"),
            Self::BatchNorm(norm) => write!(f, "BatchNorm({})", norm.features),
            Self::LayerNorm(norm) => write!(f, "LayerNorm({})", norm.features),
            Self::Dropout(dropout) => write!(f, "Dropout({})", dropout.rate),
        }
    }
}

/// The rows of a batch and who computes them.
#[derive(Clone, Copy)]
pub(crate) struct Rows<'a> {
    /// Number of rows.
    pub n: usize,
    /// The threads to share them among.
    pub threads: &'a Threads,
}

impl Rows<'_> {
    /// Rows of a tile: all of them where sharing would cost more than it saves.
    ///
    /// `cost` is the work on one row in multiply-adds or elements. The answer depends on shapes alone.
    pub(crate) fn tile(&self, cost: usize) -> usize {
        const TILE: usize = 64;
        // About 20 microseconds of one core's multiply-adds, a few times what a dispatch costs.
        const WORTH_SHARING: usize = 1 << 21;
        if self.n * cost < WORTH_SHARING { self.n.max(1) } else { TILE }
    }
}

/// Cost of one element of an elementwise pass, in multiply-adds: from about 10 (a rectifier) to 100 (a
/// cross-entropy or a random normal), measured.
pub(crate) const ELEMENT_COST: usize = 32;

/// Columns that a task sums down, where columns are shared among threads.
pub(crate) const COLUMN_TILE: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layers_print_as_they_are_built() {
        assert_eq!(Layer::dense(20, 64).to_string(), "Dense(20 -> 64)");
        assert_eq!(Layer::Activation(Activation::LeakyRelu).to_string(), "LeakyRelu");
        assert_eq!(Layer::Dropout(Dropout { rate: 0.1 }).to_string(), "Dropout(0.1)");
    }
}
