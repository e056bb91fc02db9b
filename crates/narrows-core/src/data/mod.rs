//! Reading sources into tables.
//!
//! A [`Source`] names files, its [`Reader`] yields raw [`Table`]s in bounded memory, [`infer`] determines the kind of
//! each column, [`conform`] converts raw columns to that kind. For time series, the typed
//! table becomes a [`SeriesSet`] on a regular grid. This module is independent of models, and never repairs data
//! silently: unreadable cells are errors that name file, column and row.

mod columnar;
mod conform;
mod delimited;
mod form;
mod grid;
mod infer;
mod input;
mod ipc;
mod ipc_bytes;
mod ipc_slices;
mod json_row;
mod layout;
mod limits;
mod line;
mod moment;
mod ndjson;
mod numpy;
mod numpy_part;
#[cfg(feature = "parquet")]
mod parquet_file;
mod profile;
mod reader;
#[cfg(test)]
mod real;
mod schema;
mod series;
mod sniff;
mod source;
mod step;
mod table;
mod timeline;
mod token;
mod weight;
mod zones;

pub use conform::{Conformed, conform};
pub use infer::{DropReason, Dropped, Inference, Inferred, infer};
pub use layout::{Layout, TimeColumns};
pub use limits::ReadLimits;
pub use line::LineReader;
pub use moment::Moment;
pub use reader::Reader;
pub use schema::{Column, ColumnKind, Schema};
pub use series::{Series, SeriesCounts, SeriesSet};
pub use source::{ColumnTypes, Format, Header, Source};
pub use step::Step;
pub use table::Table;
pub use timeline::split_in_time;
pub(crate) use token::is_missing;
pub(crate) use zones::check_zone;
pub use zones::check_zones;
