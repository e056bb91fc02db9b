//! Arguments of a layer's passes.

use super::{Activation, DropoutKey, Rows};

/// Arguments of the forward pass in training.
pub(crate) struct Forward<'a> {
    pub rows: Rows<'a>,
    pub random: DropoutKey<'a>,
    /// Its trainable values.
    pub params: &'a [f32],
    /// The packed weights.
    pub packed: &'a [f32],
    pub buffers: &'a mut [f32],
    pub saved: &'a mut [f32],
    /// The layer's training scratch, uninitialised.
    pub scratch: &'a mut [f32],
    /// The value that it adds, if any.
    pub kept: &'a [f32],
    /// The activation that follows, for layers that fuse it; otherwise the identity.
    pub activation: Activation,
}

/// Arguments of the backward pass.
pub(crate) struct Backward<'a> {
    pub rows: Rows<'a>,
    /// Its trainable values.
    pub params: &'a [f32],
    /// The packed weights.
    pub packed: &'a [f32],
    pub saved: &'a [f32],
    /// The layer's training scratch, uninitialised.
    pub scratch: &'a mut [f32],
    pub input: &'a [f32],
    /// Its output, unless overwritten by the next layer.
    pub output: &'a [f32],
    /// The gradient of its trainable values, to be overwritten.
    pub gradient: &'a mut [f32],
    /// Whether the gradient for the input is needed.
    pub wants_input: bool,
}

/// Arguments of inference.
pub(crate) struct Inference<'a> {
    pub rows: Rows<'a>,
    /// Its trainable values.
    pub params: &'a [f32],
    /// The packed weights.
    pub packed: &'a [f32],
    pub buffers: &'a [f32],
    /// The layer's inference scratch, uninitialised.
    pub scratch: &'a mut [f32],
    /// The value that it adds, if any.
    pub kept: &'a [f32],
    /// As in [`Forward`].
    pub activation: Activation,
}

/// The gradient in the backward pass, double-buffered.
#[derive(Debug, Default)]
pub(crate) struct Flow {
    now: Vec<f32>,
    next: Vec<f32>,
}

impl Flow {
    /// Buffers for gradients of at most `len` floats.
    pub(crate) fn new(len: usize) -> Self {
        Self { now: vec![0.0; len], next: vec![0.0; len] }
    }

    /// The gradient, to be changed in place.
    pub(crate) fn here(&mut self, len: usize) -> &mut [f32] {
        &mut self.now[..len]
    }

    /// The gradient, and the buffer for the next, to which [`turn`](Self::turn) switches.
    pub(crate) fn both(&mut self, now: usize, next: usize) -> (&mut [f32], &mut [f32]) {
        (&mut self.now[..now], &mut self.next[..next])
    }

    /// Switches to the gradient in the other buffer.
    pub(crate) fn turn(&mut self) {
        std::mem::swap(&mut self.now, &mut self.next);
    }
}
