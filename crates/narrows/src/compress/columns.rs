//! A chunk of columns and the sections of a file that hold it.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Float64Array, Int64Array, RecordBatch, RecordBatchOptions, StringArray,
};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type, Int64Type, Schema as ArrowSchema};
use narrows_codec::{Chunk, CodecError, Plane, Shape, decode_codes, decode_plane, encode_codes, encode_plane};

use super::fidelity::Fidelity;
use super::kept::{self, Exception};
use super::manifest::{LARGEST, Place, TableManifest};
use super::passage::{Feature, Form, Passage, Samples, is_rebuilt};
use crate::codec::Lattice;
use crate::data::{ColumnKind, Table, conform};
use crate::error::{Error, Result};

/// What the sections of a chunk hold, in their order.
pub(super) const SECTIONS: usize = 8;
const CODES: usize = 0;
const LEVELS: usize = 1;
const GAPS: usize = 2;
const NUMBERS: usize = 3;
const EXCEPTIONS: usize = 4;
const WORDS: usize = 5;
const DICTIONARIES: usize = 6;
const KEPT: usize = 7;

/// The sections of a chunk, by what they hold.
pub(super) type Sections = [Vec<u8>; SECTIONS];

/// Where the columns of a file are, from the first rows of it.
pub(super) fn places(passage: &Passage<'_>, fidelity: &Fidelity, table: &Table) -> Vec<Place> {
    let features = passage.features();
    let place = |name: &str| {
        let found = features.iter().position(|feature| feature.column.name == name)?;
        let Feature { column, span } = &features[found];
        if !is_rebuilt(column.kind) {
            return None;
        }
        let number = found as u32;
        if let Fidelity::Code(_) = fidelity {
            return Some(Place::Code(number));
        }
        let raw = table.column(name)?.data_type();
        match column.kind {
            ColumnKind::Numeric => {
                let lattice = fidelity.lattice(span.as_ref()?)?;
                let whole = raw.is_integer() && lattice.step.fract() == 0.0;
                Some(Place::Numbers { column: number, whole })
            }
            _ if matches!(raw, DataType::Utf8 | DataType::LargeUtf8 | DataType::Boolean) => {
                Some(Place::Words { column: number, flags: *raw == DataType::Boolean })
            }
            _ => None,
        }
    };
    table.names().into_iter().map(|name| place(name).unwrap_or(Place::Kept)).collect()
}

/// A chunk of rows that has gone through the encoder, before its codes are rounded.
pub(super) struct Ready<'a> {
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

/// A column of words: its cells as numbers in a dictionary.
struct Words {
    feature: usize,
    dictionary: Vec<Entry>,
    cells: Vec<i64>,
}

/// A cell as it is written, and as the model takes it; none is missing.
type Entry = (Option<String>, Option<String>);

/// What became of a chunk.
pub(super) struct Packed {
    pub(super) sections: Sections,
    /// What comes back, column by column, for the account: expected, or within its cell.
    pub(super) rebuilt: Table,
}

impl<'a> Ready<'a> {
    pub(super) fn new(passage: Passage<'a>, manifest: &'a TableManifest, table: &'a Table) -> Result<Ready<'a>> {
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
        let form = passage.form(&skeleton(&passage, places, table, &gaps, table.first_row())?)?;
        let words = words(places, &features, table, &typed)?;
        Ok(Ready { passage, manifest, table, typed, samples, form, gaps, words })
    }

    /// The chunk with its codes rounded at a level.
    pub(super) fn pack(&self, level: i32) -> Result<Packed> {
        let Ready { passage, manifest, table, typed, .. } = self;
        let quantiser = &passage.coding.quantiser;
        let k = passage.fitted.code_size();
        let symbols = quantiser.symbols(&self.samples.codes, level);
        let level_places = self.round_levels(level);
        let rounded = Samples {
            codes: quantiser.codes(&symbols, level),
            levels: unround_levels(passage, &level_places, level),
        };
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
        sections[EXCEPTIONS] = kept::values(&exceptions);
        let guesses = word_guesses(&self.words, &features, &expected)?;
        let cells = interleaved(self.words.iter().map(|words| words.cells.as_slice()), table.n_rows());
        sections[WORDS] =
            plane_of(&cells, &guesses, Shape::Rows { rows: table.n_rows(), columns: self.words.len() });
        let dictionaries: Vec<&Vec<Entry>> = self.words.iter().map(|words| &words.dictionary).collect();
        sections[DICTIONARIES] = kept::values(&dictionaries);
        sections[KEPT] = kept::columns(&kept_batch(&manifest.columns, table));
        let rebuilt = rebuilt_numbers(passage, &numbers, &order, &values, &exceptions, &expected)?;
        Ok(Packed { sections, rebuilt })
    }

    /// The model's own columns, typed, as they came.
    pub(super) fn typed(&self) -> &Table {
        &self.typed
    }

    /// The numbers of the chunk as places on their lattices, row by row, for a rival to compress.
    pub(super) fn lattice_places(&self) -> Result<Vec<i64>> {
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

/// The rows of a chunk as they were, or as near as was asked.
pub(super) fn unpack(passage: &Passage<'_>, manifest: &TableManifest, chunk: &Chunk) -> Result<Table> {
    let damaged = |message: String| Error::mismatch(message);
    let codec = |error: CodecError| Error::mismatch(error.to_string());
    let Chunk { first_row, rows, sections, .. } = chunk;
    let width = passage.width();
    let fits = |rows: &usize| rows.checked_mul(width).is_some_and(|values| values <= LARGEST);
    let rows = usize::try_from(*rows).ok().filter(fits).ok_or_else(|| {
        damaged(format!("expected at most {} rows in a chunk, got {rows}", LARGEST / width))
    })?;
    if sections.len() != SECTIONS {
        return Err(damaged(format!("expected {SECTIONS} sections in a chunk of a table, got {}", sections.len())));
    }
    let TableManifest { level, columns: places, .. } = manifest;
    let level = i32::from(*level);
    let features = passage.features();
    let rebuilt = of_features(places);
    let kept = if sections[KEPT].is_empty() {
        empty_batch(rows)
    } else {
        kept::read_columns(&sections[KEPT]).map_err(damaged)?
    };
    let n_kept = places.iter().filter(|place| **place == Place::Kept).count();
    if kept.num_rows() != rows || kept.num_columns() != n_kept {
        let got = format!("{} columns of {} rows", kept.num_columns(), kept.num_rows());
        return Err(damaged(format!("expected {n_kept} kept columns of {rows} rows, got {got}")));
    }
    let gaps = if sections[GAPS].is_empty() {
        Vec::new()
    } else {
        let shape = Shape::Rows { rows, columns: rebuilt.len() };
        let guesses = vec![0; rows * rebuilt.len()];
        decode_plane(&sections[GAPS], &Plane { shape, guesses: &guesses }).map_err(codec)?
    };
    let named = named(&features, places, &kept);
    let form = passage.form(&skeleton(passage, places, &named, &gaps, *first_row)?)?;
    let n = passage.n_samples(&form);
    let quantiser = &passage.coding.quantiser;
    let symbols = decode_codes(&sections[CODES], n, &quantiser.tables(passage.fitted.code_size(), level)).map_err(codec)?;
    let n_levels = n * passage.n_levels();
    let level_places = if n_levels == 0 {
        Vec::new()
    } else {
        let (shape, guesses) = (levels_shape(passage, &vec![0; n_levels]), vec![0; n_levels]);
        decode_plane(&sections[LEVELS], &Plane { shape, guesses: &guesses }).map_err(codec)?
    };
    let samples = Samples {
        codes: quantiser.codes(&symbols, level),
        levels: unround_levels(passage, &level_places, level),
    };
    let expected = passage.expected(&form, &samples)?;
    let numbers = numbers(&features, manifest);
    let order = passage.order(&form).unwrap_or_else(|| (0..rows as u32).collect());
    let guesses = guesses(passage, &numbers, &order, &expected)?;
    let values = if numbers.is_empty() {
        Vec::new()
    } else {
        let shape = numbers_shape(passage, &form, numbers.len());
        decode_plane(&sections[NUMBERS], &Plane { shape, guesses: &guesses }).map_err(codec)?
    };
    let exceptions: Vec<Exception> = kept::read_values(&sections[EXCEPTIONS], "a number kept by itself").map_err(damaged)?;
    let expected = rebuilt_numbers(passage, &numbers, &order, &values, &exceptions, &expected)?;
    let words = unpack_words(places, &features, rows, sections, &expected)?;

    let mut kept_columns = kept.columns().iter();
    let mut word_columns = words.into_iter();
    let is_missing = |feature: u32, row: usize| {
        let at = rebuilt.iter().position(|f| *f == feature as usize).unwrap_or(0);
        !gaps.is_empty() && gaps[row * rebuilt.len() + at] == 1
    };
    let column = |place: &Place| -> Result<ArrayRef> {
        Ok(match place {
            Place::Kept => kept_columns.next().expect("counted above").clone(),
            Place::Words { .. } => word_columns.next().expect("one a place"),
            Place::Code(feature) | Place::Numbers { column: feature, .. } => {
                let array = expected.expect_column(&features[*feature as usize].column.name)?;
                let holes: Vec<bool> = (0..rows).map(|row| is_missing(*feature, row)).collect();
                with_holes(array, &holes, matches!(place, Place::Numbers { whole: true, .. }))
            }
        })
    };
    let arrays: Vec<ArrayRef> = places.iter().map(column).collect::<Result<_>>()?;
    let names = named.names().into_iter().map(str::to_owned);
    let table = Table::from_arrays(names.zip(arrays).collect(), "compressed")?;
    Ok(Table::new(table.batch().clone(), "compressed", *first_row))
}

/// Refuses whole numbers that the model's arithmetic cannot hold.
fn check_whole(places: &[Place], features: &[Feature<'_>], table: &Table) -> Result<()> {
    const LARGEST: i64 = 1 << 52;
    for place in places {
        let Place::Numbers { column, whole: true, .. } = place else { continue };
        let name = &features[*column as usize].column.name;
        let numbers = cast(table.expect_column(name)?, &DataType::Int64).unwrap_or_else(|_| table.batch().column(0).clone());
        let Some(numbers) = numbers.as_primitive_opt::<Int64Type>() else { continue };
        let found = numbers.iter().position(|x| x.is_some_and(|x| x.checked_abs().is_none_or(|x| x > LARGEST)));
        if let Some(row) = found {
            let place = crate::error::Place::cell(name, table.first_row() + row as u64).of(table.source());
            let message = format!("expected a whole number up to {LARGEST}, got {}", numbers.value(row));
            return Err(Error::data(place, message).with_hint("leave the column out of the model: it is then kept as it is"));
        }
    }
    Ok(())
}

/// The features that are not kept as they are, in the order of the file's columns.
fn of_features(places: &[Place]) -> Vec<usize> {
    let feature = |place: &Place| match place {
        Place::Kept => None,
        Place::Code(feature) | Place::Numbers { column: feature, .. } | Place::Words { column: feature, .. } => {
            Some(*feature as usize)
        }
    };
    places.iter().filter_map(feature).collect()
}

/// The numbers on lattices: which feature, in which steps. Every such column has a lattice: whoever reads checks it.
fn numbers(features: &[Feature<'_>], manifest: &TableManifest) -> Vec<(usize, Lattice)> {
    let number = |place: &Place| match place {
        Place::Numbers { column, .. } => {
            let feature = features.get(*column as usize)?;
            Some((*column as usize, manifest.fidelity.lattice(feature.span.as_ref()?)?))
        }
        _ => None,
    };
    manifest.columns.iter().filter_map(number).collect()
}

/// The rows with nothing but what is kept of them and which cells are missing; other cells are zero, or any word.
fn skeleton(passage: &Passage<'_>, places: &[Place], table: &Table, gaps: &[i64], first_row: u64) -> Result<Table> {
    let features = passage.features();
    let rebuilt = of_features(places);
    let rows = table.n_rows();
    let mut columns: Vec<(String, ArrayRef)> = Vec::new();
    for column in &passage.schema().columns {
        let at = rebuilt.iter().position(|feature| features[*feature].column.name == column.name);
        let array = match at {
            Some(i) if column.kind == ColumnKind::Numeric => {
                let cell = |row: usize| (gaps.is_empty() || gaps[row * rebuilt.len() + i] == 0).then_some(0.0);
                Arc::new((0..rows).map(cell).collect::<Float64Array>()) as ArrayRef
            }
            Some(_) => continue,
            None => table.expect_column(&column.name)?.clone(),
        };
        columns.push((column.name.clone(), array));
    }
    let skeleton = Table::from_arrays(columns, table.source())?;
    Ok(Table::new(skeleton.batch().clone(), table.source(), first_row))
}

/// A table with the file's names in order, of which only the kept columns hold anything.
fn named(features: &[Feature<'_>], places: &[Place], kept: &RecordBatch) -> Table {
    let schema = kept.schema();
    let mut kept_columns = schema.fields().iter().map(|field| field.name().clone()).zip(kept.columns().iter().cloned());
    let rows = kept.num_rows();
    let column = |place: &Place| match place {
        Place::Kept => kept_columns.next().expect("as many as places"),
        Place::Code(feature) | Place::Words { column: feature, .. } | Place::Numbers { column: feature, .. } => {
            (features[*feature as usize].column.name.clone(), arrow::array::new_null_array(&DataType::Null, rows))
        }
    };
    let columns: Vec<(String, ArrayRef)> = places.iter().map(column).collect();
    let fields: Vec<_> =
        columns.iter().map(|(name, array)| arrow::datatypes::Field::new(name, array.data_type().clone(), true)).collect();
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    let arrays = columns.into_iter().map(|(_, array)| array).collect();
    let batch = RecordBatch::try_new_with_options(Arc::new(ArrowSchema::new(fields)), arrays, &options);
    Table::new(batch.expect("columns of one length"), "compressed", 0)
}

fn kept_batch(places: &[Place], table: &Table) -> RecordBatch {
    let kept: Vec<usize> =
        places.iter().enumerate().filter(|(_, place)| **place == Place::Kept).map(|(i, _)| i).collect();
    // Copied, so that a file does not depend on the portions that the rows came in.
    let all: Vec<u32> = (0..table.n_rows() as u32).collect();
    table.take(&all).batch().project(&kept).expect("columns that are there")
}

fn empty_batch(rows: usize) -> RecordBatch {
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    RecordBatch::try_new_with_options(Arc::new(ArrowSchema::empty()), Vec::new(), &options).expect("no columns")
}

fn numbers_shape(passage: &Passage<'_>, form: &Form, columns: usize) -> Shape {
    match passage.order(form) {
        Some(order) => Shape::Series { points: order.len(), channels: columns },
        None => Shape::Rows { rows: form.rows, columns },
    }
}

fn levels_shape(passage: &Passage<'_>, places: &[i64]) -> Shape {
    let channels = passage.n_levels();
    Shape::Series { points: places.len().checked_div(channels).unwrap_or(0), channels }
}

fn unround_levels(passage: &Passage<'_>, places: &[i64], level: i32) -> Vec<f32> {
    let steps = passage.level_steps(level);
    places.iter().enumerate().map(|(i, place)| (*place as f64 * steps[i % steps.len()]) as f32).collect()
}

/// A plane, or nothing where it has no values.
fn plane_of(values: &[i64], guesses: &[i64], shape: Shape) -> Vec<u8> {
    if values.is_empty() { Vec::new() } else { encode_plane(values, &Plane { shape, guesses }) }
}

/// What the model expects of the numbers, as places, `[rows, numbers]` in this order of the rows.
fn guesses(
    passage: &Passage<'_>,
    numbers: &[(usize, Lattice)],
    order: &[u32],
    expected: &Table,
) -> Result<Vec<i64>> {
    let features = passage.features();
    let mut guesses = vec![0; order.len() * numbers.len()];
    for (c, (feature, lattice)) in numbers.iter().enumerate() {
        let column = expected.expect_column(&features[*feature].column.name)?.as_primitive::<Float64Type>();
        for (i, row) in order.iter().enumerate() {
            guesses[i * numbers.len() + c] = lattice.guess(column.value(*row as usize));
        }
    }
    Ok(guesses)
}

/// The expected columns with numbers on lattices in place of their guesses.
fn rebuilt_numbers(
    passage: &Passage<'_>,
    numbers: &[(usize, Lattice)],
    order: &[u32],
    values: &[i64],
    exceptions: &[Exception],
    expected: &Table,
) -> Result<Table> {
    let features = passage.features();
    let mut columns: Vec<Vec<f64>> = vec![vec![f64::NAN; order.len()]; numbers.len()];
    for (c, (_, lattice)) in numbers.iter().enumerate() {
        for (i, row) in order.iter().enumerate() {
            columns[c][*row as usize] = lattice.value(values[i * numbers.len() + c]);
        }
    }
    for Exception { place, value } in exceptions {
        let place = usize::try_from(*place).ok().filter(|place| *place < order.len() * numbers.len());
        let place = place.ok_or_else(|| Error::mismatch("a number kept by itself has no place in its chunk"))?;
        columns[place % numbers.len()][order[place / numbers.len()] as usize] = *value;
    }
    let mut columns: HashMap<&str, Vec<f64>> =
        numbers.iter().map(|(feature, _)| features[*feature].column.name.as_str()).zip(columns).collect();
    let arrays = expected.names().into_iter().map(|name| {
        let array = match columns.remove(name) {
            Some(values) => Arc::new(Float64Array::from(values)) as ArrayRef,
            None => expected.expect_column(name).expect("its own name").clone(),
        };
        (name.to_owned(), array)
    });
    Table::from_arrays(arrays.collect(), "expected")
}

fn words(places: &[Place], features: &[Feature<'_>], table: &Table, typed: &Table) -> Result<Vec<Words>> {
    let text = |array: &ArrayRef| cast(array, &DataType::Utf8).expect("words and flags are text too");
    let of_place = |place: &Place| {
        let Place::Words { column: feature, .. } = place else { return None };
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

/// Where the expected words stand in the dictionaries, `[rows, columns]`, as guesses.
fn word_guesses(words: &[Words], features: &[Feature<'_>], expected: &Table) -> Result<Vec<i64>> {
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

/// Columns as rows.
fn interleaved<'a>(columns: impl ExactSizeIterator<Item = &'a [i64]>, rows: usize) -> Vec<i64> {
    let n = columns.len();
    let mut values = vec![0; rows * n];
    for (c, column) in columns.enumerate() {
        values[c..].iter_mut().step_by(n).zip(column).for_each(|(value, cell)| *value = *cell);
    }
    values
}

fn unpack_words(
    places: &[Place],
    features: &[Feature<'_>],
    rows: usize,
    sections: &[Vec<u8>],
    expected: &Table,
) -> Result<Vec<ArrayRef>> {
    let word = |place: &Place| match place {
        Place::Words { column, flags } => Some((*column as usize, *flags)),
        _ => None,
    };
    let columns: Vec<(usize, bool)> = places.iter().filter_map(word).collect();
    if columns.is_empty() {
        return Ok(Vec::new());
    }
    let dictionaries: Vec<Vec<Entry>> =
        kept::read_values(&sections[DICTIONARIES], "a dictionary of words").map_err(Error::mismatch)?;
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
            entry.ok_or_else(|| Error::mismatch(format!("expected one of {} words, got number {place}", of.dictionary.len())))
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

/// A column with cells missing, whole numbers as such.
fn with_holes(array: &ArrayRef, holes: &[bool], whole: bool) -> ArrayRef {
    if let Some(numbers) = array.as_primitive_opt::<Float64Type>() {
        let cells = numbers.iter().zip(holes).map(|(x, hole)| x.filter(|_| !hole));
        return if whole && numbers.iter().flatten().all(|x| x.fract() == 0.0) {
            Arc::new(cells.map(|x| x.map(|x| x as i64)).collect::<Int64Array>())
        } else {
            Arc::new(cells.collect::<Float64Array>())
        };
    }
    if let Some(flags) = array.as_boolean_opt() {
        return Arc::new(flags.iter().zip(holes).map(|(x, hole)| x.filter(|_| !hole)).collect::<BooleanArray>());
    }
    let words = array.as_string::<i32>();
    Arc::new(words.iter().zip(holes).map(|(x, hole)| x.filter(|_| !hole)).collect::<StringArray>())
}
