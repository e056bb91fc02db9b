//! The weight gradient of a correlation.

use crate::kernels::contraction::{BroadcastFactor, Contraction, StreamedFactor};
use crate::kernels::tile::Start;

use super::correlation::Correlation;
use super::plane::{LANES, Plane};

impl Correlation {
    /// A padded input sample.
    fn padded_input<'a>(&self, input: &'a [f32], scratch: &'a mut [f32]) -> Plane<'a> {
        let frame = self.frame();
        frame.pad(input, self.inputs, &mut scratch[..frame.padded_len(self.inputs)])
    }

    /// Whether the gradient is summed as `[taps, inputs, outputs]`, else as `[outputs, taps, inputs]`.
    fn gradient_by_window(&self) -> bool {
        let run = self.windows().runs(0, self.inputs).len;
        run * self.outputs.div_ceil(LANES) <= self.outputs * run.div_ceil(LANES)
    }

    /// Adds one sample's gradient to `sums`, in the order used by [`collect`](Self::collect).
    pub(super) fn add_gradient(&self, input: &[f32], d_output: &[f32], sums: &mut [f32], scratch: &mut [f32]) {
        let (windows, plane) = (self.windows(), self.padded_input(input, scratch));
        let outputs = self.outputs;
        let runs = windows.runs(plane.width, plane.channels);
        let row = windows.steps.0 * plane.width * plane.channels;
        let (window_steps, pixel_steps) =
            ([0, row, windows.steps.1 * plane.channels], [0, windows.count.1 * outputs, outputs]);
        for i in 0..runs.counts[0] {
            let data = &plane.data[windows.offset(0, 0, plane) + i * runs.steps[0]..];
            let first = i * runs.counts[1] * runs.len;
            // Chooses the broadcast and the streamed side; the terms and their order are the same.
            let (rows, columns, left, right, to_block, to_row, at) = if self.gradient_by_window() {
                let left = BroadcastFactor { data, block: runs.steps[1], row: 1, steps: window_steps };
                let right = StreamedFactor { data: d_output, block: 0, steps: pixel_steps };
                (runs.len, outputs, left, right, runs.len * outputs, outputs, first * outputs)
            } else {
                let left = BroadcastFactor { data: d_output, block: 0, row: 1, steps: pixel_steps };
                let right = StreamedFactor { data, block: runs.steps[1], steps: window_steps };
                (outputs, runs.len, left, right, runs.len, self.terms(), first)
            };
            let (blocks, depth) = (runs.counts[1], [1, windows.count.0, windows.count.1]);
            let start = Start::Destination;
            let sum = Contraction { blocks, rows, columns, depth, left, right, start, to_block, to_row };
            sum.run(&mut sums[at..]);
        }
    }

    /// Reduces the groups' gradients, each at the start of `group_len` floats, in the order of the groups, into
    /// `[outputs, inputs, height, width]`.
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
