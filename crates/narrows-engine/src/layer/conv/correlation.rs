//! A correlation of one sample's map with a kernel, its adjoint and its weight gradient.
//!
//! y[o] = sum over taps k and channels c of x[o stride + k dilation - before, c] w[k, c]. A convolution
//! goes forward by it and back by its adjoint; a transposed convolution the other way round.
//!
//! All three are one [`Contraction`] over windows that are read in place: pixels of an output row are
//! its rows in the first two, and in the gradient the windows lie on whichever side wastes fewer lanes
//! of a vector.

use crate::kernels::contraction::{Contraction, Left, Right, Start};
use crate::kernels::dots::Dots;
use crate::layer::map::{Map, Padding, PaddingMode};

use super::axis::{Axis, Phase, Reach};
use super::plane::{Frame, LANES, Plane, Windows};

/// The shapes of a correlation.
#[derive(Debug, Clone, Copy)]
pub(super) struct Correlation {
    vertical: Axis,
    horizontal: Axis,
    /// Channels of the input.
    pub inputs: usize,
    /// Channels of the output.
    pub outputs: usize,
    mode: PaddingMode,
}

/// The kernel of a correlation, apart from its channels; each pair is (vertical, horizontal).
#[derive(Debug, Clone, Copy)]
pub(super) struct Kernel {
    pub size: (usize, usize),
    pub stride: (usize, usize),
    pub dilation: (usize, usize),
    pub padding: Padding,
    pub mode: PaddingMode,
}

/// Where the results of windows go.
#[derive(Clone, Copy)]
struct Places {
    /// Results of a window.
    channels: usize,
    /// Whether they are dot products.
    by_dots: bool,
    first: usize,
    /// From a row of windows to the next.
    row: usize,
    /// From a window to the next.
    pixel: usize,
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

    fn taps(&self) -> usize {
        self.vertical.kernel * self.horizontal.kernel
    }

    /// Values of a window.
    fn terms(&self) -> usize {
        self.taps() * self.inputs
    }

    /// Weights: `[outputs, inputs, height, width]`.
    pub(super) fn weight_len(&self) -> usize {
        self.terms() * self.outputs
    }

    /// Multiply-adds of a sample.
    pub(super) fn cost(&self) -> usize {
        self.vertical.output * self.horizontal.output * self.weight_len()
    }

    /// Values of an input sample.
    pub(super) fn input_size(&self) -> usize {
        self.vertical.input * self.horizontal.input * self.inputs
    }

    /// Values of an output sample.
    pub(super) fn output_size(&self) -> usize {
        self.vertical.output * self.horizontal.output * self.outputs
    }

    /// Floats that [`pack`](Self::pack) writes.
    pub(super) fn packed_len(&self) -> usize {
        2 * self.weight_len()
    }

    /// Lays the weights out by window, `[taps, inputs, outputs]`, and for the adjoint, phase by phase,
    /// `[taps, outputs, inputs]` with the taps in the order in which they are met; where results are dot
    /// products, transposed.
    pub(super) fn pack(&self, weight: &[f32], packed: &mut [f32]) {
        let (forward, adjoint) = packed.split_at_mut(self.weight_len());
        let (taps, across) = (self.taps(), self.horizontal.kernel);
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
        let mut rest = adjoint;
        let reach = self.reach();
        let frame = self.output_frame(reach);
        for (down, right) in self.phases(reach) {
            let windows = phase_windows(down, right, frame);
            let terms = windows.terms(self.outputs);
            let (phase, later) = rest.split_at_mut(terms * self.inputs);
            rest = later;
            let (term_step, input_step) = match windows.prefer_dots(self.outputs, self.inputs) {
                true => (1, terms),
                false => (self.inputs, 1),
            };
            for i in 0..down.taps * right.taps {
                let y = down.last_tap - i / right.taps * down.tap_step;
                let x = right.last_tap - i % right.taps * right.tap_step;
                for output in 0..self.outputs {
                    for input in 0..self.inputs {
                        let to = (i * self.outputs + output) * term_step + input * input_step;
                        phase[to] = weight[(output * self.inputs + input) * taps + y * across + x];
                    }
                }
            }
        }
    }

    /// The padding of the input.
    fn frame(&self) -> Frame {
        let (vertical, horizontal) = (self.vertical, self.horizontal);
        Frame {
            size: (vertical.input, horizontal.input),
            before: (vertical.before, horizontal.before),
            after: (vertical.after, horizontal.after),
            mode: self.mode,
        }
    }

    /// The windows of the padded input.
    fn windows(&self) -> Windows {
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

    /// Lines of the output that one pass computes: what they read stays in the second cache of most processors.
    pub(super) fn band(&self) -> usize {
        const FITS_SECOND_CACHE: usize = 1 << 17;
        let axis = self.vertical;
        let line = self.horizontal.padded() * self.inputs;
        let lines = (FITS_SECOND_CACHE / line).saturating_sub(axis.dilation * (axis.kernel - 1)) / axis.stride;
        // Bands of one size, but for the last.
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

    /// Values of a line of the output.
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

    /// The lines of the output from `first` on, at most a band of them.
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

    /// An input sample with its padding.
    fn padded_input<'a>(&self, input: &'a [f32], scratch: &'a mut [f32]) -> Plane<'a> {
        let frame = self.frame();
        frame.pad(input, self.inputs, &mut scratch[..frame.padded_len(self.inputs)])
    }

    /// What the adjoint fills: zeros beyond the edges need no gradient, pixels shown there do.
    fn reach(&self) -> (Reach, Reach) {
        match self.mode {
            PaddingMode::Zeros => (self.vertical.inner(), self.horizontal.inner()),
            PaddingMode::Reflect | PaddingMode::Replicate => (self.vertical.whole(), self.horizontal.whole()),
        }
    }

    /// The phases of the adjoint, down and across.
    fn phases(&self, (vertical, horizontal): (Reach, Reach)) -> impl Iterator<Item = (Phase, Phase)> {
        let (down, across) = (self.vertical, self.horizontal);
        down.phases(vertical).flat_map(move |y| across.phases(horizontal).map(move |x| (y, x)))
    }

    /// The zeros around the output that the adjoint reads.
    fn output_frame(&self, (vertical, horizontal): (Reach, Reach)) -> Frame {
        let (top, bottom) = self.vertical.margins(vertical);
        let (left, right) = self.horizontal.margins(horizontal);
        Frame {
            size: (self.vertical.output, self.horizontal.output),
            before: (top, left),
            after: (bottom, right),
            mode: PaddingMode::Zeros,
        }
    }

    /// Floats of scratch of [`adjoint`](Self::adjoint).
    pub(super) fn adjoint_scratch(&self) -> usize {
        let reach = self.reach();
        let frame = self.output_frame(reach);
        let whole = match self.mode {
            PaddingMode::Zeros => 0,
            PaddingMode::Reflect | PaddingMode::Replicate => self.frame().padded_len(self.inputs),
        };
        frame.padded_len(self.outputs) + whole
    }

    /// input = start + the adjoint applied to `output`.
    pub(super) fn adjoint(
        &self,
        output: &[f32],
        packed: &[f32],
        start: Start<'_>,
        input: &mut [f32],
        scratch: &mut [f32],
    ) {
        let shown = self.frame();
        let whole = match self.mode {
            PaddingMode::Zeros => 0,
            PaddingMode::Reflect | PaddingMode::Replicate => shown.padded_len(self.inputs),
        };
        let (whole, scratch) = scratch.split_at_mut(whole);
        if whole.is_empty() {
            return self.adjoint_by_phase(output, packed, start, input, scratch);
        }
        self.adjoint_by_phase(output, packed, start, whole, scratch);
        shown.fold(whole, self.inputs, input);
    }

    fn adjoint_by_phase(
        &self,
        output: &[f32],
        packed: &[f32],
        start: Start<'_>,
        input: &mut [f32],
        scratch: &mut [f32],
    ) {
        let reach = self.reach();
        let frame = self.output_frame(reach);
        let plane = frame.pad(output, self.outputs, &mut scratch[..frame.padded_len(self.outputs)]);
        let mut weights = &packed[self.weight_len()..];
        for (down, across) in self.phases(reach) {
            let windows = phase_windows(down, across, frame);
            let (these, later) = weights.split_at(windows.terms(self.outputs) * self.inputs);
            weights = later;
            let row = reach.1.size * self.inputs;
            let places = Places {
                channels: self.inputs,
                by_dots: windows.prefer_dots(self.outputs, self.inputs),
                first: down.first * row + across.first * self.inputs,
                row: self.vertical.stride * row,
                pixel: self.horizontal.stride * self.inputs,
            };
            product(windows, plane, these, start, places, input);
        }
    }

    /// Whether the gradient is summed as `[taps, inputs, outputs]`, else as `[outputs, taps, inputs]`.
    fn gradient_by_window(&self) -> bool {
        let run = self.windows().runs(0, self.inputs).len;
        run * self.outputs.div_ceil(LANES) <= self.outputs * run.div_ceil(LANES)
    }

    /// Adds one sample's gradient to `sums`, whose order [`collect`](Self::collect) knows.
    pub(super) fn add_gradient(&self, input: &[f32], d_output: &[f32], sums: &mut [f32], scratch: &mut [f32]) {
        let (windows, plane) = (self.windows(), self.padded_input(input, scratch));
        let (terms, outputs) = (self.terms(), self.outputs);
        let runs = windows.runs(plane.width, plane.channels);
        let row = windows.steps.0 * plane.width * plane.channels;
        let (window_steps, pixel_steps) =
            ([0, row, windows.steps.1 * plane.channels], [0, windows.count.1 * outputs, outputs]);
        let depth = [1, windows.count.0, windows.count.1];
        for i in 0..runs.counts[0] {
            let data = &plane.data[windows.offset(0, 0, plane) + i * runs.steps[0]..];
            let first = i * runs.counts[1] * runs.len;
            let start = Start::Destination;
            if self.gradient_by_window() {
                let what = Contraction {
                    blocks: runs.counts[1],
                    rows: runs.len,
                    columns: outputs,
                    depth,
                    left: Left { data, block: runs.steps[1], row: 1, steps: window_steps },
                    right: Right { data: d_output, block: 0, steps: pixel_steps },
                    start,
                    to_block: runs.len * outputs,
                    to_row: outputs,
                };
                what.run(&mut sums[first * outputs..]);
            } else {
                let what = Contraction {
                    blocks: runs.counts[1],
                    rows: outputs,
                    columns: runs.len,
                    depth,
                    left: Left { data: d_output, block: 0, row: 1, steps: pixel_steps },
                    right: Right { data, block: runs.steps[1], steps: window_steps },
                    start,
                    to_block: runs.len,
                    to_row: terms,
                };
                what.run(&mut sums[first..]);
            }
        }
    }

    /// Sums the groups' gradients, each at the start of `group_len` floats, in the order of the groups,
    /// into `[outputs, inputs, height, width]`.
    pub(super) fn collect(&self, groups: &[f32], group_len: usize, d_weight: &mut [f32]) {
        let (taps, by_window) = (self.taps(), self.gradient_by_window());
        d_weight.fill(0.0);
        for sums in groups.chunks_exact(group_len) {
            for (i, to) in d_weight.iter_mut().enumerate() {
                let (output, input, tap) = (i / taps / self.inputs, i / taps % self.inputs, i % taps);
                let term = tap * self.inputs + input;
                *to += if by_window { sums[term * self.outputs + output] } else { sums[output * self.terms() + term] };
            }
        }
    }
}

/// Where a phase of the adjoint reads the framed output.
fn phase_windows(down: Phase, across: Phase, frame: Frame) -> Windows {
    let first = |phase: Phase, before: usize| (phase.first_read + before as isize).max(0) as usize;
    Windows {
        count: (down.count, across.count),
        steps: (1, 1),
        taps: (down.taps, across.taps),
        tap_steps: (down.read_step, across.read_step),
        first: (first(down, frame.before.0), first(across, frame.before.1)),
    }
}

/// Every window times `weights`, `[terms, channels]`, or transposed for dot products.
fn product(windows: Windows, plane: Plane<'_>, weights: &[f32], start: Start<'_>, to: Places, c: &mut [f32]) {
    let (rows, across) = windows.count;
    if rows * across == 0 {
        return;
    }
    let columns = to.channels;
    let runs = windows.runs(plane.width, plane.channels);
    let step = windows.steps.1 * plane.channels;
    let block = windows.steps.0 * plane.width * plane.channels;
    // Rows of windows that follow each other without a gap are one long row.
    let is_gapless = block == across * step && to.row == across * to.pixel;
    let (blocks, rows) = if is_gapless { (1, rows * across) } else { (rows, across) };
    let run = runs.len * columns;
    let depth = [runs.counts[0], runs.counts[1], runs.len];
    let left = Left {
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
        right: Right { data: weights, block: 0, steps: [runs.counts[1] * run, run, columns] },
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
