//! Learns invariants from the rows that train.

use arrow::array::ArrayRef;
use rayon::prelude::*;

use super::rarity::Strays;
use super::{Constant, Invariants};
use crate::data::{CellValue, CellValues, Column};

/// A single row keeps nothing.
const FEWEST_ROWS: u64 = 2;

/// A column that may turn out to be an invariant.
pub(crate) struct Candidate<'a> {
    pub(crate) column: &'a Column,
    pub(crate) array: &'a ArrayRef,
}

/// The invariants of training rows, before it is known what scores are ordinary.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct LearntInvariants {
    invariants: Invariants,
    strays: Strays,
    /// Columns of which all rows have the same content, or none: nothing for a network to learn from.
    same: Vec<String>,
}

impl LearntInvariants {
    /// Of these columns, from these rows.
    pub(crate) fn of(candidates: &[Candidate<'_>], rows: &[u32]) -> LearntInvariants {
        let looked: Vec<ColumnContents> =
            candidates.par_iter().map(|c| ColumnContents::of(&CellValues::of(c.column, c.array), rows)).collect();
        let mut invariants = Invariants { rows: rows.len() as u64, ..Invariants::default() };
        let (mut strays, mut same) = (Strays::default(), Vec::new());
        for (candidate, cells) in candidates.iter().zip(looked) {
            let name = || candidate.column.name.clone();
            let (is_complete, is_empty) = (cells.missing == 0, cells.contents.is_empty());
            match cells.missing {
                0 => invariants.complete.push(name()),
                1 => strays.missing.extend(cells.missing_row),
                _ => {}
            }
            strays.constants.extend(cells.stray());
            if let Some((value, kept)) = cells.constant() {
                same.extend((is_complete || is_empty).then(name));
                invariants.constants.push(Constant { column: candidate.column.clone(), value, rows: kept });
            }
        }
        LearntInvariants { invariants, strays, same }
    }

    /// The constants alone, for data in which a missing cell is nothing unusual: points of series, and rows that end early.
    #[must_use]
    pub(crate) fn without_complete(mut self) -> LearntInvariants {
        self.invariants.complete.clear();
        self.strays.missing.clear();
        self
    }

    /// Whether all rows have the same content in this column, or none.
    pub(crate) fn is_same(&self, column: &str) -> bool {
        self.same.iter().any(|name| name == column)
    }

    /// Whether no row has a content in this column.
    pub(crate) fn is_empty(&self, column: &str) -> bool {
        self.invariants.constant(column).is_some_and(|constant| constant.value.is_none())
    }

    /// The invariants, with what chance breaks are worth by the scores of held-out rows.
    pub(crate) fn calibrated(self, ordinary: &[f64]) -> Invariants {
        let chance = self.strays.levels(self.invariants.rows as usize, ordinary);
        Invariants { chance, ..self.invariants }
    }
}

/// The cells of one column as far as they matter here: two contents are too many, unless one is that of a single row.
struct ColumnContents {
    /// Contents with the number of rows and the first of them; three if there are more than two.
    contents: Vec<(CellValue<'static>, u64, u32)>,
    /// Up to 2 if there are several contents.
    missing: u64,
    missing_row: Option<u32>,
}

impl ColumnContents {
    fn of(cells: &CellValues<'_>, rows: &[u32]) -> ColumnContents {
        let mut found = ColumnContents { contents: Vec::new(), missing: 0, missing_row: None };
        let is_whole = cells.is_whole();
        for row in rows {
            let Some(value) = cells.get(*row as usize) else {
                found.missing += 1;
                found.missing_row = Some(*row);
                continue;
            };
            if found.is_varied() {
                // Of a column that varies only its missing cells are of interest.
                if is_whole || found.missing > 1 {
                    break;
                }
                continue;
            }
            match found.contents.iter_mut().find(|(content, ..)| content.is_same(&value)) {
                Some((_, count, _)) => *count += 1,
                None => found.contents.push((value.into_owned(), 1, *row)),
            }
        }
        found
    }

    fn is_varied(&self) -> bool {
        self.contents.len() > 2 || (self.contents.len() == 2 && self.contents.iter().all(|(_, count, _)| *count > 1))
    }

    /// The only content and the number of rows that have it; no content if all cells are missing.
    fn constant(&self) -> Option<(Option<CellValue<'static>>, u64)> {
        match self.contents.as_slice() {
            [] if self.missing >= FEWEST_ROWS => Some((None, self.missing)),
            // Infinity has no place in a document.
            [(CellValue::Number(x), ..)] if !x.is_finite() => None,
            [(value, count, _)] if *count >= FEWEST_ROWS => Some((Some(value.clone()), *count)),
            _ => None,
        }
    }

    /// The row without which the column would be a constant.
    fn stray(&self) -> Option<u32> {
        match self.contents.as_slice() {
            [(_, 1, row)] if self.missing >= FEWEST_ROWS => Some(*row),
            [(_, a, row), (_, b, other)] if a.min(b) == &1 && a.max(b) >= &FEWEST_ROWS => {
                Some(if a < b { *row } else { *other })
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{Float64Array, StringArray};

    use super::*;
    use crate::data::ColumnKind;

    fn words(cells: &[&str]) -> ArrayRef {
        Arc::new(StringArray::from(cells.to_vec()))
    }

    fn check(cells: &[&str], expected: &str) {
        let (column, array) = (Column::new("x", ColumnKind::Category), words(cells));
        let rows: Vec<u32> = (0..cells.len() as u32).collect();
        let LearntInvariants { invariants, strays, same } =
            LearntInvariants::of(&[Candidate { column: &column, array: &array }], &rows);
        let constants: Vec<String> = invariants.constants.iter().map(Constant::describe).collect();
        let found = format!(
            "{} | complete {} | strays {:?} {:?} | same {}",
            constants.join(", "),
            invariants.complete.len(),
            strays.constants,
            strays.missing,
            same.len()
        );
        assert_eq!(found, expected, "{cells:?}");
    }

    #[test]
    fn what_all_rows_kept_is_learnt_and_what_single_rows_broke() {
        check(&["ok", "ok", "ok"], "always ok in 3 training rows | complete 1 | strays [] [] | same 1");
        check(&["ok", "", "ok", ""], "always ok in 2 training rows | complete 0 | strays [] [] | same 0");
        check(&["ok", "ok", "", "ok"], "always ok in 3 training rows | complete 0 | strays [] [2] | same 0");
        check(&["", "", "", ""], "always empty in 4 training rows | complete 0 | strays [] [] | same 1");
        check(&["ok", "bad", "ok", "ok"], " | complete 1 | strays [1] [] | same 0");
        check(&["bad", "ok", "ok", "ok"], " | complete 1 | strays [0] [] | same 0");
        check(&["", "", "ok", ""], " | complete 0 | strays [2] [] | same 0");
        check(&["a", "b", "a", "b"], " | complete 1 | strays [] [] | same 0");
        check(&["a", "b", "c", ""], " | complete 0 | strays [] [3] | same 0");
        check(&["a", "b"], " | complete 1 | strays [] [] | same 0");
        check(&["a"], " | complete 1 | strays [] [] | same 0");
    }

    #[test]
    fn only_the_rows_that_train_are_looked_at() {
        let (column, array): (Column, ArrayRef) =
            (Column::new("x", ColumnKind::Numeric), Arc::new(Float64Array::from(vec![0.0, 7.0, 0.0, 0.0])));
        let learnt = LearntInvariants::of(&[Candidate { column: &column, array: &array }], &[0, 2, 3]);
        assert!(learnt.is_same("x") && !learnt.is_same("y"));
        assert_eq!(learnt.calibrated(&[1.0]).constants[0].describe(), "always 0 in 3 training rows");
    }
}
