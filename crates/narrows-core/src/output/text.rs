//! Tables as text, in formats that can be written row by row.

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;

use super::delimited::DelimitedText;
use super::ndjson;
use crate::data::Format;

/// A text format.
#[derive(Debug, Clone, Copy)]
pub(super) enum Text {
    Ndjson,
    Delimited(DelimitedText),
}

impl Text {
    /// The text layout of a format; `None` if it is binary.
    pub(super) fn of(format: Format) -> Option<Text> {
        match format {
            Format::Ndjson => Some(Text::Ndjson),
            Format::Csv => Some(Text::Delimited(DelimitedText { delimiter: b',' })),
            Format::Tsv => Some(Text::Delimited(DelimitedText { delimiter: b'\t' })),
            Format::Parquet | Format::ArrowIpc | Format::Npy | Format::Npz | Format::Xlsx | Format::Sqlite => None,
        }
    }

    /// Appends the header, if any.
    pub(super) fn header(self, schema: &SchemaRef, out: &mut Vec<u8>) {
        if let Text::Delimited(delimited) = self {
            delimited.header(schema.fields().iter().map(|field| field.name().as_str()), out);
        }
    }

    /// Appends the rows.
    pub(super) fn rows(self, batch: &RecordBatch, out: &mut Vec<u8>) -> Result<(), ArrowError> {
        match self {
            Text::Ndjson => ndjson::rows(batch, out),
            Text::Delimited(delimited) => delimited.rows(batch, out),
        }
    }
}
