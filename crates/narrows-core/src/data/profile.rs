//! The profile of a column, collected batch by batch: enough to infer its kind without storing its cells.

use std::collections::HashSet;
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};

use arrow::array::{Array, Float64Array, StringArray};

use super::column_types::ColumnOptions;
use super::date_evidence::DateEvidence;
use super::date_format::DateFormat;
use super::form::Form;
use super::number_evidence::NumberEvidence;
use super::number_text::NumberText;
use super::schema::ColumnKind;
use super::token;
use super::word_tally::WordTally;
use crate::error::{Error, Place, Result};

/// Distinct cells are counted up to this number; with more a column is not a category.
pub(super) const MAX_DISTINCT: usize = 20_000;

/// Counts over the cells of one column.
#[derive(Debug, Default)]
pub(super) struct Profile {
    pub(super) name: String,
    pub(super) options: ColumnOptions,
    pub(super) rows: u64,
    pub(super) missing: u64,
    pub(super) numbers: Numbers,
    pub(super) native: Option<ColumnKind>,
    pub(super) n_numbers: u64,
    pub(super) n_flags: u64,
    pub(super) n_uuids: u64,
    /// Cells that are dates in the format given by the user.
    pub(super) n_given_dates: u64,
    pub(super) written: NumberEvidence,
    pub(super) dates: DateEvidence,
    /// Cells that are neither numbers nor dates in any format.
    pub(super) words: WordTally,
    /// Characters of cells that are no plain numbers.
    pub(super) length: u64,
    pub(super) flags: [u64; 2],
    pub(super) moments: Option<(i64, i64)>,
    distinct: HashSet<u64, BuildHasherDefault<DefaultHasher>>,
    /// Distinct cells that are numbers in some format.
    pub(super) distinct_numbers: usize,
    /// Known cells seen until `distinct` was full.
    pub(super) counted: u64,
}

/// Statistics of successive numbers.
#[derive(Debug)]
pub(super) struct Numbers {
    pub(super) min: f64,
    pub(super) max: f64,
    previous: Option<f64>,
    pub(super) counts_up: bool,
    pub(super) rises: bool,
    pub(super) is_whole: bool,
    /// All are dates written as `20250131`.
    pub(super) is_compact: bool,
}

impl Default for Numbers {
    fn default() -> Numbers {
        let (min, max) = (f64::INFINITY, f64::NEG_INFINITY);
        Numbers { min, max, previous: None, counts_up: true, rises: true, is_whole: true, is_compact: true }
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
        self.is_whole &= x.fract() == 0.0;
        // As long as steps are whole, checking one fraction is enough.
        if self.rises && x.fract() != 0.0 {
            self.rises = false;
            self.counts_up = false;
        }
        self.is_compact = self.is_compact && x >= 18_000_000.0 && DateFormat::Compact.read_number(x).is_some();
        self.previous = Some(x);
    }
}

impl Profile {
    pub(super) fn new(name: &str, options: ColumnOptions) -> Profile {
        Profile { name: name.to_owned(), options, ..Profile::default() }
    }

    /// Known cells.
    pub(super) fn known(&self) -> u64 {
        self.rows - self.missing
    }

    /// Number of distinct cells, counted up to [`MAX_DISTINCT`].
    pub(super) fn n_distinct(&self) -> usize {
        self.distinct.len()
    }

    /// Adds cells; `first_row` is the number of the first.
    ///
    /// # Errors
    /// [`Error::Data`] if the type differs from the previous one.
    pub(super) fn push(&mut self, form: &Form, source: &str, first_row: u64) -> Result<()> {
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
            Form::Numbers(array) => self.push_numbers(array),
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
            Form::Words(array) => self.push_words(array),
        }
        Ok(())
    }

    fn count(&mut self, rows: usize, missing: usize) {
        self.rows += rows as u64;
        self.missing += missing as u64;
    }

    fn push_numbers(&mut self, array: &Float64Array) {
        self.count(array.len(), array.null_count());
        let missing: Vec<f64> = self.options.missing.iter().filter_map(|word| token::number(word)).collect();
        for x in array.iter().flatten() {
            if missing.contains(&x) {
                self.missing += 1;
                continue;
            }
            self.numbers.push(x);
            // Only whole numbers can be codes or identifiers, whose distinct values matter.
            if self.numbers.is_whole && self.distinct.len() < MAX_DISTINCT {
                self.distinct.insert(self.distinct.hasher().hash_one(x.to_bits()));
                self.counted += 1;
            }
            if self.options.date.as_ref().is_some_and(|format| format.read_number(x).is_some()) {
                self.n_given_dates += 1;
            }
        }
    }

    fn push_words(&mut self, array: &StringArray) {
        self.count(array.len(), 0);
        for cell in array {
            let text = cell.unwrap_or_default().trim();
            let number = token::number(text);
            if number.map_or_else(|| token::is_missing(text), f64::is_nan) || self.is_named_missing(text) {
                self.missing += 1;
                continue;
            }
            let is_number = match number {
                Some(x) => {
                    self.n_numbers += 1;
                    self.numbers.push(x);
                    self.written.push_plain(text);
                    true
                }
                None => self.look_at_word(text),
            };
            if self.options.date.as_ref().is_some_and(|format| format.read(text).is_some()) {
                self.n_given_dates += 1;
            }
            if self.distinct.len() < MAX_DISTINCT {
                let is_new = self.distinct.insert(self.distinct.hasher().hash_one(text));
                self.distinct_numbers += usize::from(is_new && is_number);
                self.counted += 1;
            }
        }
    }

    fn is_named_missing(&self, text: &str) -> bool {
        self.options.missing.iter().any(|word| word.eq_ignore_ascii_case(text))
    }

    /// Counts a cell that is no plain number; whether it is a number in some format.
    fn look_at_word(&mut self, text: &str) -> bool {
        self.length += text.chars().count() as u64;
        if let Some(t) = token::moment(text) {
            self.dates.push_iso(t);
            return false;
        }
        let digits = text.bytes().filter(u8::is_ascii_digit).count();
        if digits > 0 {
            if let Some(parts) = NumberText::of(text) {
                self.written.push(&parts, text);
                return true;
            }
            // Shorter texts, such as `7a`, cannot be dates and are frequent names.
            if digits >= 3 {
                if self.dates.push(text) {
                    return false;
                }
                self.dates.push_other(text);
            }
            self.n_uuids += u64::from(token::is_uuid(text));
        } else if let Some(flag) = token::flag(text) {
            self.n_flags += 1;
            self.flags[usize::from(flag)] += 1;
        }
        // Names of a category are not worth counting twice.
        if !self.words.is_full() || self.written.cells() > 0 || self.dates.like().0 > 0 {
            self.words.push(text);
        }
        false
    }

    /// Whether the distinct cells so far are nearly all cells.
    pub(super) fn is_all_distinct(&self) -> bool {
        self.distinct.len() as f64 >= 0.95 * self.counted as f64
    }

    /// Mean length of the cells that are no plain numbers, in characters.
    pub(super) fn mean_length(&self) -> u64 {
        let words = self.rows - self.missing - self.n_numbers;
        self.length.checked_div(words).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::BooleanArray;

    use super::*;

    #[test]
    fn a_type_that_changes_between_batches_is_an_error() {
        let mut profile = Profile::new("x", ColumnOptions::default());
        profile.push(&Form::Numbers(Float64Array::from(vec![1.0])), "a", 0).unwrap();
        let error = profile.push(&Form::Flags(BooleanArray::from(vec![true])), "b", 1).unwrap_err();
        assert_eq!(
            error.to_string(),
            "b, column `x`, row 1: expected numbers as in the rows before, got true or false"
        );
    }

    #[test]
    fn words_given_as_missing_are_no_cells() {
        let options = ColumnOptions { missing: vec!["Bad Input".to_owned()], ..ColumnOptions::default() };
        let mut profile = Profile::new("x", options);
        profile.push(&Form::Words(StringArray::from(vec!["1", "bad input", "", "off"])), "a", 0).unwrap();
        assert_eq!((profile.rows, profile.missing, profile.words.words().count()), (4, 2, 1));
    }
}
