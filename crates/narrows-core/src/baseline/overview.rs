//! How far rows lie from a data set as a whole: subsamples of known rows in two scalings of the columns.
//!
//! The neighbourhood of a row (`neighbourhood.rs`) tells local anomalies, and is blind to a cluster of them among the known
//! rows; the overview tells global ones, clustered or not.

use super::rows::weighted;
use super::subsamples::{Draw, Subsamples};

/// Subsamples of known rows, in two scalings.
#[derive(Debug, Clone, PartialEq)]
pub struct Overview {
    draw: Draw,
    /// The rows as they are given.
    standard: Subsamples,
    /// The rows in units of the columns' ranges.
    ranged: Subsamples,
    /// `[width]`, the factors from the first to the second.
    pub(crate) weights: Vec<f32>,
}

impl Overview {
    /// Number of distances that are measured of a row.
    pub const MEASURES: usize = 2;

    /// Draws from the rows `known` (shape `[m, width]`) by `seed`; `weights` bring columns to units of their ranges.
    ///
    /// # Panics
    /// If there is no row, or `known` is not a whole number of rows.
    pub fn fit(known: &[f32], weights: &[f32], seed: u64) -> Overview {
        Overview::of(known, weights, Draw::new(known.len() / weights.len(), seed))
    }

    fn of(known: &[f32], weights: &[f32], draw: Draw) -> Overview {
        let width = weights.len();
        let standard = Subsamples::of(known, width, &draw);
        let ranged = Subsamples::of(&weighted(known, weights), width, &draw);
        Overview { draw, standard, ranged, weights: weights.to_vec() }
    }

    /// Reads one of the rows `known` from a file: the numbers of the rows drawn, and the size of a subsample.
    ///
    /// # Errors
    /// If the numbers are not those of rows.
    pub fn checked(known: &[f32], weights: &[f32], members: Vec<u32>, size: usize) -> Result<Overview, String> {
        let m = known.len().checked_div(weights.len()).unwrap_or(0);
        Ok(Overview::of(known, weights, Draw::checked(members, size, m)?))
    }

    /// The rows of the subsamples as they are given, shape `[subsamples * size, width]`.
    pub(crate) fn drawn(&self) -> Vec<f32> {
        self.standard.rows(self.draw.size())
    }

    /// The rows that were drawn.
    pub fn draw(&self) -> &Draw {
        &self.draw
    }

    /// The distances of every row of `x`, as given and in units of ranges.
    ///
    /// # Panics
    /// If `x` is not a whole number of rows.
    pub fn measure(&self, x: &[f32]) -> Vec<[f64; Overview::MEASURES]> {
        let ranged = weighted(x, &self.weights);
        let (standard, ranged) = rayon::join(|| self.standard.distance(x), || self.ranged.distance(&ranged));
        standard.into_iter().zip(ranged).map(|(standard, ranged)| [standard, ranged]).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_distance_is_that_of_weighted_rows() {
        let known: Vec<f32> = (0..80).flat_map(|i| [i as f32, (i % 2) as f32]).collect();
        let overview = Overview::fit(&known, &[0.1, 0.0], 5);
        let plain = Overview::fit(&weighted(&known, &[0.1, 0.0]), &[1.0, 1.0], 5);
        let x = [200.0, 9.0];
        let found = overview.measure(&x)[0];
        assert_eq!(found[1], plain.measure(&weighted(&x, &[0.1, 0.0]))[0][0]);
        assert!(found[0] > 9.0 * found[1], "{found:?}");
    }

    #[test]
    fn drawn_rows_are_those_of_the_subsamples() {
        let known: Vec<f32> = (0..90).map(|i| i as f32).collect();
        let overview = Overview::fit(&known, &[1.0, 0.5, 2.0], 3);
        let row = |member: &u32| known[*member as usize * 3..][..3].to_vec();
        assert_eq!(overview.drawn(), overview.draw().members().iter().flat_map(row).collect::<Vec<f32>>());
    }

    #[test]
    fn what_is_read_is_checked() {
        let (known, weights): (Vec<f32>, _) = ((0..40).map(|i| i as f32).collect(), [0.2]);
        let overview = Overview::fit(&known, &weights, 0);
        let read = |known: &[f32]| {
            let draw = overview.draw();
            Overview::checked(known, &weights, draw.members().to_vec(), draw.size())
        };
        assert_eq!(read(&known).unwrap(), overview);
        assert!(read(&known[..9]).is_err());
    }
}
