//! Packs rows into the sections of a chunk.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Float64Array};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type};
use narrows_codec::{Plane, Shape, encode_codes, encode_plane, encode_plane_fast};

use super::super::coder::{ChunkCoder, ChunkForm, EncodedSamples, Feature};
use super::super::fidelity::Fidelity;
use super::super::kept::{self, Exception};
use super::super::manifest::{ColumnStorage, TableManifest};
use super::super::restore::restored;
use super::check::checksum;
use super::corrections::Correction;
use super::layout::{
    CHECK, CODES, CORRECTIONS, DICTIONARIES, EXCEPTIONS, GAPS, KEPT, LEVELS, NUMBERS, RowOrder, Sections, WORDS,
    guesses, levels_shape, numbers, of_features, rebuilt_numbers, skeleton, unround_levels,
};
use super::places::as_restored;
use super::words::{DICTIONARY_BYTES, Entry, Words, interleaved, word_guesses, words};
use crate::codec::Lattice;
use crate::data::{Table, conform};
use crate::error::{Error, Hint, Result};

/// An encoded chunk of rows, before its codes are quantised.
pub(in crate::compress) struct PreparedChunk<'a> {
    coder: &'a ChunkCoder,
    manifest: &'a TableManifest,
    features: Vec<Feature<'a>>,
    typed: Table,
    samples: EncodedSamples,
    form: ChunkForm,
    /// The order in which numbers are written.
    order: RowOrder,
    /// The numbers on lattices: feature and lattice.
    numbers: Vec<(usize, Lattice)>,
    /// `[rows, numbers]` in that order: cell indices; `None` if a cell is missing or not representable.
    places: Vec<Option<i64>>,
    exceptions: Vec<Exception>,
    words: Vec<Words>,
    /// The sections that do not depend on the quantiser level.
    fixed: Sections,
}

/// How much time the search for the smallest sections may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::compress) enum Effort {
    /// One coding of numbers, for comparing quantiser levels.
    Little,
    /// The smallest of all codings.
    Full,
}

/// A packed chunk.
pub(in crate::compress) struct PackedChunk {
    pub(in crate::compress) sections: Sections,
    /// The decoded columns, for the account: predicted, or within their cells.
    pub(in crate::compress) rebuilt: Table,
}

impl<'a> PreparedChunk<'a> {
    pub(in crate::compress) fn new(
        coder: &'a ChunkCoder,
        manifest: &'a TableManifest,
        table: &'a Table,
    ) -> Result<PreparedChunk<'a>> {
        let places = &manifest.columns[..];
        let (typed, _) = conform(table.clone(), coder.adapter.schema())?;
        let samples = coder.adapter.encoded(&coder.core, table, &typed)?;
        let features = coder.features();
        let rebuilt = of_features(places);
        let mut gaps = vec![0; table.n_rows() * rebuilt.len()];
        for (i, feature) in rebuilt.iter().enumerate() {
            let array = typed.expect_column(&features[*feature].column.name)?;
            let is_missing = |row: usize| match array.as_primitive_opt::<Float64Type>() {
                Some(numbers) => numbers.is_null(row) || numbers.value(row).is_nan(),
                None => array.is_null(row),
            };
            (0..table.n_rows()).for_each(|row| gaps[row * rebuilt.len() + i] = i64::from(is_missing(row)));
        }
        if gaps.iter().all(|gap| *gap == 0) {
            gaps.clear();
        }
        check_whole(manifest, &features, table)?;
        let rows = table.n_rows();
        let form = coder.adapter.form(&skeleton(coder, places, table, rows, &gaps, table.first_row())?, rows)?;
        let order = RowOrder::of(coder, &form);
        let numbers = numbers(&features, manifest);
        let kinds = kinds_of_numbers(manifest)?;
        let (places, exceptions) = on_lattices(&numbers, &kinds, &features, &typed, &order)?;
        let words = words(&manifest.columns, &features, table, &typed)?;

        let mut fixed = Sections::default();
        let columns = gaps.len() / rows.max(1);
        fixed[GAPS] = plane_of(&gaps, &vec![0; gaps.len()], Shape::Rows { rows, columns }, Effort::Full);
        fixed[EXCEPTIONS] = kept::values(&exceptions, kept::LARGEST).map_err(too_much)?;
        let dictionaries: Vec<&Vec<Entry>> = words.iter().map(|words| &words.dictionary).collect();
        fixed[DICTIONARIES] = kept::values(&dictionaries, DICTIONARY_BYTES).map_err(too_much)?;
        fixed[KEPT] = kept::values(&kept_columns(&manifest.columns, table)?, kept::LARGEST).map_err(too_much)?;
        fixed[CORRECTIONS] = kept::values(&corrections(manifest, table, &typed)?, kept::LARGEST).map_err(too_much)?;
        Ok(PreparedChunk {
            coder,
            manifest,
            features,
            typed,
            samples,
            form,
            order,
            numbers,
            places,
            exceptions,
            words,
            fixed,
        })
    }

    /// Packs the chunk with its codes quantised at a level.
    pub(in crate::compress) fn pack(&self, level: i32, effort: Effort) -> Result<PackedChunk> {
        let PreparedChunk { coder, features, order, numbers, .. } = self;
        let quantiser = &coder.coding().quantiser;
        let k = coder.core.code_size();
        let symbols = quantiser.symbols(&self.samples.codes, level);
        let level_places = self.round_levels(level);
        let rounded = EncodedSamples {
            codes: quantiser.codes(&symbols, level),
            levels: unround_levels(coder, &level_places, level),
        };
        let expected = coder.expected(&self.form, &rounded)?;
        let mut sections = self.fixed.clone();
        if let Some(checksum) = checksum(&self.manifest.columns, features, &expected)? {
            sections[CHECK] = checksum.to_le_bytes().to_vec();
        }
        sections[CODES] = encode_codes(&symbols, &quantiser.tables(k, level));
        let shape = levels_shape(coder, &level_places);
        sections[LEVELS] = plane_of(&level_places, &vec![0; level_places.len()], shape, effort);
        let guesses = guesses(features, numbers, order, &expected)?;
        // Unwritten cells take the prediction.
        let value = |(place, guess): (&Option<i64>, &i64)| place.unwrap_or(guess >> narrows_codec::FRACTION);
        let values: Vec<i64> = self.places.iter().zip(&guesses).map(value).collect();
        sections[NUMBERS] = plane_of(&values, &guesses, order.shape(numbers.len()), effort);
        let guesses = word_guesses(&self.words, features, &expected)?;
        let rows = self.typed.n_rows();
        let cells = interleaved(self.words.iter().map(|words| words.cells.as_slice()), rows);
        sections[WORDS] = plane_of(&cells, &guesses, Shape::Rows { rows, columns: self.words.len() }, effort);
        let rebuilt = rebuilt_numbers(features, numbers, order, &values, &self.exceptions, &expected)?;
        Ok(PackedChunk { sections, rebuilt })
    }

    /// The model's own columns, typed, as given.
    pub(in crate::compress) fn typed(&self) -> &Table {
        &self.typed
    }

    /// The cell indices of the chunk, row by row, for a baseline to compress.
    pub(in crate::compress) fn lattice_places(&self) -> Vec<i64> {
        let n = self.numbers.len();
        let mut places = vec![0; self.places.len()];
        for (row, of_row) in self.order.rows.iter().zip(self.places.chunks_exact(n.max(1))) {
            let at = *row as usize * n;
            places[at..at + n].iter_mut().zip(of_row).for_each(|(to, place)| *to = place.unwrap_or(0));
        }
        places
    }

    fn round_levels(&self, level: i32) -> Vec<i64> {
        let steps = self.coder.level_steps(level);
        let round = |(i, value): (usize, &f32)| (f64::from(*value) / steps[i % steps.len()]).round() as i64;
        self.samples.levels.iter().enumerate().map(round).collect()
    }
}

/// Maps numbers to cell indices, and lists those that no cell represents.
fn on_lattices(
    numbers: &[(usize, Lattice)],
    kinds: &[Option<DataType>],
    features: &[Feature<'_>],
    typed: &Table,
    order: &RowOrder,
) -> Result<(Vec<Option<i64>>, Vec<Exception>)> {
    let mut places = vec![None; order.rows.len() * numbers.len()];
    let mut exceptions = Vec::new();
    for (c, (feature, lattice)) in numbers.iter().enumerate() {
        let column = typed.expect_column(&features[*feature].column.name)?.as_primitive::<Float64Type>();
        for (i, row) in order.rows.iter().map(|row| *row as usize).enumerate() {
            let (place, value) = (i * numbers.len() + c, column.value(row));
            if column.is_null(row) || value.is_nan() {
                continue;
            }
            places[place] = lattice.index(value).filter(|index| {
                let is_near = |back: f64| (back - value).abs() <= lattice.bound;
                // A type of fewer digits may move the number out of the bound.
                kinds[c].as_ref().is_none_or(|kind| narrowed(lattice.value(*index), kind).is_some_and(is_near))
            });
            if places[place].is_none() {
                exceptions.push(Exception { place: place as u64, value });
            }
        }
    }
    Ok((places, exceptions))
}

/// The types that the numbers on lattices are restored to, if that may change them.
fn kinds_of_numbers(manifest: &TableManifest) -> Result<Vec<Option<DataType>>> {
    let places = manifest.columns.iter().enumerate();
    let numbers = places.filter_map(|(at, place)| Some((at, place.number(manifest.fidelity)?.1)));
    numbers
        .map(|(at, fidelity)| {
            let kind = manifest.type_of(at).map_err(Error::mismatch)?;
            // What a type changes without loss allowed is corrected.
            Ok(kind.filter(|kind| fidelity != Fidelity::Lossless && *kind != DataType::Float64))
        })
        .collect()
}

/// A number as it comes back in a type.
fn narrowed(x: f64, kind: &DataType) -> Option<f64> {
    match kind {
        DataType::Float32 => Some(f64::from(x as f32)),
        DataType::Int8 => Some(f64::from(x.round() as i8)),
        DataType::Int16 => Some(f64::from(x.round() as i16)),
        DataType::Int32 => Some(f64::from(x.round() as i32)),
        DataType::Int64 => Some(x.round() as i64 as f64),
        DataType::UInt8 => Some(f64::from(x.round() as u8)),
        DataType::UInt16 => Some(f64::from(x.round() as u16)),
        DataType::UInt32 => Some(f64::from(x.round() as u32)),
        DataType::UInt64 => Some(x.round() as u64 as f64),
        kind => {
            let one: ArrayRef = Arc::new(Float64Array::from(vec![x]));
            let back = cast(&restored(&one, kind).ok()?, &DataType::Float64).ok()?;
            let back = back.as_primitive::<Float64Type>();
            back.is_valid(0).then(|| back.value(0))
        }
    }
}

/// The cells of lossless columns that their restored numbers are not.
fn corrections(manifest: &TableManifest, table: &Table, typed: &Table) -> Result<Vec<Correction>> {
    let mut corrections = Vec::new();
    for (at, (place, name)) in manifest.columns.iter().zip(table.names()).enumerate() {
        let Some((_, Fidelity::Lossless)) = place.number(manifest.fidelity) else { continue };
        let was = table.expect_column(name)?;
        let wrong = |what: String| Error::data(crate::error::Place::column(name).of(table.source()), what);
        let is = as_restored(typed.expect_column(name)?, was.data_type());
        let is = is.ok_or_else(|| wrong(format!("expected cells of one type, got {}", was.data_type())))?;
        corrections.extend(Correction::of(at, was, &is).map_err(wrong)?);
    }
    Ok(corrections)
}

/// Rejects integers that 64-bit floating point cannot represent in columns under a bound.
fn check_whole(manifest: &TableManifest, features: &[Feature<'_>], table: &Table) -> Result<()> {
    const LARGEST: f64 = (1_u64 << 53) as f64;
    let numbers = manifest.columns.iter().filter_map(|place| place.number(manifest.fidelity));
    for (column, _) in numbers.filter(|(_, fidelity)| *fidelity != Fidelity::Lossless) {
        let name = &features[column].column.name;
        let array = table.expect_column(name)?;
        let found = if array.data_type().is_integer() {
            let numbers = cast(array, &DataType::Float64).expect("whole numbers are numbers");
            let numbers = numbers.as_primitive::<Float64Type>();
            (0..numbers.len()).find(|row| numbers.is_valid(*row) && numbers.value(*row).abs() >= LARGEST)
        } else if let Some(texts) = array.as_string_opt::<i32>() {
            texts.iter().position(|text| text.is_some_and(|text| is_whole_beyond(text.trim(), LARGEST)))
        } else {
            None
        };
        if let Some(row) = found {
            let place = crate::error::Place::cell(name, table.first_row() + row as u64).of(table.source());
            let error = Error::data(place, format!("expected whole numbers below {LARGEST}, got a larger one"));
            return Err(error.with_hint("leave the column out of the model: it is then kept as it is"));
        }
    }
    Ok(())
}

/// Whether a text is an integer that may exceed the precision of a 64-bit float.
fn is_whole_beyond(text: &str, largest: f64) -> bool {
    let digits = text.trim_start_matches(['+', '-']);
    // Shorter ones are representable.
    digits.len() > 15
        && digits.bytes().all(|byte| byte.is_ascii_digit())
        && digits.parse::<f64>().is_ok_and(|x| x >= largest)
}

fn kept_columns(places: &[ColumnStorage], table: &Table) -> Result<Vec<kept::KeptColumn>> {
    let kept = places.iter().zip(table.names()).filter(|(place, _)| **place == ColumnStorage::Kept);
    let column = |(_, name): (&ColumnStorage, &str)| {
        kept::KeptColumn::of(name, table.expect_column(name)?).map_err(|kind| {
            let place = crate::error::Place::column(name).of(table.source());
            let error = Error::data(place, format!("expected a column of a type that can be kept, got {kind}"));
            error.with_hint("leave the column out of the input")
        })
    };
    kept.map(column).collect()
}

fn too_much(message: String) -> Error {
    Error::mismatch(message).with_hint(Hint::of("fewer rows in a chunk: [chunk_rows]"))
}

/// A coded plane; empty if it has no values.
fn plane_of(values: &[i64], guesses: &[i64], shape: Shape, effort: Effort) -> Vec<u8> {
    let plane = Plane { shape, guesses };
    match effort {
        _ if values.is_empty() => Vec::new(),
        Effort::Little => encode_plane_fast(values, &plane),
        Effort::Full => encode_plane(values, &plane),
    }
}
