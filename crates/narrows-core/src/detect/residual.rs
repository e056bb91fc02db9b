//! From reconstructions to the contribution of each column to a row's error.
//!
//! A column's contribution is its squared error in prepared units, summed over its slots (the levels of a category,
//! the sine and cosine of a time). Missing cells contribute 0; where the error is divided by what was observed, the others
//! make up for them.

/// Maps prepared slots to columns.
#[derive(Debug, Clone, PartialEq)]
pub struct Slots {
    column_of: Vec<usize>,
    n_columns: usize,
    by_observed: bool,
}

impl Slots {
    /// `column_of[slot]` is a column index, from 0 without gaps.
    pub fn new(column_of: Vec<usize>) -> Slots {
        let n_columns = column_of.iter().max().map_or(0, |last| last + 1);
        Slots { column_of, n_columns, by_observed: false }
    }

    /// The same slots, with the error of a row divided by its observed values instead of by all.
    #[must_use]
    pub fn by_observed(self) -> Slots {
        Slots { by_observed: true, ..self }
    }

    /// Number of columns.
    pub fn n_columns(&self) -> usize {
        self.n_columns
    }

    /// The column of a slot.
    pub fn column(&self, slot: usize) -> usize {
        self.column_of[slot]
    }

    /// Number of slots.
    pub fn width(&self) -> usize {
        self.column_of.len()
    }

    /// Contributions `[n, columns]` of targets and outputs, both `[n, slots]`; NaN targets are missing.
    pub fn contributions(&self, target: &[f32], output: &[f32], contributions: &mut [f32]) {
        let width = self.width();
        if self.n_columns == width {
            for ((c, t), o) in contributions.iter_mut().zip(target).zip(output) {
                let error = if t.is_nan() { 0.0 } else { t - o };
                *c = error * error;
            }
            self.make_up(target, contributions);
            return;
        }
        contributions.fill(0.0);
        for ((row, target), output) in contributions
            .chunks_exact_mut(self.n_columns)
            .zip(target.chunks_exact(width))
            .zip(output.chunks_exact(width))
        {
            for ((&column, t), o) in self.column_of.iter().zip(target).zip(output) {
                if !t.is_nan() {
                    row[column] += (t - o) * (t - o);
                }
            }
        }
        self.make_up(target, contributions);
    }

    /// Scales the contributions of each row up by the share of its values that were observed, if so wanted.
    fn make_up(&self, target: &[f32], contributions: &mut [f32]) {
        if !self.by_observed {
            return;
        }
        let width = self.width();
        for (row, target) in contributions.chunks_exact_mut(self.n_columns).zip(target.chunks_exact(width)) {
            let observed = target.iter().filter(|t| !t.is_nan()).count();
            if 0 < observed && observed < width {
                let factor = width as f32 / observed as f32;
                row.iter_mut().for_each(|c| *c *= factor);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_of_one_column_add_up_and_unobserved_cells_are_silent() {
        let slots = Slots::new(vec![0, 1, 1]);
        let mut contributions = [9.0; 4];
        slots.contributions(&[1.0, 0.0, 1.0, f32::NAN, 1.0, 0.0], &[0.0, 0.5, 0.5, 7.0, 1.0, 0.0], &mut contributions);
        assert_eq!(contributions, [1.0, 0.5, 0.0, 0.0]);
        let plain = Slots::new(vec![0, 1]);
        let mut contributions = [0.0; 2];
        plain.contributions(&[3.0, f32::NAN], &[1.0, 1.0], &mut contributions);
        assert_eq!(contributions, [4.0, 0.0]);
    }

    #[test]
    fn an_error_may_be_divided_by_what_was_observed() {
        let mut contributions = [9.0; 4];
        let (target, output) = ([1.0, 0.0, f32::NAN, f32::NAN, 3.0, f32::NAN, 1.0, 1.0], [0.0; 8]);
        Slots::new(vec![0, 1, 0, 1]).by_observed().contributions(&target, &output, &mut contributions);
        // Two of four, and three of four.
        assert_eq!(contributions, [2.0, 0.0, 10.0 * 4.0 / 3.0, 4.0 / 3.0]);
        let mut contributions = [9.0; 2];
        Slots::new(vec![0, 1]).by_observed().contributions(&[f32::NAN; 2], &[1.0; 2], &mut contributions);
        assert_eq!(contributions, [0.0, 0.0]);
    }
}
