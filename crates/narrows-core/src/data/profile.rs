//! The profile of a column, collected batch by batch: enough to infer its kind without storing its cells.

use std::collections::HashSet;
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};

use arrow::array::{Array, StringArray};

use super::form::Form;
use super::infer::DropReason;
use super::schema::ColumnKind;
use super::token;
use crate::error::{Error, Place, Result};

/// Distinct texts are counted up to this number; with more a column is not a category.
const MAX_DISTINCT: usize = 20_000;
/// Maximum number of levels of a category.
const MAX_LEVELS: usize = 10_000;
/// Up to this number of distinct texts a column is a category at any table length.
const FEW_LEVELS: usize = 20;
/// Otherwise a category has at least this many rows per level on average.
const ROWS_A_LEVEL: u64 = 4;
/// From this share of numbers on, the other cells are considered errors, not category names.
const MOSTLY: f64 = 0.95;
/// With fewer rows, counting up or being all distinct may be coincidence.
const ENOUGH_ROWS: u64 = 20;
/// Text longer than this on average is free text.
const PROSE_LENGTH: u64 = 50;

/// Counts over the cells of one column.
#[derive(Debug, Default)]
pub(crate) struct Profile {
    name: String,
    rows: u64,
    missing: u64,
    numbers: Numbers,
    native: Option<ColumnKind>,
    n_numbers: u64,
    n_flags: u64,
    n_moments: u64,
    n_uuids: u64,
    n_decimal_commas: u64,
    length: u64,
    flags: [u64; 2],
    moments: Option<(i64, i64)>,
    distinct: HashSet<u64, BuildHasherDefault<DefaultHasher>>,
    /// Known cells seen until `distinct` was full.
    counted: u64,
    first_non_number: Option<Sample>,
    first_non_moment: Option<Sample>,
}

#[derive(Debug, Clone)]
struct Sample {
    source: String,
    row: u64,
    text: String,
}

/// Statistics of successive numbers.
#[derive(Debug)]
struct Numbers {
    min: f64,
    max: f64,
    previous: Option<f64>,
    counts_up: bool,
    rises: bool,
}

impl Default for Numbers {
    fn default() -> Numbers {
        Numbers { min: f64::INFINITY, max: f64::NEG_INFINITY, previous: None, counts_up: true, rises: true }
    }
}

impl Numbers {
    fn push(&mut self, x: f64) {
        self.min = self.min.min(x);
        self.max = self.max.max(x);
        if let Some(previous) = self.previous {
            self.counts_up &= x - previous == 1.0;
            self.rises &= x > previous;
        }
        // As long as steps are whole, checking one fraction is enough.
        if self.rises && x.fract() != 0.0 {
            self.rises = false;
            self.counts_up = false;
        }
        self.previous = Some(x);
    }
}

impl Profile {
    pub(crate) fn new(name: &str) -> Profile {
        Profile { name: name.to_owned(), ..Profile::default() }
    }

    /// Adds cells; `first_row` is the number of the first.
    ///
    /// # Errors
    /// [`Error::Data`] if the type differs from the previous one.
    pub(crate) fn push(&mut self, form: &Form, source: &str, first_row: u64) -> Result<()> {
        let kind = match form {
            Form::Numbers(_) => ColumnKind::Numeric,
            Form::Flags(_) => ColumnKind::Boolean,
            Form::Moments(_) => ColumnKind::Datetime,
            Form::Words(_) => ColumnKind::Text,
        };
        if self.native.is_some_and(|native| native != kind) && self.missing < self.rows {
            let before = self.native.map_or("", ColumnKind::describe);
            let place = Place::cell(&self.name, first_row).of(source);
            return Err(Error::data(
                place,
                format!("expected {before} as in the rows before, got {}", form.describe()),
            ));
        }
        self.native = Some(kind);
        match form {
            Form::Numbers(array) => {
                self.count(array.len(), array.null_count());
                array.iter().flatten().for_each(|x| self.numbers.push(x));
            }
            Form::Flags(array) => {
                self.count(array.len(), array.null_count());
                array.iter().flatten().for_each(|flag| self.flags[usize::from(flag)] += 1);
            }
            Form::Moments(array) => {
                self.count(array.len(), array.null_count());
                for t in array.iter().flatten() {
                    let (min, max) = self.moments.unwrap_or((t, t));
                    self.moments = Some((min.min(t), max.max(t)));
                }
            }
            Form::Words(array) => self.push_words(array, source, first_row),
        }
        Ok(())
    }

    fn count(&mut self, rows: usize, missing: usize) {
        self.rows += rows as u64;
        self.missing += missing as u64;
    }

    fn push_words(&mut self, array: &StringArray, source: &str, first_row: u64) {
        self.count(array.len(), 0);
        for (i, cell) in array.iter().enumerate() {
            let text = cell.unwrap_or_default().trim();
            let number = token::number(text);
            if number.map_or_else(|| token::is_missing(text), f64::is_nan) {
                self.missing += 1;
                continue;
            }
            if let Some(x) = number {
                self.n_numbers += 1;
                self.numbers.push(x);
            } else {
                self.look_at_word(text, source, first_row + i as u64);
            }
            if self.distinct.len() < MAX_DISTINCT {
                self.distinct.insert(self.distinct.hasher().hash_one(text));
                self.counted += 1;
            }
        }
    }

    fn look_at_word(&mut self, text: &str, source: &str, row: u64) {
        let sample = || Some(Sample { source: source.to_owned(), row, text: text.chars().take(40).collect() });
        if self.first_non_number.is_none() {
            self.first_non_number = sample();
        }
        if let Some(t) = token::moment(text) {
            self.n_moments += 1;
            let (min, max) = self.moments.unwrap_or((t, t));
            self.moments = Some((min.min(t), max.max(t)));
        } else if self.first_non_moment.is_none() {
            self.first_non_moment = sample();
        }
        if let Some(flag) = token::flag(text) {
            self.n_flags += 1;
            self.flags[usize::from(flag)] += 1;
        }
        self.n_uuids += u64::from(token::is_uuid(text));
        self.n_decimal_commas += u64::from(text.contains(',') && token::number(&text.replacen(',', ".", 1)).is_some());
        self.length += text.chars().count() as u64;
    }

    /// The column's kind, and the reason if it is not a feature.
    ///
    /// # Errors
    /// [`Error::Data`] if nearly all cells are numbers (or dates), but not all.
    pub(crate) fn finish(&self) -> Result<(ColumnKind, Option<DropReason>)> {
        let known = self.rows - self.missing;
        let native = self.native.unwrap_or(ColumnKind::Text);
        if known == 0 {
            return Ok((native, Some(DropReason::AllMissing)));
        }
        let kind = if native == ColumnKind::Text { self.kind_of_words(known)? } else { native };
        Ok((kind, self.drop_reason(kind, known)))
    }

    fn kind_of_words(&self, known: u64) -> Result<ColumnKind> {
        let share = |n: u64| n as f64 / known as f64;
        if self.n_numbers == known {
            return Ok(ColumnKind::Numeric);
        }
        if self.n_flags == known {
            return Ok(ColumnKind::Boolean);
        }
        if self.n_moments == known {
            return Ok(ColumnKind::Datetime);
        }
        if share(self.n_numbers) >= MOSTLY {
            return Err(self.stray(self.first_non_number.as_ref(), "a number"));
        }
        if share(self.n_moments) >= MOSTLY {
            return Err(self.stray(self.first_non_moment.as_ref(), "a date"));
        }
        let levels = self.distinct.len();
        let is_full = levels >= MAX_DISTINCT;
        let is_category = !is_full
            && self.n_uuids == 0
            && self.mean_length() <= PROSE_LENGTH
            && (levels <= FEW_LEVELS || (levels <= MAX_LEVELS && levels as u64 * ROWS_A_LEVEL <= known));
        let is_identifier = known >= ENOUGH_ROWS && self.is_all_distinct();
        Ok(if is_category && !is_identifier { ColumnKind::Category } else { ColumnKind::Text })
    }

    fn drop_reason(&self, kind: ColumnKind, known: u64) -> Option<DropReason> {
        // For a column that is constant where known, missingness is informative.
        let may_be_constant = self.missing == 0;
        match kind {
            ColumnKind::Numeric if may_be_constant && self.numbers.min == self.numbers.max => {
                Some(DropReason::Constant)
            }
            ColumnKind::Numeric if self.is_row_number() => Some(DropReason::Identifier),
            ColumnKind::Boolean if may_be_constant && self.flags.contains(&0) => Some(DropReason::Constant),
            ColumnKind::Datetime if may_be_constant && self.moments.is_some_and(|(min, max)| min == max) => {
                Some(DropReason::Constant)
            }
            ColumnKind::Category if may_be_constant && self.distinct.len() == 1 => Some(DropReason::Constant),
            ColumnKind::Text if self.n_uuids * 20 >= known * 19 => Some(DropReason::Identifier),
            ColumnKind::Text if self.mean_length() > PROSE_LENGTH => Some(DropReason::FreeText),
            ColumnKind::Text if self.is_all_distinct() => Some(DropReason::Identifier),
            ColumnKind::Text => Some(DropReason::TooManyLevels),
            _ => None,
        }
    }

    /// A note about the column, if any.
    pub(crate) fn note(&self) -> Option<String> {
        let known = self.rows - self.missing;
        let is_decimal_comma = known > 0 && (self.n_decimal_commas + self.n_numbers) as f64 >= MOSTLY * known as f64;
        (self.native == Some(ColumnKind::Text) && self.n_decimal_commas > 0 && is_decimal_comma).then(|| {
            format!(
                "column `{}` looks like numbers with commas in them; commas are not read as part of a number",
                self.name
            )
        })
    }

    fn is_row_number(&self) -> bool {
        let name = self.name.to_ascii_lowercase();
        let is_named = ["id", "index", "idx", "row", "unnamed: 0"].contains(&name.as_str()) || name.ends_with("_id");
        let is_long = self.rows >= ENOUGH_ROWS && self.missing == 0;
        is_long && (self.numbers.counts_up || (is_named && self.numbers.rises))
    }

    fn is_all_distinct(&self) -> bool {
        self.distinct.len() as f64 >= 0.95 * self.counted as f64
    }

    fn mean_length(&self) -> u64 {
        let words = self.rows - self.missing - self.n_numbers;
        self.length.checked_div(words).unwrap_or(0)
    }

    fn stray(&self, sample: Option<&Sample>, expected: &str) -> Error {
        let place = |sample: &Sample| Place::cell(&self.name, sample.row).of(&sample.source);
        let got = sample.map_or("", |sample| sample.text.as_str());
        let error = Error::data(sample.map_or_else(Place::default, place), format!("expected {expected}, got `{got}`"));
        let stray = self.rows - self.missing - if expected == "a number" { self.n_numbers } else { self.n_moments };
        error.with_hint(format!(
            "{stray} of {} cells are not {expected}: fix them, leave them empty for missing, or ignore the column",
            self.rows
        ))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, BooleanArray, Float64Array};

    use super::*;

    fn profile(name: &str, array: ArrayRef) -> Profile {
        let mut profile = Profile::new(name);
        let half = array.len() / 2;
        for (offset, length) in [(0, half), (half, array.len() - half)] {
            let form = Form::of(&array.slice(offset, length), &Place::default()).unwrap();
            profile.push(&form, "t.csv", offset as u64).unwrap();
        }
        profile
    }

    fn check<S: AsRef<str>>(cells: &[S], kind: ColumnKind, reason: Option<DropReason>) {
        let array: StringArray = cells.iter().map(|cell| Some(cell.as_ref())).collect();
        assert_eq!(profile("x", Arc::new(array)).finish().unwrap(), (kind, reason), "{}", cells[0].as_ref());
    }

    fn many(n: usize, cell: impl Fn(usize) -> String) -> Vec<String> {
        (0..n).map(cell).collect()
    }

    #[test]
    fn the_kind_is_what_all_known_cells_are() {
        check(&["1", "", "2.5", "NA"], ColumnKind::Numeric, None);
        check(&["0", "1", "0"], ColumnKind::Numeric, None);
        check(&["yes", "?", "no"], ColumnKind::Boolean, None);
        check(&["2024-01-01", "2024-01-02 10:00"], ColumnKind::Datetime, None);
        check(&["tcp", "udp", "tcp"], ColumnKind::Category, None);
        check(&["1", "2", "3+"], ColumnKind::Category, None);
        check(&many(400, |i| format!("service {}", i % 90)), ColumnKind::Category, None);
    }

    #[test]
    fn columns_that_are_no_features_are_told_with_a_reason() {
        check(&["", "NA", "?"], ColumnKind::Text, Some(DropReason::AllMissing));
        check(&["7", "7.0", "7"], ColumnKind::Numeric, Some(DropReason::Constant));
        check(&["7", "", "7"], ColumnKind::Numeric, None);
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
    fn rising_numbers_are_identifiers_where_the_name_says_so() {
        let gaps = || Arc::new(Float64Array::from_iter_values((0..30).map(|i| f64::from(i * 3)))) as ArrayRef;
        assert_eq!(profile("user_id", gaps()).finish().unwrap().1, Some(DropReason::Identifier));
        assert_eq!(profile("time", gaps()).finish().unwrap().1, None);
    }

    #[test]
    fn a_stray_word_among_numbers_is_an_error() {
        let cells = many(40, |i| if i == 17 { "abc".to_owned() } else { (i * i).to_string() });
        let array: StringArray = cells.iter().map(Some).collect();
        let error = profile("amount", Arc::new(array)).finish().unwrap_err();
        assert_eq!(error.to_string(), "t.csv, column `amount`, row 17: expected a number, got `abc`");
        assert!(error.hint_text().unwrap().starts_with("1 of 40 cells are not a number"));
    }

    #[test]
    fn a_type_that_changes_between_batches_is_an_error() {
        let mut profile = Profile::new("x");
        profile.push(&Form::Numbers(Float64Array::from(vec![1.0])), "a", 0).unwrap();
        let error = profile.push(&Form::Flags(BooleanArray::from(vec![true])), "b", 1).unwrap_err();
        assert_eq!(
            error.to_string(),
            "b, column `x`, row 1: expected numbers as in the rows before, got true or false"
        );
    }
}
