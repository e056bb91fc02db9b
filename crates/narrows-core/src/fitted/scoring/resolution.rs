//! The resolution of prepared data: errors and distances that rounding alone makes, the floors of the ratios in a score.
//!
//! Numbers are known to a smallest step: a rounded one is off by up to half a step, on average by step² / 12 when squared.
//! Where rows are evenly spaced or discrete, a network may reproduce them more exactly than they are known, or all lie at
//! one distance from their neighbours; without a floor the rounding of the arithmetic would then decide.

use rayon::prelude::*;

use crate::baseline::Gaussian;
use crate::compute::Compute;
use crate::detect::residual::Slots;
use crate::prep::{Block, BlockKind, Prepared};

/// Most values looked at, and the fewest rows of them.
const MOST_VALUES: usize = 1 << 22;
const FEWEST_ROWS: usize = 200;
/// Values are equal if they differ by less than this share of the largest.
const EQUAL: f32 = 1e-6;
/// The quantile of the steps between neighbouring values that is taken as the smallest one: a few odd values between the
/// others do not make a finer scale.
const SMALLEST: f64 = 0.1;
/// The mean square of an error that is evenly spread over a step of 1.
const ROUNDED: f64 = 1.0 / 12.0;
/// Rounding is at most this share of a column's variance: a value that hardly ever occurs is far from the others, and not
/// because values are known so coarsely.
const MOST_OF_VARIANCE: f64 = 1.0 / 12.0;

/// The mean squared rounding error of each prepared value, `[width]`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Resolution {
    squares: Vec<f64>,
}

impl Resolution {
    /// Of prepared rows, by their own values.
    pub(crate) fn of(rows: &Prepared, blocks: &[Block], compute: &Compute) -> Resolution {
        let mut resolution = Resolution::of_values(&rows.target, rows.width, compute);
        for block in blocks.iter().filter(|block| block.kind == BlockKind::Levels) {
            // One level instead of another changes two values by 1, however many levels there are.
            let each = 2.0 * ROUNDED / block.range.len() as f64;
            resolution.squares[block.range.clone()].fill(each);
        }
        resolution
    }

    /// Of values `[n, width]`; NaN is unobserved.
    pub(crate) fn of_values(values: &[f32], width: usize, compute: &Compute) -> Resolution {
        let n = values.len() / width.max(1);
        // Evenly spaced over all rows.
        let every = n.div_ceil((MOST_VALUES / width.max(1)).max(FEWEST_ROWS)).max(1);
        let square = |slot: usize| {
            let column = values.iter().skip(slot).step_by(width * every).copied();
            let observed: Vec<f32> = column.filter(|x| x.is_finite()).collect();
            let most = MOST_OF_VARIANCE * variance(&observed);
            (ROUNDED * f64::from(smallest_step(observed)).powi(2)).min(most)
        };
        Resolution { squares: compute.install(|| (0..width).into_par_iter().map(square).collect()) }
    }

    /// The contribution of rounding to the error of each column, `[columns]`.
    pub(crate) fn contributions(&self, slots: &Slots) -> Vec<f64> {
        let mut contributions = vec![0.0; slots.n_columns()];
        self.squares.iter().enumerate().for_each(|(slot, square)| contributions[slots.column(slot)] += square);
        contributions
    }

    /// The distance between two rows that differ by their rounding.
    pub(crate) fn distance(&self) -> f64 {
        (2.0 * self.squares.iter().sum::<f64>()).sqrt()
    }

    /// The same, where each value is multiplied by a weight.
    pub(crate) fn weighted_distance(&self, weights: &[f32]) -> f64 {
        let squares = self.squares.iter().zip(weights).map(|(square, weight)| square * f64::from(*weight).powi(2));
        (2.0 * squares.sum::<f64>()).sqrt()
    }

    /// The squared Mahalanobis distance that rounding makes, for a distribution whose first values are these.
    pub(crate) fn squared_distance(&self, gaussian: &Gaussian) -> f64 {
        let width = gaussian.mean.len();
        let rows = gaussian.whitening.chunks_exact(width);
        rows.flat_map(|row| row.iter().zip(&self.squares).map(|(w, square)| w * w * square)).sum()
    }
}

fn variance(values: &[f32]) -> f64 {
    let n = values.len().max(1) as f64;
    let mean = values.iter().map(|x| f64::from(*x)).sum::<f64>() / n;
    values.iter().map(|x| (f64::from(*x) - mean).powi(2)).sum::<f64>() / n
}

/// The smallest step between neighbouring values; 0 if all are equal.
fn smallest_step(mut values: Vec<f32>) -> f32 {
    values.sort_unstable_by(f32::total_cmp);
    let (Some(first), Some(last)) = (values.first(), values.last()) else { return 0.0 };
    let least = EQUAL * first.abs().max(last.abs());
    let mut steps: Vec<f32> = values.windows(2).map(|pair| pair[1] - pair[0]).filter(|step| *step > least).collect();
    if steps.is_empty() {
        return 0.0;
    }
    let at = (SMALLEST * (steps.len() - 1) as f64) as usize;
    *steps.select_nth_unstable_by(at, f32::total_cmp).1
}

#[cfg(test)]
mod tests {
    use super::super::by_hand::rows;
    use super::*;
    use crate::baseline::random::Stream;

    fn of(values: &[[f32; 2]]) -> Resolution {
        Resolution::of(&rows(values), &[], &Compute::serial())
    }

    #[test]
    fn a_step_is_that_between_neighbouring_values() {
        let values: Vec<[f32; 2]> = (0..50).map(|i| [0.5 * (i % 10) as f32, [1.0, 3.0, f32::NAN][i % 3]]).collect();
        let found = of(&values);
        // The second step is as wide as its column, whose variance is 1.
        assert_eq!(found.squares, [0.25, 1.0].map(|square| ROUNDED * square));
        assert!((found.contributions(&Slots::new(vec![0, 0]))[0] - 1.25 / 12.0).abs() < 1e-12);
        assert!((found.distance() - (2.5_f64 / 12.0).sqrt()).abs() < 1e-12);
        assert!((found.weighted_distance(&[2.0, 0.0]) - (2.0_f64 / 12.0).sqrt()).abs() < 1e-12);
        assert_eq!(of(&[[1.0, 2.0]; 3]).distance(), 0.0);
        assert_eq!(of(&[]).distance(), 0.0);
    }

    #[test]
    fn rounding_of_equal_values_and_a_few_odd_ones_make_no_finer_scale() {
        let mut values: Vec<[f32; 2]> =
            (0..300).map(|i| [0.1 * (i % 50) as f32 + 1e-7 * (i % 3) as f32, 0.0]).collect();
        values.push([0.1234, 0.0]);
        let step = (12.0 * of(&values).squares[0]).sqrt();
        assert!((step - 0.1).abs() < 1e-3, "{step}");
    }

    #[test]
    fn a_value_that_hardly_ever_occurs_is_far_off_and_not_coarse() {
        let values: Vec<[f32; 2]> = (0..1000).map(|i| [if i == 500 { 31.6 } else { 0.0 }, 0.0]).collect();
        assert!(of(&values).squares[0] < 0.1, "{:?}", of(&values));
    }

    #[test]
    fn numbers_of_any_value_have_hardly_any_floor() {
        let mut stream = Stream::new(3, 0);
        let values: Vec<[f32; 2]> = (0..1000).map(|_| [stream.normal() as f32, 0.0]).collect();
        assert!(of(&values).squares[0] < 1e-7, "{:?}", of(&values));
    }

    #[test]
    fn a_category_has_one_step_however_many_levels_it_has() {
        let range = 0..2;
        let block = Block { column: "job".to_owned(), kind: BlockKind::Levels, range, unit_interval: true };
        let found = Resolution::of(&rows(&[[0.0, 1.0], [1.0, 0.0]]), &[block], &Compute::serial());
        assert_eq!(found.contributions(&Slots::new(vec![0, 0])), [2.0 / 12.0]);
    }

    #[test]
    fn a_squared_distance_is_in_units_of_the_distribution() {
        let whitening = vec![2.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 9.0];
        let gaussian = Gaussian { mean: vec![0.0; 3], whitening, shrinkage: 0.0 };
        let resolution = Resolution { squares: vec![1.0, 0.5] };
        assert_eq!(resolution.squared_distance(&gaussian), 4.5);
    }
}
