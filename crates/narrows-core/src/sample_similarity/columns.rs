//! Column-wise comparison: distances of marginal distributions, and differences of correlations.

use serde::{Deserialize, Serialize};

/// Maximum number of values of a column that are sorted: an image has many.
const MOST_VALUES: usize = 200_000;
/// Maximum number of prepared values in the correlation matrix.
const MOST_CORRELATED: usize = 128;

/// Distance between the distributions of a column.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ColumnDistance {
    /// The column.
    pub column: String,
    /// The distance measure.
    pub by: Distance,
    /// From 0 for identical to 1 for disjoint distributions.
    pub distance: f64,
    /// Shares of missing cells among held-out and among generated rows, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub missing: Option<[f64; 2]>,
}

/// A distance between two distributions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Distance {
    /// Maximum difference of the distribution functions, for numbers.
    KolmogorovSmirnov,
    /// Half the sum of absolute differences of frequencies, for categories and booleans.
    TotalVariation,
}

/// The values of one column in both samples, without missing ones.
pub(crate) enum Values {
    /// Numbers.
    Numbers { generated: Vec<f32>, held_out: Vec<f32> },
    /// Level indices, from 0.
    Levels { generated: Vec<usize>, held_out: Vec<usize> },
}

/// The distance of one column.
pub(crate) fn distances(column: &str, values: Values, missing: Option<[f64; 2]>) -> ColumnDistance {
    let (by, distance) = match values {
        Values::Numbers { generated, held_out } => {
            (Distance::KolmogorovSmirnov, kolmogorov_smirnov(some(generated), some(held_out)))
        }
        Values::Levels { generated, held_out } => (Distance::TotalVariation, total_variation(&generated, &held_out)),
    };
    let missing = missing.filter(|shares| shares.iter().any(|share| *share > 0.0));
    ColumnDistance { column: column.to_owned(), by, distance, missing }
}

/// At most [`MOST_VALUES`], evenly spread.
fn some(values: Vec<f32>) -> Vec<f32> {
    let step = values.len().div_ceil(MOST_VALUES).max(1);
    values.into_iter().step_by(step).collect()
}

/// The maximum difference between the distribution functions of two samples; 0 if one is empty.
fn kolmogorov_smirnov(mut a: Vec<f32>, mut b: Vec<f32>) -> f64 {
    if a.is_empty() || b.is_empty() {
        return 0.0;
    }
    [&mut a, &mut b].into_iter().for_each(|values| values.sort_unstable_by(f32::total_cmp));
    let (mut i, mut j, mut largest) = (0, 0, 0.0_f64);
    while i < a.len() && j < b.len() {
        let x = a[i].min(b[j]);
        i += a[i..].iter().take_while(|value| **value <= x).count();
        j += b[j..].iter().take_while(|value| **value <= x).count();
        largest = largest.max((i as f64 / a.len() as f64 - j as f64 / b.len() as f64).abs());
    }
    largest
}

/// Half the sum of absolute differences of level frequencies; 0 if a sample is empty.
fn total_variation(a: &[usize], b: &[usize]) -> f64 {
    let levels = a.iter().chain(b).max().map_or(0, |level| level + 1);
    if a.is_empty() || b.is_empty() {
        return 0.0;
    }
    let shares = |sample: &[usize]| {
        let mut shares = vec![0.0; levels];
        sample.iter().for_each(|level| shares[*level] += 1.0 / sample.len() as f64);
        shares
    };
    let (a, b) = (shares(a), shares(b));
    0.5 * a.iter().zip(&b).map(|(a, b): (&f64, &f64)| (a - b).abs()).sum::<f64>()
}

/// Mean absolute difference of the correlations of rows `[n, width]`; for wide rows, of an evenly
/// spread subset of values. Constant values have correlation 0.
pub(super) fn correlation_difference(generated: &[f32], held_out: &[f32], width: usize) -> Option<f64> {
    let chosen: Vec<usize> = (0..width).step_by(width.div_ceil(MOST_CORRELATED).max(1)).collect();
    let (a, b) = (correlations(generated, width, &chosen), correlations(held_out, width, &chosen));
    let n = chosen.len();
    let pairs = || (0..n).flat_map(|i| (0..i).map(move |j| i * n + j));
    let sum: f64 = pairs().map(|pair| (a[pair] - b[pair]).abs()).sum();
    // Values that overflowed have no correlation.
    (n > 1).then(|| sum / pairs().count() as f64).filter(|difference| difference.is_finite())
}

/// `[chosen, chosen]`, lower triangle only.
fn correlations(rows: &[f32], width: usize, chosen: &[usize]) -> Vec<f64> {
    let k = chosen.len();
    let n = (rows.len() / width).max(1) as f64;
    let columns: Vec<Vec<f64>> = chosen
        .iter()
        .map(|slot| {
            let column = || rows.chunks_exact(width).map(|row| f64::from(row[*slot]));
            let mean = column().sum::<f64>() / n;
            let size = column().map(|x| (x - mean).powi(2)).sum::<f64>().sqrt();
            column().map(|x| if size > 1e-9 { (x - mean) / size } else { 0.0 }).collect()
        })
        .collect();
    let mut all = vec![0.0; k * k];
    for i in 0..k {
        for j in 0..i {
            all[i * k + j] = columns[i].iter().zip(&columns[j]).map(|(a, b)| a * b).sum();
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_are_those_of_the_textbook() {
        let ks = |a: &[f32], b: &[f32]| kolmogorov_smirnov(a.to_vec(), b.to_vec());
        assert_eq!(ks(&[1.0, 2.0, 3.0], &[1.0, 2.0, 3.0]), 0.0);
        assert_eq!(ks(&[1.0, 2.0], &[3.0, 4.0]), 1.0);
        // scipy.stats.ks_2samp([1, 2, 3, 4], [2.5, 3.5, 4.5, 5.5]).statistic
        assert_eq!(ks(&[1.0, 2.0, 3.0, 4.0], &[2.5, 3.5, 4.5, 5.5]), 0.5);
        assert_eq!(ks(&[0.0, 0.0, 1.0, 1.0], &[0.0, 1.0, 1.0, 1.0]), 0.25);
        assert_eq!(total_variation(&[0, 0, 1, 2], &[0, 1, 1, 1]), 0.5);
        assert_eq!((ks(&[], &[1.0]), total_variation(&[], &[3])), (0.0, 0.0));
    }

    #[test]
    fn correlations_that_are_lost_or_turned_round_are_measured() {
        let line: Vec<f32> = (0..50).flat_map(|i| [i as f32, 2.0 * i as f32, 5.0]).collect();
        let turned: Vec<f32> = (0..50).flat_map(|i| [i as f32, -i as f32, 5.0]).collect();
        assert!((correlation_difference(&line, &turned, 3).unwrap() - 2.0 / 3.0).abs() < 1e-9);
        assert_eq!(correlation_difference(&line, &line, 3), Some(0.0));
        assert_eq!(correlation_difference(&[1.0, 2.0], &[1.0], 1), None);
    }
}
