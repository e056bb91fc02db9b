//! A channel over time as a path, thinned by minimum and maximum so that no spike is lost.

use std::fmt::Write;

use super::{AxisScale, Px};
use crate::report::ChannelTrace;

/// The path of `values` over positions 0, 1, 2, …, with gaps at missing values; an isolated value is a dot. More than
/// `2 * bins` points are thinned to the minimum and maximum of each of `bins` equal bins.
pub(super) fn path(values: &[Option<f64>], scale: &AxisScale, bins: usize) -> String {
    let heights: Vec<f64> = values.iter().map(|x| x.map_or(f64::NAN, |x| scale.at(x))).collect();
    let kept = kept(&heights, bins);
    // Whether two kept values have no missing value between them.
    let is_joined = |pair: &[usize]| heights[pair[0]..=pair[1]].iter().all(|y| y.is_finite());
    let joined: Vec<bool> = kept.windows(2).map(is_joined).collect();
    let mut path = String::new();
    for (i, at) in kept.iter().enumerate() {
        let (before, after) = (i > 0 && joined[i - 1], joined.get(i).copied().unwrap_or(false));
        let pen = if before { 'L' } else { 'M' };
        let dot = if before || after { "" } else { "h0" };
        write!(path, "{pen}{at} {}{dot}", Px(heights[*at])).expect("writing to a string");
    }
    path
}

/// Points per pair of plotted extremes; 1 if all points are plotted.
pub(super) fn thinned_by(n: usize, bins: usize) -> usize {
    if n > 2 * bins { n.div_ceil(bins.max(1)) } else { 1 }
}

/// The plotted positions, ascending.
fn kept(heights: &[f64], bins: usize) -> Vec<usize> {
    let finite = |range: std::ops::Range<usize>| range.filter(|i| heights[*i].is_finite());
    let n = heights.len();
    let every = thinned_by(n, bins);
    if every == 1 {
        return finite(0..n).collect();
    }
    let by_height = |a: &usize, b: &usize| heights[*a].total_cmp(&heights[*b]);
    let mut kept: Vec<usize> = (0..n)
        .step_by(every)
        .map(|first| first..n.min(first + every))
        .flat_map(|bin| [finite(bin.clone()).min_by(by_height), finite(bin).max_by(by_height)])
        .flatten()
        .chain(finite(0..n).next())
        .chain(finite(0..n).next_back())
        .collect();
    kept.sort_unstable();
    kept.dedup();
    kept
}

/// The vertical scale of a channel and its reconstruction.
pub(super) fn scale(trace: &ChannelTrace, bottom: f64, top: f64) -> AxisScale {
    let values = trace.signal.iter().chain(&trace.reconstruction).filter_map(|x| *x);
    AxisScale::linear(values, bottom, top).padded(0.06)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(values: &[f64], bins: usize, expected: &str) {
        let values: Vec<Option<f64>> = values.iter().map(|x| (*x >= 0.0).then_some(*x)).collect();
        assert_eq!(path(&values, &AxisScale::linear([0.0, 10.0], 0.0, 10.0), bins), expected);
    }

    #[test]
    fn lines_break_at_missing_points_and_a_lone_point_is_a_dot() {
        check(&[1.0, 2.0, 3.0], 10, "M0 1L1 2L2 3");
        check(&[-1.0, 2.0, -1.0, 4.0, 5.0], 10, "M1 2h0M3 4L4 5");
        check(&[7.0], 10, "M0 7h0");
        check(&[], 10, "");
        check(&[-1.0, -1.0], 10, "");
        check(&[f64::NAN, f64::INFINITY, 1.0], 10, "M2 1h0");
    }

    #[test]
    fn thinning_keeps_every_spike_and_both_ends() {
        let mut values = vec![5.0; 10_000];
        (values[1234], values[7777]) = (9.0, 1.0);
        let values: Vec<Option<f64>> = values.into_iter().map(Some).collect();
        let path = path(&values, &AxisScale::linear([0.0, 10.0], 0.0, 10.0), 100);
        for point in ["M0 5", "L1234 9", "L7777 1", "L9999 5"] {
            assert!(path.contains(point), "{point} is missing in {path}");
        }
        assert!(path.matches('L').count() <= 202);
        assert_eq!((thinned_by(10_000, 100), thinned_by(200, 100)), (100, 1));
    }

    #[test]
    fn a_gap_stays_a_gap_when_thinned() {
        let values: Vec<Option<f64>> = (0..1000).map(|i| (!(400..600).contains(&i)).then_some(1.0)).collect();
        assert_eq!(path(&values, &AxisScale::linear([0.0, 2.0], 0.0, 2.0), 10).matches('M').count(), 2);
        let holed: Vec<Option<f64>> = (0..1000).map(|i| (i != 450).then_some(1.0)).collect();
        assert_eq!(path(&holed, &AxisScale::linear([0.0, 2.0], 0.0, 2.0), 10).matches('M').count(), 2);
    }
}
