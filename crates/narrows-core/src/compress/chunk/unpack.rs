//! Unpacks the sections of a chunk into rows.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, BooleanArray, Float64Array, Int64Array, StringArray};
use arrow::datatypes::Float64Type;
use narrows_codec::{Chunk, CodecError, Plane, Shape, decode_codes, decode_plane};

use super::super::coder::{ChunkCoder, EncodedSamples};
use super::super::kept::{self, Exception};
use super::super::manifest::{ColumnStorage, LARGEST, TableManifest};
use super::super::restore::restored;
use super::check::checksum;
use super::corrections::Correction;
use super::layout::{
    CHECK, CODES, CORRECTIONS, EXCEPTIONS, FIRST_SECTIONS, GAPS, KEPT, LEVELS, NUMBERS, RowOrder, SECTIONS, guesses,
    levels_shape, numbers, of_features, rebuilt_numbers, skeleton, unround_levels,
};
use super::words::unpack_words;
use crate::data::Table;
use crate::error::{Error, Result};

/// The rows of a chunk, at the fidelity of the file.
pub(in crate::compress) fn unpack(coder: &ChunkCoder, manifest: &TableManifest, chunk: &Chunk) -> Result<Table> {
    let damaged = |message: String| Error::mismatch(message);
    let codec = |error: CodecError| Error::mismatch(error.to_string());
    let Chunk { first_row, rows, sections, .. } = chunk;
    let TableManifest { level, columns: places, .. } = manifest;
    let width = coder.width().max(places.len());
    let fits = |rows: &usize| *rows > 0 && rows.checked_mul(width).is_some_and(|values| values <= LARGEST);
    let rows = usize::try_from(*rows)
        .ok()
        .filter(fits)
        .ok_or_else(|| damaged(format!("expected 1 to {} rows in a chunk, got {rows}", LARGEST / width)))?;
    let n_sections = if manifest.is_first() { FIRST_SECTIONS } else { SECTIONS };
    if sections.len() != n_sections {
        return Err(damaged(format!("expected {n_sections} sections in a chunk of a table, got {}", sections.len())));
    }
    let level = i32::from(*level);
    let features = coder.features();
    let rebuilt = of_features(places);
    let kept: Vec<kept::KeptColumn> =
        kept::read_values(&sections[KEPT], kept::LARGEST, "a kept column").map_err(damaged)?;
    let n_kept = places.iter().filter(|place| **place == ColumnStorage::Kept).count();
    if kept.len() != n_kept {
        return Err(damaged(format!("expected {n_kept} kept columns, got {}", kept.len())));
    }
    let kept: Vec<(String, ArrayRef)> =
        kept.into_iter().map(|column| column.array(rows)).collect::<Result<_, _>>().map_err(damaged)?;
    let idle = [(LEVELS, coder.adapter.n_levels() == 0), (GAPS, rebuilt.is_empty())];
    if let Some((section, _)) = idle.into_iter().find(|(section, idle)| *idle && !sections[*section].is_empty()) {
        return Err(damaged(format!(
            "expected nothing in section {section}, which this model does not use, got bytes"
        )));
    }
    let gaps = if sections[GAPS].is_empty() {
        Vec::new()
    } else {
        let shape = Shape::Rows { rows, columns: rebuilt.len() };
        let guesses = vec![0; rows * rebuilt.len()];
        decode_plane(&sections[GAPS], &Plane { shape, guesses: &guesses }).map_err(codec)?
    };
    let skeleton = skeleton(coder, places, &Table::from_arrays(kept.clone(), "compressed")?, rows, &gaps, *first_row)?;
    let form = coder.adapter.form(&skeleton, rows)?;
    let n = coder.adapter.n_samples(&form);
    let quantiser = &coder.coding().quantiser;
    let symbols = decode_codes(&sections[CODES], n, &quantiser.tables(coder.core.code_size(), level)).map_err(codec)?;
    let n_levels = n * coder.adapter.n_levels();
    let level_places = if n_levels == 0 {
        Vec::new()
    } else {
        let (shape, guesses) = (levels_shape(coder, &vec![0; n_levels]), vec![0; n_levels]);
        decode_plane(&sections[LEVELS], &Plane { shape, guesses: &guesses }).map_err(codec)?
    };
    let samples =
        EncodedSamples { codes: quantiser.codes(&symbols, level), levels: unround_levels(coder, &level_places, level) };
    let expected = coder.expected(&form, &samples)?;
    if !manifest.is_first() {
        let stored = checksum(places, &features, &expected)?.map(u32::to_le_bytes);
        if sections[CHECK] != stored.map_or_else(Vec::new, Vec::from) {
            return Err(damaged("this machine decodes the codes to other numbers than the one that wrote them".into()));
        }
    }
    let numbers = numbers(&features, manifest);
    let order = RowOrder::of(coder, &form);
    let guesses = guesses(&features, &numbers, &order, &expected)?;
    let values = if numbers.is_empty() {
        Vec::new()
    } else {
        let plane = Plane { shape: order.shape(numbers.len()), guesses: &guesses };
        decode_plane(&sections[NUMBERS], &plane).map_err(codec)?
    };
    let exceptions: Vec<Exception> =
        kept::read_values(&sections[EXCEPTIONS], kept::LARGEST, "a number kept by itself").map_err(damaged)?;
    let expected = rebuilt_numbers(&features, &numbers, &order, &values, &exceptions, &expected)?;
    let words = unpack_words(places, &features, rows, sections, &expected)?;

    let mut kept = kept.into_iter();
    let mut words = words.into_iter();
    let column = |place: &ColumnStorage| -> Result<(String, ArrayRef)> {
        let name = |feature: u32| features[feature as usize].column.name.clone();
        Ok(match place {
            ColumnStorage::Kept => kept.next().expect("counted above"),
            ColumnStorage::Words { column, .. } => (name(*column), words.next().expect("one a place")),
            ColumnStorage::Code(feature)
            | ColumnStorage::Numbers { column: feature, .. }
            | ColumnStorage::Bounded { column: feature, .. } => {
                let array = expected.expect_column(&name(*feature))?;
                let at = rebuilt.iter().position(|other| *other == *feature as usize).expect("it is rebuilt");
                let is_gap = |row: usize| !gaps.is_empty() && gaps[row * rebuilt.len() + at] != 0;
                let holes: Vec<bool> = (0..rows).map(is_gap).collect();
                (name(*feature), with_holes(array, &holes, matches!(place, ColumnStorage::Numbers { whole: true, .. })))
            }
        })
    };
    let mut columns = places.iter().map(column).collect::<Result<Vec<_>>>()?;
    for (at, (name, array)) in columns.iter_mut().enumerate() {
        if let Some(kind) = manifest.type_of(at).map_err(damaged)? {
            *array = restored(array, &kind).map_err(|error| damaged(format!("column `{name}`: {error}")))?;
        }
    }
    if !manifest.is_first() {
        let corrections: Vec<Correction> =
            kept::read_values(&sections[CORRECTIONS], kept::LARGEST, "a corrected cell").map_err(damaged)?;
        for correction in corrections {
            let column = columns.get_mut(correction.column());
            let (_, array) = column.ok_or_else(|| damaged("a corrected cell is in no column".to_owned()))?;
            *array = correction.corrected(array).map_err(damaged)?;
        }
    }
    let table = Table::from_arrays(columns, "compressed")?;
    Ok(Table::new(table.batch().clone(), "compressed", *first_row))
}

/// Sets cells of a column to null, and converts integers.
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
