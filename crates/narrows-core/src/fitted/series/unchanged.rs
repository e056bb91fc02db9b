//! Values that do not change: a stuck sensor is rebuilt better than any other.
//!
//! Its error is small, so that it would be the most normal stretch of all. What tells is how long nothing changed: a run
//! much longer than any in training is evidence of its own, beside the error. Runs are counted in points that were observed,
//! up to as many as a stream keeps.

use serde::{Deserialize, Serialize};

use super::points::Coverage;
use crate::prep::Stretch;

/// A change below this share of the usual change between neighbours is none.
const SLIGHT: f64 = 0.05;
/// A run is evidence if it is this many times as long as the longest in training.
const LONGER: u32 = 2;
/// Runs are counted up to this many windows.
const COUNTED: u32 = 2;

/// The longest runs of equal values in training.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct UnchangedRuns {
    channels: Vec<ChannelRuns>,
    /// Points of a window: as many without a value end a run, and runs are counted up to twice as many.
    window: usize,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ChannelRuns {
    /// A value that is no further than this from the first of a run belongs to it.
    tolerance: f64,
    /// Points of the longest run in training.
    longest: u32,
}

impl UnchangedRuns {
    /// Fits on training stretches, `[n, channels]` each.
    pub(super) fn fit(stretches: &[Stretch<'_>], channels: usize, window: usize) -> UnchangedRuns {
        let of_channel = |c: usize| {
            let values =
                |(_, values): &Stretch<'_>| values.iter().skip(c).step_by(channels).copied().collect::<Vec<f64>>();
            let stretches: Vec<Vec<f64>> = stretches.iter().map(values).collect();
            let mut changes: Vec<f64> =
                stretches.iter().flat_map(|x| x.windows(2).map(|pair| (pair[1] - pair[0]).abs())).collect();
            changes.retain(|change| change.is_finite());
            changes.sort_unstable_by(f64::total_cmp);
            let tolerance = SLIGHT * changes.get(changes.len() / 2).copied().unwrap_or(0.0);
            let longest =
                |x: &Vec<f64>| runs(x, (1, 0), tolerance, window, Coverage::Last).into_iter().max().unwrap_or(0);
            ChannelRuns { tolerance, longest: stretches.iter().map(longest).max().unwrap_or(0) }
        };
        UnchangedRuns { channels: (0..channels).map(of_channel).collect(), window }
    }

    /// Whether there is a tolerance and a length for each channel.
    pub(super) fn fits(&self, channels: usize) -> bool {
        self.channels.len() == channels && self.channels.iter().all(|runs| runs.tolerance >= 0.0)
    }

    /// Points of the longest run of a channel in training.
    pub(super) fn longest(&self, channel: usize) -> u32 {
        self.channels[channel].longest
    }

    /// The length of the run that each value belongs to, `[n, channels]`: the whole of it, or, where only the last window
    /// speaks, its part so far.
    pub(super) fn lengths(&self, values: &[f64], coverage: Coverage) -> Vec<u32> {
        let k = self.channels.len();
        let mut lengths = vec![0; values.len()];
        for (c, channel) in self.channels.iter().enumerate() {
            let found = runs(values, (k, c), channel.tolerance, self.window, coverage);
            lengths.iter_mut().skip(c).step_by(k).zip(found).for_each(|(length, run)| *length = run);
        }
        lengths
    }

    /// The score of a run: the square of its length relative to one point more than twice the longest in training; 0 if
    /// it is no longer than that, for rounded values are equal by chance.
    pub(super) fn score(&self, channel: usize, length: u32) -> f64 {
        let usual = f64::from(LONGER * self.channels[channel].longest + 1);
        let ratio = f64::from(length) / usual;
        if ratio > 1.0 { ratio * ratio } else { 0.0 }
    }
}

/// The run length at each point of a channel; 0 at points that were not observed, which do not end a run unless they are
/// as many as a window.
fn runs(
    values: &[f64],
    (channels, channel): (usize, usize),
    tolerance: f64,
    window: usize,
    coverage: Coverage,
) -> Vec<u32> {
    let mut lengths = vec![0; values.len() / channels];
    let (mut length, mut start, mut last) = (0, f64::NAN, 0);
    for (t, x) in values.iter().skip(channel).step_by(channels).enumerate().filter(|(_, x)| x.is_finite()) {
        if (x - start).abs() <= tolerance && t - last <= window {
            length = (COUNTED * window as u32).min(length + 1);
        } else {
            (length, start) = (1, *x);
        }
        last = t;
        lengths[t] = length;
    }
    if coverage == Coverage::All {
        let mut whole = 0;
        for length in lengths.iter_mut().rev().filter(|length| **length > 0) {
            let so_far = *length;
            whole = whole.max(so_far);
            *length = whole;
            if so_far == 1 {
                whole = 0;
            }
        }
    }
    lengths
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAN: f64 = f64::NAN;

    fn check(values: &[f64], tolerance: f64, so_far: &[u32], whole: &[u32]) {
        assert_eq!(runs(values, (1, 0), tolerance, 3, Coverage::Last), so_far);
        assert_eq!(runs(values, (1, 0), tolerance, 3, Coverage::All), whole);
    }

    #[test]
    fn a_run_is_counted_in_observed_points_near_its_first() {
        check(&[1.0, 1.0, 2.0, 2.0, 2.0, 1.0], 0.0, &[1, 2, 1, 2, 3, 1], &[2, 2, 3, 3, 3, 1]);
        check(&[1.0, 1.1, 1.2, 1.3], 0.15, &[1, 2, 1, 2], &[2, 2, 2, 2]);
        check(&[5.0, NAN, NAN, 5.0, 5.0], 0.0, &[1, 0, 0, 2, 3], &[3, 0, 0, 3, 3]);
        check(&[5.0, NAN, NAN, NAN, 5.0, 5.0], 0.0, &[1, 0, 0, 0, 1, 2], &[1, 0, 0, 0, 2, 2]);
        check(&[7.0; 8], 0.0, &[1, 2, 3, 4, 5, 6, 6, 6], &[6; 8]);
        check(&[], 0.0, &[], &[]);
    }

    #[test]
    fn a_run_is_evidence_beyond_what_training_had() {
        // The second channel always changes, by about 1; of the first two neighbours are equal.
        let values = [3.0, 0.0, 4.0, 1.0, 4.0, 2.0, 6.0, 3.01, 5.0, 2.0];
        let runs = UnchangedRuns::fit(&[("", &values)], 2, 10);
        assert_eq!([runs.longest(0), runs.longest(1)], [2, 1]);
        assert_eq!([2, 5, 10, 15].map(|length| runs.score(0, length)), [0.0, 0.0, 4.0, 9.0]);
        assert_eq!(runs.lengths(&[1.0, 5.0, 1.0, 5.04, 1.0, 9.0], Coverage::All), [3, 2, 3, 2, 3, 1]);
        assert!(runs.fits(2) && !runs.fits(1));
    }
}
