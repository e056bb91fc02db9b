//! Reading sources into tables.
//!
//! The way of a cell: a [`Source`] names files, its [`Reader`] yields raw [`Table`]s in bounded memory, [`infer`]
//! decides what each column is, [`conform`] turns raw columns into that kind. Nothing here knows a model, and nothing
//! is repaired in silence: what cannot be read is an error that names its file, column and row.

mod columnar;
mod conform;
mod delimited;
mod form;
mod infer;
mod input;
mod json_row;
mod ndjson;
mod numpy;
mod profile;
mod reader;
mod schema;
mod sniff;
mod source;
mod table;
mod timeline;
mod token;
mod zones;

pub use conform::{Conformed, conform};
pub use infer::{DropReason, Dropped, Inference, Inferred, infer};
pub use reader::Reader;
pub use schema::{Column, ColumnKind, Schema};
pub use source::{Format, Header, Source};
pub use table::Table;
pub use timeline::split_in_time;
pub use zones::check_zones;
