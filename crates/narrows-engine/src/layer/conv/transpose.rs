//! Transposed convolution: the adjoint of a convolution as a layer, to go from a small map to a large one.
//!
//! The weight is `[input channels, channels, height, width]` as in PyTorch: that of the convolution from
//! the output's map to the input's, of which this is the adjoint.

use crate::kernels::contraction::Start;
use crate::rng::Stream;

use super::{Backward, ConvParams, Correlation, Flow, Groups, Kernel, init, span, work_len};
use crate::layer::map::{Map, Padding, PaddingMode};
use crate::layer::{Activation, Rows};

/// A transposed convolution; pairs are (height, width).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConvTranspose {
    /// What a row of the input holds.
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

    /// What a row of the output holds; no pixels where the padding takes all away.
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

    /// (expected, got) of a setting that is out of its range.
    pub(in crate::layer) fn misfit(&self) -> Option<(String, String)> {
        let Self { kernel, stride, dilation, output_padding: more, .. } = *self;
        if [kernel, stride, dilation].iter().any(|pair| pair.0 == 0 || pair.1 == 0) {
            let got = format!("{kernel:?}, {stride:?} and {dilation:?}");
            return Some(("kernel, stride and dilation of at least 1".into(), got));
        }
        if more.0 >= stride.0.max(dilation.0) || more.1 >= stride.1.max(dilation.1) {
            let expected = "an output padding smaller than stride or dilation";
            return Some((expected.into(), format!("{more:?}")));
        }
        None
    }

    /// The shapes of weight and bias.
    pub(in crate::layer) fn shapes(&self) -> [Vec<usize>; 2] {
        [vec![self.input.channels, self.channels, self.kernel.0, self.kernel.1], vec![self.channels]]
    }

    /// `nn.ConvTranspose2d`'s default: weight and bias uniform in +-1 / sqrt(channels * taps).
    pub(in crate::layer) fn init(&self, values: &mut [f32], streams: [Stream; 2]) {
        let fan_in = self.channels * self.kernel.0 * self.kernel.1;
        init(values, self.correlation().weight_len(), fan_in, streams);
    }

    /// The convolution of which this is the adjoint.
    fn correlation(&self) -> Correlation {
        let Self { kernel: size, stride, dilation, padding, .. } = *self;
        let kernel = Kernel { size, stride, dilation, padding, mode: PaddingMode::Zeros };
        Correlation::new(self.output(), kernel, self.input)
    }

    pub(in crate::layer) fn packed_len(&self) -> usize {
        self.correlation().packed_len()
    }

    pub(in crate::layer) fn pack(&self, params: &[f32], packed: &mut [f32]) {
        let correlation = self.correlation();
        correlation.pack(&params[..correlation.weight_len()], packed);
    }

    /// The trainable values apart.
    pub(in crate::layer) fn params<'a>(&self, params: &'a [f32], packed: &'a [f32]) -> ConvParams<'a> {
        ConvParams { packed, bias: &params[params.len() - self.channels..] }
    }

    /// Floats of scratch for the forward pass of `n` rows.
    pub(in crate::layer) fn forward_scratch(&self, n: usize) -> usize {
        Rows::MOST_GROUPS.min(n) * self.correlation().adjoint_scratch().max(1)
    }

    /// Floats of scratch for the backward pass of `n` rows.
    pub(in crate::layer) fn backward_scratch(&self, n: usize) -> usize {
        let correlation = self.correlation();
        Rows::MOST_GROUPS.min(n) * (correlation.weight_len() + self.channels + work_len(correlation))
    }

    /// output = activation(adjoint applied to the input + bias).
    pub(in crate::layer) fn forward(
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

    /// The gradients of weight and bias, and the flow back to the input.
    pub(in crate::layer) fn backward(&self, pass: Backward<'_>, flow: &mut Flow) {
        let correlation = self.correlation();
        let packed = pass.packed;
        let sizes = (correlation.output_size(), correlation.input_size());
        super::backward(
            correlation,
            sizes,
            self.channels,
            pass,
            flow,
            |input, d_output, sums, work| correlation.add_gradient(d_output, input, sums, work),
            |d_output, d_input, work| correlation.correlate(d_output, packed, Start::Zero, d_input, work),
        );
    }
}
