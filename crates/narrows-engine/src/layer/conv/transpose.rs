//! Transposed convolution: the adjoint of a convolution as a layer, to go from a small map to a large one.
//!
//! The weight is `[input channels, channels, height, width]` as in PyTorch: that of the convolution from
//! the output's map to the input's, of which this is the adjoint.

use crate::kernels::tile::Start;
use crate::layer::map::{Map, Padding, PaddingMode};
use crate::layer::ops::OutOfRange;
use crate::layer::{Activation, Rows};

use super::correlation::Kernel;
use super::groups::Groups;
use super::layer::{ConvParams, Convolution, span};

/// A transposed convolution; pairs are (height, width).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConvTranspose {
    /// The shape of an input row.
    pub input: Map,
    /// Channels of the output.
    pub channels: usize,
    /// Pixels that an input pixel is spread over; a series has height 1.
    pub kernel: (usize, usize),
    /// Pixels of the output from where an input pixel goes to where the next goes.
    pub stride: (usize, usize),
    /// Pixels from a tap of the kernel to the next.
    pub dilation: (usize, usize),
    /// Pixels taken away at the edges of the output.
    pub padding: Padding,
    /// Pixels added at bottom and right: several sizes shrink to one under a stride.
    pub output_padding: (usize, usize),
}

impl ConvTranspose {
    /// A kernel of stride 1 that takes nothing away.
    pub fn new(input: Map, channels: usize, kernel: (usize, usize)) -> Self {
        Self {
            input,
            channels,
            kernel,
            stride: (1, 1),
            dilation: (1, 1),
            padding: Padding::NONE,
            output_padding: (0, 0),
        }
    }

    /// The shape of an output row; no pixels where the padding takes all away.
    pub fn output(&self) -> Map {
        let pixels = |input: usize, padding: usize, kernel: usize, stride: usize, dilation: usize, more: usize| {
            (input.saturating_sub(1) * stride + span(kernel, dilation) + more).saturating_sub(padding)
        };
        let Self { input, kernel, stride, dilation, padding, output_padding, .. } = *self;
        let vertical = padding.top + padding.bottom;
        let horizontal = padding.left + padding.right;
        Map {
            height: pixels(input.height, vertical, kernel.0, stride.0, dilation.0, output_padding.0),
            width: pixels(input.width, horizontal, kernel.1, stride.1, dilation.1, output_padding.1),
            channels: self.channels,
        }
    }
}

impl Convolution for ConvTranspose {
    const NAME: &'static str = "ConvTranspose";
    const IS_TRANSPOSED: bool = true;

    fn maps(&self) -> (Map, Map) {
        (self.input, self.output())
    }

    fn kernel(&self) -> Kernel {
        let Self { kernel: size, stride, dilation, padding, .. } = *self;
        Kernel { size, stride, dilation, padding, mode: PaddingMode::Zeros }
    }

    fn padding_out_of_range(&self) -> Option<OutOfRange> {
        let Self { stride, dilation, output_padding: more, .. } = *self;
        if more.0 >= stride.0.max(dilation.0) || more.1 >= stride.1.max(dilation.1) {
            let expected = "an output padding smaller than stride or dilation";
            return Some((expected.into(), format!("{more:?}")));
        }
        None
    }

    fn forward_scratch_len(&self, n: usize) -> usize {
        Rows::MOST_GROUPS.min(n) * self.correlation().adjoint_scratch().max(1)
    }

    /// output = activation(adjoint applied to the input + bias).
    fn compute(
        &self,
        rows: Rows<'_>,
        params: ConvParams<'_>,
        activation: Activation,
        scratch: &mut [f32],
        input: &[f32],
        output: &mut [f32],
    ) {
        let correlation = self.correlation();
        let groups = Groups::new(rows, correlation.cost());
        let work = correlation.adjoint_scratch().max(1);
        let sizes = (correlation.output_size(), correlation.input_size());
        groups.forward(sizes, (scratch, work), input, output, |input, output, work| {
            correlation.adjoint(input, params.packed, Start::Bias(params.bias), output, work);
            activation.apply(output);
        });
    }
}
