//! One axis of a correlation, and its adjoint by phases.
//!
//! Output o reads the inputs o stride + k dilation - before, for every tap k of the kernel. An input y is read only by
//! the taps with k dilation = y + before (mod stride): the inputs fall into `stride` phases, and in each the adjoint is
//! a correlation of stride 1 with a subset of the taps. No product with an inserted zero is computed.

/// One axis of a correlation.
#[derive(Debug, Clone, Copy)]
pub(super) struct Axis {
    pub input: usize,
    pub output: usize,
    /// Taps.
    pub kernel: usize,
    pub stride: usize,
    pub dilation: usize,
    /// Padding before.
    pub before: usize,
    /// Padding after.
    pub after: usize,
}

/// The inputs of an axis, with or without padding, that an adjoint computes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reach {
    /// Its first input, counted from the first padded one.
    pub first: usize,
    pub size: usize,
}

/// Inputs `first`, `first + stride`, ... of a reach, which are read by the same taps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Phase {
    pub first: usize,
    /// Inputs of this phase.
    pub count: usize,
    /// Taps that read them.
    pub taps: usize,
    /// The last of those taps, and the distance between consecutive ones: they are visited from last to first.
    pub last_tap: usize,
    pub tap_step: usize,
    /// The output that reads the first input with the last tap; it may lie outside.
    pub first_read: isize,
    /// Distance between the outputs of consecutive taps.
    pub read_step: usize,
}

fn common_divisor(a: usize, b: usize) -> usize {
    if b == 0 { a } else { common_divisor(b, a % b) }
}

impl Axis {
    /// Number of inputs with padding.
    pub(super) fn padded(&self) -> usize {
        self.before + self.input + self.after
    }

    /// All inputs, without padding.
    pub(super) fn inner(&self) -> Reach {
        Reach { first: self.before, size: self.input }
    }

    /// All inputs, with padding.
    pub(super) fn whole(&self) -> Reach {
        Reach { first: 0, size: self.padded() }
    }

    /// The phases of the adjoint, one per stride.
    pub(super) fn phases(self, reach: Reach) -> impl Iterator<Item = Phase> {
        let Self { kernel, stride, dilation, .. } = self;
        let divisor = common_divisor(stride, dilation);
        (0..stride).map(move |r| {
            let first = (r + stride - reach.first % stride) % stride;
            let count = reach.size.saturating_sub(first).div_ceil(stride);
            let tap_step = stride / divisor;
            let first_tap = (0..kernel).find(|k| k * dilation % stride == r);
            let taps = first_tap.map_or(0, |tap| (kernel - tap).div_ceil(tap_step));
            let last_tap = first_tap.map_or(0, |tap| tap + (taps - 1) * tap_step);
            let position = (reach.first + first) as isize;
            let first_read = (position - (last_tap * dilation) as isize).div_euclid(stride as isize);
            Phase { first, count, taps, last_tap, tap_step, first_read, read_step: dilation / divisor }
        })
    }

    /// Zero padding before and after the outputs that the adjoint reads.
    pub(super) fn margins(self, reach: Reach) -> (usize, usize) {
        let used = self.phases(reach).filter(|phase| phase.count * phase.taps > 0);
        used.fold((0, 0), |(before, after), phase| {
            let last_read = phase.first_read + (phase.count - 1 + (phase.taps - 1) * phase.read_step) as isize;
            let behind = last_read + 1 - self.output as isize;
            (before.max((-phase.first_read).max(0) as usize), after.max(behind.max(0) as usize))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_product_belongs_to_one_phase() {
        for (kernel, stride, dilation, before, after) in
            [(3, 1, 1, 1, 1), (3, 2, 1, 1, 1), (5, 3, 2, 4, 1), (2, 4, 1, 0, 0), (4, 2, 2, 3, 3), (1, 1, 1, 0, 0)]
        {
            let input = 13;
            let output = (input + before + after - dilation * (kernel - 1) - 1) / stride + 1;
            let axis = Axis { input, output, kernel, stride, dilation, before, after };
            for reach in [axis.inner(), axis.whole()] {
                let mut ours = vec![];
                for phase in axis.phases(reach) {
                    for (i, j) in (0..phase.count).flat_map(|i| (0..phase.taps).map(move |j| (i, j))) {
                        let read = phase.first_read + (i + j * phase.read_step) as isize;
                        if (0..output as isize).contains(&read) {
                            ours.push((phase.first + i * stride, phase.last_tap - j * phase.tap_step, read as usize));
                        }
                    }
                }
                let mut want = vec![];
                for (o, k) in (0..output).flat_map(|o| (0..kernel).map(move |k| (o, k))) {
                    let y = (o * stride + k * dilation) as isize - reach.first as isize;
                    if (0..reach.size as isize).contains(&y) {
                        want.push((y as usize, k, o));
                    }
                }
                ours.sort_unstable();
                want.sort_unstable();
                assert_eq!(ours, want, "{axis:?} {reach:?}");
            }
        }
    }
}
