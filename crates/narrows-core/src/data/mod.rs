//! Reading sources into tables.
//!
//! A [`Source`] names files, its [`Reader`] yields raw [`Table`]s in bounded memory, [`infer`] determines the kind of
//! each column, [`conform`] converts raw columns to that kind. For time series, the typed
//! table becomes a [`SeriesSet`] on a regular grid. This module is independent of models, and never repairs data
//! silently: how a column is written is decided by all its cells and kept in the [`Schema`], and cells that are written
//! otherwise are missing, counted and named ([`Unreadable`]).

mod alignment;
mod blanks;
mod cell_format;
mod cell_value;
mod cells;
mod clock_text;
mod column_dates;
mod column_name;
mod column_reading;
mod column_types;
mod column_use;
mod columnar;
mod conform;
mod contrast;
mod date_evidence;
mod date_format;
mod date_text;
mod delimited;
mod delimiter;
mod duplicates;
mod encoding;
mod files;
mod form;
mod gaps;
mod grid;
mod groups;
mod infer;
mod input;
mod ipc;
mod ipc_bytes;
mod ipc_slices;
mod json_column;
mod json_document;
mod json_row;
mod json_rows;
mod json_typed;
mod json_values;
mod layout;
mod limits;
mod line;
mod local;
mod memory;
mod moment;
mod month_names;
mod names;
mod ndjson;
mod number_evidence;
mod number_format;
mod number_text;
mod numpy;
mod numpy_part;
#[cfg(feature = "parquet")]
mod parquet_file;
mod pivot;
mod preamble;
mod profile;
mod reader;
#[cfg(test)]
mod real;
mod sample;
mod schema;
mod series;
mod sniff;
mod source;
#[cfg(feature = "sqlite")]
mod sqlite;
mod step;
mod table;
mod timeline;
pub(crate) mod token;
mod unreadable;
mod weight;
mod word_tally;
#[cfg(feature = "xlsx")]
mod workbook;
mod zones;

pub use cell_format::CellFormat;
pub(crate) use cell_value::{CellValue, CellValues};
pub use column_types::ColumnTypes;
pub use conform::{Conformed, conform};
pub use date_format::DateFormat;
pub(crate) use date_format::KNOWN_DATES;
pub use delimiter::Delimiter;
pub use duplicates::Duplicates;
pub use encoding::Encoding;
pub use gaps::LongGap;
pub use infer::{DropReason, Dropped, Inference, Inferred, infer, infer_as};
pub use json_rows::with_null_for_nan;
pub use layout::{Layout, TimeColumns};
pub use limits::ReadLimits;
pub use line::LineReader;
pub(crate) use local::{localise, time_zone};
pub use memory::InMemory;
pub use moment::Moment;
pub use number_format::{DecimalMark, NumberFormat, ThousandsMark};
pub use pivot::Pivot;
pub use reader::Reader;
pub use sample::RowSample;
pub use schema::{Column, ColumnKind, Schema};
pub use series::{Series, SeriesCounts, SeriesSet};
pub use source::{Format, Header, Source, TypesRead};
pub use step::Step;
pub use table::Table;
pub use timeline::split_in_time;
pub(crate) use token::is_missing;
pub use unreadable::Unreadable;
pub(crate) use zones::check_zone;
pub use zones::check_zones;
