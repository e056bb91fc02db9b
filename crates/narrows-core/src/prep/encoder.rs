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
use super::instant::{Dates, InstantEncoder, InstantSeen};
use super::levels::{Index, Levels};
use super::number::{NumberEncoder, Seen};
use super::prepared::{BlockSlots, GapFill, PrepTally};
use super::shape::{ShapeEncoder, ShapeSeen};
use super::{ColumnPrep, Prep, Scaling};
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
    Shape(ShapeEncoder),
    Instant(Box<InstantEncoder>),
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
    /// The dates that those of the column come after, with the name of their column.
    after: Option<(&'a str, &'a TimestampMicrosecondArray)>,
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
    ///
    /// `after` names the datetime column that this one never comes before.
    pub(crate) fn fit(
        table: &Table,
        column: &Column,
        after: Option<&str>,
        rows: &[u32],
        prep: &Prep,
    ) -> Result<EncoderFit> {
        let summary = |what: String, missing: u64, (n_levels, rare_levels): (usize, usize)| ColumnPrep {
            name: column.name.clone(),
            kind: column.kind,
            what,
            missing,
            n_levels,
            rare_levels,
        };
        Ok(match typed(table, &column.name, column.kind)? {
            Typed::Numbers(array) if prep.scaling == Scaling::Shape => {
                let cells = || rows.iter().map(|row| *row as usize).map(|row| cell(array, row));
                let infinite = cells().flatten().filter(|x| x.is_infinite()).count() as u64;
                let (shape, ShapeSeen { what, missing, clipped, is_constant }) = ShapeEncoder::fit(cells(), prep.clip);
                let summary = summary(what, missing, (0, 0));
                EncoderFit { encoder: ColumnEncoder::Shape(shape), summary, infinite, clipped, is_constant }
            }
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
            Typed::Moments(own) if prep.scaling == Scaling::Shape => {
                let dates = Dates { own, after: after.map(|name| moments(table, name)).transpose()? };
                let (instant, InstantSeen { what, missing, is_constant }) = InstantEncoder::fit(dates, rows, prep.clip);
                let summary = summary(what, missing, (0, 0));
                EncoderFit {
                    encoder: ColumnEncoder::Instant(Box::new(instant)),
                    summary,
                    infinite: 0,
                    clipped: 0,
                    is_constant,
                }
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
            ColumnEncoder::Shape(shape) => return shape.layout(),
            ColumnEncoder::Instant(instant) => return instant.layout(),
            ColumnEncoder::Number(number) => ((BlockKind::Number, 1, number.is_unit), number.has_indicator),
            ColumnEncoder::Flag(flag) => ((BlockKind::Flag, 1, true), flag.has_indicator),
            ColumnEncoder::Levels(levels) => ((BlockKind::Levels, levels.width(), true), false),
            ColumnEncoder::Cycles(cycles) => ((BlockKind::Cyclic, cycles.width(), false), false),
        };
        let indicator = has_indicator.then_some((BlockKind::Missing, 1, true));
        std::iter::once(main).chain(indicator).collect()
    }

    /// The inputs of a cell that counts as unobserved.
    pub(crate) fn gaps(&self) -> Vec<GapFill> {
        let mut gaps = match self {
            ColumnEncoder::Number(number) => {
                vec![GapFill { value: number.held(number.scaled(number.fill)) as f32, unless: None }]
            }
            ColumnEncoder::Flag(flag) => vec![GapFill::of(flag.fill)],
            ColumnEncoder::Levels(levels) => {
                (0..levels.width()).map(|slot| GapFill::of(!levels.has_missing && slot == levels.fill)).collect()
            }
            ColumnEncoder::Cycles(_) => Vec::new(),
            ColumnEncoder::Shape(shape) => shape.gaps(),
            ColumnEncoder::Instant(instant) => instant.parts().flat_map(ShapeEncoder::gaps).collect(),
        };
        // The rest, such as indicators, is always observed, or 0.
        let width = self.layout().iter().map(|(_, width, _)| width).sum();
        gaps.resize(width, GapFill::of(false));
        gaps
    }

    /// The kind of column encoded.
    fn kind(&self) -> ColumnKind {
        match self {
            ColumnEncoder::Number(_) | ColumnEncoder::Shape(_) => ColumnKind::Numeric,
            ColumnEncoder::Flag(_) => ColumnKind::Boolean,
            ColumnEncoder::Levels(_) => ColumnKind::Category,
            ColumnEncoder::Cycles(_) | ColumnEncoder::Instant(_) => ColumnKind::Datetime,
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
        let after = self.after().map(|name| moments(table, name)).transpose()?;
        Ok(EncoderBlock { encoder: self, typed: typed(table, name, self.kind())?, after, index })
    }

    /// The column whose dates those of this one come after.
    pub(crate) fn after(&self) -> Option<&str> {
        match self {
            ColumnEncoder::Instant(instant) => instant.after.as_deref(),
            _ => None,
        }
    }

    /// Samples from the decoder's predictive distribution for a column's inputs, in place; `noise` is that of its
    /// inputs, and `base` the cell of the column that it comes after.
    pub(crate) fn draw(
        &self,
        features: &mut [f32],
        grain: Option<&Grain>,
        (noise, base): (&[f32], Option<&Cell>),
        stream: &mut Stream,
    ) -> Cell {
        match self {
            ColumnEncoder::Instant(instant) => {
                instant.draw(features, noise, instant_of(base), stream).map_or(Cell::Missing, Cell::Instant)
            }
            ColumnEncoder::Shape(shape) => {
                let hold = |x| grain.map_or(x, |grain| grain.hold(x));
                let noise = match noise.first() {
                    Some(noise) => *noise,
                    None => stream.normal() * grain.map_or(0.0, |grain| grain.noise),
                };
                shape.draw(features, noise, hold, stream).map_or(Cell::Missing, Cell::Number)
            }
            ColumnEncoder::Number(number) => number.draw(features, grain, stream),
            ColumnEncoder::Flag(flag) => flag.draw(features, stream),
            ColumnEncoder::Levels(levels) => levels.draw(features, stream),
            ColumnEncoder::Cycles(cycles) => cycles.read(features),
        }
    }

    /// Decodes a column's inputs, given the cell of the column that it comes after.
    pub(crate) fn read_after(&self, features: &[f32], base: Option<&Cell>) -> Cell {
        match self {
            ColumnEncoder::Instant(instant) => {
                instant.read(features, instant_of(base)).map_or(Cell::Missing, Cell::Instant)
            }
            _ => self.read(features),
        }
    }

    /// Decodes a column's inputs by themselves.
    pub(crate) fn read(&self, features: &[f32]) -> Cell {
        match self {
            ColumnEncoder::Instant(instant) => instant.expected(features),
            ColumnEncoder::Shape(shape) => shape.read(features).map_or(Cell::Missing, Cell::Number),
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
            (ColumnEncoder::Shape(shape), Typed::Numbers(array), _) => {
                let one = |i: usize| shape.write(cell(array, first + i), i, 0, slots);
                (0..n).map(one).fold(PrepTally::default(), PrepTally::plus)
            }
            (ColumnEncoder::Instant(instant), Typed::Moments(own), _) => {
                let dates = Dates { own, after: self.after };
                let one = |i: usize| instant.write(dates, first + i, i, slots);
                (0..n).map(one).fold(PrepTally::default(), PrepTally::plus)
            }
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
            (ColumnEncoder::Instant(instant), Typed::Moments(own)) => {
                instant.observed(Dates { own, after: self.after }, row)
            }
            (ColumnEncoder::Cycles(cycles), Typed::Moments(array)) if array.is_valid(row) => {
                cycles.observed(array.value(row))
            }
            _ => Cell::Missing,
        }
    }
}

fn instant_of(cell: Option<&Cell>) -> Option<i64> {
    match cell {
        Some(Cell::Instant(t)) => Some(*t),
        _ => None,
    }
}

/// The dates of a column, with its name.
fn moments<'a>(table: &'a Table, name: &'a str) -> Result<(&'a str, &'a TimestampMicrosecondArray)> {
    match typed(table, name, ColumnKind::Datetime)? {
        Typed::Moments(array) => Ok((name, array)),
        _ => unreachable!("the kind of a column decides its type"),
    }
}

/// A cell that is there.
fn cell(array: &Float64Array, row: usize) -> Option<f64> {
    array.is_valid(row).then(|| array.value(row))
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
