//! Lossless coding of words and flags: cells as indices into a dictionary of the chunk, predicted by the model's word.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, BooleanArray, StringArray};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use narrows_codec::{Plane, Shape, decode_plane};

use super::super::coder::Feature;
use super::super::kept;
use super::super::manifest::ColumnStorage;
use super::layout::{DICTIONARIES, WORDS};
use crate::data::Table;
use crate::error::{Error, Result};

/// Most bytes of the dictionaries of a chunk, as words take many times that in memory.
pub(super) const DICTIONARY_BYTES: u64 = 1 << 25;

/// A column of words: its cells as dictionary indices.
pub(super) struct Words {
    pub(super) feature: usize,
    pub(super) dictionary: Vec<Entry>,
    pub(super) cells: Vec<i64>,
}

/// A cell as written and as the model takes it; `None` for null.
pub(super) type Entry = (Option<String>, Option<String>);

pub(super) fn words(
    places: &[ColumnStorage],
    features: &[Feature<'_>],
    table: &Table,
    typed: &Table,
) -> Result<Vec<Words>> {
    let text = |array: &ArrayRef| cast(array, &DataType::Utf8).expect("words and flags are text too");
    let of_place = |place: &ColumnStorage| {
        let ColumnStorage::Words { column: feature, .. } = place else { return None };
        let name = &features[*feature as usize].column.name;
        Some((|| {
            let (raw, typed) = (text(table.expect_column(name)?), text(typed.expect_column(name)?));
            let (raw, typed) = (raw.as_string::<i32>(), typed.as_string::<i32>());
            let mut known: HashMap<Option<&str>, i64> = HashMap::new();
            let mut dictionary: Vec<Entry> = Vec::new();
            let cells = raw.iter().zip(typed).map(|(raw, typed)| {
                *known.entry(raw).or_insert_with(|| {
                    dictionary.push((raw.map(str::to_owned), typed.map(str::to_owned)));
                    dictionary.len() as i64 - 1
                })
            });
            let cells = cells.collect();
            Ok(Words { feature: *feature as usize, dictionary, cells })
        })())
    };
    places.iter().filter_map(of_place).collect()
}

/// The dictionary indices of the expected words, `[rows, columns]`, as predictions.
pub(super) fn word_guesses(words: &[Words], features: &[Feature<'_>], expected: &Table) -> Result<Vec<i64>> {
    let of_column = |words: &Words| -> Result<Vec<i64>> {
        let expected = cast(expected.expect_column(&features[words.feature].column.name)?, &DataType::Utf8)
            .expect("words and flags are text too");
        let mut place_of: HashMap<&str, i64> = HashMap::new();
        for (place, (_, typed)) in words.dictionary.iter().enumerate() {
            if let Some(typed) = typed {
                place_of.entry(typed).or_insert(place as i64);
            }
        }
        let guess = |word: Option<&str>| word.and_then(|word| place_of.get(word)).copied().unwrap_or(0);
        Ok(expected.as_string::<i32>().iter().map(|word| guess(word) << narrows_codec::FRACTION).collect())
    };
    let columns: Vec<Vec<i64>> = words.iter().map(of_column).collect::<Result<_>>()?;
    Ok(interleaved(columns.iter().map(Vec::as_slice), expected.n_rows()))
}

/// Interleaves columns into rows.
pub(super) fn interleaved<'a>(columns: impl ExactSizeIterator<Item = &'a [i64]>, rows: usize) -> Vec<i64> {
    let n = columns.len();
    let mut values = vec![0; rows * n];
    for (c, column) in columns.enumerate() {
        values[c..].iter_mut().step_by(n).zip(column).for_each(|(value, cell)| *value = *cell);
    }
    values
}

pub(super) fn unpack_words(
    places: &[ColumnStorage],
    features: &[Feature<'_>],
    rows: usize,
    sections: &[Vec<u8>],
    expected: &Table,
) -> Result<Vec<ArrayRef>> {
    let word = |place: &ColumnStorage| match place {
        ColumnStorage::Words { column, flags } => Some((*column as usize, *flags)),
        _ => None,
    };
    let columns: Vec<(usize, bool)> = places.iter().filter_map(word).collect();
    if columns.is_empty() {
        return Ok(Vec::new());
    }
    let dictionaries: Vec<Vec<Entry>> =
        kept::read_values(&sections[DICTIONARIES], DICTIONARY_BYTES, "a dictionary of words")
            .map_err(Error::mismatch)?;
    if dictionaries.len() != columns.len() {
        let got = dictionaries.len();
        return Err(Error::mismatch(format!("expected {} dictionaries of words, got {got}", columns.len())));
    }
    let words: Vec<Words> = columns
        .iter()
        .zip(dictionaries)
        .map(|((feature, _), dictionary)| Words { feature: *feature, dictionary, cells: Vec::new() })
        .collect();
    let guesses = word_guesses(&words, features, expected)?;
    let shape = Shape::Rows { rows, columns: words.len() };
    let cells = decode_plane(&sections[WORDS], &Plane { shape, guesses: &guesses })
        .map_err(|error| Error::mismatch(error.to_string()))?;
    let column = |(c, of): (usize, &Words)| -> Result<ArrayRef> {
        let cell = |place: &i64| {
            let entry = usize::try_from(*place).ok().and_then(|place| of.dictionary.get(place));
            entry.ok_or_else(|| {
                Error::mismatch(format!("expected one of {} words, got number {place}", of.dictionary.len()))
            })
        };
        let entries: Vec<&Entry> = cells.iter().skip(c).step_by(words.len()).map(cell).collect::<Result<_>>()?;
        let texts = entries.into_iter().map(|(raw, _)| raw.as_deref());
        Ok(if columns[c].1 {
            Arc::new(texts.map(|text| text.map(|text| text == "true")).collect::<BooleanArray>()) as ArrayRef
        } else {
            Arc::new(texts.collect::<StringArray>())
        })
    };
    words.iter().enumerate().map(column).collect()
}
