//! Rows into the sections of a chunk.

use arrow::array::{Array, AsArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type};
use narrows_codec::{Plane, Shape, encode_codes, encode_plane};

use super::super::kept::{self, Exception};
use super::super::manifest::{Place, TableManifest};
use super::super::passage::{Feature, Form, Passage, Samples};
use super::layout::{
    CODES, DICTIONARIES, EXCEPTIONS, GAPS, KEPT, LEVELS, NUMBERS, Sections, WORDS, guesses, levels_shape, numbers,
    numbers_shape, of_features, rebuilt_numbers, skeleton, unround_levels,
};
use super::words::{DICTIONARY_BYTES, Entry, Words, interleaved, word_guesses, words};
use crate::codec::Lattice;
use crate::data::{Table, conform};
use crate::error::{Error, Result};

/// A chunk of rows that has gone through the encoder, before its codes are rounded.
pub(in crate::compress) struct Ready<'a> {
    passage: Passage<'a>,
    manifest: &'a TableManifest,
    table: &'a Table,
    typed: Table,
    samples: Samples,
    form: Form,
    /// Of each feature that is not kept, which cells are missing; empty where none is.
    gaps: Vec<i64>,
    words: Vec<Words>,
}

/// What became of a chunk.
pub(in crate::compress) struct Packed {
    pub(in crate::compress) sections: Sections,
    /// What comes back, column by column, for the account: expected, or within its cell.
    pub(in crate::compress) rebuilt: Table,
}

impl<'a> Ready<'a> {
    pub(in crate::compress) fn new(
        passage: Passage<'a>,
        manifest: &'a TableManifest,
        table: &'a Table,
    ) -> Result<Ready<'a>> {
        let places = &manifest.columns[..];
        let (typed, _) = conform(table.clone(), passage.schema())?;
        let samples = passage.samples(table)?;
        let features = passage.features();
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
        check_whole(places, &features, table)?;
        let form = passage
            .form(&skeleton(&passage, places, table, table.n_rows(), &gaps, table.first_row())?, table.n_rows())?;
        let words = words(places, &features, table, &typed)?;
        Ok(Ready { passage, manifest, table, typed, samples, form, gaps, words })
    }

    /// The chunk with its codes rounded at a level.
    pub(in crate::compress) fn pack(&self, level: i32) -> Result<Packed> {
        let Ready { passage, manifest, table, typed, .. } = self;
        let quantiser = &passage.coding.quantiser;
        let k = passage.fitted.code_size();
        let symbols = quantiser.symbols(&self.samples.codes, level);
        let level_places = self.round_levels(level);
        let rounded =
            Samples { codes: quantiser.codes(&symbols, level), levels: unround_levels(passage, &level_places, level) };
        let expected = passage.expected(&self.form, &rounded)?;
        let mut sections = Sections::default();
        sections[CODES] = encode_codes(&symbols, &quantiser.tables(k, level));
        sections[LEVELS] = plane_of(&level_places, &vec![0; level_places.len()], levels_shape(passage, &level_places));
        if !self.gaps.is_empty() {
            let columns = self.gaps.len() / table.n_rows();
            sections[GAPS] =
                plane_of(&self.gaps, &vec![0; self.gaps.len()], Shape::Rows { rows: table.n_rows(), columns });
        }
        let features = passage.features();
        let numbers = numbers(&features, manifest);
        let mut exceptions = Vec::new();
        let guesses = self.guesses(&numbers, &expected)?;
        let mut values = guesses.clone();
        let order = self.order();
        for (c, (feature, lattice)) in numbers.iter().enumerate() {
            let column = typed.expect_column(&features[*feature].column.name)?.as_primitive::<Float64Type>();
            for (i, row) in order.iter().enumerate() {
                let place = i * numbers.len() + c;
                let row = *row as usize;
                // Where nothing is written the guess is right.
                values[place] = guesses[place] >> narrows_codec::FRACTION;
                if column.is_null(row) || column.value(row).is_nan() {
                    continue;
                }
                match lattice.index(column.value(row)) {
                    Some(index) => values[place] = index,
                    None => exceptions.push(Exception { place: place as u64, value: column.value(row) }),
                }
            }
        }
        sections[NUMBERS] = plane_of(&values, &guesses, self.numbers_shape(numbers.len()));
        sections[EXCEPTIONS] = kept::values(&exceptions, kept::LARGEST).map_err(too_much)?;
        let guesses = word_guesses(&self.words, &features, &expected)?;
        let cells = interleaved(self.words.iter().map(|words| words.cells.as_slice()), table.n_rows());
        sections[WORDS] = plane_of(&cells, &guesses, Shape::Rows { rows: table.n_rows(), columns: self.words.len() });
        let dictionaries: Vec<&Vec<Entry>> = self.words.iter().map(|words| &words.dictionary).collect();
        sections[DICTIONARIES] = kept::values(&dictionaries, DICTIONARY_BYTES).map_err(too_much)?;
        sections[KEPT] = kept::values(&kept_columns(&manifest.columns, table)?, kept::LARGEST).map_err(too_much)?;
        let rebuilt = rebuilt_numbers(passage, &numbers, &order, &values, &exceptions, &expected)?;
        Ok(Packed { sections, rebuilt })
    }

    /// The model's own columns, typed, as they came.
    pub(in crate::compress) fn typed(&self) -> &Table {
        &self.typed
    }

    /// The numbers of the chunk as places on their lattices, row by row, for a rival to compress.
    pub(in crate::compress) fn lattice_places(&self) -> Result<Vec<i64>> {
        let features = self.passage.features();
        let numbers = numbers(&features, self.manifest);
        let mut places = vec![0; self.table.n_rows() * numbers.len()];
        for (c, (feature, lattice)) in numbers.iter().enumerate() {
            let column = self.typed.expect_column(&features[*feature].column.name)?.as_primitive::<Float64Type>();
            for row in (0..column.len()).filter(|row| column.is_valid(*row)) {
                places[row * numbers.len() + c] = lattice.index(column.value(row)).unwrap_or(0);
            }
        }
        Ok(places)
    }

    fn order(&self) -> Vec<u32> {
        self.passage.order(&self.form).unwrap_or_else(|| (0..self.table.n_rows() as u32).collect())
    }

    fn numbers_shape(&self, columns: usize) -> Shape {
        numbers_shape(&self.passage, &self.form, columns)
    }

    fn guesses(&self, numbers: &[(usize, Lattice)], expected: &Table) -> Result<Vec<i64>> {
        guesses(&self.passage, numbers, &self.order(), expected)
    }

    fn round_levels(&self, level: i32) -> Vec<i64> {
        let steps = self.passage.level_steps(level);
        let round = |(i, value): (usize, &f32)| (f64::from(*value) / steps[i % steps.len()]).round() as i64;
        self.samples.levels.iter().enumerate().map(round).collect()
    }
}

/// Refuses whole numbers that the model's arithmetic, which is that of 64-bit floating point, cannot hold.
fn check_whole(places: &[Place], features: &[Feature<'_>], table: &Table) -> Result<()> {
    const LARGEST: f64 = (1_u64 << 53) as f64;
    for place in places {
        let Place::Numbers { column, .. } = place else { continue };
        let name = &features[*column as usize].column.name;
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

/// Whether a text is a whole number, digit by digit, that a 64-bit float may not hold.
fn is_whole_beyond(text: &str, largest: f64) -> bool {
    let digits = text.trim_start_matches(['+', '-']);
    // Shorter ones are below it.
    digits.len() > 15
        && digits.bytes().all(|byte| byte.is_ascii_digit())
        && digits.parse::<f64>().is_ok_and(|x| x >= largest)
}

fn kept_columns(places: &[Place], table: &Table) -> Result<Vec<kept::Column>> {
    let kept = places.iter().zip(table.names()).filter(|(place, _)| **place == Place::Kept);
    let column = |(_, name): (&Place, &str)| {
        kept::Column::of(name, table.expect_column(name)?).map_err(|kind| {
            let place = crate::error::Place::column(name).of(table.source());
            let error =
                Error::data(place, format!("expected texts, flags, numbers, dates or times to keep, got {kind}"));
            error.with_hint("leave the column out of the input")
        })
    };
    kept.map(column).collect()
}

fn too_much(message: String) -> Error {
    Error::mismatch(message).with_hint("fewer rows in a chunk: --chunk-rows")
}

/// A plane, or nothing where it has no values.
fn plane_of(values: &[i64], guesses: &[i64], shape: Shape) -> Vec<u8> {
    if values.is_empty() { Vec::new() } else { encode_plane(values, &Plane { shape, guesses }) }
}
