//! The layers: each file holds a layer's configuration, its forward and, beside it, its backward.
//!
//! A layer is data. Its forward and backward are functions from slices to slices over a whole batch
//! `[n, width]`; they cut their work into tiles themselves and keep nothing: what the backward needs
//! besides inputs and outputs is a `saved` slice that the forward fills.
//!
//! The rest of the engine sees a [`Layer`] only through the functions here. A new layer is a file, a
//! variant and an arm in each function that it does not leave to the default.

mod activation;
mod add;
mod batch_norm;
mod conv;
mod dense;
mod dropout;
mod group_norm;
mod layer_norm;
mod lstm;
mod map;
mod map_norm;
mod pixel_shuffle;
mod pool;
mod repeat;
mod sequence;
mod time_dense;
mod upsample;

use std::fmt;

use crate::kernels::matmul;
use crate::kernels::threads::Threads;
use crate::params::Kind;
use crate::rng::Stream;

pub use activation::Activation;
pub use add::Add;
pub use batch_norm::BatchNorm;
pub use conv::{Conv, ConvTranspose};
pub use dense::{Dense, DenseInit};
pub use dropout::Dropout;
pub use group_norm::GroupNorm;
pub use layer_norm::LayerNorm;
pub use lstm::Lstm;
pub use map::{Map, Padding, PaddingMode};
pub use map_norm::MapNorm;
pub use pixel_shuffle::PixelShuffle;
pub use pool::{Pool, PoolKind};
pub use repeat::Repeat;
pub use sequence::{Direction, SequenceOutput};
pub use time_dense::TimeDense;
pub use upsample::{Upsample, UpsampleKind};

pub(crate) use add::add;
pub(crate) use dropout::DropoutKey;

use dense::DenseParams;

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

    /// (inputs, outputs) where the layer states them; an activation or a dropout takes any width.
    pub(crate) fn widths(&self) -> Option<(usize, usize)> {
        match self {
            Self::Dense(dense) => Some((dense.inputs, dense.outputs)),
            Self::BatchNorm(norm) => Some((norm.features, norm.features)),
            Self::LayerNorm(norm) => Some((norm.features, norm.features)),
            Self::Lstm(lstm) => Some(lstm.widths()),
            Self::Repeat(repeat) => Some((repeat.width, repeat.steps * repeat.width)),
            Self::TimeDense(time) => Some((time.steps * time.dense.inputs, time.steps * time.dense.outputs)),
            Self::Conv(conv) => Some((conv.input.size(), conv.output().size())),
            Self::ConvTranspose(conv) => Some((conv.input.size(), conv.output().size())),
            Self::Pool(pool) => Some((pool.input.size(), pool.output().size())),
            Self::Upsample(up) => Some((up.input.size(), up.output().size())),
            Self::MapNorm(MapNorm { map, .. }) | Self::GroupNorm(GroupNorm { map, .. }) => {
                Some((map.size(), map.size()))
            }
            Self::PixelShuffle(shuffle) => Some((shuffle.input.size(), shuffle.output().size())),
            Self::Activation(_) | Self::Dropout(_) | Self::Add(_) => None,
        }
    }

    /// The names and shapes of its entries of one kind.
    pub(crate) fn entries(&self, kind: Kind) -> Vec<(&'static str, Vec<usize>)> {
        match kind {
            Kind::Trainable => self.trainable(),
            Kind::Buffer => self.buffers(),
        }
    }

    /// Floats of its entries of one kind.
    pub(crate) fn len(&self, kind: Kind) -> usize {
        self.entries(kind).iter().map(|(_, shape)| shape.iter().product::<usize>()).sum()
    }

    /// The shapes of its trainable entries, in PyTorch's names.
    fn trainable(&self) -> Vec<(&'static str, Vec<usize>)> {
        match self {
            Self::Dense(dense) | Self::TimeDense(TimeDense { dense, .. }) => {
                vec![("weight", vec![dense.outputs, dense.inputs]), ("bias", vec![dense.outputs])]
            }
            Self::Lstm(lstm) => lstm.trainable(),
            Self::BatchNorm(BatchNorm { features, .. }) | Self::LayerNorm(LayerNorm { features, .. }) => {
                vec![("weight", vec![*features]), ("bias", vec![*features])]
            }
            Self::Conv(conv) => ["weight", "bias"].into_iter().zip(conv.shapes()).collect(),
            Self::ConvTranspose(conv) => ["weight", "bias"].into_iter().zip(conv.shapes()).collect(),
            Self::MapNorm(MapNorm { map, .. }) | Self::GroupNorm(GroupNorm { map, .. }) => {
                vec![("weight", vec![map.channels]), ("bias", vec![map.channels])]
            }
            _ => vec![],
        }
    }

    /// The shapes of its buffers.
    fn buffers(&self) -> Vec<(&'static str, Vec<usize>)> {
        match self {
            Self::BatchNorm(norm) => {
                vec![("running_mean", vec![norm.features]), ("running_var", vec![norm.features])]
            }
            Self::MapNorm(MapNorm { map, .. }) => {
                vec![("running_mean", vec![map.channels]), ("running_var", vec![map.channels])]
            }
            _ => vec![],
        }
    }

    /// (expected, got) of a setting that is out of its range.
    pub(crate) fn misfit(&self) -> Option<(String, String)> {
        match self {
            Self::Dropout(dropout) if !(0.0..1.0).contains(&dropout.rate) => {
                Some(("a rate in [0, 1)".into(), dropout.rate.to_string()))
            }
            Self::BatchNorm(norm) if !(norm.eps > 0.0 && (0.0..=1.0).contains(&norm.momentum)) => {
                let got = format!("{} and {}", norm.eps, norm.momentum);
                Some(("eps above 0 and momentum in [0, 1]".into(), got))
            }
            Self::LayerNorm(norm) if norm.eps.is_nan() || norm.eps <= 0.0 => {
                Some(("eps above 0".into(), norm.eps.to_string()))
            }
            Self::Conv(conv) => conv.misfit(),
            Self::ConvTranspose(conv) => conv.misfit(),
            Self::Pool(pool) => pool.misfit(),
            Self::MapNorm(norm) => norm.misfit(),
            Self::GroupNorm(norm) => norm.misfit(),
            Self::PixelShuffle(shuffle) => shuffle.misfit(),
            _ => None,
        }
    }

    /// Fills its trainable values, which are zero; entry i draws from `stream(i)`.
    pub(crate) fn init(&self, values: &mut [f32], stream: impl Fn(usize) -> Stream) {
        match self {
            Self::Dense(dense) | Self::TimeDense(TimeDense { dense, .. }) => {
                let (weight, bias) = values.split_at_mut(dense.inputs * dense.outputs);
                dense.init(weight, bias, [stream(0), stream(1)]);
            }
            Self::BatchNorm(BatchNorm { features, .. }) | Self::LayerNorm(LayerNorm { features, .. }) => {
                values[..*features].fill(1.0);
            }
            Self::Lstm(lstm) => lstm.init(values, stream),
            Self::Conv(conv) => conv.init(values, [stream(0), stream(1)]),
            Self::ConvTranspose(conv) => conv.init(values, [stream(0), stream(1)]),
            Self::MapNorm(MapNorm { map, .. }) | Self::GroupNorm(GroupNorm { map, .. }) => {
                values[..map.channels].fill(1.0);
            }
            _ => {}
        }
    }

    /// Fills its buffers, which are zero.
    pub(crate) fn init_buffers(&self, values: &mut [f32]) {
        match self {
            Self::BatchNorm(norm) => values[norm.features..].fill(1.0),
            Self::MapNorm(norm) => values[norm.map.channels..].fill(1.0),
            _ => {}
        }
    }

    /// Floats that [`pack`](Self::pack) writes.
    pub(crate) fn packed_len(&self) -> usize {
        match self {
            Self::Dense(dense) | Self::TimeDense(TimeDense { dense, .. }) => {
                matmul::packed_len(dense.outputs, dense.inputs)
            }
            Self::Lstm(lstm) => lstm.packed_len(),
            Self::Conv(conv) => conv.packed_len(),
            Self::ConvTranspose(conv) => conv.packed_len(),
            _ => 0,
        }
    }

    /// Lays its weights out as the forward pass reads them.
    pub(crate) fn pack(&self, params: &[f32], packed: &mut [f32], threads: &Threads) {
        match self {
            Self::Dense(dense) | Self::TimeDense(TimeDense { dense, .. }) => {
                matmul::pack_transposed(&params[..dense.inputs * dense.outputs], dense.inputs, packed, threads);
            }
            Self::Lstm(lstm) => lstm.pack(params, packed, threads),
            Self::Conv(conv) => conv.pack(params, packed),
            Self::ConvTranspose(conv) => conv.pack(params, packed),
            _ => {}
        }
    }

    /// Floats that the forward pass keeps for the backward pass, for `n` rows of `width` outputs.
    pub(crate) fn saved_len(&self, n: usize, width: usize) -> usize {
        match self {
            Self::BatchNorm(norm) => norm.saved_len(),
            Self::LayerNorm(norm) => norm.saved_len(n),
            Self::Dropout(_) | Self::Add(_) => n * width,
            Self::Pool(pool) => pool.saved_len(n),
            Self::MapNorm(norm) => norm.saved_len(),
            Self::GroupNorm(norm) => norm.saved_len(n),
            Self::Lstm(lstm) => lstm.saved_len(n),
            _ => 0,
        }
    }

    /// Floats of scratch that training needs, forward or backward, for `n` rows.
    pub(crate) fn training_scratch_len(&self, n: usize) -> usize {
        match self {
            Self::Lstm(lstm) => lstm.training_scratch_len(n),
            Self::TimeDense(time) => time.scratch_len(n),
            Self::Conv(conv) => conv.forward_scratch(n).max(conv.backward_scratch(n)),
            Self::ConvTranspose(conv) => conv.forward_scratch(n).max(conv.backward_scratch(n)),
            Self::MapNorm(norm) => norm.training_scratch_len(n),
            Self::GroupNorm(norm) => norm.training_scratch_len(n),
            _ => 0,
        }
    }

    /// Floats of scratch that inference needs for `n` rows.
    pub(crate) fn inference_scratch_len(&self, n: usize) -> usize {
        match self {
            Self::BatchNorm(norm) => norm.scratch_len(),
            Self::LayerNorm(norm) => norm.saved_len(n),
            Self::Lstm(lstm) => lstm.inference_scratch_len(n),
            Self::Conv(conv) => conv.forward_scratch(n),
            Self::ConvTranspose(conv) => conv.forward_scratch(n),
            Self::Pool(pool) => pool.saved_len(n),
            Self::MapNorm(norm) => norm.inference_scratch_len(),
            Self::GroupNorm(norm) => norm.saved_len(n),
            _ => 0,
        }
    }

    /// Random blocks that a row uses up.
    pub(crate) fn random_blocks(&self, width: usize) -> u32 {
        match self {
            Self::Dropout(_) => Dropout::blocks(width),
            _ => 0,
        }
    }

    /// Whether its backward does without its output, so that a next layer may overwrite that.
    pub(crate) fn forgets_output(&self) -> bool {
        !matches!(self, Self::Activation(_) | Self::Dropout(_))
    }

    /// The elementwise function that may overwrite its input, if this is one.
    pub(crate) fn overwrites(&self) -> Option<Activation> {
        match self {
            Self::Activation(activation) if activation.is_invertible() => Some(*activation),
            _ => None,
        }
    }

    /// Training: output = fused(layer(input)), with what the backward needs left in `saved`.
    pub(crate) fn forward(&self, pass: Forward<'_>, fused: Activation, input: &[f32], output: &mut [f32]) {
        let Forward { rows, random, params, packed, buffers, saved, scratch, kept } = pass;
        match self {
            Self::Dense(dense) => {
                return dense.forward(rows, DenseParams::new(dense, params, packed), fused, input, output);
            }
            Self::Activation(activation) => activation.forward(rows, input, output),
            Self::BatchNorm(norm) => norm.forward(rows, params, buffers, saved, input, output),
            Self::LayerNorm(norm) => norm.forward(rows, params, saved, input, output),
            Self::Dropout(dropout) => dropout.forward(rows, random, saved, input, output),
            Self::Lstm(lstm) => lstm.forward(rows, packed, saved, input, output),
            Self::Repeat(repeat) => repeat.forward(rows, input, output),
            Self::TimeDense(time) => {
                return time.forward(rows, DenseParams::new(&time.dense, params, packed), fused, input, output);
            }
            Self::Conv(conv) => {
                return conv.forward(rows, conv.params(params, packed), fused, scratch, input, output);
            }
            Self::ConvTranspose(conv) => {
                return conv.forward(rows, conv.params(params, packed), fused, scratch, input, output);
            }
            Self::Pool(pool) => pool.forward(rows, saved, input, output),
            Self::Upsample(up) => up.forward(rows, input, output),
            Self::MapNorm(norm) => {
                let pass = Forward { rows, random, params, packed, buffers, saved, scratch, kept };
                norm.forward(pass, input, output);
            }
            Self::GroupNorm(norm) => norm.forward(rows, params, saved, input, output),
            Self::PixelShuffle(shuffle) => shuffle.forward(rows, input, output),
            Self::Add(add) => add.forward(rows, kept, input, output),
        }
        fused.forward_in_place(rows, output);
    }

    /// Training: fills the gradient of the parameters and turns the flow from that for the output into
    /// that for the input.
    pub(crate) fn backward(&self, pass: Backward<'_>, flow: &mut Flow) {
        let Backward { rows, input, output, .. } = pass;
        match self {
            Self::Dense(dense) => {
                let weight_len = dense.inputs * dense.outputs;
                let (d_weight, d_bias) = pass.gradient.split_at_mut(weight_len);
                let (d_output, d_input) = flow.both(rows.n * dense.outputs, rows.n * dense.inputs);
                dense.backward_params(rows, input, d_output, d_weight, d_bias);
                if pass.wants_input {
                    dense.backward_input(rows, &pass.params[..weight_len], d_output, d_input);
                    flow.turn();
                }
            }
            Self::Activation(activation) => activation.backward(rows, input, output, flow.here(output.len())),
            Self::BatchNorm(norm) => {
                norm.backward(rows, pass.params, pass.saved, input, pass.gradient, flow.here(output.len()));
            }
            Self::LayerNorm(norm) => {
                norm.backward(rows, pass.params, pass.saved, input, pass.gradient, flow.here(output.len()));
            }
            Self::Dropout(dropout) => dropout.backward(rows, pass.saved, flow.here(output.len())),
            Self::Lstm(lstm) => lstm.backward(pass, flow),
            Self::Repeat(repeat) => {
                let (d_output, d_input) = flow.both(output.len(), input.len());
                repeat.backward(rows, d_output, d_input);
                flow.turn();
            }
            Self::TimeDense(time) => time.backward(pass, flow),
            Self::Conv(conv) => conv.backward(pass, flow),
            Self::ConvTranspose(conv) => conv.backward(pass, flow),
            Self::Pool(pool) => {
                let (d_output, d_input) = flow.both(output.len(), input.len());
                pool.backward(rows, pass.saved, d_output, d_input);
                flow.turn();
            }
            Self::Upsample(up) => {
                let (d_output, d_input) = flow.both(output.len(), input.len());
                up.backward(rows, d_output, d_input);
                flow.turn();
            }
            Self::PixelShuffle(shuffle) => {
                let (d_output, d_input) = flow.both(output.len(), input.len());
                shuffle.backward(rows, d_output, d_input);
                flow.turn();
            }
            Self::MapNorm(norm) => norm.backward(pass, flow.here(output.len())),
            Self::GroupNorm(norm) => norm.backward(pass, flow.here(output.len())),
            // The passes bring the gradient to where the value came from.
            Self::Add(_) => {}
        }
    }

    /// Whether inference overwrites its input, by [`infer_in_place`](Self::infer_in_place).
    pub(crate) fn infers_in_place(&self) -> bool {
        matches!(self, Self::Activation(_) | Self::Dropout(_))
    }

    /// Inference for the layers that overwrite their input.
    pub(crate) fn infer_in_place(&self, values: &mut [f32]) {
        if let Self::Activation(activation) = self {
            activation.apply(values);
        }
    }

    /// Inference for all other layers: output = fused(layer(input)).
    pub(crate) fn infer(&self, pass: Inference<'_>, fused: Activation, input: &[f32], output: &mut [f32]) {
        let Inference { rows, params, packed, buffers, scratch, kept } = pass;
        match self {
            Self::Dense(dense) => {
                let params = DenseParams::new(dense, params, packed);
                return dense.forward(rows, params, fused, input, output);
            }
            Self::BatchNorm(norm) => norm.infer(params, buffers, scratch, input, output),
            Self::LayerNorm(norm) => norm.forward(rows, params, scratch, input, output),
            Self::Lstm(lstm) => lstm.infer(rows.n, packed, scratch, input, output),
            Self::Repeat(repeat) => repeat.forward(rows, input, output),
            Self::TimeDense(time) => {
                let params = DenseParams::new(&time.dense, params, packed);
                return time.forward(rows, params, fused, input, output);
            }
            Self::Conv(conv) => {
                return conv.forward(rows, conv.params(params, packed), fused, scratch, input, output);
            }
            Self::ConvTranspose(conv) => {
                return conv.forward(rows, conv.params(params, packed), fused, scratch, input, output);
            }
            Self::Pool(pool) => pool.forward(rows, scratch, input, output),
            Self::Upsample(up) => up.forward(rows, input, output),
            Self::MapNorm(norm) => norm.infer(params, buffers, scratch, input, output),
            Self::GroupNorm(norm) => norm.forward(rows, params, scratch, input, output),
            Self::PixelShuffle(shuffle) => shuffle.forward(rows, input, output),
            Self::Add(add) => add.forward(rows, kept, input, output),
            Self::Activation(_) | Self::Dropout(_) => {
                output.copy_from_slice(input);
                self.infer_in_place(output);
            }
        }
        fused.forward_in_place(rows, output);
    }
}

/// What a layer is given in the forward pass of training.
pub(crate) struct Forward<'a> {
    pub rows: Rows<'a>,
    pub random: DropoutKey<'a>,
    /// Its trainable values.
    pub params: &'a [f32],
    /// What [`Layer::pack`] left.
    pub packed: &'a [f32],
    pub buffers: &'a mut [f32],
    pub saved: &'a mut [f32],
    /// [`Layer::training_scratch_len`] floats, left as others used them.
    pub scratch: &'a mut [f32],
    /// The value that it adds, if it adds one.
    pub kept: &'a [f32],
}

/// What a layer is given in the backward pass.
pub(crate) struct Backward<'a> {
    pub rows: Rows<'a>,
    /// Its trainable values.
    pub params: &'a [f32],
    /// What [`Layer::pack`] left.
    pub packed: &'a [f32],
    pub saved: &'a [f32],
    /// [`Layer::training_scratch_len`] floats, left as others used them.
    pub scratch: &'a mut [f32],
    pub input: &'a [f32],
    /// Its output, unless the next layer has overwritten that.
    pub output: &'a [f32],
    /// The gradient of its trainable values, to be overwritten.
    pub gradient: &'a mut [f32],
    /// Whether anybody before it needs a gradient.
    pub wants_input: bool,
}

/// What a layer is given at inference.
pub(crate) struct Inference<'a> {
    pub rows: Rows<'a>,
    /// Its trainable values.
    pub params: &'a [f32],
    /// What [`Layer::pack`] left.
    pub packed: &'a [f32],
    pub buffers: &'a [f32],
    /// [`Layer::inference_scratch_len`] floats, left as others used them.
    pub scratch: &'a mut [f32],
    /// The value that it adds, if it adds one.
    pub kept: &'a [f32],
}

/// The gradient on its way back, and room for the next.
#[derive(Debug, Default)]
pub(crate) struct Flow {
    now: Vec<f32>,
    next: Vec<f32>,
}

impl Flow {
    /// Room for gradients of at most `len` floats.
    pub(crate) fn new(len: usize) -> Self {
        Self { now: vec![0.0; len], next: vec![0.0; len] }
    }

    /// The gradient, to be changed in place.
    pub(crate) fn here(&mut self, len: usize) -> &mut [f32] {
        &mut self.now[..len]
    }

    /// The gradient, and the room for the next, which [`turn`](Self::turn) makes the gradient.
    pub(crate) fn both(&mut self, now: usize, next: usize) -> (&mut [f32], &mut [f32]) {
        (&mut self.now[..now], &mut self.next[..next])
    }

    /// Goes on with what was written to the room for the next.
    pub(crate) fn turn(&mut self) {
        std::mem::swap(&mut self.now, &mut self.next);
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
            Self::Lstm(Lstm { inputs, hidden, steps, direction, output }) => {
                write!(f, "Lstm({inputs} -> {hidden}, {steps} steps, {direction:?}, {output:?})")
            }
            Self::Repeat(repeat) => write!(f, "Repeat({}, {} steps)", repeat.width, repeat.steps),
            Self::TimeDense(TimeDense { dense, steps }) => {
                write!(f, "TimeDense({} -> {}, {steps} steps)", dense.inputs, dense.outputs)
            }
            Self::Conv(conv) => write!(f, "Conv({} -> {})", conv.input, conv.output()),
            Self::ConvTranspose(conv) => write!(f, "ConvTranspose({} -> {})", conv.input, conv.output()),
            Self::Pool(pool) => write!(f, "{:?}Pool({} -> {})", pool.kind, pool.input, pool.output()),
            Self::Upsample(up) => write!(f, "Upsample{:?}({} -> {})", up.kind, up.input, up.output()),
            Self::MapNorm(norm) => write!(f, "MapNorm({})", norm.map),
            Self::GroupNorm(norm) => write!(f, "GroupNorm({} by {})", norm.map, norm.groups),
            Self::Add(add) => write!(f, "Add({} back)", add.back),
            Self::PixelShuffle(shuffle) => write!(f, "PixelShuffle({} -> {})", shuffle.input, shuffle.output()),
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
        if self.are_worth_sharing(cost) { TILE } else { self.n.max(1) }
    }

    /// The most groups of rows: enough for the cores of most machines, few enough sums to add up.
    pub(crate) const MOST_GROUPS: usize = 16;

    /// Rows of a group, where each group has scratch or sums of its own; `cost` as above.
    pub(crate) fn group(&self, cost: usize) -> usize {
        if self.are_worth_sharing(cost) { self.n.div_ceil(Self::MOST_GROUPS) } else { self.n.max(1) }
    }

    /// Whether threads should share the rows, by the same `cost`.
    pub(crate) fn are_worth_sharing(&self, cost: usize) -> bool {
        // About 20 microseconds of one core's multiply-adds, a few times what a dispatch costs.
        const WORTH_SHARING: usize = 1 << 21;
        self.n * cost >= WORTH_SHARING
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
        let (direction, output) = (Direction::Bidirectional, SequenceOutput::Last);
        let lstm = Layer::Lstm(Lstm { inputs: 1, hidden: 64, steps: 140, direction, output });
        assert_eq!(lstm.to_string(), "Lstm(1 -> 64, 140 steps, Bidirectional, Last)");
        assert_eq!(Layer::Repeat(Repeat { width: 64, steps: 140 }).to_string(), "Repeat(64, 140 steps)");
        assert_eq!(Layer::time_dense(64, 1, 140).to_string(), "TimeDense(64 -> 1, 140 steps)");
    }
}
