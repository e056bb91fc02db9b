//! What a layer is given in a pass.

use super::{Activation, DropoutKey, Rows};

/// What a layer is given in the forward pass of training.
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

/// What a layer is given in the backward pass.
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
    /// Whether anybody before it needs a gradient.
    pub wants_input: bool,
}

/// What a layer is given at inference.
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
