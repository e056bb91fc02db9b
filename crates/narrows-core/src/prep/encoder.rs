//! Column encoders, dispatched by kind.

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Float64Array, StringArray, TimestampMicrosecondArray};
use arrow::datatypes::{Float64Type, TimestampMicrosecondType};
use narrows_engine::rng::Stream;
use serde::{Deserialize, Serialize};

use super::block::BlockKind;
use super::cell::Cell;
use super::cycle::Cycles;
use super::flag::FlagEncoder;
use super::grain::{Grain, OutputError};
use super::levels::{Index, Levels};
use super::number::{NumberEncoder, Seen};
use super::prepared::{BlockSlots, PrepTally};
use super::{ColumnPrep, Prep};
use crate::data::{Column, ColumnKind, Table};
use crate::error::{Error, Result};

/// The encoder of a column.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum ColumnEncoder {
    Number(NumberEncoder),
    Flag(FlagEncoder),
    Levels(Levels),
    Cycles(Cycles),
}

/// The cells of a typed column.
pub(crate) enum Typed<'a> {
    Numbers(&'a Float64Array),
    Flags(&'a BooleanArray),
    Words(&'a StringArray),
    Moments(&'a TimestampMicrosecondArray),
}

/// An encoder bound to a column of a table.
pub(crate) struct EncoderBlock<'a> {
    encoder: &'a ColumnEncoder,
    typed: Typed<'a>,
    index: Option<Index<'a>>,
}

/// The result of fitting one column.
pub(crate) struct EncoderFit {
    pub(crate) encoder: ColumnEncoder,
    pub(crate) summary: ColumnPrep,
    pub(crate) infinite: u64,
    pub(crate) clipped: u64,
    pub(crate) is_constant: bool,
}

impl ColumnEncoder {
    /// Fits on the training rows of one column.
    ///
    /// # Errors
    /// [`Error::Mismatch`] if the column is text, or not typed as in the schema.
    pub(crate) fn fit(table: &Table, column: &Column, rows: &[u32], prep: &Prep) -> Result<EncoderFit> {
        let summary = |what: String, missing: u64, (n_levels, rare_levels): (usize, usize)| ColumnPrep {
            name: column.name.clone(),
            kind: column.kind,
            what,
            missing,
            n_levels,
            rare_levels,
        };
        Ok(match typed(table, &column.name, column.kind)? {
            Typed::Numbers(array) => {
                let (number, Seen { what, missing, infinite, clipped, is_constant }) =
                    NumberEncoder::fit(array, rows, prep);
                let summary = summary(what, missing, (0, 0));
                EncoderFit { encoder: ColumnEncoder::Number(number), summary, infinite, clipped, is_constant }
            }
            Typed::Flags(array) => {
                let (flag, what, missing, is_constant) = FlagEncoder::fit(array, rows);
                let summary = summary(what, missing, (0, 0));
                EncoderFit { encoder: ColumnEncoder::Flag(flag), summary, infinite: 0, clipped: 0, is_constant }
            }
            Typed::Words(array) => {
                let (levels, what, missing) = Levels::fit(array, rows, prep);
                let (summary, is_constant) = (summary(what, missing, levels.sizes()), levels.is_constant());
                EncoderFit { encoder: ColumnEncoder::Levels(levels), summary, infinite: 0, clipped: 0, is_constant }
            }
            Typed::Moments(array) => {
                let (cycles, what, missing, is_constant) = Cycles::fit(array, rows);
                let summary = summary(what, missing, (0, 0));
                EncoderFit { encoder: ColumnEncoder::Cycles(cycles), summary, infinite: 0, clipped: 0, is_constant }
            }
        })
    }

    /// Kinds and widths of the column's blocks, and whether their training values lie in [0, 1].
    pub(crate) fn layout(&self) -> Vec<(BlockKind, usize, bool)> {
        let (main, has_indicator) = match self {
            ColumnEncoder::Number(number) => ((BlockKind::Number, 1, number.is_unit), number.has_indicator),
            ColumnEncoder::Flag(flag) => ((BlockKind::Flag, 1, true), flag.has_indicator),
            ColumnEncoder::Levels(levels) => ((BlockKind::Levels, levels.width(), true), false),
            ColumnEncoder::Cycles(cycles) => ((BlockKind::Cyclic, cycles.width(), false), false),
        };
        let indicator = has_indicator.then_some((BlockKind::Missing, 1, true));
        std::iter::once(main).chain(indicator).collect()
    }

    /// The kind of column encoded.
    fn kind(&self) -> ColumnKind {
        match self {
            ColumnEncoder::Number(_) => ColumnKind::Numeric,
            ColumnEncoder::Flag(_) => ColumnKind::Boolean,
            ColumnEncoder::Levels(_) => ColumnKind::Category,
            ColumnEncoder::Cycles(_) => ColumnKind::Datetime,
        }
    }

    /// Binds the encoder to the column `name` of `table`.
    ///
    /// # Errors
    /// [`Error::Mismatch`] if the column is missing or has another type.
    pub(crate) fn bind<'a>(&'a self, table: &'a Table, name: &str) -> Result<EncoderBlock<'a>> {
        let index = match self {
            ColumnEncoder::Levels(levels) => Some(levels.index()),
            _ => None,
        };
        Ok(EncoderBlock { encoder: self, typed: typed(table, name, self.kind())?, index })
    }

    /// Samples from the decoder's predictive distribution for a column's inputs, in place.
    pub(crate) fn draw(&self, features: &mut [f32], grain: Option<&Grain>, stream: &mut Stream) -> Cell {
        match self {
            ColumnEncoder::Number(number) => number.draw(features, grain, stream),
            ColumnEncoder::Flag(flag) => flag.draw(features, stream),
            ColumnEncoder::Levels(levels) => levels.draw(features, stream),
            ColumnEncoder::Cycles(cycles) => cycles.read(features),
        }
    }

    /// Decodes a column's inputs.
    pub(crate) fn read(&self, features: &[f32]) -> Cell {
        match self {
            ColumnEncoder::Number(number) => number.read(features),
            ColumnEncoder::Flag(flag) => flag.read(features),
            ColumnEncoder::Levels(levels) => levels.read(features),
            ColumnEncoder::Cycles(cycles) => cycles.read(features),
        }
    }
}

impl EncoderBlock<'_> {
    /// Encodes the cells of rows `first..first + n` into slots that are all 0.
    pub(crate) fn write(&self, first: usize, n: usize, slots: &mut BlockSlots<'_>) -> PrepTally {
        match (self.encoder, &self.typed, &self.index) {
            (ColumnEncoder::Number(number), Typed::Numbers(array), _) => number.write(array, first, n, slots),
            (ColumnEncoder::Flag(flag), Typed::Flags(array), _) => flag.write(array, first, n, slots),
            (ColumnEncoder::Levels(levels), Typed::Words(array), Some(index)) => {
                levels.write(array, index, first, n, slots)
            }
            (ColumnEncoder::Cycles(cycles), Typed::Moments(array), _) => cycles.write(array, first, n, slots),
            _ => unreachable!("binding chose the column's type by the encoder"),
        }
    }

    /// The grain of a numeric column; its noise is the reconstruction error of its inputs.
    pub(crate) fn grain(&self, rows: &[u32], errors: &[OutputError]) -> Option<Grain> {
        match &self.typed {
            Typed::Numbers(array) => Grain::of(array, rows, &errors[0]),
            Typed::Flags(_) | Typed::Words(_) | Typed::Moments(_) => None,
        }
    }

    /// The value in a row.
    pub(crate) fn observed(&self, row: usize) -> Cell {
        match (self.encoder, &self.typed) {
            (_, Typed::Numbers(array)) if array.is_valid(row) => Cell::Number(array.value(row)),
            (_, Typed::Flags(array)) if array.is_valid(row) => Cell::Flag(array.value(row)),
            (_, Typed::Words(array)) if array.is_valid(row) => Cell::Level(array.value(row).to_owned()),
            (ColumnEncoder::Cycles(cycles), Typed::Moments(array)) if array.is_valid(row) => {
                cycles.observed(array.value(row))
            }
            _ => Cell::Missing,
        }
    }
}

fn typed<'a>(table: &'a Table, name: &str, kind: ColumnKind) -> Result<Typed<'a>> {
    let array: &ArrayRef = table.expect_column(name)?;
    let typed = match kind {
        ColumnKind::Numeric => array.as_primitive_opt::<Float64Type>().map(Typed::Numbers),
        ColumnKind::Boolean => array.as_boolean_opt().map(Typed::Flags),
        ColumnKind::Category => array.as_string_opt::<i32>().map(Typed::Words),
        ColumnKind::Datetime => array.as_primitive_opt::<TimestampMicrosecondType>().map(Typed::Moments),
        ColumnKind::Text => {
            let error = Error::mismatch(format!("column `{name}` is text and cannot be a feature"));
            return Err(error.with_hint("ignore the column, or convert it to numbers or a few categories first"));
        }
    };
    typed.ok_or_else(|| {
        let error = Error::mismatch(format!(
            "column `{name}`: expected {} typed as {kind}, got {}",
            kind.describe(),
            array.data_type()
        ));
        error.with_hint("conform the table to its schema first")
    })
}
