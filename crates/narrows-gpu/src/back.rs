//! The values that a stage goes back from.

use crate::floats::Floats;
use crate::stages::Stage;

/// The values of a stage in the backward pass.
pub(crate) struct Back<'a> {
    pub stage: &'a Stage,
    pub input: &'a Floats,
    pub output: &'a Floats,
    /// The gradient for the output.
    pub gradient: &'a Floats,
    pub kept: &'a [Floats],
    /// The gradients of all parameters.
    pub d_params: &'a Floats,
    /// Whether a stage before needs the gradient for the input.
    pub wants_input: bool,
}
