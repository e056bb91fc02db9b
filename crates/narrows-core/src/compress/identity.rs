//! Model identity of a compressed file: a hash of everything that determines decoding.
//!
//! It covers weights and quantiser, and the decoded values of a few codes in the data's own units, which distinguishes
//! models that differ only in scales, columns or words. It excludes threshold, report and file format version, so that
//! files remain readable.

use arrow::array::{Array, AsArray};
use arrow::datatypes::Float64Type;
use narrows_engine::rng::{Purpose, Stream};
use xxhash_rust::xxh3::Xxh3;

use super::coder::ChunkCoder;
use crate::codec::Coding;
use crate::data::ColumnKind;
use crate::error::Result;
use crate::fitted::{Core, ImageLayout};

/// Codes whose decoding is hashed.
const PROBES: usize = 8;

/// The identity of a model whose rows are compressed.
pub(super) fn of_rows(coder: &ChunkCoder) -> Result<u64> {
    let mut hash = Xxh3::new();
    weights(&coder.core, coder.coding(), &mut hash);
    for column in &coder.adapter.schema().columns {
        hash.update(column.name.as_bytes());
        hash.update(column.kind.describe().as_bytes());
    }
    probe(coder, &mut hash)?;
    Ok(hash.digest())
}

/// The identity of a model whose images are compressed.
pub(super) fn of_images(core: &Core, coding: &Coding, layout: ImageLayout) -> u64 {
    let mut hash = Xxh3::new();
    weights(core, coding, &mut hash);
    let numbers = [layout.height, layout.width, layout.stride.unwrap_or(0), layout.channels.count()];
    numbers.iter().for_each(|number| hash.update(&(*number as u64).to_le_bytes()));
    hash.digest()
}

/// Weights, quantiser and ranges.
fn weights(core: &Core, coding: &Coding, hash: &mut Xxh3) {
    for entry in core.scorer.ensemble.members[0].entries() {
        hash.update(entry.name.as_bytes());
        entry.data.iter().for_each(|value| hash.update(&value.to_le_bytes()));
    }
    let quantiser = &coding.quantiser;
    for value in quantiser.centre.iter().chain(&quantiser.step).chain([&quantiser.output_step]) {
        hash.update(&value.to_le_bytes());
    }
    for table in &quantiser.tables {
        hash.update(&table.lowest().to_le_bytes());
        hash.update(&table.shift().to_le_bytes());
        table.counts().iter().for_each(|count| hash.update(&count.to_le_bytes()));
    }
    if let Some(maps) = &coding.maps {
        hash.update(&maps.to_bytes());
    }
    for span in coding.spans.iter().flatten() {
        hash.update(&span.lowest.to_le_bytes());
        hash.update(&span.highest.to_le_bytes());
        hash.update(&[span.whole.into()]);
    }
}

/// The decoded values of a few codes similar to those of training.
fn probe(coder: &ChunkCoder, hash: &mut Xxh3) -> Result<()> {
    let k = coder.core.code_size();
    let mut stream = Stream::new(0, Purpose::Sample, 0, 0);
    let places: Vec<i64> = (0..PROBES * k).map(|_| i64::from(stream.below(17)) - 8).collect();
    let codes = coder.coding().quantiser.codes(&places, 0);
    let rows = coder.adapter.decoded(&coder.core.decode(&codes), PROBES)?;
    for name in rows.names() {
        // Parts of dates pass through atan2, whose rounding depends on the platform.
        if coder.adapter.schema().get(name).is_some_and(|column| column.kind == ColumnKind::Datetime) {
            continue;
        }
        hash.update(name.as_bytes());
        let column = rows.expect_column(name)?;
        if let Some(numbers) = column.as_primitive_opt::<Float64Type>() {
            let bits = |row: usize| if numbers.is_valid(row) { numbers.value(row).to_bits() } else { u64::MAX };
            (0..numbers.len()).for_each(|row| hash.update(&bits(row).to_le_bytes()));
        } else if let Some(words) = column.as_string_opt::<i32>() {
            words.iter().for_each(|word| hash.update(word.unwrap_or("\0").as_bytes()));
        } else if let Some(flags) = column.as_boolean_opt() {
            flags.iter().for_each(|flag| hash.update(&[flag.map_or(2, u8::from)]));
        }
    }
    Ok(())
}
