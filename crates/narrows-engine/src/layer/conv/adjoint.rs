//! The adjoint of a correlation: from the output's map to the input's, phase by phase.

use crate::kernels::tile::Start;
use crate::layer::map::PaddingMode;

use super::axis::{Phase, Reach};
use super::correlation::{Correlation, Places, product};
use super::plane::{Frame, Windows};

impl Correlation {
    /// The range that the adjoint computes: zero padding needs no gradient, other padding does.
    fn reach(&self) -> (Reach, Reach) {
        match self.mode {
            PaddingMode::Zeros => (self.vertical.inner(), self.horizontal.inner()),
            PaddingMode::Reflect | PaddingMode::Replicate => (self.vertical.whole(), self.horizontal.whole()),
        }
    }

    /// The phases of the adjoint, vertical and horizontal.
    fn phases(&self, (vertical, horizontal): (Reach, Reach)) -> impl Iterator<Item = (Phase, Phase)> {
        let (down, across) = (self.vertical, self.horizontal);
        down.phases(vertical).flat_map(move |y| across.phases(horizontal).map(move |x| (y, x)))
    }

    /// The zero padding of the output that the adjoint reads.
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

    /// Packs the weights phase by phase, `[taps, outputs, inputs]` with the taps in the order in which they are read;
    /// transposed if results are dot products.
    pub(super) fn pack_adjoint(&self, weight: &[f32], packed: &mut [f32]) {
        let (taps, across) = (self.taps(), self.horizontal.kernel);
        let mut rest = packed;
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

    /// Floats of the padded input, if padding pixels depend on the map and so have a gradient.
    fn whole_len(&self) -> usize {
        match self.mode {
            PaddingMode::Zeros => 0,
            PaddingMode::Reflect | PaddingMode::Replicate => self.frame().padded_len(self.inputs),
        }
    }

    /// Floats of scratch of [`adjoint`](Self::adjoint).
    pub(super) fn adjoint_scratch(&self) -> usize {
        self.output_frame(self.reach()).padded_len(self.outputs) + self.whole_len()
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
        let (whole, scratch) = scratch.split_at_mut(self.whole_len());
        if whole.is_empty() {
            return self.adjoint_by_phase(output, packed, start, input, scratch);
        }
        self.adjoint_by_phase(output, packed, start, whole, scratch);
        self.frame().fold(whole, self.inputs, input);
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
}

/// The windows of a phase of the adjoint in the framed output.
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
