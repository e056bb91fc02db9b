//! Windows with values that nobody measured: what stands in for them, and which windows can do without.
//!
//! A gap must not raise an alarm beside it, although the network cannot skip it.

use std::borrow::Cow;

use super::adapter::SeriesAdapter;
use crate::fitted::scoring::Scorer;
use crate::prep::{Prepared, Signal};

/// A window is complete if no more than this share of its values, or one point, was not observed.
const INCOMPLETE: usize = 32;

/// Number of iterations that replace unobserved values by their reconstruction.
const REFINEMENTS: usize = 5;

/// Whether a window's `target` was observed nearly as a whole.
pub(super) fn is_complete(target: &[f32], channels: usize) -> bool {
    let unobserved = target.iter().filter(|t| t.is_nan()).count();
    unobserved <= (target.len() / INCOMPLETE).max(channels)
}

/// Adds the windows that end before a gap and that begin after it, so that points beside it are in a complete one.
pub(super) fn beside_gaps(adapter: &SeriesAdapter, signal: &Signal, firsts: &mut Vec<usize>) {
    if !adapter.pipeline.spares_gaps() {
        return;
    }
    let (k, steps) = (adapter.pipeline.n_channels(), adapter.pipeline.window());
    let n_windows = firsts.len();
    let mut gap = 0..0;
    for p in 0..signal.n {
        if signal.observed[p * k..(p + 1) * k].iter().all(|x| x.is_nan()) {
            gap = if gap.end == p { gap.start..p + 1 } else { p..p + 1 };
            continue;
        }
        if gap.end == p && gap.len() > (steps / INCOMPLETE).max(1) {
            firsts.extend(gap.start.checked_sub(steps));
            firsts.extend((p + steps <= signal.n).then_some(p));
        }
    }
    if firsts.len() > n_windows {
        firsts.sort_unstable();
        firsts.dedup();
    }
}

/// Windows in which values that were not observed are what the network expects there instead of a straight line.
///
/// The line would be reconstructed badly, and its neighbours with it: they would be anomalies because of values that
/// nobody measured. Absent steps, and windows in which nothing or everything was observed, stay as they are.
pub(super) fn completed<'a>(adapter: &SeriesAdapter, scorer: &Scorer, windows: &'a Prepared) -> Cow<'a, Prepared> {
    if !adapter.pipeline.spares_gaps() {
        return Cow::Borrowed(windows);
    }
    let width = windows.width.max(1);
    let is_hole = |(target, input): (&f32, &f32)| target.is_nan() && !input.is_nan();
    let has_holes = |w: &u32| {
        let values = *w as usize * width..(*w as usize + 1) * width;
        let (target, input) = (&windows.target[values.clone()], &windows.input[values]);
        target.iter().any(|t| !t.is_nan()) && target.iter().zip(input).any(is_hole)
    };
    let rows: Vec<u32> = (0..windows.n as u32).filter(has_holes).collect();
    if rows.is_empty() {
        return Cow::Borrowed(windows);
    }
    let mut some = windows.take(&rows);
    for _ in 0..REFINEMENTS {
        let output = scorer.ensemble.output(&some.input);
        for ((input, target), output) in some.input.iter_mut().zip(&some.target).zip(output) {
            if is_hole((target, input)) {
                *input = output;
            }
        }
    }
    let mut all = windows.clone();
    for (row, input) in rows.iter().zip(some.input.chunks_exact(width)) {
        all.input[*row as usize * width..(*row as usize + 1) * width].copy_from_slice(input);
    }
    Cow::Owned(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_that_lacks_a_point_is_complete_and_one_that_lacks_more_is_not() {
        let window = |missing: usize| {
            let mut target = vec![0.0_f32; 24];
            target[..missing].fill(f32::NAN);
            target
        };
        assert!(is_complete(&window(0), 2) && is_complete(&window(2), 2) && !is_complete(&window(3), 2));
    }
}
