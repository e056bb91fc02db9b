//! What a loss reads and writes.

use crate::floats::Floats;

/// The buffers of a loss.
#[derive(Clone, Copy)]
pub(crate) struct LossBuffers<'a> {
    /// Pre-activations.
    pub values: &'a Floats,
    pub targets: &'a Floats,
    /// Receives the gradient of the mean over the rows.
    pub gradient: &'a Floats,
    /// Receives the loss of every row, from its beginning on.
    pub losses: &'a Floats,
}
