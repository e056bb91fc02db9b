//! How raw tables become the rows that networks see, and back: one file a kind of data. Nothing here has seen a network.

mod images;
mod series;
mod table;

pub(crate) use images::{ImagesIntake, ImagesLayout};
pub(crate) use series::{Origin, SeriesIntake, SeriesSamples};
pub(crate) use table::{TableIntake, TableSamples};

use crate::data::{Layout, Schema};
use crate::detect::residual::Slots;
use crate::model::Shape;
use crate::prep::Block;

/// The kinds of data.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Intake {
    /// A row is a sample.
    Table(TableIntake),
    /// A window of a series is a sample.
    Series(SeriesIntake),
    /// An image, or a piece of one, is a sample.
    Images(ImagesIntake),
}

impl Intake {
    /// The columns that must come.
    pub(crate) fn schema(&self) -> &Schema {
        match self {
            Intake::Table(table) => &table.schema,
            Intake::Series(series) => &series.schema,
            Intake::Images(images) => &images.schema,
        }
    }

    /// Which inputs belong to which column or channel.
    pub(crate) fn blocks(&self) -> &[Block] {
        match self {
            Intake::Table(table) => table.pipeline.blocks(),
            Intake::Series(series) => series.pipeline.blocks(),
            Intake::Images(images) => images.blocks(),
        }
    }

    /// The columns that errors are told by.
    pub(crate) fn slots(&self) -> Slots {
        match self {
            Intake::Table(table) => table.slots(),
            Intake::Series(series) => series.slots(),
            Intake::Images(images) => images.slots(),
        }
    }

    /// Whether a row's result depends on no other row; points in time depend on their neighbours.
    pub(crate) fn rows_stand_alone(&self) -> bool {
        !matches!(self, Intake::Series(series) if series.layout == Layout::Long)
    }

    /// Whether a sample is a piece of an image and not all of it.
    pub(crate) fn sees_pieces(&self) -> bool {
        matches!(self, Intake::Images(images) if images.layout.stride.is_some())
    }

    /// How a sample's values lie.
    pub(crate) fn shape(&self) -> Shape {
        match self {
            Intake::Table(_) => Shape::Row,
            Intake::Series(series) => series.shape(),
            Intake::Images(images) => images.shape(),
        }
    }
}
