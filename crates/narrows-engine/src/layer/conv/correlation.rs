//! A correlation of one sample's map with a kernel; its adjoint and its weight gradient are in separate files.
//!
//! y[o] = sum over taps k and channels c of x[o stride + k dilation - before, c] w[k, c]. A convolution is computed
//! forward by it and backward by its adjoint; a transposed convolution the other way round.
//!
//! All three are one [`Contraction`] over windows that are read in place: its rows are pixels of an output row in the
//! first two, and in the gradient the windows are on whichever side wastes fewer vector lanes.

use crate::kernels::contraction::{BroadcastFactor, Contraction, StreamedFactor};
use crate::kernels::dots::Dots;
use crate::kernels::tile::Start;
use crate::layer::map::{Map, Padding, PaddingMode};

use super::axis::Axis;
use super::plane::{Frame, Plane, Windows};

/// The shapes of a correlation.
#[derive(Debug, Clone, Copy)]
pub(super) struct Correlation {
    pub vertical: Axis,
    pub horizontal: Axis,
    /// Channels of the input.
    pub inputs: usize,
    /// Channels of the output.
    pub outputs: usize,
    pub mode: PaddingMode,
}

/// The kernel of a correlation, without its channels; each pair is (vertical, horizontal).
#[derive(Debug, Clone, Copy)]
pub(super) struct Kernel {
    pub size: (usize, usize),
    pub stride: (usize, usize),
    pub dilation: (usize, usize),
    pub padding: Padding,
    pub mode: PaddingMode,
}

/// The layout of the results.
#[derive(Clone, Copy)]
pub(super) struct Places {
    /// Results per window.
    pub channels: usize,
    /// Whether they are computed as dot products.
    pub by_dots: bool,
    pub first: usize,
    /// Distance between rows of windows.
    pub row: usize,
    /// Distance between windows.
    pub pixel: usize,
}

impl Correlation {
    pub(super) fn new(input: Map, kernel: Kernel, output: Map) -> Self {
        let Kernel { size, stride, dilation, padding, mode } = kernel;
        Self {
            vertical: Axis {
                input: input.height,
                output: output.height,
                kernel: size.0,
                stride: stride.0,
                dilation: dilation.0,
                before: padding.top,
                after: padding.bottom,
            },
            horizontal: Axis {
                input: input.width,
                output: output.width,
                kernel: size.1,
                stride: stride.1,
                dilation: dilation.1,
                before: padding.left,
                after: padding.right,
            },
            inputs: input.channels,
            outputs: output.channels,
            mode,
        }
    }

    pub(super) fn taps(&self) -> usize {
        self.vertical.kernel * self.horizontal.kernel
    }

    /// Values per window.
    pub(super) fn terms(&self) -> usize {
        self.taps() * self.inputs
    }

    /// Number of weights: `[outputs, inputs, height, width]`.
    pub(super) fn weight_len(&self) -> usize {
        self.terms() * self.outputs
    }

    /// Multiply-adds per sample.
    pub(super) fn cost(&self) -> usize {
        self.vertical.output * self.horizontal.output * self.weight_len()
    }

    /// Values per input sample.
    pub(super) fn input_size(&self) -> usize {
        self.vertical.input * self.horizontal.input * self.inputs
    }

    /// Values per output sample.
    pub(super) fn output_size(&self) -> usize {
        self.vertical.output * self.horizontal.output * self.outputs
    }

    /// Floats that [`pack`](Self::pack) writes.
    pub(super) fn packed_len(&self) -> usize {
        2 * self.weight_len()
    }

    /// Packs the weights by window, `[taps, inputs, outputs]`, transposed if results are dot products, and again for
    /// the adjoint.
    pub(super) fn pack(&self, weight: &[f32], packed: &mut [f32]) {
        let (forward, adjoint) = packed.split_at_mut(self.weight_len());
        let taps = self.taps();
        let terms = self.terms();
        let (term_step, output_step) = match self.windows().prefer_dots(self.inputs, self.outputs) {
            true => (1, terms),
            false => (self.outputs, 1),
        };
        for (output, weight) in weight.chunks_exact(terms).enumerate() {
            for (input, weight) in weight.chunks_exact(taps).enumerate() {
                for (tap, &weight) in weight.iter().enumerate() {
                    forward[(tap * self.inputs + input) * term_step + output * output_step] = weight;
                }
            }
        }
        self.pack_adjoint(weight, adjoint);
    }

    /// The padding of the input.
    pub(super) fn frame(&self) -> Frame {
        let (vertical, horizontal) = (self.vertical, self.horizontal);
        Frame {
            size: (vertical.input, horizontal.input),
            before: (vertical.before, horizontal.before),
            after: (vertical.after, horizontal.after),
            mode: self.mode,
        }
    }

    /// The windows of the padded input.
    pub(super) fn windows(&self) -> Windows {
        let (vertical, horizontal) = (self.vertical, self.horizontal);
        Windows {
            count: (vertical.output, horizontal.output),
            steps: (vertical.stride, horizontal.stride),
            taps: (vertical.kernel, horizontal.kernel),
            tap_steps: (vertical.dilation, horizontal.dilation),
            first: (0, 0),
        }
    }

    /// Floats of scratch of [`correlate`](Self::correlate) and [`add_gradient`](Self::add_gradient).
    pub(super) fn correlate_scratch(&self) -> usize {
        self.frame().padded_len(self.inputs)
    }

    /// Lines of the output per pass, so that its input stays in the L2 cache of most processors.
    pub(super) fn band(&self) -> usize {
        const FITS_SECOND_CACHE: usize = 1 << 17;
        let axis = self.vertical;
        let line = self.horizontal.padded() * self.inputs;
        let lines = (FITS_SECOND_CACHE / line).saturating_sub(axis.dilation * (axis.kernel - 1)) / axis.stride;
        // Bands of equal size, except the last.
        axis.output.div_ceil(axis.output.div_ceil(lines.max(1)).max(1)).max(1)
    }

    /// Padded lines that `band` lines of the output read.
    fn lines_of_band(&self, band: usize) -> usize {
        (band - 1) * self.vertical.stride + self.vertical.dilation * (self.vertical.kernel - 1) + 1
    }

    /// Floats of scratch of [`correlate_band`](Self::correlate_band).
    pub(super) fn band_scratch(&self) -> usize {
        self.frame().padded_lines_len(self.lines_of_band(self.band()), self.inputs)
    }

    /// Values per line of the output.
    pub(super) fn output_line(&self) -> usize {
        self.horizontal.output * self.outputs
    }

    /// output = start + the correlation of `input`.
    pub(super) fn correlate(
        &self,
        input: &[f32],
        packed: &[f32],
        start: Start<'_>,
        output: &mut [f32],
        scratch: &mut [f32],
    ) {
        let band = self.band();
        for (i, output) in output.chunks_mut(band * self.output_line()).enumerate() {
            self.correlate_band(input, packed, start, i * band, output, scratch);
        }
    }

    /// At most a band of lines of the output, starting at `first`.
    pub(super) fn correlate_band(
        &self,
        input: &[f32],
        packed: &[f32],
        start: Start<'_>,
        first: usize,
        output: &mut [f32],
        scratch: &mut [f32],
    ) {
        let (line, frame) = (self.output_line(), self.frame());
        let lines = output.len() / line;
        let windows = Windows { count: (lines, self.horizontal.output), ..self.windows() };
        let by_dots = windows.prefer_dots(self.inputs, self.outputs);
        let padded = &mut scratch[..frame.padded_lines_len(self.lines_of_band(lines), self.inputs)];
        let plane = frame.pad_lines(input, self.inputs, first * self.vertical.stride, padded);
        let places = Places { channels: self.outputs, by_dots, first: 0, row: line, pixel: self.outputs };
        product(windows, plane, &packed[..self.weight_len()], start, places, output);
    }
}

/// Every window times `weights`, `[terms, channels]`, or transposed for dot products.
pub(super) fn product(
    windows: Windows,
    plane: Plane<'_>,
    weights: &[f32],
    start: Start<'_>,
    to: Places,
    c: &mut [f32],
) {
    let (rows, across) = windows.count;
    if rows * across == 0 {
        return;
    }
    let columns = to.channels;
    let runs = windows.runs(plane.width, plane.channels);
    let step = windows.steps.1 * plane.channels;
    let block = windows.steps.0 * plane.width * plane.channels;
    // Contiguous rows of windows are merged into one.
    let is_gapless = block == across * step && to.row == across * to.pixel;
    let (blocks, rows) = if is_gapless { (1, rows * across) } else { (rows, across) };
    let run = runs.len * columns;
    let depth = [runs.counts[0], runs.counts[1], runs.len];
    let left = BroadcastFactor {
        data: plane.data.get(windows.offset(0, 0, plane)..).unwrap_or_default(),
        block,
        row: step,
        steps: [runs.steps[0], runs.steps[1], 1],
    };
    let c = &mut c[to.first..];
    if to.by_dots {
        let (to_block, to_row) = (to.row, to.pixel);
        return Dots { blocks, rows, kernels: columns, depth, windows: left, weights, start, to_block, to_row }.run(c);
    }
    let what = Contraction {
        blocks,
        rows,
        columns,
        depth,
        left,
        right: StreamedFactor { data: weights, block: 0, steps: [runs.counts[1] * run, run, columns] },
        start,
        to_block: to.row,
        to_row: to.pixel,
    };
    what.run(c);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_map_in_bands_is_the_whole_map() {
        let kernel = |stride, dilation, padding, mode| Kernel {
            size: (3, 2),
            stride: (stride, 1),
            dilation: (dilation, 1),
            padding,
            mode,
        };
        let sides = Padding { top: 2, bottom: 1, left: 1, right: 0 };
        let cases = [
            kernel(1, 1, Padding::NONE, PaddingMode::Zeros),
            kernel(1, 1, sides, PaddingMode::Zeros),
            kernel(2, 1, sides, PaddingMode::Reflect),
            kernel(2, 2, sides, PaddingMode::Replicate),
        ];
        for (kernel, outputs) in cases.into_iter().flat_map(|kernel| [(kernel, 1), (kernel, 5)]) {
            let span = kernel.dilation.0 * 2 + 1;
            let height = (11 + kernel.padding.top + kernel.padding.bottom - span) / kernel.stride.0 + 1;
            let width = 7 + kernel.padding.left + kernel.padding.right - 1;
            let correlation = Correlation::new(Map::new(11, 7, 3), kernel, Map::new(height, width, outputs));
            let value = |i: usize| ((i * i) % 17) as f32 - 8.0;
            let input: Vec<f32> = (0..correlation.input_size()).map(value).collect();
            let weight: Vec<f32> = (0..correlation.weight_len()).map(|i| value(i + 5)).collect();
            let mut packed = vec![0.0; correlation.packed_len()];
            correlation.pack(&weight, &mut packed);
            let compute = |band: usize| {
                let mut output = vec![f32::NAN; correlation.output_size()];
                let mut scratch = vec![f32::NAN; correlation.correlate_scratch()];
                for (i, output) in output.chunks_mut(band * correlation.output_line()).enumerate() {
                    correlation.correlate_band(&input, &packed, Start::Zero, i * band, output, &mut scratch);
                }
                output
            };
            let whole = compute(height);
            assert!(whole.iter().all(|x| x.is_finite()));
            for band in 1..height {
                assert_eq!(compute(band), whole, "bands of {band}, {kernel:?}");
            }
        }
    }
}
