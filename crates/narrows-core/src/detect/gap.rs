//! A gap in held-out scores: a few rows set off so far above the others that they are anomalies among the rows of the fit.
//!
//! Unlabelled data hold a few anomalies, and one absurd value among few calibration rows would itself be the threshold. A
//! gap is found in the logarithms of the scores, where ordinary tails fall off exponentially or faster. Of exponential
//! tails the spacings below the `k`-th largest, times `k`, are independent and of one mean (Renyi 1953); its estimate
//! from the `m` largest scores below a gap is that of Hill 1975, and a gap's ratio to it has the survival function
//! `(1 + t / m)^-m`. Tails that fall off more slowly are allowed for by two further conditions, on the gap's size.

use super::scale::FAR_OFF;

/// With fewer scores none is set off from others.
const FEWEST: usize = 20;
/// The largest share of the scores that a gap may set off; one score may always be.
const LARGEST_SHARE: f64 = 0.05;
/// How much wider than the rest above its median the gap must be, in logarithms.
const WIDER: f64 = 1.5;
/// Probability of so wide a gap below an exponential tail.
const LEVEL: f64 = 1e-3;
/// Share of the scores below a gap that tell how fast they fall off, and the fewest and most of them.
const TAIL: f64 = 0.2;
const FEWEST_OF_TAIL: usize = 5;
const MOST_OF_TAIL: usize = 20;

/// The number of largest scores that are set off from the others by a gap; 0 if there is none. `rising` are scores in
/// ascending order, above 0.
pub(super) fn set_off(rising: &[f64]) -> usize {
    let n = rising.len();
    if n < FEWEST {
        return 0;
    }
    let most = ((LARGEST_SHARE * n as f64) as usize).max(1);
    let logs: Vec<f64> = rising.iter().map(|score| score.max(f64::MIN_POSITIVE).ln()).collect();
    let median = logs[n / 2];
    // The lowest gap, so that what is above it is set off as a whole.
    (1..=most).rev().find(|k| is_gap(&logs, *k, median)).unwrap_or(0)
}

/// Whether the `k` largest of rising `logs` are set off from the others.
fn is_gap(logs: &[f64], k: usize, median: f64) -> bool {
    let rest = &logs[..logs.len() - k];
    let last = rest[rest.len() - 1];
    let gap = logs[rest.len()] - last;
    // The scores on both sides must be as different as an ordinary one and one far off.
    if gap < FAR_OFF.ln() || gap < WIDER * (last - median) {
        return false;
    }
    let m = ((TAIL * rest.len() as f64) as usize).clamp(FEWEST_OF_TAIL, MOST_OF_TAIL);
    let (base, tail) = (rest[rest.len() - m - 1], &rest[rest.len() - m..]);
    let mean = tail.iter().map(|log| log - base).sum::<f64>() / m as f64;
    // Equal scores have no tail: any gap is one.
    let ratio = k as f64 * gap / mean.max(f64::MIN_POSITIVE);
    (1.0 + ratio / m as f64).powi(-(m as i32)) < LEVEL
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::baseline::random::Stream;

    fn rising(n: usize, score: impl FnMut(usize) -> f64) -> Vec<f64> {
        let mut scores: Vec<f64> = (0..n).map(score).collect();
        scores.sort_by(f64::total_cmp);
        scores
    }

    /// Share of samples in which a gap is found.
    fn share_found(n: usize, draw: fn(&mut Stream) -> f64) -> f64 {
        let samples = 600;
        let found = |key: u64| {
            let mut stream = Stream::new(41, key);
            set_off(&rising(n, |_| draw(&mut stream).exp())) > 0
        };
        (0..samples).filter(|key| found(*key)).count() as f64 / samples as f64
    }

    fn exponential(stream: &mut Stream) -> f64 {
        -(1.0 - stream.uniform()).ln()
    }

    #[test]
    fn ordinary_tails_hardly_ever_have_a_gap() {
        // Logarithms of scores: normal, of squared errors, exponential (a Pareto tail of the scores), log-normal.
        type Draw = fn(&mut Stream) -> f64;
        let draws: [(Draw, f64); 5] = [
            (|stream| 0.6 * stream.normal(), 0.002),
            (|stream| stream.normal().powi(2).ln(), 0.002),
            (|stream| 0.7 * exponential(stream), 0.01),
            (|stream| (0.5 * stream.normal()).exp(), 0.02),
            // Far heavier than scores are: tails of scores that have no moments at all.
            (|stream| stream.normal().exp(), 0.09),
        ];
        for (i, (draw, most)) in draws.into_iter().enumerate() {
            for n in [30, 50, 200, 1000] {
                let share = share_found(n, draw);
                assert!(share <= most, "distribution {i}, {n} rows: {share}");
            }
        }
    }

    #[test]
    fn a_mode_of_its_own_is_no_gap() {
        // A tenth of the rows score ten times as high as the others.
        let draw: fn(&mut Stream) -> f64 =
            |stream| 0.5 * stream.normal() + if stream.uniform() < 0.1 { 10.0_f64.ln() } else { 0.0 };
        for n in [50, 200, 1000] {
            assert!(share_found(n, draw) <= 0.02, "{n}");
        }
    }

    #[test]
    fn a_few_absurd_scores_are_set_off() {
        for n in [50, 200, 1000, 5000] {
            let few = (n / 50).max(1);
            let found = (0..200).filter(|key| {
                let mut stream = Stream::new(43, *key);
                let scores = rising(n, |i| {
                    let log = 0.6 * stream.normal();
                    if i < few { 1e4 * log.exp() } else { log.exp() }
                });
                set_off(&scores) == few
            });
            let share = found.count() as f64 / 200.0;
            assert!(share > 0.95, "{few} of {n}: {share}");
        }
    }

    #[test]
    fn few_scores_and_equal_scores() {
        assert_eq!(set_off(&[]), 0);
        assert_eq!(set_off(&rising(19, |i| if i == 0 { 1e9 } else { 1.0 })), 0);
        assert_eq!(set_off(&rising(20, |i| if i == 0 { 1e9 } else { 1.0 })), 1);
        assert_eq!(set_off(&[1.0; 100]), 0);
        // 6 of 100 are too many, and 4 times the others is not far off.
        assert_eq!(set_off(&rising(100, |i| if i < 6 { 1e9 } else { 1.0 })), 0);
        assert_eq!(set_off(&rising(100, |i| if i < 5 { 1e9 } else { 1.0 })), 5);
        assert_eq!(set_off(&rising(100, |i| if i == 0 { 4.0 } else { 1.0 })), 0);
        assert_eq!(set_off(&rising(100, |i| if i == 0 { 1e9 } else { 0.0 })), 1);
    }
}
