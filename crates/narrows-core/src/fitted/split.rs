//! The split of rows into training, validation and calibration.

use narrows_engine::rng::{Purpose, Stream};

use crate::recipe::Recipe;

/// Row numbers of the table, each list in ascending order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Split {
    /// Rows that train the weights.
    pub(super) train: Vec<u32>,
    /// Rows for early stopping; empty if there are too few.
    pub(super) validation: Vec<u32>,
    /// Rows for the threshold, p-values and scales.
    pub(super) calibration: Vec<u32>,
}

/// With fewer validation rows the training rows are used for early stopping.
const FEWEST_VALIDATION_ROWS: usize = 10;

/// The purpose of a split.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SplitPurpose {
    /// A fit.
    Fit,
    /// A recipe search: the calibration rows of a fit with the same seed are left out, and replaced by rows that such a
    /// fit may train on. The threshold's guarantee therefore holds for the recipe that is found.
    Search,
}

impl Split {
    /// Splits the normal rows at random, keyed by the recipe's seed.
    pub(super) fn for_purpose(normal: &[u32], recipe: &Recipe, purpose: SplitPurpose) -> Split {
        let split = Split::new(normal, recipe);
        match purpose {
            SplitPurpose::Fit => split,
            SplitPurpose::Search => Split::new(&split.not_calibration(), recipe),
        }
    }

    /// The split of a fit.
    pub(super) fn new(normal: &[u32], recipe: &Recipe) -> Split {
        let mut rows = normal.to_vec();
        Stream::new(recipe.seed, Purpose::Split, 0, 0).shuffle(&mut rows);
        let detect = &recipe.detect;
        let n_calibration = share(rows.len(), detect.calibration.get()).clamp(1, detect.calibration_rows.max(1));
        let mut calibration = rows.split_off(rows.len() - n_calibration);
        let n_validation = share(rows.len(), recipe.train.validation.get());
        let mut validation =
            if n_validation < FEWEST_VALIDATION_ROWS { Vec::new() } else { rows.split_off(rows.len() - n_validation) };
        for part in [&mut rows, &mut validation, &mut calibration] {
            part.sort_unstable();
        }
        Split { train: rows, validation, calibration }
    }

    /// The split with these validation rows, if there are any; those it had train.
    pub(super) fn with_validation(self, given: Vec<u32>) -> Split {
        if given.is_empty() {
            return self;
        }
        Split { train: self.not_calibration(), validation: given, ..self }
    }

    /// The training and validation rows, in ascending order.
    pub(super) fn not_calibration(&self) -> Vec<u32> {
        let mut rows = [self.train.as_slice(), &self.validation].concat();
        rows.sort_unstable();
        rows
    }
}

fn share(n: usize, part: f64) -> usize {
    (n as f64 * part).round() as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_sizes(n: u32, train: usize, validation: usize, calibration: usize) {
        let split = Split::new(&(0..n).collect::<Vec<_>>(), &Recipe::default());
        assert_eq!(
            (split.train.len(), split.validation.len(), split.calibration.len()),
            (train, validation, calibration)
        );
        let mut all = [split.train, split.validation, split.calibration].concat();
        all.sort_unstable();
        assert_eq!(all, (0..n).collect::<Vec<_>>(), "every row has one part");
    }

    #[test]
    fn every_row_has_one_part_and_few_rows_have_no_validation() {
        check_sizes(1000, 720, 80, 200);
        check_sizes(20, 16, 0, 4);
        check_sizes(10, 8, 0, 2);
    }

    #[test]
    fn a_search_sees_no_row_that_calibrates_a_fit() {
        let (all, recipe) = ((0..1000).collect::<Vec<_>>(), Recipe::default());
        let fit = Split::for_purpose(&all, &recipe, SplitPurpose::Fit);
        let search = Split::for_purpose(&all, &recipe, SplitPurpose::Search);
        let mut seen = [search.train.as_slice(), &search.validation, &search.calibration].concat();
        seen.sort_unstable();
        assert_eq!(seen, fit.not_calibration());
        assert_eq!((search.train.len(), search.validation.len(), search.calibration.len()), (576, 64, 160));
    }

    #[test]
    fn given_validation_rows_leave_the_others_to_training() {
        let split = Split::new(&(0..1000).collect::<Vec<_>>(), &Recipe::default());
        let calibration = split.calibration.clone();
        assert_eq!(split.clone().with_validation(Vec::new()), split);
        let split = split.with_validation((1000..1003).collect());
        assert_eq!((split.train.len(), split.validation.as_slice()), (800, [1000, 1001, 1002].as_slice()));
        assert_eq!(split.calibration, calibration);
    }

    #[test]
    fn calibration_is_capped() {
        let split = Split::new(&(0..200_000).collect::<Vec<_>>(), &Recipe::default());
        assert_eq!(split.calibration.len(), Recipe::default().detect.calibration_rows);
    }
}
