//! The dominant period of a series, by autocorrelation.
//!
//! The rule is that of the TSB-AD benchmark (`find_length_rank` with rank 1; Liu and Paparrizos 2024, "The Elephant in
//! the Room"), so that windows and buffers match its tables. Where theirs falls back to 125, this one returns `None`.

/// Number of points used.
const MOST_POINTS: usize = 20_000;
/// Last lag.
const LAST_LAG: usize = 400;
/// First lag; shorter ones are short-range correlation.
const FIRST_LAG: usize = 3;
/// Shortest and longest period accepted.
const BELIEVED: std::ops::RangeInclusive<usize> = 6..=303;

/// The dominant period in points, by the autocorrelation of up to the first 20,000 values.
///
/// It is the highest local maximum over the lags 4 to 399; `None` if there is no local maximum, if the highest is
/// a period below 6 or above 303, or if a value is NaN or infinite. Noise has local maxima too: a returned period
/// does not prove periodicity.
///
/// ```
/// let values: Vec<f64> = (0..200).map(|at| f64::from(at % 10)).collect();
/// assert_eq!(narrows_core::prep::period(&values), Some(10));
/// ```
pub fn period(values: &[f64]) -> Option<usize> {
    let values = &values[..values.len().min(MOST_POINTS)];
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    let centred: Vec<f64> = values.iter().map(|value| value - mean).collect();
    // Without division by the variance, which does not change maxima; direct sums take milliseconds for so few lags.
    let variation: Vec<f64> = (FIRST_LAG..=LAST_LAG.min(values.len().saturating_sub(1)))
        .map(|lag| centred[lag..].iter().zip(&centred).map(|(late, early)| late * early).sum())
        .collect();
    let maxima = variation.windows(3).enumerate().filter(|(_, around)| around[1] > around[0] && around[1] > around[2]);
    let mut highest: Option<(usize, f64)> = None;
    for (at, around) in maxima {
        if highest.is_none_or(|(_, height)| around[1] > height) {
            highest = Some((at + FIRST_LAG + 1, around[1]));
        }
    }
    highest.map(|(lag, _)| lag).filter(|lag| BELIEVED.contains(lag))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::baseline::golden::golden;

    #[test]
    fn periods_are_those_of_tsb_ad() {
        for golden in golden("periods") {
            let fallback = 125;
            assert_eq!(period(&golden.numbers("values")).unwrap_or(fallback), golden.count("length"));
        }
    }

    #[test]
    fn only_the_first_points_are_looked_at() {
        let saw = |n: usize, length: usize| (0..n).map(move |at| (at % length) as f64);
        let values: Vec<f64> = saw(MOST_POINTS, 30).chain(saw(100_000, 70).map(|value| 100.0 * value)).collect();
        assert_eq!(period(&values), Some(30));
    }

    #[test]
    fn units_do_not_matter() {
        let values: Vec<f64> = (0..500).map(|at| ((at % 20) as f64).powi(2)).collect();
        for (scale, offset) in [(1.0, 0.0), (-1e-9, 0.0), (1e9, 1e12)] {
            let other: Vec<f64> = values.iter().map(|value| scale * value + offset).collect();
            assert_eq!(period(&other), Some(20), "{scale} {offset}");
        }
    }

    #[test]
    fn what_has_no_period_has_none() {
        let line: Vec<f64> = (0..100).map(f64::from).collect();
        let mut hole: Vec<f64> = (0..100).map(|at| f64::from(at % 10)).collect();
        hole[50] = f64::NAN;
        for values in [&[][..], &[1.0], &[1.0, 2.0, 1.0, 2.0], &[3.3; 1000], &line, &hole, &[1e300, -1e300, 1e300]] {
            assert_eq!(period(values), None, "{values:?}");
        }
    }
}
