//! The sections of a chunk back into rows.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Float64Array, Int64Array, RecordBatch, RecordBatchOptions, StringArray,
};
use arrow::datatypes::{DataType, Float64Type, Schema as ArrowSchema};
use narrows_codec::{Chunk, CodecError, Plane, Shape, decode_codes, decode_plane};

use super::super::kept::{self, Exception};
use super::super::manifest::{LARGEST, Place, TableManifest};
use super::super::passage::{Feature, Passage, Samples};
use super::layout::{
    CODES, EXCEPTIONS, GAPS, KEPT, LEVELS, NUMBERS, SECTIONS, guesses, levels_shape, numbers, numbers_shape,
    of_features, rebuilt_numbers, skeleton, unround_levels,
};
use super::words::unpack_words;
use crate::data::Table;
use crate::error::{Error, Result};

/// The rows of a chunk as they were, or as near as was asked.
pub(in crate::compress) fn unpack(passage: &Passage<'_>, manifest: &TableManifest, chunk: &Chunk) -> Result<Table> {
    let damaged = |message: String| Error::mismatch(message);
    let codec = |error: CodecError| Error::mismatch(error.to_string());
    let Chunk { first_row, rows, sections, .. } = chunk;
    let width = passage.width();
    let fits = |rows: &usize| rows.checked_mul(width).is_some_and(|values| values <= LARGEST);
    let rows = usize::try_from(*rows)
        .ok()
        .filter(fits)
        .ok_or_else(|| damaged(format!("expected at most {} rows in a chunk, got {rows}", LARGEST / width)))?;
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
    let symbols =
        decode_codes(&sections[CODES], n, &quantiser.tables(passage.fitted.code_size(), level)).map_err(codec)?;
    let n_levels = n * passage.n_levels();
    let level_places = if n_levels == 0 {
        Vec::new()
    } else {
        let (shape, guesses) = (levels_shape(passage, &vec![0; n_levels]), vec![0; n_levels]);
        decode_plane(&sections[LEVELS], &Plane { shape, guesses: &guesses }).map_err(codec)?
    };
    let samples =
        Samples { codes: quantiser.codes(&symbols, level), levels: unround_levels(passage, &level_places, level) };
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
    let exceptions: Vec<Exception> =
        kept::read_values(&sections[EXCEPTIONS], "a number kept by itself").map_err(damaged)?;
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
    let fields: Vec<_> = columns
        .iter()
        .map(|(name, array)| arrow::datatypes::Field::new(name, array.data_type().clone(), true))
        .collect();
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    let arrays = columns.into_iter().map(|(_, array)| array).collect();
    let batch = RecordBatch::try_new_with_options(Arc::new(ArrowSchema::new(fields)), arrays, &options);
    Table::new(batch.expect("columns of one length"), "compressed", 0)
}

fn empty_batch(rows: usize) -> RecordBatch {
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    RecordBatch::try_new_with_options(Arc::new(ArrowSchema::empty()), Vec::new(), &options).expect("no columns")
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
