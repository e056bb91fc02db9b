//! The part that a convolution and a transposed one share: both are a correlation and its adjoint, one forward and the other
//! backward.
//!
//! The rows of a batch are cut into groups by shapes alone; a group's task pads a map at a time into scratch of its own,
//! and the weight gradient is summed within each group and then over the groups in order, so the number of threads
//! cannot show in it.

use crate::kernels::contraction::{BroadcastFactor, Contraction, StreamedFactor};
use crate::kernels::threads::Threads;
use crate::kernels::tile::Start;
use crate::layer::map::Map;
use crate::layer::ops::{Entries, LayerOps, LayerParams, OutOfRange, Requirements, WeightPacking};
use crate::layer::{Activation, Backward, Forward, Gradients, Inference, Rows};
use crate::params::ParamKind;
use crate::rng::Stream;

use super::correlation::{Correlation, Kernel};
use super::groups::Groups;

/// The parameters of the forward pass.
#[derive(Clone, Copy)]
pub(super) struct ConvParams<'a> {
    /// The packed weight.
    pub packed: &'a [f32],
    /// A value a channel of the output.
    pub bias: &'a [f32],
}

/// A layer that correlates maps with a kernel, or applies the adjoint of that.
pub(super) trait Convolution {
    const NAME: &'static str;

    /// Whether it goes forward by the adjoint.
    const IS_TRANSPOSED: bool;

    /// Input and output.
    fn maps(&self) -> (Map, Map);

    fn kernel(&self) -> Kernel;

    /// A padding that does not suit the maps.
    fn padding_out_of_range(&self) -> Option<OutOfRange>;

    /// Floats of scratch for the forward pass of `n` rows.
    fn forward_scratch_len(&self, n: usize) -> usize;

    /// The forward pass.
    fn compute(
        &self,
        rows: Rows<'_>,
        params: ConvParams<'_>,
        activation: Activation,
        scratch: &mut [f32],
        input: &[f32],
        output: &mut [f32],
    );

    /// The correlation that it is, or is the adjoint of.
    fn correlation(&self) -> Correlation {
        let (input, output) = self.maps();
        if Self::IS_TRANSPOSED {
            Correlation::new(output, self.kernel(), input)
        } else {
            Correlation::new(input, self.kernel(), output)
        }
    }

    /// Output channels: as many as biases.
    fn channels(&self) -> usize {
        self.maps().1.channels
    }

    /// Floats of scratch for the backward pass of `n` rows.
    fn backward_scratch_len(&self, n: usize) -> usize {
        let correlation = self.correlation();
        Rows::MOST_GROUPS.min(n) * (correlation.weight_len() + self.channels() + work_len(correlation))
    }

    /// The trainable values apart.
    fn params<'a>(&self, params: &'a [f32], packed: &'a [f32]) -> ConvParams<'a> {
        ConvParams { packed, bias: &params[params.len() - self.channels()..] }
    }
}

/// The size of a kernel with its dilation; zero for a kernel of nothing.
pub(super) fn span(kernel: usize, dilation: usize) -> usize {
    if kernel == 0 { 0 } else { dilation * (kernel - 1) + 1 }
}

/// Scratch that either half of a backward pass needs.
fn work_len(correlation: Correlation) -> usize {
    correlation.correlate_scratch().max(correlation.adjoint_scratch())
}

impl<C: Convolution> WeightPacking for C {
    fn packed_len(&self) -> usize {
        self.correlation().packed_len()
    }

    fn pack(&self, params: &[f32], packed: &mut [f32], _: &Threads) {
        let correlation = self.correlation();
        correlation.pack(&params[..correlation.weight_len()], packed);
    }
}

impl<C: Convolution + Sync> LayerParams for C {
    fn entries(&self, kind: ParamKind) -> Entries {
        if kind == ParamKind::Buffer {
            return vec![];
        }
        let correlation = self.correlation();
        let (height, width) = self.kernel().size;
        vec![("weight", vec![correlation.outputs, correlation.inputs, height, width]), ("bias", vec![self.channels()])]
    }

    /// PyTorch's default: weight and bias uniform in +-1 / sqrt(channels of the correlation's input * taps), each
    /// from its own stream.
    fn init(&self, kind: ParamKind, values: &mut [f32], stream: &dyn Fn(usize) -> Stream) {
        if kind == ParamKind::Buffer {
            return;
        }
        let correlation = self.correlation();
        let bound = (correlation.terms() as f32).sqrt().recip();
        let (weight, bias) = values.split_at_mut(correlation.weight_len());
        stream(0).fill_uniform(weight);
        stream(1).fill_uniform(bias);
        values.iter_mut().for_each(|value| *value = (2.0 * *value - 1.0) * bound);
    }

    fn packing(&self) -> Option<&dyn WeightPacking> {
        Some(self)
    }
}

impl<C: Convolution + Sync> LayerOps for C {
    fn describe(&self) -> String {
        let (input, output) = self.maps();
        format!("{}({input} -> {output})", Self::NAME)
    }

    fn widths(&self) -> Option<(usize, usize)> {
        let (input, output) = self.maps();
        Some((input.size(), output.size()))
    }

    fn out_of_range(&self) -> Option<OutOfRange> {
        let Kernel { size, stride, dilation, .. } = self.kernel();
        if [size, stride, dilation].iter().any(|pair| pair.0 == 0 || pair.1 == 0) {
            let got = format!("{size:?}, {stride:?} and {dilation:?}");
            return Some(("kernel, stride and dilation of at least 1".into(), got));
        }
        self.padding_out_of_range()
    }

    fn params(&self) -> Option<&dyn LayerParams> {
        Some(self)
    }

    fn requirements(&self, n: usize, _: usize) -> Requirements {
        let inference_scratch = self.forward_scratch_len(n);
        let training_scratch = inference_scratch.max(self.backward_scratch_len(n));
        Requirements { training_scratch, inference_scratch, ..Requirements::NONE }
    }

    fn backward_reads_output(&self) -> bool {
        false
    }

    fn fuses_activation(&self) -> bool {
        true
    }

    fn forward(&self, pass: Forward<'_>, input: &[f32], output: &mut [f32]) {
        let params = self.params(pass.params, pass.packed);
        self.compute(pass.rows, params, pass.activation, pass.scratch, input, output);
    }

    fn infer(&self, pass: Inference<'_>, input: &[f32], output: &mut [f32]) {
        let params = self.params(pass.params, pass.packed);
        self.compute(pass.rows, params, pass.activation, pass.scratch, input, output);
    }

    /// The gradients of weight and bias, and the gradients back to the input: rows of a group take turns at both.
    fn backward(&self, pass: Backward<'_>, gradients: &mut Gradients) {
        let Backward { rows, packed, scratch, input, gradient, wants_input, .. } = pass;
        let (correlation, channels) = (self.correlation(), self.channels());
        let (inputs, outputs) = (self.maps().0.size(), self.maps().1.size());
        let groups = Groups::new(rows, correlation.cost());
        let weight_len = correlation.weight_len();
        let sums_len = weight_len + channels;
        let group_len = sums_len + work_len(correlation);
        let scratch = &mut scratch[..groups.n * group_len];
        let (d_output, d_input) = gradients.both(rows.n * outputs, if wants_input { rows.n * inputs } else { 0 });
        let d_output = &*d_output;
        let add_gradient = |row: usize, sums: &mut [f32], work: &mut [f32]| {
            let (x, d_y) = (&input[row * inputs..][..inputs], &d_output[row * outputs..][..outputs]);
            let (d_weight, d_bias) = sums.split_at_mut(weight_len);
            let (small, large) = if Self::IS_TRANSPOSED { (x, d_y) } else { (d_y, x) };
            correlation.add_gradient(large, small, d_weight, work);
            add_pixels(d_y, d_bias);
        };
        if wants_input {
            rows.threads.chunks2((d_input, groups.size * inputs), (scratch, group_len), |g, d_input, scratch| {
                let (sums, work) = scratch.split_at_mut(sums_len);
                sums.fill(0.0);
                for (i, d_x) in d_input.chunks_exact_mut(inputs).enumerate() {
                    let row = g * groups.size + i;
                    add_gradient(row, sums, work);
                    let d_y = &d_output[row * outputs..][..outputs];
                    if Self::IS_TRANSPOSED {
                        correlation.correlate(d_y, packed, Start::Zero, d_x, work);
                    } else {
                        correlation.adjoint(d_y, packed, Start::Zero, d_x, work);
                    }
                }
            });
            gradients.swap();
        } else {
            rows.threads.chunks(scratch, group_len, |g, scratch| {
                let (sums, work) = scratch.split_at_mut(sums_len);
                sums.fill(0.0);
                for row in g * groups.size..((g + 1) * groups.size).min(rows.n) {
                    add_gradient(row, sums, work);
                }
            });
        }
        let (d_weight, d_bias) = gradient.split_at_mut(weight_len);
        correlation.collect(scratch, group_len, d_weight);
        d_bias.fill(0.0);
        for group in scratch.chunks_exact(group_len) {
            d_bias.iter_mut().zip(&group[weight_len..]).for_each(|(sum, x)| *sum += x);
        }
    }
}

/// sums[c] += the sum of channel c over all pixels, in their order.
fn add_pixels(values: &[f32], sums: &mut [f32]) {
    let channels = sums.len();
    let what = Contraction {
        blocks: 1,
        rows: 1,
        columns: channels,
        depth: [1, 1, values.len() / channels],
        left: BroadcastFactor { data: &[1.0], block: 0, row: 0, steps: [0; 3] },
        right: StreamedFactor { data: values, block: 0, steps: [0, 0, channels] },
        start: Start::Destination,
        to_block: channels,
        to_row: channels,
    };
    what.run(sums);
}
