//! Sequences in rows: a row `[steps * width]` holds its steps one after the other, with the channels of a step
//! adjacent.
//!
//! Sequences of unequal length are rows with absent steps: a step with all channels NaN is absent (as with Keras's
//! Masking). Layers carry their state through it unchanged.

/// The direction of a recurrent layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// From the first step to the last.
    Forward,
    /// Both directions, each with its own parameters; the outputs are concatenated, forward first.
    Bidirectional,
}

/// The output of a recurrent layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SequenceOutput {
    /// The state after every step; NaN at absent steps, which marks them for the next layer.
    All,
    /// The state after the last present step; for the backward direction, after the first.
    Last,
}

/// A direction over the steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    Forth,
    Back,
}

impl Direction {
    /// The directions, each with its own parameters.
    pub(crate) fn ways(self) -> &'static [Way] {
        match self {
            Self::Forward => &[Way::Forth],
            Self::Bidirectional => &[Way::Forth, Way::Back],
        }
    }
}

impl Way {
    /// The step that is read at position `i` of `steps`.
    pub(crate) fn step(self, i: usize, steps: usize) -> usize {
        match self {
            Self::Forth => i,
            Self::Back => steps - 1 - i,
        }
    }
}

/// Whether a step's channels are all NaN.
#[inline(always)]
pub(crate) fn is_absent(step: &[f32]) -> bool {
    step.iter().all(|x| x.is_nan())
}

/// Copies one step of rows `[n, steps * width]` to `values` `[n, width]`.
///
/// `present` `[n]` is set to 1 for a present step and 0 for an absent one, whose values become zeros.
pub(crate) fn gather(rows: &[f32], steps: usize, step: usize, values: &mut [f32], present: &mut [f32]) {
    let width = values.len() / present.len();
    let rows = rows.chunks_exact(steps * width);
    for ((row, values), present) in rows.zip(values.chunks_exact_mut(width)).zip(present) {
        let from = &row[step * width..][..width];
        if is_absent(from) {
            values.fill(0.0);
            *present = 0.0;
        } else {
            values.copy_from_slice(from);
            *present = 1.0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_is_gathered_and_absent_ones_are_zeros() {
        let rows = [1.0, 2.0, 3.0, 4.0, f32::NAN, 6.0, f32::NAN, f32::NAN];
        let (mut values, mut present) = ([9.0; 4], [9.0; 2]);
        gather(&rows, 2, 1, &mut values, &mut present);
        assert_eq!((values, present), ([3.0, 4.0, 0.0, 0.0], [1.0, 0.0]));
        gather(&rows, 2, 0, &mut values, &mut present);
        assert!(values[2].is_nan() && values[3] == 6.0 && present == [1.0; 2]);
    }

    #[test]
    fn ways_mirror_each_other() {
        assert_eq!(Way::Forth.step(1, 5), 1);
        assert_eq!(Way::Back.step(1, 5), 3);
    }
}
