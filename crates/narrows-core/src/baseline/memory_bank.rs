//! A memory bank: rows that are normal, and how far others are from them, in the whitened code of a linear autoencoder.
//!
//! PCA is the best linear autoencoder; in its code, divided by the standard deviations, a deviation along an axis on which
//! normal rows hardly vary counts as much as one along the widest (Roth et al. 2022, "Towards total recall in industrial
//! anomaly detection", with the codes of a network trained on other images).

use super::{Components, Neighbours, Pca};
use crate::error::Result;

/// Largest number of units of the code.
const MOST_UNITS: usize = 32;
/// Rank of the neighbour whose distance is measured: a single odd row among the normal ones hides none of its kind.
const NEIGHBOUR: usize = 3;
/// Axes with less of the widest axis's standard deviation count as rounding.
const LEAST_DEVIATION: f64 = 1e-3;

/// Normal rows, as whitened codes.
#[derive(Debug, Clone, PartialEq)]
pub struct MemoryBank {
    /// The linear autoencoder.
    pub pca: Pca,
    /// The codes that are kept.
    pub codes: Neighbours,
}

impl MemoryBank {
    /// Fits on `x` (shape `[n, width]`), and keeps at most `cap` of its rows, drawn by `seed`.
    ///
    /// # Errors
    /// As [`Pca::fit`] and [`Neighbours::fit`].
    pub fn fit(x: &[f32], n: usize, width: usize, cap: usize, seed: u64) -> Result<MemoryBank> {
        let pca = Pca::fit(x, n, width, Components::Count(MOST_UNITS.min(width)), seed)?;
        let codes = whitened(&pca, x, width);
        let codes = Neighbours::fit(&codes, n, units(&pca), NEIGHBOUR, cap, seed)?;
        Ok(MemoryBank { pca, codes })
    }

    /// Validates one read from a file.
    ///
    /// # Errors
    /// If lengths do not agree, or numbers are not finite.
    pub fn checked(pca: Pca, codes: Vec<f32>) -> Result<MemoryBank> {
        let pca = pca.checked()?;
        let width = units(&pca);
        let k = NEIGHBOUR.min(codes.len() / width);
        let codes = Neighbours { reference: codes, width, k }.checked()?;
        Ok(MemoryBank { pca, codes })
    }

    /// Number of columns of a row.
    pub fn width(&self) -> usize {
        self.pca.width()
    }

    /// What each unit of the code is divided by, `[units]`; nothing where all rows were equal, and the code is zero.
    pub(crate) fn deviations(&self) -> Vec<f32> {
        deviations(&self.pca)
    }

    /// The distance of every row of `x` from the rows in memory, shape `[rows]`.
    ///
    /// # Panics
    /// If `x` is not a whole number of rows.
    pub fn distance(&self, x: &[f32]) -> Vec<f64> {
        self.codes.distance(&whitened(&self.pca, x, self.width()))
    }
}

/// Units of the code: at least one, which is zero where all rows were equal.
fn units(pca: &Pca) -> usize {
    pca.n_components().max(1)
}

/// What a unit of the code is divided by, `[units of the PCA]`.
fn deviations(pca: &Pca) -> Vec<f32> {
    let widest = pca.explained_variance.first().map_or(0.0, |variance| variance.sqrt());
    let deviation = |variance: &f64| variance.sqrt().max(LEAST_DEVIATION * widest) as f32;
    pca.explained_variance.iter().map(deviation).collect()
}

/// Codes with a standard deviation of 1 on each axis.
fn whitened(pca: &Pca, x: &[f32], width: usize) -> Vec<f32> {
    if pca.n_components() == 0 {
        return vec![0.0; x.len() / width];
    }
    let mut codes = pca.encode(x);
    let deviations = deviations(pca);
    for code in codes.chunks_exact_mut(deviations.len()) {
        code.iter_mut().zip(&deviations).for_each(|(unit, deviation)| *unit /= deviation);
    }
    codes
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A wide axis and a narrow one, as a grid.
    fn grid() -> Vec<f32> {
        (0..400).flat_map(|i| [(i % 20) as f32 - 9.5, 0.01 * ((i / 20) as f32 - 9.5)]).collect()
    }

    #[test]
    fn a_small_step_along_a_narrow_axis_is_far() {
        let bank = MemoryBank::fit(&grid(), 400, 2, 400, 0).unwrap();
        let far = bank.distance(&[0.5, 0.3, 0.5, 0.005, 9.0, 0.0]);
        assert!(far[0] > 20.0 * far[1] && far[2] < 0.3, "{far:?}");
        assert_eq!(bank.distance(&[0.5, 0.3]), far[..1], "the same alone");
    }

    #[test]
    fn equal_rows_have_no_distance() {
        let bank = MemoryBank::fit(&[2.0; 30], 10, 3, 5, 0).unwrap();
        assert_eq!(bank.distance(&[2.0, 2.0, 2.0]), [0.0]);
        assert_eq!(bank.codes.n_references(), 5);
    }

    #[test]
    fn what_is_read_is_checked() {
        let bank = MemoryBank::fit(&grid(), 400, 2, 50, 3).unwrap();
        let codes = bank.codes.reference.clone();
        assert_eq!(MemoryBank::checked(bank.pca.clone(), codes.clone()).unwrap(), bank);
        assert!(MemoryBank::checked(bank.pca.clone(), codes[..99].to_vec()).is_err());
        assert!(MemoryBank::checked(bank.pca, Vec::new()).is_err());
    }
}
