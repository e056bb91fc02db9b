//! A padded map and its windows.

use crate::layer::map::PaddingMode;

/// Lanes of the widest vectors, used to choose the algorithm: constant, so that results are platform-independent.
pub(super) const LANES: usize = 16;

/// Pixels in rows, channels fastest.
#[derive(Clone, Copy)]
pub(super) struct Plane<'a> {
    pub data: &'a [f32],
    /// Pixels per row.
    pub width: usize,
    pub channels: usize,
}

/// The layout of windows in a plane.
#[derive(Debug, Clone, Copy)]
pub(super) struct Windows {
    /// Number of windows, vertical and horizontal.
    pub count: (usize, usize),
    /// Stride between windows in pixels, vertical and horizontal.
    pub steps: (usize, usize),
    /// Taps of a window, vertical and horizontal.
    pub taps: (usize, usize),
    /// Dilation in pixels, vertical and horizontal.
    pub tap_steps: (usize, usize),
    /// The first pixel of the first window, vertical and horizontal.
    pub first: (usize, usize),
}

/// The values of a window as contiguous runs, in two loops over runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Runs {
    pub counts: [usize; 2],
    pub steps: [usize; 2],
    /// Values per run.
    pub len: usize,
}

impl Windows {
    /// Values per window.
    pub(super) fn terms(&self, channels: usize) -> usize {
        self.taps.0 * self.taps.1 * channels
    }

    /// The runs of a window in a plane of this width.
    pub(super) fn runs(&self, width: usize, channels: usize) -> Runs {
        let down = self.tap_steps.0 * width * channels;
        if self.tap_steps.1 == 1 || self.taps.1 == 1 {
            return Runs { counts: [1, self.taps.0], steps: [0, down], len: self.taps.1 * channels };
        }
        let across = self.tap_steps.1 * channels;
        Runs { counts: [self.taps.0, self.taps.1], steps: [down, across], len: channels }
    }

    /// Whether the terms of a window fill vectors better than `kernels` results do.
    pub(super) fn prefer_dots(&self, channels: usize, kernels: usize) -> bool {
        // The cost of a horizontal vector sum, in multiply-adds.
        const FOLD: usize = 16;
        let runs = self.runs(0, channels);
        let vectors = runs.counts[0] * runs.counts[1] * runs.len.div_ceil(LANES);
        let terms = self.terms(channels);
        kernels * (vectors + FOLD) < terms * kernels.div_ceil(LANES)
    }

    /// The offset of the first value of a window.
    pub(super) fn offset(&self, down: usize, across: usize, plane: Plane<'_>) -> usize {
        let y = self.first.0 + down * self.steps.0;
        let x = self.first.1 + across * self.steps.1;
        (y * plane.width + x) * plane.channels
    }
}

/// The padding of a map: pixels added before and after, vertical and horizontal, and their mode.
#[derive(Debug, Clone, Copy)]
pub(super) struct Frame {
    /// Height and width of the map.
    pub size: (usize, usize),
    pub before: (usize, usize),
    pub after: (usize, usize),
    pub mode: PaddingMode,
}

/// The pixel shown at a padded position; `None` for zero.
fn shown(at: usize, before: usize, size: usize, mode: PaddingMode) -> Option<usize> {
    let at = at as isize - before as isize;
    let last = size as isize - 1;
    if (0..=last).contains(&at) {
        return Some(at as usize);
    }
    match mode {
        PaddingMode::Zeros => None,
        PaddingMode::Replicate => Some(at.clamp(0, last) as usize),
        PaddingMode::Reflect => Some((if at < 0 { -at } else { 2 * last - at }) as usize),
    }
}

impl Frame {
    fn is_empty(&self) -> bool {
        self.before == (0, 0) && self.after == (0, 0)
    }

    fn padded(&self) -> (usize, usize) {
        (self.before.0 + self.size.0 + self.after.0, self.before.1 + self.size.1 + self.after.1)
    }

    /// Floats of the padded map; zero without padding.
    pub(super) fn padded_len(&self, channels: usize) -> usize {
        self.padded_lines_len(self.padded().0, channels)
    }

    /// Floats of this many lines of the padded map; zero without padding.
    pub(super) fn padded_lines_len(&self, lines: usize, channels: usize) -> usize {
        if self.is_empty() { 0 } else { lines * self.padded().1 * channels }
    }

    /// The padded map; `padded` holds [`padded_len`](Self::padded_len) floats.
    pub(super) fn pad<'a>(&self, sample: &'a [f32], channels: usize, padded: &'a mut [f32]) -> Plane<'a> {
        self.pad_lines(sample, channels, 0, padded)
    }

    /// As many lines of the padded map as `padded` holds, starting at line `first`.
    pub(super) fn pad_lines<'a>(
        &self,
        sample: &'a [f32],
        channels: usize,
        first: usize,
        padded: &'a mut [f32],
    ) -> Plane<'a> {
        let width = self.padded().1;
        if self.is_empty() {
            return Plane { data: &sample[first * width * channels..], width, channels };
        }
        let (left, inner) = (self.before.1 * channels, self.size.1 * channels);
        for (i, to) in padded.chunks_exact_mut(width * channels).enumerate() {
            let y = first + i;
            let Some(from) = shown(y, self.before.0, self.size.0, self.mode) else {
                to.fill(0.0);
                continue;
            };
            let from = &sample[from * inner..][..inner];
            to[left..left + inner].copy_from_slice(from);
            for x in (0..self.before.1).chain(self.before.1 + self.size.1..width) {
                let to = &mut to[x * channels..][..channels];
                match shown(x, self.before.1, self.size.1, self.mode) {
                    None => to.fill(0.0),
                    Some(x) => to.copy_from_slice(&from[x * channels..][..channels]),
                }
            }
        }
        Plane { data: padded, width, channels }
    }

    /// The adjoint of [`pad`](Self::pad): every pixel gets the sum of its copies, in order.
    pub(super) fn fold(&self, padded: &[f32], channels: usize, sample: &mut [f32]) {
        let width = self.padded().1;
        sample.fill(0.0);
        for (at, from) in padded.chunks_exact(channels).enumerate() {
            let y = shown(at / width, self.before.0, self.size.0, self.mode);
            let x = shown(at % width, self.before.1, self.size.1, self.mode);
            if let (Some(y), Some(x)) = (y, x) {
                let to = &mut sample[(y * self.size.1 + x) * channels..][..channels];
                to.iter_mut().zip(from).for_each(|(to, from)| *to += from);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(mode: PaddingMode, want: &[f32]) {
        let frame = Frame { size: (1, 3), before: (0, 2), after: (0, 1), mode };
        let mut padded = vec![9.0; frame.padded_len(1)];
        let plane = frame.pad(&[1.0, 2.0, 3.0], 1, &mut padded);
        assert_eq!(plane.data, want);
    }

    #[test]
    fn edges_show_what_their_mode_says() {
        check(PaddingMode::Zeros, &[0.0, 0.0, 1.0, 2.0, 3.0, 0.0]);
        check(PaddingMode::Reflect, &[3.0, 2.0, 1.0, 2.0, 3.0, 2.0]);
        check(PaddingMode::Replicate, &[1.0, 1.0, 1.0, 2.0, 3.0, 3.0]);
    }

    #[test]
    fn folding_sums_where_a_pixel_was_shown() {
        let frame = Frame { size: (1, 3), before: (0, 2), after: (0, 1), mode: PaddingMode::Replicate };
        let mut sample = [9.0; 3];
        frame.fold(&[1.0, 2.0, 4.0, 8.0, 16.0, 32.0], 1, &mut sample);
        assert_eq!(sample, [7.0, 8.0, 48.0]);
    }
}
