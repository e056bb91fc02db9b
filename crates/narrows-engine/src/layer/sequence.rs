//! Sequences in rows: a row `[steps * width]` holds its steps one after the other, the channels of a
//! step side by side.
//!
//! Sequences of unequal length are rows with absent steps: a step all of whose channels are NaN was
//! never there (the Masking of Keras). Layers carry their state through it unchanged.

/// Which way a recurrent layer reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// From the first step to the last.
    Forward,
    /// Both ways, each with parameters of its own; the outputs lie side by side, forward first.
    Bidirectional,
}

/// The states that a recurrent layer outputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SequenceOutput {
    /// The state after every step; NaN at absent steps, so that a next layer skips them too.
    All,
    /// The state after the last step that is present; of the backward direction, after the first.
    Last,
}

/// One way through the steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    Forward,
    Reverse,
}

impl Direction {
    /// The ways it goes, each with its own parameters.
    pub(crate) fn ways(self) -> &'static [Way] {
        match self {
            Self::Forward => &[Way::Forward],
            Self::Bidirectional => &[Way::Forward, Way::Reverse],
        }
    }
}

impl Way {
    /// The step that is read as number `i` of `steps`.
    pub(crate) fn step(self, i: usize, steps: usize) -> usize {
        match self {
            Self::Forward => i,
            Self::Reverse => steps - 1 - i,
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
/// `present` `[n]` takes 1 for a step that is there and 0 for an absent one, whose values become zeros.
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
        assert_eq!(Way::Forward.step(1, 5), 1);
        assert_eq!(Way::Reverse.step(1, 5), 3);
    }
}
