//! The layers: each file holds a layer's configuration, its forward and, beside it, its backward.
//!
//! A layer is data. Its passes are functions from slices to slices over a whole batch `[n, width]`; they cut their work
//! into tiles themselves and keep nothing: what the backward needs besides inputs and outputs is a `saved` slice that
//! the forward fills.
//!
//! The rest of the engine sees a layer only through [`LayerOps`]. A new layer is a file, a variant and its arm in
//! [`Layer::ops`]; the compiler asks for the rest.

mod ops;
mod pass;
mod rows;

mod activation;
mod add;
mod batch_norm;
mod conv;
mod dense;
mod dropout;
mod group_norm;
mod lapped;
mod layer_norm;
mod lstm;
mod map;
mod map_norm;
mod norm;
mod pixel_shuffle;
mod pool;
mod repeat;
mod rounding;
mod sequence;
mod time_dense;
mod upsample;

use std::fmt;

use crate::params::ParamKind;

pub use activation::Activation;
pub use add::Add;
pub use batch_norm::BatchNorm;
pub use conv::{Conv, ConvTranspose};
pub use dense::{Dense, DenseInit};
pub use dropout::Dropout;
pub use group_norm::GroupNorm;
pub use lapped::{Lapped, LappedWay};
pub use layer_norm::LayerNorm;
pub use lstm::Lstm;
pub use map::{Map, Padding, PaddingMode};
pub use map_norm::MapNorm;
pub use pixel_shuffle::PixelShuffle;
pub use pool::{Pool, PoolKind};
pub use repeat::Repeat;
pub use rounding::Rounding;
pub use sequence::{Direction, SequenceOutput};
pub use time_dense::TimeDense;
pub use upsample::{Upsample, UpsampleKind};

pub(crate) use add::add;
pub(crate) use dropout::DropoutKey;
pub(crate) use ops::{Entries, LayerOps, WeightPacking};
pub(crate) use pass::{Backward, Forward, Gradients, Inference};
pub(crate) use rows::{COLUMN_TILE, ELEMENT_COST, Rows};

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
    /// Long short-term memory over a sequence.
    Lstm(Lstm),
    /// The input once a step.
    Repeat(Repeat),
    /// The same dense map at each step.
    TimeDense(TimeDense),
    /// A kernel over the pixels of a map or the steps of a series.
    Conv(Conv),
    /// The adjoint of a convolution, from small maps to large ones.
    ConvTranspose(ConvTranspose),
    /// The largest or the mean value of each window.
    Pool(Pool),
    /// A block for a pixel, or interpolation.
    Upsample(Upsample),
    /// Normalisation of each channel over the pixels of the batch.
    MapNorm(MapNorm),
    /// Normalisation of each map over groups of channels.
    GroupNorm(GroupNorm),
    /// Channels that become pixels.
    PixelShuffle(PixelShuffle),
    /// The lapped cosine transform of an image, or its inverse.
    Lapped(Lapped),
    /// Whole numbers.
    Rounding(Rounding),
    /// An earlier value, added.
    Add(Add),
}

impl Layer {
    /// A dense layer with PyTorch's initial weights.
    pub fn dense(inputs: usize, outputs: usize) -> Self {
        Self::Dense(Dense { inputs, outputs, init: DenseInit::PyTorch })
    }

    /// A dense layer at each of `steps` steps, with PyTorch's initial weights.
    pub fn time_dense(inputs: usize, outputs: usize, steps: usize) -> Self {
        Self::TimeDense(TimeDense { dense: Dense { inputs, outputs, init: DenseInit::PyTorch }, steps })
    }

    /// Its implementation: the one place that knows all kinds.
    pub(crate) fn ops(&self) -> &dyn LayerOps {
        match self {
            Self::Dense(layer) => layer,
            Self::Activation(layer) => layer,
            Self::BatchNorm(layer) => layer,
            Self::LayerNorm(layer) => layer,
            Self::Dropout(layer) => layer,
            Self::Lstm(layer) => layer,
            Self::Repeat(layer) => layer,
            Self::TimeDense(layer) => layer,
            Self::Conv(layer) => layer,
            Self::ConvTranspose(layer) => layer,
            Self::Pool(layer) => layer,
            Self::Upsample(layer) => layer,
            Self::MapNorm(layer) => layer,
            Self::GroupNorm(layer) => layer,
            Self::PixelShuffle(layer) => layer,
            Self::Lapped(layer) => layer,
            Self::Rounding(layer) => layer,
            Self::Add(layer) => layer,
        }
    }

    /// (inputs, outputs) where the layer states them.
    pub fn widths(&self) -> Option<(usize, usize)> {
        self.ops().widths()
    }

    /// Multiply-adds of a row's forward pass through its products.
    pub(crate) fn multiply_adds(&self) -> usize {
        let weights = self.len(ParamKind::Trainable) - self.n_biases();
        weights.saturating_mul(match self {
            Self::Conv(conv) => conv.output().positions(),
            Self::ConvTranspose(conv) => conv.input.positions(),
            Self::TimeDense(time) => time.steps,
            Self::Lstm(lstm) => lstm.steps,
            _ => 1,
        })
    }

    /// Trainable values that no product reads.
    fn n_biases(&self) -> usize {
        let vectors = self.entries(ParamKind::Trainable).into_iter().filter(|(_, shape)| shape.len() == 1);
        vectors.map(|(_, shape)| shape[0]).sum()
    }

    /// Its entries of one kind, in PyTorch's names.
    pub(crate) fn entries(&self, kind: ParamKind) -> Entries {
        self.ops().params().map_or_else(Entries::new, |params| params.entries(kind))
    }

    /// How its weights are packed; none where the passes read them as they are, or there are none.
    pub(crate) fn packing(&self) -> Option<&dyn WeightPacking> {
        self.ops().params()?.packing()
    }

    /// Blocks of the random stream of a row of `width` values that it draws in training.
    pub fn random_blocks(&self, width: usize) -> u32 {
        self.ops().requirements(1, width).random_blocks
    }

    /// Floats of its entries of one kind.
    pub fn len(&self, kind: ParamKind) -> usize {
        self.entries(kind).iter().map(|(_, shape)| shape.iter().product::<usize>()).sum()
    }

    /// The elementwise function that may overwrite its input in training, if this is one.
    pub(crate) fn overwrites(&self) -> Option<Activation> {
        match self {
            Self::Activation(activation) if activation.is_invertible() => Some(*activation),
            _ => None,
        }
    }

    /// The elementwise function that it is at inference, if it is one.
    pub(crate) fn elementwise(&self) -> Option<Activation> {
        match self {
            Self::Activation(activation) => Some(*activation),
            Self::Dropout(_) => Some(Activation::Identity),
            _ => None,
        }
    }

    /// Training: output = activation(layer(input)).
    pub(crate) fn forward(&self, mut pass: Forward<'_>, input: &[f32], output: &mut [f32]) {
        let (ops, rows) = (self.ops(), pass.rows);
        if ops.fuses_activation() {
            return ops.forward(pass, input, output);
        }
        let activation = std::mem::replace(&mut pass.activation, Activation::Identity);
        ops.forward(pass, input, output);
        activation.forward_in_place(rows, output);
    }

    /// Inference: output = activation(layer(input)).
    pub(crate) fn infer(&self, mut pass: Inference<'_>, input: &[f32], output: &mut [f32]) {
        let (ops, rows) = (self.ops(), pass.rows);
        if ops.fuses_activation() {
            return ops.infer(pass, input, output);
        }
        let activation = std::mem::replace(&mut pass.activation, Activation::Identity);
        ops.infer(pass, input, output);
        activation.forward_in_place(rows, output);
    }
}

impl fmt::Display for Layer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.ops().describe())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layers_print_as_they_are_built() {
        assert_eq!(Layer::dense(20, 64).to_string(), "Dense(20 -> 64)");
        assert_eq!(Layer::Activation(Activation::LeakyRelu).to_string(), "LeakyRelu");
        assert_eq!(Layer::Dropout(Dropout { rate: 0.1 }).to_string(), "Dropout(0.1)");
        let (direction, output) = (Direction::Bidirectional, SequenceOutput::Last);
        let lstm = Layer::Lstm(Lstm { inputs: 1, hidden: 64, steps: 140, direction, output });
        assert_eq!(lstm.to_string(), "Lstm(1 -> 64, 140 steps, Bidirectional, Last)");
        assert_eq!(Layer::Repeat(Repeat { width: 64, steps: 140 }).to_string(), "Repeat(64, 140 steps)");
        assert_eq!(Layer::time_dense(64, 1, 140).to_string(), "TimeDense(64 -> 1, 140 steps)");
    }
}
