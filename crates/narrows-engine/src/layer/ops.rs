//! The interface of layers. All methods are required, so that none can be forgotten.

use crate::kernels::threads::Threads;
use crate::params::ParamKind;
use crate::rng::Stream;

use super::{Backward, Flow, Forward, Inference};

/// (expected, got) of a setting out of range.
pub(crate) type OutOfRange = (String, String);

/// Names and shapes of parameter entries, in the order of the arena.
pub(crate) type Entries = Vec<(&'static str, Vec<usize>)>;

/// The interface of a layer.
pub(crate) trait LayerOps {
    /// Kind and shapes, as in `Dense(20 -> 64)`.
    fn describe(&self) -> String;

    /// (inputs, outputs) if the layer defines them; an activation or a dropout takes any width.
    fn widths(&self) -> Option<(usize, usize)>;

    /// The first setting out of range.
    fn out_of_range(&self) -> Option<OutOfRange>;

    /// The parameters of one kind, with PyTorch's names.
    fn entries(&self, kind: ParamKind) -> Entries;

    /// Initialises the values of one kind, which are zero; entry i draws from `stream(i)`.
    fn init(&self, kind: ParamKind, values: &mut [f32], stream: &dyn Fn(usize) -> Stream);

    /// The packing of the weights; `None` if the passes read them directly.
    fn packing(&self) -> Option<&dyn WeightPacking>;

    /// The requirements of the passes for `n` rows of `width` outputs.
    fn requirements(&self, n: usize, width: usize) -> Requirements;

    /// Whether the backward pass reads the layer's output, so that the next layer must not overwrite it.
    fn backward_reads_output(&self) -> bool;

    /// Whether the passes apply [`Forward::activation`] themselves; otherwise it is applied to their output.
    fn fuses_activation(&self) -> bool;

    /// Training: writes the output, and [`Forward::saved`] for the backward pass.
    fn forward(&self, pass: Forward<'_>, input: &[f32], output: &mut [f32]);

    /// Training: writes the gradient of the parameters and replaces the gradient for the output by that for the input.
    fn backward(&self, pass: Backward<'_>, flow: &mut Flow);

    /// Inference: writes the output of a tile of rows.
    fn infer(&self, pass: Inference<'_>, input: &[f32], output: &mut [f32]);
}

/// Packs weights in the layout of the forward pass.
pub(crate) trait WeightPacking {
    /// Number of floats that [`pack`](Self::pack) writes.
    fn packed_len(&self) -> usize;

    /// Packs the trainable values.
    fn pack(&self, params: &[f32], packed: &mut [f32], threads: &Threads);
}

/// Requirements of a layer's passes besides input, output and parameters.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Requirements {
    /// Floats saved by the forward pass for the backward pass.
    pub saved: usize,
    /// Floats of scratch in training, forward or backward.
    pub training_scratch: usize,
    /// Floats of scratch at inference.
    pub inference_scratch: usize,
    /// Blocks of random numbers per row.
    pub random_blocks: u32,
}

impl Requirements {
    /// No requirements.
    pub(crate) const NONE: Self = Self { saved: 0, training_scratch: 0, inference_scratch: 0, random_blocks: 0 };
}
