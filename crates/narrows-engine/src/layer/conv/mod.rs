//! Convolution, as deep learning calls a correlation, over the pixels of a map or the steps of a series.
//!
//! The weight is `[channels, input channels, height, width]` as in PyTorch. The part that it shares with a transposed
//! convolution is in `layer`; how a map is correlated with a kernel in `correlation`, `adjoint` and `gradient`.

mod adjoint;
mod axis;
mod correlation;
mod gradient;
mod groups;
mod layer;
mod plane;
mod transpose;

use crate::kernels::tile::Start;

use super::map::{Map, Padding, PaddingMode};
use super::ops::OutOfRange;
use super::{Activation, Rows};

use correlation::Kernel;
use groups::Groups;
use layer::{ConvParams, Convolution, span};

pub use transpose::ConvTranspose;

/// A convolutional layer; pairs are (height, width).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Conv {
    /// The shape of an input row.
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
    /// The values of the added pixels.
    pub mode: PaddingMode,
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

    /// The shape of an output row; no pixels where the kernel is larger than the padded map.
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

    /// Bands that a map of the output is computed in.
    fn bands(&self) -> usize {
        self.output().height.div_ceil(self.correlation().band())
    }
}

impl Convolution for Conv {
    const NAME: &'static str = "Conv";
    const IS_TRANSPOSED: bool = false;

    fn maps(&self) -> (Map, Map) {
        (self.input, self.output())
    }

    fn kernel(&self) -> Kernel {
        let Self { kernel: size, stride, dilation, padding, mode, .. } = *self;
        Kernel { size, stride, dilation, padding, mode }
    }

    fn padding_out_of_range(&self) -> Option<OutOfRange> {
        let Self { input, padding, .. } = *self;
        let reflects_too_much =
            padding.top.max(padding.bottom) >= input.height || padding.left.max(padding.right) >= input.width;
        if self.mode == PaddingMode::Reflect && reflects_too_much {
            return Some((format!("a padding smaller than the map {input}, to reflect it"), format!("{padding:?}")));
        }
        None
    }

    fn forward_scratch_len(&self, n: usize) -> usize {
        Rows::MOST_GROUPS.min(n).max(self.bands()) * self.correlation().band_scratch().max(1)
    }

    /// output = activation(correlation of the input + bias).
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
