//! Convolution, as deep learning calls a correlation, over the pixels of a map or the steps of a series.
//!
//! The weight is `[channels, input channels, height, width]` as in PyTorch. The rows of a batch are cut
//! into groups by shapes alone; a group's task pads a map at a time into scratch of its own, and the
//! weight gradient is summed within each group and then over the groups in order, so the number of
//! threads cannot show in it.

mod axis;
mod correlation;
mod plane;
mod transpose;

use crate::kernels::contraction::{Contraction, Left, Right, Start};
use crate::rng::Stream;

use super::map::{Map, Padding, PaddingMode};
use super::{Activation, Backward, Flow, Rows};

use correlation::{Correlation, Kernel};

pub use transpose::ConvTranspose;

/// A convolutional layer; pairs are (height, width).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Conv {
    /// What a row of the input holds.
    pub input: Map,
    /// Channels of the output.
    pub channels: usize,
    /// Pixels that the kernel spans; a series has height 1.
    pub kernel: (usize, usize),
    /// Pixels from a window to the next.
    pub stride: (usize, usize),
    /// Pixels from a tap of the kernel to the next.
    pub dilation: (usize, usize),
    /// Pixels added at the edges.
    pub padding: Padding,
    /// What they hold.
    pub mode: PaddingMode,
}

/// What a convolution is given in either direction.
#[derive(Clone, Copy)]
pub(super) struct ConvParams<'a> {
    /// What `pack` left.
    pub packed: &'a [f32],
    /// A value a channel of the output.
    pub bias: &'a [f32],
}

/// The size of a kernel with its dilation; zero for a kernel of nothing.
fn span(kernel: usize, dilation: usize) -> usize {
    if kernel == 0 { 0 } else { dilation * (kernel - 1) + 1 }
}

impl Conv {
    /// A kernel that goes over the pixels one by one and adds none.
    pub fn new(input: Map, channels: usize, kernel: (usize, usize)) -> Self {
        Self {
            input,
            channels,
            kernel,
            stride: (1, 1),
            dilation: (1, 1),
            padding: Padding::NONE,
            mode: PaddingMode::Zeros,
        }
    }

    /// A kernel that keeps height and width, with zeros around the map.
    pub fn same(input: Map, channels: usize, kernel: (usize, usize)) -> Self {
        Self { padding: Padding::same(kernel, (1, 1)), ..Self::new(input, channels, kernel) }
    }

    /// What a row of the output holds; no pixels where the kernel is larger than the padded map.
    pub fn output(&self) -> Map {
        let pixels = |input: usize, padding: usize, kernel: usize, stride: usize, dilation: usize| {
            let room = (input + padding + 1).saturating_sub(span(kernel, dilation).max(1));
            if stride == 0 { 0 } else { room.div_ceil(stride) }
        };
        let Self { input, kernel, stride, dilation, padding, .. } = *self;
        Map {
            height: pixels(input.height, padding.top + padding.bottom, kernel.0, stride.0, dilation.0),
            width: pixels(input.width, padding.left + padding.right, kernel.1, stride.1, dilation.1),
            channels: self.channels,
        }
    }

    /// (expected, got) of a setting that is out of its range.
    pub(super) fn misfit(&self) -> Option<(String, String)> {
        let Self { input, kernel, stride, dilation, padding, .. } = *self;
        if [kernel, stride, dilation].iter().any(|pair| pair.0 == 0 || pair.1 == 0) {
            let got = format!("{kernel:?}, {stride:?} and {dilation:?}");
            return Some(("kernel, stride and dilation of at least 1".into(), got));
        }
        let reflects_too_much =
            padding.top.max(padding.bottom) >= input.height || padding.left.max(padding.right) >= input.width;
        if self.mode == PaddingMode::Reflect && reflects_too_much {
            return Some((format!("a padding smaller than the map {input}, to reflect it"), format!("{padding:?}")));
        }
        None
    }

    /// The shapes of weight and bias.
    pub(super) fn shapes(&self) -> [Vec<usize>; 2] {
        [vec![self.channels, self.input.channels, self.kernel.0, self.kernel.1], vec![self.channels]]
    }

    /// `nn.Conv2d`'s default: weight and bias uniform in +-1 / sqrt(input channels * taps).
    pub(super) fn init(&self, values: &mut [f32], streams: [Stream; 2]) {
        let fan_in = self.input.channels * self.kernel.0 * self.kernel.1;
        init(values, self.correlation().weight_len(), fan_in, streams);
    }

    fn correlation(&self) -> Correlation {
        let Self { kernel: size, stride, dilation, padding, mode, .. } = *self;
        Correlation::new(self.input, Kernel { size, stride, dilation, padding, mode }, self.output())
    }

    pub(super) fn packed_len(&self) -> usize {
        self.correlation().packed_len()
    }

    pub(super) fn pack(&self, params: &[f32], packed: &mut [f32]) {
        let correlation = self.correlation();
        correlation.pack(&params[..correlation.weight_len()], packed);
    }

    /// The trainable values apart.
    pub(super) fn params<'a>(&self, params: &'a [f32], packed: &'a [f32]) -> ConvParams<'a> {
        ConvParams { packed, bias: &params[params.len() - self.channels..] }
    }

    /// Floats of scratch for the forward pass of `n` rows.
    pub(super) fn forward_scratch(&self, n: usize) -> usize {
        let correlation = self.correlation();
        Rows::MOST_GROUPS.min(n).max(self.bands()) * correlation.band_scratch().max(1)
    }

    /// Floats of scratch for the backward pass of `n` rows.
    pub(super) fn backward_scratch(&self, n: usize) -> usize {
        let correlation = self.correlation();
        Rows::MOST_GROUPS.min(n) * (correlation.weight_len() + self.channels + work_len(correlation))
    }

    /// output = activation(correlation of the input + bias).
    pub(super) fn forward(
        &self,
        rows: Rows<'_>,
        params: ConvParams<'_>,
        activation: Activation,
        scratch: &mut [f32],
        input: &[f32],
        output: &mut [f32],
    ) {
        let correlation = self.correlation();
        let work = correlation.band_scratch().max(1);
        let (band, line) = (correlation.band(), correlation.output_line());
        let (inputs, outputs) = (correlation.input_size(), correlation.output_size());
        let compute = |input: &[f32], i: usize, output: &mut [f32], work: &mut [f32]| {
            correlation.correlate_band(input, params.packed, Start::Bias(params.bias), i * band, output, work);
            activation.apply(output);
        };
        let rows_share = self.bands() <= rows.n;
        if rows_share || !rows.are_worth_sharing(correlation.cost()) {
            let groups = Groups::new(rows, correlation.cost());
            groups.forward((inputs, outputs), (scratch, work), input, output, |input, output, work| {
                for (i, output) in output.chunks_mut(band * line).enumerate() {
                    compute(input, i, output, work);
                }
            });
            return;
        }
        // A few large maps: threads share the bands of each.
        let scratch = &mut scratch[..self.bands() * work];
        for (input, output) in input.chunks_exact(inputs).zip(output.chunks_exact_mut(outputs)) {
            rows.threads.chunks2((output, band * line), (&mut *scratch, work), |i, output, work| {
                compute(input, i, output, work);
            });
        }
    }

    /// Bands that a map of the output is computed in.
    fn bands(&self) -> usize {
        self.output().height.div_ceil(self.correlation().band())
    }

    /// The gradients of weight and bias, and the flow back to the input.
    pub(super) fn backward(&self, pass: Backward<'_>, flow: &mut Flow) {
        let correlation = self.correlation();
        let packed = pass.packed;
        let sizes = (correlation.input_size(), correlation.output_size());
        backward(
            correlation,
            sizes,
            self.channels,
            pass,
            flow,
            |input, d_output, sums, work| correlation.add_gradient(input, d_output, sums, work),
            |d_output, d_input, work| correlation.adjoint(d_output, packed, Start::Zero, d_input, work),
        );
    }
}

/// Fills weight and bias, each from its own stream, as PyTorch does.
fn init(values: &mut [f32], weight_len: usize, fan_in: usize, [mut weight_stream, mut bias_stream]: [Stream; 2]) {
    let bound = (fan_in as f32).sqrt().recip();
    let (weight, bias) = values.split_at_mut(weight_len);
    weight_stream.fill_uniform(weight);
    bias_stream.fill_uniform(bias);
    values.iter_mut().for_each(|value| *value = (2.0 * *value - 1.0) * bound);
}

/// Scratch that either half of a backward pass needs.
fn work_len(correlation: Correlation) -> usize {
    correlation.correlate_scratch().max(correlation.adjoint_scratch())
}

/// A batch cut into groups of rows, each a task.
#[derive(Clone, Copy)]
struct Groups<'a> {
    rows: Rows<'a>,
    /// Rows of a group.
    size: usize,
    /// Groups.
    n: usize,
}

impl<'a> Groups<'a> {
    /// As many groups as are worth it, where `cost` is that of a row in multiply-adds.
    fn new(rows: Rows<'a>, cost: usize) -> Self {
        let size = rows.group(cost);
        Self { rows, size, n: rows.n.div_ceil(size) }
    }

    /// Calls `each(input, output, work)` for every row; rows of a group share their `work` floats.
    fn forward(
        self,
        (inputs, outputs): (usize, usize),
        (scratch, work): (&mut [f32], usize),
        input: &[f32],
        output: &mut [f32],
        each: impl Fn(&[f32], &mut [f32], &mut [f32]) + Sync,
    ) {
        let scratch = &mut scratch[..self.n * work];
        self.rows.threads.chunks2((output, self.size * outputs), (scratch, work), |g, output, work| {
            let input = &input[g * self.size * inputs..];
            for (x, y) in input.chunks_exact(inputs).zip(output.chunks_exact_mut(outputs)) {
                each(x, y, work);
            }
        });
    }
}

/// The backward pass of either kind of convolution: rows of a group take turns at `add_gradient(input,
/// d_output, sums, work)` and `turn(d_output, d_input, work)`.
fn backward(
    correlation: Correlation,
    (inputs, outputs): (usize, usize),
    channels: usize,
    pass: Backward<'_>,
    flow: &mut Flow,
    add_gradient: impl Fn(&[f32], &[f32], &mut [f32], &mut [f32]) + Sync,
    turn: impl Fn(&[f32], &mut [f32], &mut [f32]) + Sync,
) {
    let Backward { rows, scratch, input, gradient, wants_input, .. } = pass;
    let groups = Groups::new(rows, correlation.cost());
    let weight_len = correlation.weight_len();
    let (sums_len, work) = (weight_len + channels, work_len(correlation));
    let group_len = sums_len + work;
    let scratch = &mut scratch[..groups.n * group_len];
    let (d_output, d_input) = flow.both(rows.n * outputs, if wants_input { rows.n * inputs } else { 0 });
    let d_output = &*d_output;
    let one = |row: usize, sums: &mut [f32], work: &mut [f32]| {
        let d_output = &d_output[row * outputs..][..outputs];
        let (d_weight, d_bias) = sums.split_at_mut(weight_len);
        add_gradient(&input[row * inputs..][..inputs], d_output, d_weight, work);
        add_pixels(d_output, d_bias);
    };
    if wants_input {
        rows.threads.chunks2((d_input, groups.size * inputs), (scratch, group_len), |g, d_input, scratch| {
            let (sums, work) = scratch.split_at_mut(sums_len);
            sums.fill(0.0);
            for (i, d_input) in d_input.chunks_exact_mut(inputs).enumerate() {
                let row = g * groups.size + i;
                one(row, sums, work);
                turn(&d_output[row * outputs..][..outputs], d_input, work);
            }
        });
        flow.turn();
    } else {
        rows.threads.chunks(scratch, group_len, |g, scratch| {
            let (sums, work) = scratch.split_at_mut(sums_len);
            sums.fill(0.0);
            for row in g * groups.size..((g + 1) * groups.size).min(rows.n) {
                one(row, sums, work);
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

/// sums[c] += the sum of channel c over all pixels, in their order.
fn add_pixels(values: &[f32], sums: &mut [f32]) {
    let channels = sums.len();
    let what = Contraction {
        blocks: 1,
        rows: 1,
        columns: channels,
        depth: [1, 1, values.len() / channels],
        left: Left { data: &[1.0], block: 0, row: 0, steps: [0; 3] },
        right: Right { data: values, block: 0, steps: [0, 0, channels] },
        start: Start::Destination,
        to_block: channels,
        to_row: channels,
    };
    what.run(sums);
}

#[cfg(test)]
mod tests {
    use crate::*;

    fn check(name: &str, encoder: Vec<Layer>, decoder: Vec<Layer>) {
        let outputs = decoder.iter().rev().find_map(Layer::widths).unwrap().1;
        let network = Network::new(encoder, Latent::Point, decoder, Output::single(outputs, Loss::Mse)).unwrap();
        crate::gradcheck::check(&network, Sparsity::None);
        crate::golden::check(name, &network);
    }

    const TANH: Layer = Layer::Activation(Activation::Tanh);

    #[test]
    fn strides_dilations_and_sides_agree_with_pytorch() {
        let first = Conv {
            padding: Padding { top: 2, bottom: 1, left: 0, right: 1 },
            ..Conv::new(Map::new(7, 6, 2), 3, (3, 2))
        };
        let second = Conv {
            stride: (2, 1),
            padding: Padding::even(1, 0),
            dilation: (1, 2),
            ..Conv::new(first.output(), 17, (3, 3))
        };
        let third = Conv::new(second.output(), 4, (1, 1));
        check("conv", vec![Layer::Conv(first), TANH, Layer::Conv(second)], vec![TANH, Layer::Conv(third)]);
    }

    #[test]
    fn edges_that_show_the_map_agree_with_pytorch() {
        for (name, mode, bottom) in
            [("conv_reflect", PaddingMode::Reflect, 3), ("conv_replicate", PaddingMode::Replicate, 6)]
        {
            let first = Conv {
                padding: Padding { top: 1, bottom, left: 2, right: 1 },
                mode,
                ..Conv::new(Map::new(5, 4, 2), 3, (3, 3))
            };
            let second = Conv {
                padding: Padding { top: 0, bottom: 2, left: 1, right: 1 },
                stride: (2, 1),
                mode,
                ..Conv::new(first.output(), 2, (3, 1))
            };
            check(name, vec![Layer::Conv(first), TANH], vec![Layer::Conv(second)]);
        }
    }

    #[test]
    fn transposed_convolutions_agree_with_pytorch() {
        let conv = Conv { stride: (2, 2), padding: Padding::even(1, 1), ..Conv::new(Map::new(5, 4, 2), 18, (3, 3)) };
        let first = ConvTranspose {
            stride: (2, 2),
            padding: Padding::even(1, 0),
            output_padding: (0, 1),
            ..ConvTranspose::new(conv.output(), 3, (3, 4))
        };
        let second =
            ConvTranspose { stride: (1, 3), dilation: (2, 2), ..ConvTranspose::new(first.output(), 2, (2, 2)) };
        let decoder = vec![Layer::ConvTranspose(first), TANH, Layer::ConvTranspose(second)];
        check("conv_transpose", vec![Layer::Conv(conv), TANH], decoder);
    }

    #[test]
    fn series_agree_with_pytorch() {
        let first = Conv { stride: (1, 2), padding: Padding::even(0, 2), ..Conv::new(Map::series(12, 3), 5, (1, 5)) };
        let second = Conv { dilation: (1, 2), ..Conv::new(first.output(), 18, (1, 3)) };
        let third = ConvTranspose { dilation: (1, 2), ..ConvTranspose::new(second.output(), 5, (1, 3)) };
        let fourth = ConvTranspose {
            stride: (1, 2),
            padding: Padding::even(0, 2),
            output_padding: (0, 1),
            ..ConvTranspose::new(third.output(), 3, (1, 5))
        };
        assert_eq!(fourth.output(), first.input);
        let encoder = vec![Layer::Conv(first), TANH, Layer::Conv(second)];
        check("conv_series", encoder, vec![Layer::ConvTranspose(third), TANH, Layer::ConvTranspose(fourth)]);
    }

    #[test]
    fn initial_weights_fill_pytorchs_range() {
        let check = |layer: Layer, bound: f32| {
            let network = Network {
                encoder: vec![layer],
                latent: Latent::Point,
                decoder: vec![],
                output: Output { groups: vec![] },
            };
            let params = network.init(1);
            let largest = params.as_slice().iter().fold(0.0_f32, |largest, w| largest.max(w.abs()));
            assert!(largest <= bound && largest > 0.95 * bound, "{layer}: {largest}, bound {bound}");
        };
        let map = Map::new(8, 8, 4);
        check(Layer::Conv(Conv::new(map, 9, (3, 5))), (60.0_f32).sqrt().recip());
        check(Layer::ConvTranspose(ConvTranspose::new(map, 9, (3, 5))), (135.0_f32).sqrt().recip());
    }

    #[test]
    fn what_does_not_fit_is_named() {
        let map = Map::new(4, 4, 1);
        let message = |layer: Layer| {
            let output = Output::single(1, Loss::Mse);
            Network::new(vec![layer], Latent::Point, vec![Layer::dense(1, 1)], output).unwrap_err().to_string()
        };
        let reflect = Conv { mode: PaddingMode::Reflect, padding: Padding::even(4, 0), ..Conv::new(map, 2, (3, 3)) };
        let cases = [
            (Layer::Conv(Conv::new(map, 2, (5, 5))), "Conv(4x4x1 -> 0x0x2)`: expected widths of at least 1"),
            (Layer::Conv(Conv { stride: (0, 1), ..Conv::new(map, 2, (3, 3)) }), "at least 1"),
            (Layer::Conv(Conv::new(map, 2, (0, 1))), "kernel, stride and dilation of at least 1"),
            (Layer::Conv(reflect), "smaller than the map 4x4x1"),
            (
                Layer::ConvTranspose(ConvTranspose { output_padding: (1, 0), ..ConvTranspose::new(map, 2, (3, 3)) }),
                "an output padding smaller than stride or dilation",
            ),
        ];
        for (layer, part) in cases {
            let message = message(layer);
            assert!(message.contains(part), "{message}");
        }
    }
}
