//! The few values of a column of whole numbers, such as 0 and 1, stars or codes.
//!
//! Such a column trains as numbers. A generated cell is one of its values, with the probability that the decoder's output
//! implies. Of two values the output is the mean, so its place between them is a probability. For more, it is Bayes' rule
//! from the shares of the values and a normal distribution of the output around a line in the value, fitted on held-out
//! rows: where the output tells nothing (the line is flat), values come with their shares.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::grain::OutputError;

/// Largest number of values.
const MOST: usize = 32;
/// Fewest rows per value on average: with fewer the numbers are a measurement.
const ROWS_A_VALUE: usize = 10;
/// Above this magnitude whole numbers are no values of a few.
const LARGEST: f64 = 1e9;
/// Smallest standard deviation of the output, in prepared units, against division by zero.
const LEAST_SPREAD: f64 = 1e-3;

/// The values of a column with few whole numbers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct GrainLevels {
    /// In ascending order.
    values: Vec<f64>,
    /// Their shares of the training rows.
    shares: Vec<f64>,
    /// The decoder's output for the prepared value z is about `intercept + slope * z`.
    intercept: f64,
    slope: f64,
    /// Standard deviation of the output around it.
    spread: f64,
}

impl GrainLevels {
    /// The values of these cells; `None` if they are no few whole numbers.
    pub(crate) fn of(cells: impl Iterator<Item = f64>, error: &OutputError) -> Option<GrainLevels> {
        let mut counts: BTreeMap<i64, usize> = BTreeMap::new();
        let mut n = 0;
        for x in cells {
            if x.fract() != 0.0 || x.abs() > LARGEST {
                return None;
            }
            *counts.entry(x as i64).or_default() += 1;
            n += 1;
            if counts.len() > MOST {
                return None;
            }
        }
        let is_few = counts.len() > 1 && n >= ROWS_A_VALUE * counts.len();
        is_few.then(|| GrainLevels {
            values: counts.keys().map(|value| *value as f64).collect(),
            shares: counts.values().map(|count| *count as f64 / n as f64).collect(),
            intercept: error.intercept,
            slope: error.slope,
            spread: error.spread.max(LEAST_SPREAD),
        })
    }

    /// The value nearest to a number.
    pub(crate) fn nearest(&self, x: f64) -> f64 {
        let closer = |best: f64, value: &f64| if (value - x).abs() < (best - x).abs() { *value } else { best };
        self.values.iter().fold(self.values[0], closer)
    }

    /// The value at `chance`, in [0, 1), of the distribution that an output implies; `prepared` converts a value to
    /// prepared units.
    pub(crate) fn drawn(&self, output: f64, chance: f64, prepared: impl Fn(f64) -> f64) -> f64 {
        if let [low, high] = self.values[..] {
            // The output is the mean of the two, given the code: its place between them is a probability.
            let (least, most) = (prepared(low), prepared(high));
            let share = ((output - least) / (most - least)).clamp(0.0, 1.0);
            let share = if share.is_nan() { self.shares[1] } else { share };
            return if chance < 1.0 - share { low } else { high };
        }
        let distance = |value: f64| (output - self.intercept - self.slope * prepared(value)) / self.spread;
        let exponents: Vec<f64> = self.values.iter().map(|value| -0.5 * distance(*value).powi(2)).collect();
        let highest = exponents.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let weights: Vec<f64> =
            exponents.iter().zip(&self.shares).map(|(exponent, share)| share * (exponent - highest).exp()).collect();
        let mut left = chance * weights.iter().sum::<f64>();
        for (value, weight) in self.values.iter().zip(&weights) {
            left -= weight;
            if left < 0.0 {
                return *value;
            }
        }
        self.nearest(output)
    }

    /// Rejects values that could not have been fitted; for those read from a file.
    pub(crate) fn is_sound(&self) -> bool {
        let numbers = [self.intercept, self.slope, self.spread];
        (2..=MOST).contains(&self.values.len())
            && self.values.len() == self.shares.len()
            && self.values.is_sorted_by(|a, b| a < b)
            && self.values.iter().chain(&numbers).all(|x| x.is_finite())
            && self.shares.iter().all(|share| *share > 0.0 && *share <= 1.0)
            && self.spread >= LEAST_SPREAD
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn levels(values: &[f64], error: OutputError) -> Option<GrainLevels> {
        GrainLevels::of(values.iter().copied(), &error)
    }

    fn many(pattern: &[f64], times: usize) -> Vec<f64> {
        pattern.iter().copied().cycle().take(times * pattern.len()).collect()
    }

    /// Shares of the values drawn at evenly spaced chances.
    fn shares(levels: &GrainLevels, output: f64, value: f64) -> f64 {
        let n = 10_000;
        (0..n).filter(|i| levels.drawn(output, f64::from(*i) / f64::from(n), |x| x) == value).count() as f64
            / f64::from(n)
    }

    #[test]
    fn few_whole_numbers_have_levels_and_measurements_have_none() {
        let error = OutputError::default();
        assert_eq!(levels(&many(&[5.0, 1.0, 2.0], 20), error).unwrap().values, [1.0, 2.0, 5.0]);
        assert_eq!(levels(&many(&[5.0, 1.5], 20), error), None);
        assert_eq!(levels(&many(&[7.0], 20), error), None);
        assert_eq!(levels(&(0..100).map(f64::from).collect::<Vec<_>>(), error), None);
        assert_eq!(levels(&many(&[1.0, 2.0], 5), error), None);
        assert_eq!(levels(&[], error), None);
        assert_eq!(levels(&many(&[5.0, 1.0, 2.0], 20), error).unwrap().nearest(4.2), 5.0);
    }

    #[test]
    fn a_rare_value_that_the_output_does_not_tell_stays_as_rare() {
        let mut cells = vec![0.0; 985];
        cells.extend([1.0; 5]);
        cells.extend([-1.0; 10]);
        let flat = levels(&cells, OutputError { spread: 0.05, ..OutputError::default() }).unwrap();
        assert!((shares(&flat, 0.01, 1.0) - 0.005).abs() < 0.001);
        let line = OutputError { slope: 1.0, spread: 0.05, ..OutputError::default() };
        let told = levels(&cells, line).unwrap();
        assert!(told.is_sound());
        assert!(shares(&told, 0.02, 1.0) < 0.001 && shares(&told, 0.97, 1.0) > 0.999);
        assert!(told.drawn(f64::INFINITY, 0.3, |x| x).abs() <= 1.0);
        let two = levels(&many(&[0.0, 1.0], 20), line).unwrap();
        assert!((shares(&two, 0.02, 1.0) - 0.02).abs() < 0.001);
        assert_eq!((shares(&two, -0.3, 1.0), shares(&two, 1.3, 1.0)), (0.0, 1.0));
    }

    #[test]
    fn forged_levels_are_unsound() {
        let sound = levels(&many(&[0.0, 1.0], 20), OutputError { spread: 1.0, ..OutputError::default() }).unwrap();
        for forged in [
            GrainLevels { values: Vec::new(), shares: Vec::new(), ..sound.clone() },
            GrainLevels { values: vec![1.0, 0.0], ..sound.clone() },
            GrainLevels { shares: vec![1.0], ..sound.clone() },
            GrainLevels { spread: 0.0, ..sound.clone() },
            GrainLevels { slope: f64::NAN, ..sound.clone() },
        ] {
            assert!(!forged.is_sound(), "{forged:?}");
        }
    }
}
