//! Validated row-major rows: the lengths agree and every number is finite.

use crate::error::{Error, Place, Result};

/// Rows of equal width, all numbers finite.
#[derive(Clone, Copy)]
pub(super) struct Rows<'a> {
    /// The numbers, row-major.
    pub(super) values: &'a [f32],
    /// Number of rows; at least 1.
    pub(super) n: usize,
    /// Number of columns; at least 1.
    pub(super) width: usize,
}

impl<'a> Rows<'a> {
    /// Validates rows to fit a baseline on.
    ///
    /// # Errors
    /// If there is no row or column, the length is not `n` times `width`, or a number is not finite.
    pub(super) fn new(values: &'a [f32], n: usize, width: usize) -> Result<Rows<'a>> {
        let whole = |message: String| Error::data(Place::default(), message);
        if n == 0 || width == 0 {
            return Err(whole(format!("expected at least 1 row and 1 column, got {n} rows and {width} columns")));
        }
        if n.checked_mul(width) != Some(values.len()) {
            return Err(whole(format!("expected {n} rows of {width} numbers, got {} numbers", values.len())));
        }
        if let Some(at) = values.iter().position(|value| !value.is_finite()) {
            let place = Place { source: None, column: Some((at % width).to_string()), row: Some((at / width) as u64) };
            return Err(Error::data(place, format!("expected a finite number, got {}", values[at])));
        }
        Ok(Rows { values, n, width })
    }

    /// The rows one by one.
    pub(super) fn iter(&self) -> std::slice::ChunksExact<'a, f32> {
        self.values.chunks_exact(self.width)
    }

    /// The mean of every column, shape `[width]`, summed row by row.
    pub(super) fn mean(&self) -> Vec<f64> {
        let mut mean = vec![0.0; self.width];
        for row in self.iter() {
            for (sum, &value) in mean.iter_mut().zip(row) {
                *sum += f64::from(value);
            }
        }
        mean.iter_mut().for_each(|sum| *sum /= self.n as f64);
        mean
    }
}

/// Splits rows to be scored; a length that is not a multiple of the width is our bug.
pub(super) fn scored(x: &[f32], width: usize) -> std::slice::ChunksExact<'_, f32> {
    assert!(x.len().is_multiple_of(width), "{} numbers are no rows of {width}", x.len());
    x.chunks_exact(width)
}

/// Rows with each column multiplied by its weight.
pub(crate) fn weighted(x: &[f32], weights: &[f32]) -> Vec<f32> {
    scored(x, weights.len()).flat_map(|row| row.iter().zip(weights).map(|(x, weight)| x * weight)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(values: &[f32], n: usize, width: usize) -> String {
        Rows::new(values, n, width).err().map(|error| error.to_string()).unwrap_or_default()
    }

    #[test]
    fn what_is_not_rows_of_finite_numbers_is_refused_by_place() {
        assert_eq!(message(&[], 0, 2), "input: expected at least 1 row and 1 column, got 0 rows and 2 columns");
        assert_eq!(message(&[1.0; 5], 2, 3), "input: expected 2 rows of 3 numbers, got 5 numbers");
        assert_eq!(
            message(&[1.0], usize::MAX, 3),
            format!("input: expected {} rows of 3 numbers, got 1 numbers", usize::MAX)
        );
        assert_eq!(message(&[1.0, 2.0, 3.0, f32::NAN], 2, 2), "column `1`, row 1: expected a finite number, got NaN");
    }

    #[test]
    fn the_mean_is_per_column() {
        assert_eq!(Rows::new(&[1.0, 10.0, 3.0, 30.0], 2, 2).unwrap().mean(), [2.0, 20.0]);
    }
}
