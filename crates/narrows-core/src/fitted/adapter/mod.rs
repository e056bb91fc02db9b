//! How raw tables become the rows that networks see, and back: one file a kind of data. Nothing here has seen a network.

mod images;
mod series;
mod table;

pub(crate) use images::{ImageAdapter, ImageLayout};
pub(crate) use series::{Origin, SeriesAdapter, SeriesSamples};
pub(crate) use table::{TableAdapter, TableSamples};

use crate::data::{Layout, Schema};
use crate::detect::residual::Slots;
use crate::model::Shape;
use crate::prep::Block;

/// The kinds of data.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Adapter {
    /// A row is a sample.
    Table(TableAdapter),
    /// A window of a series is a sample.
    Series(SeriesAdapter),
    /// An image, or a piece of one, is a sample.
    Images(ImageAdapter),
}

impl Adapter {
    /// The columns that must come.
    pub(crate) fn schema(&self) -> &Schema {
        match self {
            Adapter::Table(table) => &table.schema,
            Adapter::Series(series) => &series.schema,
            Adapter::Images(images) => &images.schema,
        }
    }

    /// Which inputs belong to which column or channel.
    pub(crate) fn blocks(&self) -> &[Block] {
        match self {
            Adapter::Table(table) => table.pipeline.blocks(),
            Adapter::Series(series) => series.pipeline.blocks(),
            Adapter::Images(images) => images.blocks(),
        }
    }

    /// The columns that errors are told by.
    pub(crate) fn slots(&self) -> Slots {
        match self {
            Adapter::Table(table) => table.slots(),
            Adapter::Series(series) => series.slots(),
            Adapter::Images(images) => images.slots(),
        }
    }

    /// Whether a row's result depends on no other row; points in time depend on their neighbours.
    pub(crate) fn rows_stand_alone(&self) -> bool {
        !matches!(self, Adapter::Series(series) if series.layout == Layout::Long)
    }

    /// Whether a sample is a piece of an image and not all of it.
    pub(crate) fn sees_pieces(&self) -> bool {
        matches!(self, Adapter::Images(images) if images.layout.stride.is_some())
    }

    /// How a sample's values lie.
    pub(crate) fn shape(&self) -> Shape {
        match self {
            Adapter::Table(_) => Shape::Row,
            Adapter::Series(series) => series.shape(),
            Adapter::Images(images) => images.shape(),
        }
    }
}
