//! Cells that a lossless file has to give back otherwise than they are restored from numbers: `04109`, `1.50`, `n/a`,
//! minus zero, NaN beside null, and whole numbers beyond the precision of a float.

use arrow::array::{Array, ArrayRef};
use arrow::compute::{interleave, take};
use serde::{Deserialize, Serialize};

use super::super::kept::KeptColumn;
use super::super::restore::{differing, restored};

/// The corrected cells of a column.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Correction {
    /// Its place among the columns of the file.
    column: u32,
    /// Their rows, each as the distance from the one before; the first from row 0.
    steps: Vec<u32>,
    cells: KeptColumn,
}

impl Correction {
    /// The cells of a column that differ from the restored ones; `None` if none does.
    ///
    /// # Errors
    /// A description of the type if it is not supported.
    pub(super) fn of(column: usize, was: &ArrayRef, is: &ArrayRef) -> Result<Option<Correction>, String> {
        let rows = differing(was, is);
        if rows.is_empty() {
            return Ok(None);
        }
        let steps = rows.iter().zip(std::iter::once(&0).chain(&rows)).map(|(row, before)| row - before).collect();
        let cells = take(was, &arrow::array::UInt32Array::from(rows), None).map_err(|error| error.to_string())?;
        Ok(Some(Correction { column: column as u32, steps, cells: KeptColumn::of("", &cells)? }))
    }

    /// Its place among the columns of the file.
    pub(super) fn column(&self) -> usize {
        self.column as usize
    }

    /// The restored column with its corrected cells.
    ///
    /// # Errors
    /// A description of the problem if they do not fit.
    pub(super) fn corrected(self, is: &ArrayRef) -> Result<ArrayRef, String> {
        let wrong = || "the corrected cells are damaged".to_owned();
        let n = self.steps.len();
        let cells = restored(&self.cells.array(n)?.1, is.data_type()).map_err(|_| wrong())?;
        let mut places: Vec<(usize, usize)> = (0..is.len()).map(|row| (0, row)).collect();
        let mut row = 0_usize;
        for (i, step) in self.steps.iter().enumerate() {
            row = row.checked_add(*step as usize).ok_or_else(wrong)?;
            *places.get_mut(row).ok_or_else(wrong)? = (1, i);
        }
        interleave(&[is.as_ref(), cells.as_ref()], &places).map_err(|_| wrong())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{Float64Array, Int64Array, StringArray};

    use super::*;

    fn check(was: impl Array + 'static, is: impl Array + 'static, n: usize) {
        let (was, is): (ArrayRef, ArrayRef) = (Arc::new(was), Arc::new(is));
        let correction = Correction::of(3, &was, &is).unwrap();
        assert_eq!(correction.as_ref().map_or(0, |correction| correction.steps.len()), n);
        let Some(correction) = correction else { return };
        assert_eq!(correction.column(), 3);
        assert_eq!(&correction.clone().corrected(&is).unwrap(), &was);
        assert!(correction.corrected(&is.slice(0, 1)).is_err());
    }

    #[test]
    fn what_differs_is_put_back() {
        let text = |cells: [&str; 4]| StringArray::from(cells.to_vec());
        check(text(["007", "1", "+3", "n/a"]), StringArray::from(vec![Some("7"), Some("1"), Some("3"), None]), 3);
        check(text(["1", "2", "3", "4"]), text(["1", "2", "3", "4"]), 0);
        check(Int64Array::from(vec![5, (1 << 60) + 1]), Int64Array::from(vec![5, 1 << 60]), 1);
        check(Float64Array::from(vec![1.0, f64::NAN]), Float64Array::from(vec![Some(1.0), None]), 1);
    }

    #[test]
    fn forged_corrections_are_errors() {
        let cells = |n: usize| KeptColumn::of("", &(Arc::new(StringArray::from(vec!["x"; n])) as ArrayRef)).unwrap();
        let is: ArrayRef = Arc::new(Int64Array::from(vec![1, 2, 3]));
        for (steps, n) in [(vec![3], 1), (vec![0, 1], 1), (vec![u32::MAX, u32::MAX], 2)] {
            assert!(Correction { column: 0, steps, cells: cells(n) }.corrected(&is).is_err());
        }
    }
}
