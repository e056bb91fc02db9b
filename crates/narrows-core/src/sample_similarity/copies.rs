//! Detection of memorised rows: distances of generated rows to training rows, relative to those of held-out rows.

use serde::{Deserialize, Serialize};

use crate::baseline::Neighbours;
use crate::error::Result;

/// Maximum number of training rows as references, and of rows measured.
const REFERENCES: usize = 10_000;
const MEASURED: usize = 1_000;
/// Rows nearer than this, in prepared units of about 1, are equal up to floating-point precision.
const SAME: f64 = 1e-6;

/// Distances to the nearest training rows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Copies {
    /// Median distance of generated rows to the nearest training row, divided by that of held-out rows: far below
    /// 1 indicates copies. `None` if held-out rows themselves coincide with training rows.
    pub ratio: Option<f64>,
    /// Generated rows equal to a training row.
    pub exact: u64,
    /// Held-out rows equal to a training row, for comparison.
    pub exact_held_out: u64,
    /// Maximum number of rows measured of either kind.
    pub measured: u64,
}

impl Copies {
    /// Measures rows `[n, width]`.
    ///
    /// # Errors
    /// If there are no training rows.
    pub(super) fn of(generated: &[f32], held_out: &[f32], training: &[f32], width: usize, seed: u64) -> Result<Copies> {
        let index = Neighbours::fit(training, training.len() / width, width, 1, REFERENCES, seed)?;
        let distances = |rows: &[f32]| {
            let mut distances = index.distance(&rows[..rows.len().min(MEASURED * width)]);
            distances.sort_by(f64::total_cmp);
            distances
        };
        let (generated, held_out) = (distances(generated), distances(held_out));
        let median = |sorted: &[f64]| sorted.get(sorted.len() / 2).copied().unwrap_or(0.0);
        let exact = |sorted: &[f64]| sorted.iter().filter(|distance| **distance <= SAME).count() as u64;
        let usual = median(&held_out);
        Ok(Copies {
            ratio: (usual > SAME).then(|| median(&generated) / usual).filter(|ratio| ratio.is_finite()),
            exact: exact(&generated),
            exact_held_out: exact(&held_out),
            measured: generated.len().max(held_out.len()) as u64,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_between_training_rows_are_no_copies() {
        let training: Vec<f32> = (0..100).map(|i| i as f32).collect();
        let copies = Copies::of(&[3.0, 7.0, 7.5], &[0.5, 10.5, 20.5], &training, 1, 0).unwrap();
        assert_eq!((copies.exact, copies.exact_held_out, copies.ratio), (2, 0, Some(0.0)));
        let copies = Copies::of(&[3.5, 7.5], &[0.5, 10.5, 20.5], &training, 1, 0).unwrap();
        assert_eq!(copies.ratio, Some(1.0));
    }

    #[test]
    fn where_held_out_rows_equal_training_rows_there_is_no_ratio() {
        let copies = Copies::of(&[1.0], &[1.0, 2.0], &[1.0, 2.0], 1, 0).unwrap();
        assert_eq!((copies.ratio, copies.exact_held_out), (None, 2));
    }
}
