//! Convolutions and transposed ones: a correlation and its adjoint, one forward and the other backward.

use narrows_engine::{Conv, ConvTranspose, Map, Padding, PaddingMode};

use crate::floats::Floats;
use crate::kernel::{self, ProductKernels};
use crate::operation::{Count, Grid, Word};
use crate::recorder::{Recorder, Terms};
use crate::stages::Stage;

use super::Back;

/// A correlation of a large map, whose results are a small one; see `correlation_shape.wgsl`.
#[derive(Clone, Copy)]
struct Correlation {
    large: Map,
    small: Map,
    kernel: (usize, usize),
    stride: (usize, usize),
    dilation: (usize, usize),
    padding: Padding,
    mode: PaddingMode,
    /// The first of the weights.
    weight: usize,
}

/// The number of a padding in `correlation_shape.wgsl`.
fn number(mode: PaddingMode) -> usize {
    match mode {
        PaddingMode::Zeros => 0,
        PaddingMode::Reflect => 1,
        PaddingMode::Replicate => 2,
    }
}

impl Correlation {
    fn of(conv: &Conv, weight: usize) -> Self {
        let Conv { input, kernel, stride, dilation, padding, mode, .. } = *conv;
        Self { large: input, small: conv.output(), kernel, stride, dilation, padding, mode, weight }
    }

    /// That of which a transposed convolution is the adjoint.
    fn of_transposed(conv: &ConvTranspose, weight: usize) -> Self {
        let ConvTranspose { input, kernel, stride, dilation, padding, .. } = *conv;
        let mode = PaddingMode::Zeros;
        Self { large: conv.output(), small: input, kernel, stride, dilation, padding, mode, weight }
    }

    fn taps(&self) -> usize {
        self.kernel.0 * self.kernel.1
    }

    fn weight_len(&self) -> usize {
        self.large.channels * self.small.channels * self.taps()
    }

    /// The map with its padding, as a correlation without one sees it.
    fn padded(&self) -> Self {
        let Padding { top, bottom, left, right } = self.padding;
        let Map { height, width, channels } = self.large;
        let large = Map::new(height + top + bottom, width + left + right, channels);
        Self { large, padding: Padding::NONE, mode: PaddingMode::Zeros, ..*self }
    }

    fn fields(&self, bias: Option<usize>, slice: usize) -> [(&'static str, Word); 19] {
        [
            ("large_height", self.large.height.into()),
            ("large_width", self.large.width.into()),
            ("large_channels", self.large.channels.into()),
            ("small_height", self.small.height.into()),
            ("small_width", self.small.width.into()),
            ("small_channels", self.small.channels.into()),
            ("kernel_width", self.kernel.1.into()),
            ("taps", self.taps().into()),
            ("stride_down", self.stride.0.into()),
            ("stride_across", self.stride.1.into()),
            ("dilation_down", self.dilation.0.into()),
            ("dilation_across", self.dilation.1.into()),
            ("top", self.padding.top.into()),
            ("left", self.padding.left.into()),
            ("mode", number(self.mode).into()),
            ("weight_first", self.weight.into()),
            ("bias_first", bias.unwrap_or(0).into()),
            ("has_bias", bias.is_some().into()),
            ("slice", slice.into()),
        ]
    }
}

impl Recorder<'_> {
    pub(super) fn conv(&mut self, conv: &Conv, stage: &Stage, input: &Floats, output: &Floats) {
        let correlation = Correlation::of(conv, stage.trainable.start);
        let bias = correlation.weight + correlation.weight_len();
        self.correlate(correlation, Some(bias), input, output);
    }

    pub(super) fn conv_transpose(&mut self, conv: &ConvTranspose, stage: &Stage, input: &Floats, output: &Floats) {
        let correlation = Correlation::of_transposed(conv, stage.trainable.start);
        let bias = correlation.weight + correlation.weight_len();
        self.adjoint(correlation, Some(bias), input, output);
    }

    pub(super) fn conv_back(&mut self, conv: &Conv, back: &Back<'_>) -> Option<Floats> {
        let correlation = Correlation::of(conv, back.stage.trainable.start);
        self.kernel_gradient(correlation, back.input, back.gradient, back.d_params);
        self.channel_sums(correlation, correlation.small, back);
        back.wants_input.then(|| {
            let to = self.take_rows(correlation.large.size());
            if correlation.mode == PaddingMode::Zeros {
                self.adjoint(correlation, None, back.gradient, &to);
            } else {
                let plane = self.take_rows(correlation.padded().large.size());
                self.adjoint(correlation.padded(), None, back.gradient, &plane);
                self.fold(correlation, &plane, &to);
                self.give(plane);
            }
            to
        })
    }

    pub(super) fn conv_transpose_back(&mut self, conv: &ConvTranspose, back: &Back<'_>) -> Option<Floats> {
        let correlation = Correlation::of_transposed(conv, back.stage.trainable.start);
        self.kernel_gradient(correlation, back.gradient, back.input, back.d_params);
        self.channel_sums(correlation, correlation.large, back);
        back.wants_input.then(|| {
            let to = self.take_rows(correlation.small.size());
            self.correlate(correlation, None, back.gradient, &to);
            to
        })
    }

    fn correlate(&mut self, correlation: Correlation, bias: Option<usize>, large: &Floats, small: &Floats) {
        let Correlation { large: from, small: to, .. } = correlation;
        self.map_product(&kernel::CORRELATION, correlation, bias, (to, from.channels), [large, small]);
    }

    fn adjoint(&mut self, correlation: Correlation, bias: Option<usize>, small: &Floats, large: &Floats) {
        let Correlation { large: to, small: from, .. } = correlation;
        self.map_product(&kernel::ADJOINT, correlation, bias, (to, from.channels), [small, large]);
    }

    /// A product with a row for every pixel of a map, over all taps of so many channels.
    fn map_product(
        &mut self,
        kernels: &ProductKernels,
        correlation: Correlation,
        bias: Option<usize>,
        (to, channels): (Map, usize),
        [from, into]: [&Floats; 2],
    ) {
        let depth = correlation.taps() * channels;
        let params = self.params.clone();
        let (rows, columns) = (Count::PerRow(to.positions()), to.channels);
        let (tile, kernel) = kernels.of(columns);
        let grid = Grid::Tiles { tile, rows, columns, depth: Count::Fixed(depth), slice: depth };
        self.run(kernel, &correlation.fields(bias, depth), &[from, &params, into], grid);
    }

    fn kernel_gradient(&mut self, correlation: Correlation, large: &Floats, small: &Floats, d_params: &Floats) {
        let (rows, columns) = (correlation.small.channels, correlation.taps() * correlation.large.channels);
        let depth = Count::PerRow(correlation.small.positions());
        let slice = self.slice(depth, rows, columns);
        let len = correlation.weight_len();
        let parts = self.take(depth.of(self.capacity).div_ceil(slice).saturating_mul(len));
        let (tile, kernel) = kernel::WEIGHT_GRADIENT.of(columns);
        let grid = Grid::Tiles { tile, rows: Count::Fixed(rows), columns, depth, slice };
        self.run(kernel, &correlation.fields(None, slice), &[large, small, &parts], grid);
        let terms = Terms { count: depth, slice, is_mean: false };
        self.collect(&parts, len, terms, (d_params, correlation.weight), 0);
        self.give(parts);
    }

    fn channel_sums(&mut self, correlation: Correlation, output: Map, back: &Back<'_>) {
        let to = (back.d_params, correlation.weight + correlation.weight_len());
        self.bias_gradient(output.positions(), output.channels, back.gradient, to, 0);
    }

    /// The gradient of a map from that of its padded plane.
    fn fold(&mut self, correlation: Correlation, plane: &Floats, to: &Floats) {
        let Correlation { large, padding, mode, .. } = correlation;
        let fields: [(&str, Word); 8] = [
            ("height", large.height.into()),
            ("width", large.width.into()),
            ("channels", large.channels.into()),
            ("top", padding.top.into()),
            ("bottom", padding.bottom.into()),
            ("left", padding.left.into()),
            ("right", padding.right.into()),
            ("mode", number(mode).into()),
        ];
        self.each(&kernel::FOLD, large.size(), &fields, &[plane, to]);
    }
}
