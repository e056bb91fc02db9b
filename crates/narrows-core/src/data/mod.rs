//! Reading sources into tables.
//!
//! A [`Source`] names files, its [`Reader`] yields raw [`Table`]s in bounded memory, [`infer`] determines the kind of
//! each column, [`conform`] converts raw columns to that kind. For time series, the typed
//! table becomes a [`SeriesSet`] on a regular grid. This module is independent of models, and never repairs data
//! silently: how a column is written is decided by all its cells and kept in the [`Schema`], and cells that are written
//! otherwise are missing, counted and named ([`Unreadable`]).

mod alignment;
mod batches;
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
mod condition;
mod conform;
mod contrast;
mod date_evidence;
mod date_format;
mod date_text;
mod delimited;
mod delimiter;
mod duplicates;
mod encoding;
mod file_queue;
mod files;
mod filter;
mod filter_parser;
mod filter_text;
mod form;
pub(crate) mod framed;
mod gaps;
mod grid;
mod groups;
mod identifier_form;
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
mod literal;
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
mod one_pass;
mod opened_file;
mod outcomes;
#[cfg(feature = "parquet")]
mod parquet_file;
#[cfg(feature = "parquet")]
mod parquet_object;
#[cfg(feature = "parquet")]
mod parquet_place;
mod partitions;
mod pivot;
mod population;
mod preamble;
mod profile;
mod reader;
#[cfg(test)]
mod real;
mod round_rows;
mod row_filter;
#[cfg(feature = "parquet")]
mod row_groups;
mod row_key;
mod row_runs;
mod sample;
mod schema;
mod series;
mod shard;
mod sniff;
mod source;
mod spelling;
#[cfg(feature = "sqlite")]
mod sqlite;
mod step;
mod storage;
mod stored_column;
mod summary;
mod table;
mod table_folder;
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
pub use filter::Filter;
pub use gaps::LongGap;
pub(crate) use identifier_form::IdentifierForm;
pub use infer::{DropReason, Dropped, Inference, Inferred, infer, infer_as};
pub use json_rows::with_null_for_nan;
pub use layout::{Layout, TimeColumns};
pub use limits::ReadLimits;
pub use line::LineReader;
pub(crate) use local::{localise, time_zone};
pub use memory::InMemory;
pub use moment::Moment;
pub use number_format::{DecimalMark, NumberFormat, ThousandsMark};
pub use partitions::Partitions;
pub use pivot::Pivot;
pub use population::{Population, PopulationColumn};
pub use reader::Reader;
pub use round_rows::RoundRows;
pub(crate) use round_rows::RoundShare;
pub use row_key::RowKey;
pub use sample::RowSample;
pub use schema::{Column, ColumnKind, Schema};
pub use series::{Series, SeriesCounts, SeriesSet};
pub use shard::Shard;
pub use source::{Format, Header, Source, TypesRead};
pub(crate) use spelling::Spelling;
pub use step::Step;
pub(crate) use storage::storage_of;
pub use storage::{
    Storage, StoredObject, Upload, abandon_uploads, is_stored, open_file, provide, shown, size_of, stored_names,
};
pub use summary::DataSummary;
pub use table::Table;
pub use timeline::split_in_time;
pub(crate) use token::is_missing;
pub use unreadable::Unreadable;
pub(crate) use zones::check_zone;
pub use zones::check_zones;
