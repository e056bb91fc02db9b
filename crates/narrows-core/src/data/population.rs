//! The rows that a sample stands for: how many there are, and what their columns hold, by one pass over all of them.
//!
//! Everything here is counted exactly, but for the number of distinct texts, and joins exactly: what parts hold does not
//! depend on where they were cut.

use std::collections::BTreeSet;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{DataType, Float32Type, Float64Type};
use serde::{Deserialize, Serialize};

use super::form::Form;
use super::row_key::of_text;
use super::table::Table;
use super::token::is_missing;
use crate::error::{Place, Result};

/// Texts whose distinct values are counted exactly; of more, the number is estimated with a standard error of 3 %.
const DISTINCT: usize = 1024;

/// All rows of which a fit has used a sample.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Population {
    /// Number of rows.
    pub rows: u64,
    /// Number of rows in the sample.
    pub sampled: u64,
    /// What the columns hold in all rows, in order.
    pub columns: Vec<PopulationColumn>,
}

/// A column of all rows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PopulationColumn {
    /// Name.
    pub name: String,
    /// Missing cells.
    pub missing: u64,
    /// The smallest finite number, of a column that is stored as numbers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub smallest: Option<f64>,
    /// The largest finite number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub largest: Option<f64>,
    /// Number of distinct texts; above 1,024 an estimate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub distinct: Option<u64>,
}

/// Counts of one column, while it is read.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct ColumnTally {
    missing: u64,
    /// Smallest and largest finite number.
    range: Option<(f64, f64)>,
    /// The smallest hashes of texts, [`DISTINCT`] at most.
    texts: Option<BTreeSet<u64>>,
}

impl ColumnTally {
    /// Counts the cells of a column.
    pub(super) fn add(&mut self, array: &ArrayRef, place: &Place) -> Result<()> {
        match array.data_type() {
            DataType::Float64 => self.add_numbers(array.as_primitive::<Float64Type>().iter()),
            DataType::Float32 => {
                self.add_numbers(array.as_primitive::<Float32Type>().iter().map(|x| x.map(f64::from)));
            }
            _ => match Form::of(array, place)? {
                Form::Numbers(array) => self.add_numbers(array.iter()),
                Form::Words(array) => self.add_texts(array.iter()),
                Form::Flags(array) => self.missing += array.null_count() as u64,
                Form::Moments(array) => self.missing += array.null_count() as u64,
            },
        }
        Ok(())
    }

    fn add_numbers(&mut self, numbers: impl Iterator<Item = Option<f64>>) {
        let (mut low, mut high) = self.range.unwrap_or((f64::INFINITY, f64::NEG_INFINITY));
        for x in numbers {
            let x = x.unwrap_or(f64::NAN);
            self.missing += u64::from(x.is_nan());
            if x.is_finite() {
                low = low.min(x);
                high = high.max(x);
            }
        }
        self.range = (low <= high).then_some((low, high));
    }

    fn add_texts<'a>(&mut self, texts: impl Iterator<Item = Option<&'a str>>) {
        let hashes = self.texts.get_or_insert_default();
        let mut bound = if hashes.len() < DISTINCT { u64::MAX } else { *hashes.last().expect("hashes") };
        for text in texts {
            match text {
                Some(text) if !is_missing(text) => {
                    let hash = of_text(text);
                    if hash < bound && hashes.insert(hash) && hashes.len() > DISTINCT {
                        hashes.pop_last();
                        bound = *hashes.last().expect("hashes");
                    }
                }
                _ => self.missing += 1,
            }
        }
    }

    /// Adds the counts of other rows.
    pub(super) fn join(&mut self, other: &ColumnTally) {
        self.missing += other.missing;
        self.range = match (self.range, other.range) {
            (Some(a), Some(b)) => Some((a.0.min(b.0), a.1.max(b.1))),
            (a, b) => a.or(b),
        };
        if let Some(texts) = &other.texts {
            let hashes = self.texts.get_or_insert_default();
            hashes.extend(texts);
            while hashes.len() > DISTINCT {
                hashes.pop_last();
            }
        }
    }

    /// What was counted, of the column `name`.
    pub(super) fn column(&self, name: &str) -> PopulationColumn {
        PopulationColumn {
            name: name.to_owned(),
            missing: self.missing,
            smallest: self.range.map(|range| range.0),
            largest: self.range.map(|range| range.1),
            distinct: self.texts.as_ref().map(distinct),
        }
    }
}

/// The number of distinct texts: counted, or the k-minimum-values estimate (Bar-Yossef et al. 2002).
fn distinct(hashes: &BTreeSet<u64>) -> u64 {
    match hashes.last() {
        Some(last) if hashes.len() >= DISTINCT => {
            ((DISTINCT - 1) as f64 / (*last as f64 / u64::MAX as f64)).round() as u64
        }
        _ => hashes.len() as u64,
    }
}

impl Population {
    /// What is to be told of the sample: its size, and what all rows hold that it does not.
    ///
    /// # Errors
    /// If a column of the sample holds what no model takes.
    pub(crate) fn notes(&self, sample: &Table) -> Result<Vec<String>> {
        let size = format!("fitted to a sample of {} of {} rows", self.sampled, self.rows);
        let mut notes = vec![format!("{size}: what is said of rows and cells below is said of the sample")];
        for column in &self.columns {
            // More texts are only estimated, and numbers have none.
            let Some(distinct) = column.distinct.filter(|distinct| *distinct < DISTINCT as u64) else { continue };
            let Some(array) = sample.column(&column.name) else { continue };
            let mut tally = ColumnTally::default();
            tally.add(array, &Place::column(&column.name).of(sample.source()))?;
            let known = tally.column(&column.name).distinct.unwrap_or(distinct);
            if known < distinct {
                let missing = distinct - known;
                notes.push(format!("column `{}`: {missing} of {distinct} texts are not in the sample", column.name));
            }
        }
        Ok(notes)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{Float64Array, Int32Array, StringArray};

    use super::*;

    fn tally(array: ArrayRef) -> ColumnTally {
        let mut tally = ColumnTally::default();
        tally.add(&array, &Place::default()).unwrap();
        tally
    }

    #[test]
    fn counts_join_exactly() {
        let numbers = |cells: Vec<Option<f64>>| tally(Arc::new(Float64Array::from(cells)));
        let mut one = numbers(vec![Some(3.0), None, Some(f64::NAN), Some(f64::INFINITY)]);
        one.join(&numbers(vec![Some(-1.0)]));
        one.join(&numbers(vec![None]));
        let expected = PopulationColumn {
            name: "x".to_owned(),
            missing: 3,
            smallest: Some(-1.0),
            largest: Some(3.0),
            distinct: None,
        };
        assert_eq!(one.column("x"), expected);
        let whole = tally(Arc::new(Int32Array::from(vec![5, 7]))).column("i");
        assert_eq!((whole.smallest, whole.largest), (Some(5.0), Some(7.0)));
    }

    #[test]
    fn distinct_texts_are_counted_and_many_are_estimated() {
        let texts = |range: std::ops::Range<u32>| {
            tally(Arc::new(StringArray::from_iter_values(range.map(|i| format!("word {i}")))))
        };
        let mut few = texts(0..600);
        few.join(&texts(300..900));
        assert_eq!(few.column("t").distinct, Some(900));
        let (whole, mut parts) = (texts(0..50_000), texts(20_000..50_000));
        parts.join(&texts(0..30_000));
        assert_eq!(whole, parts);
        let found = whole.column("t").distinct.unwrap() as f64;
        assert!((found / 50_000.0 - 1.0).abs() < 0.1, "{found}");
        let blanks = tally(Arc::new(StringArray::from(vec![Some(""), None, Some("a")]))).column("t");
        assert_eq!((blanks.missing, blanks.distinct), (2, Some(1)));
    }
}
