//! The arguments of a layer in each pass.

use super::{Activation, DropoutKey, Rows};

/// The arguments of the forward pass in training.
pub(crate) struct Forward<'a> {
    pub rows: Rows<'a>,
    pub random: DropoutKey<'a>,
    /// Its trainable values.
    pub params: &'a [f32],
    /// The packed weights.
    pub packed: &'a [f32],
    pub buffers: &'a mut [f32],
    pub saved: &'a mut [f32],
    /// As many floats as the layer requires in training, left as others used them.
    pub scratch: &'a mut [f32],
    /// The value that it adds, if it adds one.
    pub kept: &'a [f32],
    /// The activation that follows, for layers that fuse it; for others the identity.
    pub activation: Activation,
}

/// The arguments of the backward pass.
pub(crate) struct Backward<'a> {
    pub rows: Rows<'a>,
    /// Its trainable values.
    pub params: &'a [f32],
    /// The packed weights.
    pub packed: &'a [f32],
    pub saved: &'a [f32],
    /// As many floats as the layer requires in training, left as others used them.
    pub scratch: &'a mut [f32],
    pub input: &'a [f32],
    /// Its output, unless the next layer has overwritten that.
    pub output: &'a [f32],
    /// The gradient of its trainable values, to be overwritten.
    pub gradient: &'a mut [f32],
    /// Whether a layer before it needs a gradient.
    pub wants_input: bool,
}

/// The arguments of inference.
pub(crate) struct Inference<'a> {
    pub rows: Rows<'a>,
    /// Its trainable values.
    pub params: &'a [f32],
    /// The packed weights.
    pub packed: &'a [f32],
    pub buffers: &'a [f32],
    /// As many floats as the layer requires at inference, left as others used them.
    pub scratch: &'a mut [f32],
    /// The value that it adds, if it adds one.
    pub kept: &'a [f32],
    /// As in [`Forward`].
    pub activation: Activation,
}

/// The gradient of the value that the backward pass has reached, and a buffer for that of the value before.
#[derive(Debug, Default)]
pub(crate) struct Gradients {
    current: Vec<f32>,
    next: Vec<f32>,
}

impl Gradients {
    /// Buffers for gradients of at most `len` floats.
    pub(crate) fn new(len: usize) -> Self {
        Self { current: vec![0.0; len], next: vec![0.0; len] }
    }

    /// The gradient, to be changed in place.
    pub(crate) fn current(&mut self, len: usize) -> &mut [f32] {
        &mut self.current[..len]
    }

    /// The gradient, and the buffer for the next, which [`swap`](Self::swap) makes the gradient.
    pub(crate) fn both(&mut self, current: usize, next: usize) -> (&mut [f32], &mut [f32]) {
        (&mut self.current[..current], &mut self.next[..next])
    }

    /// Makes what was written to the other buffer the gradient.
    pub(crate) fn swap(&mut self) {
        std::mem::swap(&mut self.current, &mut self.next);
    }
}
