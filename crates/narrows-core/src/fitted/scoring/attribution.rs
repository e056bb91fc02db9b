//! The attribution of a row: what is expected of each column, and how far the row is from that.
//!
//! A wide network copies much of an anomalous cell, so an expectation needs the cell hidden. Both what is told as
//! expected and the shares of the columns come from the reconstruction in which the top contributing columns are hidden, so
//! they cannot disagree, and a column that is as expected has no share.

use super::scorer::Scorer;
use crate::detect::explain;
use crate::prep::Prepared;

/// Columns are to blame until they carry this share of a row's distance.
const BLAMED_SHARE: f64 = 0.8;
/// Number of iterations that replace hidden columns by their reconstruction.
const REFINEMENTS: usize = 4;
/// Number of times that the hidden columns are chosen again, by the attribution so far.
const REVISIONS: usize = 2;

/// How far observed values are from expected ones.
pub(crate) trait Yardstick: Sync {
    /// Writes the squared distance of each column of one row, in units of the column's spread, and brings `expected`,
    /// the output of the network, to what the columns can hold. NaN targets are unobserved and have no distance.
    fn measure(&self, target: &[f32], expected: &mut [f32], distances: &mut [f64]);
}

/// Distances in prepared units, in which all columns have the same spread.
pub(crate) struct PreparedUnits;

impl Yardstick for PreparedUnits {
    fn measure(&self, target: &[f32], expected: &mut [f32], distances: &mut [f64]) {
        for ((t, e), distance) in target.iter().zip(expected).zip(distances) {
            *distance = if t.is_nan() { 0.0 } else { f64::from(t - *e).powi(2) };
        }
    }
}

/// What is expected of rows, and how far each column is from that.
pub(crate) struct Attribution {
    /// `[n, width]`
    pub(crate) expected: Vec<f32>,
    /// `[n, columns]`, each row's adding up to 1, or all 0 if everything is as expected.
    pub(crate) shares: Vec<f64>,
}

impl Scorer {
    /// The attribution of rows; `shares`, `[n, columns]`, are those of the columns in the score, where the search for the
    /// columns to hide begins.
    ///
    /// The first member's expectations are told: it is trained with the strongest corruption, so it copies least.
    pub(crate) fn attribution(&self, prepared: &Prepared, shares: &[f64], yardstick: &dyn Yardstick) -> Attribution {
        let (width, columns) = (prepared.width, self.slots.n_columns());
        let mut attribution = Attribution { expected: Vec::new(), shares: shares.to_vec() };
        for _ in 0..REVISIONS {
            let hidden: Vec<Vec<usize>> = attribution.shares.chunks_exact(columns).map(blamed).collect();
            attribution.expected = self.expected(prepared, &hidden);
            let mut distances = vec![0.0; columns];
            let rows = prepared.target.chunks_exact(width).zip(attribution.expected.chunks_exact_mut(width));
            for ((target, expected), shares) in rows.zip(attribution.shares.chunks_exact_mut(columns)) {
                yardstick.measure(target, expected, &mut distances);
                shares.copy_from_slice(&explain::shares(&distances));
            }
        }
        attribution
    }

    /// The first member's output for rows in which the columns `hidden` start at zero, the centre of prepared data,
    /// and are replaced by their reconstruction again and again.
    fn expected(&self, prepared: &Prepared, hidden: &[Vec<usize>]) -> Vec<f32> {
        let width = prepared.width;
        let slots_of = |columns: &Vec<usize>| -> Vec<usize> {
            (0..width).filter(|slot| columns.contains(&self.slots.column(*slot))).collect()
        };
        let hidden: Vec<Vec<usize>> = hidden.iter().map(slots_of).collect();
        let mut input = prepared.input.clone();
        let mut codes = vec![0.0; prepared.n * self.ensemble.network.code_size()];
        let mut output = vec![0.0; prepared.input.len()];
        for pass in 0..=REFINEMENTS {
            for (row, hidden) in hidden.iter().enumerate() {
                for slot in hidden {
                    let at = row * width + slot;
                    input[at] = if pass == 0 { 0.0 } else { output[at] };
                }
            }
            self.ensemble.reconstruct(0, &input, &mut codes, &mut output);
        }
        output
    }
}

/// The columns that together carry most of a row's distance; at most half of them, so that the rest can be conditioned
/// on.
fn blamed(shares: &[f64]) -> Vec<usize> {
    let mut carried = 0.0;
    let mut blamed = explain::top_k(shares, shares.len().div_ceil(2));
    blamed.retain(|column| {
        let wanted = carried < BLAMED_SHARE;
        carried += shares[*column];
        wanted
    });
    blamed
}

#[cfg(test)]
mod tests {
    use super::super::by_hand::{ensemble, rows};
    use super::*;
    use crate::detect::residual::Slots;
    use crate::detect::{ColumnScale, Detector, LogRatio, MemberScale, Score};

    /// A scorer whose outputs are the mean of both values.
    fn scorer() -> Scorer {
        let scale =
            MemberScale { columns: ColumnScale { scale: vec![1.0, 1.0] }, ratio: LogRatio { median: 1.0, floor: 0.0 } };
        let detector =
            Detector { score: Score::Residual, members: vec![scale], neighbours: None, gaussian: None, exponent: 1.0 };
        let ensemble = ensemble(&[([0.5, 0.5], [1.0, 1.0])]);
        Scorer { ensemble, detector, slots: Slots::new(vec![0, 1]) }
    }

    /// Distances in prepared units, of outputs that are whole numbers.
    struct Whole;

    impl Yardstick for Whole {
        fn measure(&self, target: &[f32], expected: &mut [f32], distances: &mut [f64]) {
            for ((t, e), distance) in target.iter().zip(expected).zip(distances) {
                *e = e.round();
                *distance = if t.is_nan() { 0.0 } else { f64::from(t - *e).powi(2) };
            }
        }
    }

    #[test]
    fn columns_are_to_blame_until_they_carry_most_of_the_distance() {
        assert_eq!(blamed(&[0.9, 0.05, 0.03, 0.02]), [0]);
        assert_eq!(blamed(&[0.1, 0.2, 0.7, 0.0]), [2, 1]);
        // At most half of them.
        assert_eq!(blamed(&[0.25, 0.25, 0.25, 0.25]).len(), 2);
        assert_eq!(blamed(&[1.0]), [0]);
    }

    #[test]
    fn what_is_expected_of_a_blamed_column_comes_from_the_others() {
        // The hidden second value starts at 0 and approaches 1 by halves.
        assert_eq!(scorer().expected(&rows(&[[1.0, 9.0]]), &[vec![1]]), [0.96875, 0.96875]);
        assert_eq!(scorer().expected(&rows(&[[8.0, 0.0]]), &[vec![0]]), [0.0, 0.0]);
    }

    #[test]
    fn shares_are_of_what_is_told_as_expected() {
        let attribution = scorer().attribution(&rows(&[[1.0, 9.0], [2.0, f32::NAN]]), &[0.1, 0.9, 1.0, 0.0], &Whole);
        // The second value is expected to be 1, as is the first: all of the distance is the second's.
        assert_eq!((&attribution.expected[..2], &attribution.shares[..2]), (&[1.0, 1.0][..], &[0.0, 1.0][..]));
        assert_eq!(attribution.shares[3], 0.0, "what is unobserved is not to blame");
    }
}
