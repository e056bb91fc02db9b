//! What every kind of layer implements. All methods are required: a kind that forgets one does not compile.

use crate::kernels::threads::Threads;
use crate::params::ParamKind;
use crate::rng::Stream;

use super::{Backward, Forward, Gradients, Inference};

/// (expected, got) of a setting that is out of its range.
pub(crate) type OutOfRange = (String, String);

/// Names and shapes of parameter entries, in the order of the arena.
pub(crate) type Entries = Vec<(&'static str, Vec<usize>)>;

/// A layer as the rest of the engine sees it.
pub(crate) trait LayerOps {
    /// The kind and the shapes, as in `Dense(20 -> 64)`.
    fn describe(&self) -> String;

    /// (inputs, outputs) where the layer states them; an activation or a dropout takes any width.
    fn widths(&self) -> Option<(usize, usize)>;

    /// The first setting that is out of its range.
    fn out_of_range(&self) -> Option<OutOfRange>;

    /// Its parameters and buffers; none where it has none.
    fn params(&self) -> Option<&dyn LayerParams>;

    /// What the passes need for `n` rows of `width` outputs.
    fn requirements(&self, n: usize, width: usize) -> Requirements;

    /// Whether the backward pass reads the layer's output, so that no next layer may overwrite that.
    fn backward_reads_output(&self) -> bool;

    /// Whether the passes apply [`Forward::activation`] themselves; else it is applied to their output.
    fn fuses_activation(&self) -> bool;

    /// Training: fills the output, and what the backward pass needs in [`Forward::saved`].
    fn forward(&self, pass: Forward<'_>, input: &[f32], output: &mut [f32]);

    /// Training: fills the gradient of the parameters and replaces the gradient for the output by that for the input.
    fn backward(&self, pass: Backward<'_>, gradients: &mut Gradients);

    /// Inference: fills the output of a tile of rows.
    fn infer(&self, pass: Inference<'_>, input: &[f32], output: &mut [f32]);
}

/// The parameters and buffers of a layer.
pub(crate) trait LayerParams {
    /// The entries of one kind, in PyTorch's names.
    fn entries(&self, kind: ParamKind) -> Entries;

    /// Fills the values of one kind, which are zero; entry i draws from `stream(i)`.
    fn init(&self, kind: ParamKind, values: &mut [f32], stream: &dyn Fn(usize) -> Stream);

    /// How the weights are packed; none where the passes read them as they are.
    fn packing(&self) -> Option<&dyn WeightPacking>;
}

/// Weights in the layout that the forward pass reads.
pub(crate) trait WeightPacking {
    /// Floats that [`pack`](Self::pack) writes.
    fn packed_len(&self) -> usize;

    /// Packs the trainable values.
    fn pack(&self, params: &[f32], packed: &mut [f32], threads: &Threads);
}

/// What the passes of a layer need beside input, output and parameters.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Requirements {
    /// Floats that the forward pass keeps for the backward pass.
    pub saved: usize,
    /// Floats of scratch in training, forward or backward.
    pub training_scratch: usize,
    /// Floats of scratch at inference.
    pub inference_scratch: usize,
    /// Blocks of random numbers that a row uses up.
    pub random_blocks: u32,
}

impl Requirements {
    /// Nothing.
    pub(crate) const NONE: Self = Self { saved: 0, training_scratch: 0, inference_scratch: 0, random_blocks: 0 };
}
