//! From reconstructions to the contribution of each column to a row's error.
//!
//! A column's contribution is its squared error in prepared units, summed over its slots (the levels of a category,
//! the sine and cosine of a time). Missing cells contribute 0; over observed columns alone, the others are then raised so that
//! the mean over all columns is the mean over those observed.

/// Maps prepared slots to columns.
#[derive(Debug, Clone, PartialEq)]
pub struct Slots {
    column_of: Vec<usize>,
    n_columns: usize,
    over_observed: bool,
}

impl Slots {
    /// `column_of[slot]` is a column index, from 0 without gaps.
    pub fn new(column_of: Vec<usize>) -> Slots {
        let n_columns = column_of.iter().max().map_or(0, |last| last + 1);
        Slots { column_of, n_columns, over_observed: false }
    }

    /// The same with errors that rest on what was observed.
    #[must_use]
    pub fn over_observed(self) -> Slots {
        Slots { over_observed: true, ..self }
    }

    /// Whether the errors of a row rest on what was observed of it.
    pub fn rests_on_observed(&self) -> bool {
        self.over_observed
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
        } else {
            contributions.fill(0.0);
            for ((row, target), output) in contributions
                .chunks_exact_mut(self.n_columns)
                .zip(target.chunks_exact(width))
                .zip(output.chunks_exact(width))
            {
                // The sum of a run of slots of one column stays in a register.
                let (mut column, mut sum) = (self.column_of[0], 0.0);
                for ((&next, t), o) in self.column_of.iter().zip(target).zip(output) {
                    if next != column {
                        row[column] = sum;
                        (column, sum) = (next, row[next]);
                    }
                    if !t.is_nan() {
                        sum += (t - o) * (t - o);
                    }
                }
                row[column] = sum;
            }
        }
        if self.over_observed {
            self.spread_over_observed(target, contributions);
        }
    }

    /// Raises the contributions of rows with missing cells by the share of columns that were observed; of a column of several
    /// values, those count that were.
    fn spread_over_observed(&self, target: &[f32], contributions: &mut [f32]) {
        let mut values = vec![0.0_f32; self.n_columns];
        self.column_of.iter().for_each(|column| values[*column] += 1.0);
        for (row, target) in contributions.chunks_exact_mut(self.n_columns).zip(target.chunks_exact(self.width())) {
            if target.iter().all(|t| !t.is_nan()) {
                continue;
            }
            let seen = self.column_of.iter().zip(target).filter(|(_, t)| !t.is_nan());
            let observed: f32 = seen.map(|(column, _)| 1.0 / values[*column]).sum();
            if observed > 0.0 {
                let raise = self.n_columns as f32 / observed;
                row.iter_mut().for_each(|c| *c *= raise);
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
    fn the_mean_over_observed_columns_does_not_fall_with_missing_cells() {
        let slots = Slots::new(vec![0, 1, 1, 2]).over_observed();
        let mut contributions = [0.0; 6];
        let target = [1.0, f32::NAN, f32::NAN, 1.0, 1.0, 1.0, 0.0, 2.0];
        slots.contributions(&target, &[0.0; 8], &mut contributions);
        assert_eq!(contributions, [1.5, 0.0, 1.5, 1.0, 1.0, 4.0]);
        slots.contributions(&[f32::NAN; 8], &[0.0; 8], &mut contributions);
        assert_eq!(contributions, [0.0; 6]);
        // A column of several values, half of which were observed, counts half.
        let (mut contributions, slots) = ([0.0; 4], Slots::new(vec![0, 1, 0, 1]).over_observed());
        slots.contributions(
            &[1.0, 0.0, f32::NAN, f32::NAN, 3.0, f32::NAN, f32::NAN, 1.0],
            &[0.0; 8],
            &mut contributions,
        );
        assert_eq!(contributions, [2.0, 0.0, 18.0, 2.0]);
    }
}
