//! Percentile bootstrap confidence intervals of metrics (Efron 1979).
//!
//! Resampling is stratified by class, so that every replicate has as many anomalies as the data. The intervals cover
//! the sampling of test rows only, not the randomness of training. With few anomalies they are too narrow, as is any
//! bootstrap.

use rayon::prelude::*;

use super::calibration::quantile;
use super::ranking::{RankTally, Ranking};
use crate::baseline::random::Stream;

/// Number of replicates.
pub(super) const REPLICATES: u64 = 1000;
/// Say of the intervals.
const COVERAGE: f64 = 0.95;

/// Lower and upper bound of an interval.
pub(super) type Interval = (f64, f64);

/// Intervals of the metrics of one ranking.
pub(super) struct BootstrapIntervals {
    pub(super) roc_auc: Interval,
    pub(super) average_precision: Interval,
    pub(super) f1: Interval,
}

/// Intervals from [`REPLICATES`] resamples; `ranking` must hold both classes, and its first `flagged` groups are flagged.
pub(super) fn intervals(ranking: &Ranking, flagged: usize, seed: u64) -> BootstrapIntervals {
    let anomalies = groups(&ranking.tally.anomalies);
    let normals = groups(&ranking.tally.normals);
    let metrics: Vec<[f64; 3]> = (0..REPLICATES)
        .into_par_iter()
        .map(|replicate| {
            let mut stream = Stream::new(seed, replicate);
            let n = ranking.scores.len();
            let tally =
                RankTally { anomalies: drawn(&anomalies, n, &mut stream), normals: drawn(&normals, n, &mut stream) };
            [tally.roc_auc(), tally.average_precision(), tally.f1(flagged).unwrap_or(0.0)]
        })
        .collect();
    let interval = |which: usize| {
        let mut values: Vec<f64> = metrics.iter().map(|metric| metric[which]).collect();
        values.sort_by(f64::total_cmp);
        let end = |q: f64| quantile(&values, q).unwrap_or(f64::NAN);
        (end(0.5 * (1.0 - COVERAGE)), end(0.5 * (1.0 + COVERAGE)))
    };
    BootstrapIntervals { roc_auc: interval(0), average_precision: interval(1), f1: interval(2) }
}

/// The group of every row of one class.
fn groups(counts: &[u64]) -> Vec<u32> {
    let of = |(group, &count): (usize, &u64)| std::iter::repeat_n(group as u32, count as usize);
    counts.iter().enumerate().flat_map(of).collect()
}

fn drawn(groups: &[u32], n: usize, stream: &mut Stream) -> Vec<u64> {
    let mut counts = vec![0; n];
    for _ in 0..groups.len() {
        counts[groups[stream.below(groups.len())] as usize] += 1;
    }
    counts
}
