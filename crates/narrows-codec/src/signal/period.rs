//! Where a signal resembles its own past.

/// Points that are looked at, and the longest period that is looked for.
const LOOKED: usize = 1 << 14;
const LONGEST: usize = 2048;

/// The lag at which differences of the first channel are most like the present ones; 0 if none is like them.
pub(crate) fn period(values: &[i64], channels: usize) -> usize {
    let points = values.len() / channels.max(1);
    if points < 16 {
        return 0;
    }
    let n = points.min(LOOKED);
    let mut best = (0i128, 0);
    let mut sums = vec![0i128; (n / 3).min(LONGEST) + 1];
    for channel in 0..channels.min(4) {
        let at = |point: usize| values[point * channels + channel];
        let steps: Vec<i64> = (1..n).map(|t| at(t).saturating_sub(at(t - 1)).clamp(-4096, 4096)).collect();
        for (lag, sum) in sums.iter_mut().enumerate().skip(2) {
            let pairs = steps.iter().zip(&steps[lag..]);
            let total: i64 = pairs.map(|(a, b)| a * b).sum();
            *sum += i128::from(total) * n as i128 / (n - lag) as i128;
        }
    }
    for (lag, &sum) in sums.iter().enumerate().skip(2) {
        best = best.max((sum, lag));
    }
    best.1
}
