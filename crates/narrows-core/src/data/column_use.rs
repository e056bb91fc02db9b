//! Whether a column is of use: constant, empty and identifying columns are no features.

use super::column_name::is_named_identifier;
use super::column_reading::{ENOUGH_ROWS, FEW_LEVELS, PROSE_LENGTH, ProfileReader};
use super::infer::DropReason;
use super::schema::{Column, ColumnKind};

/// Distinct whole numbers that fill their range to this share are numbers of rows.
const DENSE: f64 = 0.95;

impl ProfileReader<'_> {
    /// Why the column is no feature, if it is none.
    pub(super) fn drop_reason(&self, column: &Column) -> Option<DropReason> {
        let profile = self.profile;
        // For a column that is constant where known, missingness is informative.
        let may_be_constant = profile.missing == 0;
        let is_all = profile.n_numbers == self.known && profile.written.is_whole();
        let is_plain = column.format.is_none() || is_all;
        let is_one = profile.n_distinct() == 1;
        match column.kind {
            ColumnKind::Numeric if !is_plain => (may_be_constant && is_one).then_some(DropReason::Constant),
            ColumnKind::Numeric if may_be_constant && profile.numbers.min == profile.numbers.max => {
                let is_all = profile.n_numbers == self.known || profile.native == Some(ColumnKind::Numeric);
                is_all.then_some(DropReason::Constant)
            }
            ColumnKind::Numeric if self.is_row_number() => Some(DropReason::Identifier),
            ColumnKind::Boolean if may_be_constant && profile.flags.contains(&0) => Some(DropReason::Constant),
            ColumnKind::Datetime if may_be_constant && profile.moments.is_some_and(|(min, max)| min == max) => {
                Some(DropReason::Constant)
            }
            ColumnKind::Category if may_be_constant && is_one => Some(DropReason::Constant),
            // One row alone repeats nothing.
            ColumnKind::Text if may_be_constant && is_one && self.known > 1 => Some(DropReason::Constant),
            ColumnKind::Text if profile.n_uuids * 20 >= self.known * 19 => Some(DropReason::Identifier),
            ColumnKind::Text if profile.mean_length() > PROSE_LENGTH => Some(DropReason::FreeText),
            ColumnKind::Text if profile.is_all_distinct() => Some(DropReason::Identifier),
            ColumnKind::Text => Some(DropReason::TooManyLevels),
            _ => None,
        }
    }

    /// Whether whole numbers, one of its own in every row, number the rows or name what they are about.
    pub(super) fn is_row_number(&self) -> bool {
        let profile = self.profile;
        let numbers = &profile.numbers;
        let is_all = profile.n_numbers == self.known || profile.native == Some(ColumnKind::Numeric);
        if self.known < ENOUGH_ROWS || profile.missing > 0 || !is_all {
            return false;
        }
        if numbers.counts_up {
            return true;
        }
        if !numbers.is_whole || profile.n_distinct() as u64 != profile.counted {
            return false;
        }
        let range = numbers.max - numbers.min + 1.0;
        let is_dense = self.known >= 2 * ENOUGH_ROWS && self.known as f64 >= DENSE * range;
        is_dense || is_named_identifier(&profile.name)
    }

    /// Whether the column holds few distinct whole numbers with gaps between them, such as codes.
    pub(super) fn is_few(&self) -> bool {
        let profile = self.profile;
        let levels = profile.n_distinct();
        let range = profile.numbers.max - profile.numbers.min + 1.0;
        let is_often = self.known >= 10 * levels as u64;
        let is_whole = profile.numbers.is_whole && profile.written.is_whole();
        is_whole && (3..=FEW_LEVELS).contains(&levels) && is_often && range > levels as f64
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, Float64Array};

    use super::*;
    use crate::data::column_reading::tests::{check, many, read, reading};
    use crate::data::column_types::ColumnOptions;

    #[test]
    fn columns_that_are_no_features_are_told_with_a_reason() {
        check(&["", "NA", "?"], ColumnKind::Text, Some(DropReason::AllMissing));
        check(&["7", "7.0", "7"], ColumnKind::Numeric, Some(DropReason::Constant));
        check(&["7", "", "7"], ColumnKind::Numeric, None);
        check(&["5 %", "5 %"], ColumnKind::Numeric, Some(DropReason::Constant));
        check(&["31.01.2025", "31.01.2025"], ColumnKind::Datetime, Some(DropReason::Constant));
        check(&["a", "a"], ColumnKind::Category, Some(DropReason::Constant));
        check(&many(30, |i| (i + 5).to_string()), ColumnKind::Numeric, Some(DropReason::Identifier));
        check(&many(30, |i| (i * 2).to_string()), ColumnKind::Numeric, None);
        check(&many(30, |i| (i as f64 + 0.5).to_string()), ColumnKind::Numeric, None);
        check(&many(30, |i| format!("customer {i}")), ColumnKind::Text, Some(DropReason::Identifier));
        check(&["123e4567-e89b-12d3-a456-426614174000"], ColumnKind::Text, Some(DropReason::Identifier));
        check(&many(9, |i| format!("{i} {}", "word ".repeat(20))), ColumnKind::Text, Some(DropReason::FreeText));
        check(&many(100, |i| format!("user {}", i / 2)), ColumnKind::Text, Some(DropReason::TooManyLevels));
        check(&many(50_000, |i| format!("user {i}")), ColumnKind::Text, Some(DropReason::Identifier));
    }

    #[test]
    fn distinct_whole_numbers_are_identifiers_by_name_or_if_they_number_the_rows() {
        let reason = |name: &str, cells: Vec<f64>| {
            read(name, &(Arc::new(Float64Array::from(cells)) as ArrayRef), ColumnOptions::default()).unwrap().reason
        };
        let gaps = || (0..30).map(|i| f64::from(i * 3)).collect::<Vec<_>>();
        for name in ["user_id", "PassengerId", "guest_no", "Invoice Number", "id"] {
            assert_eq!(reason(name, gaps()), Some(DropReason::Identifier), "{name}");
        }
        for name in ["time", "humid", "no_of_items", "keys"] {
            assert_eq!(reason(name, gaps()), None, "{name}");
        }
        let shuffled: Vec<f64> = (0..101).map(|i| f64::from(1000 + i * 37 % 101)).collect();
        assert_eq!(reason("x", shuffled.clone()), Some(DropReason::Identifier));
        assert_eq!(reason("x", shuffled.iter().map(|x| x / 2.0).collect()), None);
        assert_eq!(reason("user_id", (0..30).map(|i| f64::from(i % 9)).collect()), None);
    }

    #[test]
    fn few_whole_numbers_with_an_open_class_are_names() {
        let cells = many(100, |i| if i % 20 == 0 { "5+".to_owned() } else { (i % 5).to_string() });
        assert_eq!(reading("children", &cells).column.kind, ColumnKind::Category);
        let cells = many(100, |i| if i % 20 == 0 { "off".to_owned() } else { (i % 16).to_string() });
        assert_eq!(reading("valve", &cells).column.kind, ColumnKind::Numeric);
    }
}
