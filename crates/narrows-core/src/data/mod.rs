//! Reading sources into tables.
//!
//! The way of a cell: a [`Source`] names files, its [`Reader`] yields raw [`Table`]s in bounded memory, [`infer`]
//! decides what each column is, [`conform`] turns raw columns into that kind. Where rows are read in time, the typed
//! table becomes a [`SeriesSet`] on a regular grid. Nothing here knows a model, and nothing is repaired in silence: what
//! cannot be read is an error that names its file, column and row.

mod columnar;
mod conform;
mod delimited;
mod form;
mod grid;
mod infer;
mod input;
mod json_row;
mod layout;
mod line;
mod moment;
mod ndjson;
mod numpy;
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
mod zones;

pub use conform::{Conformed, conform};
pub use infer::{DropReason, Dropped, Inference, Inferred, infer};
pub use layout::{Layout, TimeColumns};
pub use line::LineReader;
pub use moment::Moment;
pub use reader::Reader;
pub use schema::{Column, ColumnKind, Schema};
pub use series::{Series, SeriesCounts, SeriesSet};
pub use source::{Format, Header, Source};
pub use step::Step;
pub use table::Table;
pub use timeline::split_in_time;
pub(crate) use zones::check_zone;
pub use zones::check_zones;
