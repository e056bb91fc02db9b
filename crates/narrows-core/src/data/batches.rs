//! What every format of tables is read through: a file that is opened, and then gives batches.

use std::ops::Range;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;

use super::schema::Schema;
use super::source::{Format, Header, Source};
use crate::error::{Hint, Result};

/// One file, whatever its format: raw batches of the same columns.
pub(crate) trait Batches: Send {
    /// The columns, known before the first batch.
    fn schema(&self) -> SchemaRef;
    /// Notes on detected settings.
    fn notes(&self) -> &[String];
    /// What to do if a detected setting is likely to be wrong.
    fn hint(&self) -> Option<&Hint> {
        None
    }
    /// What was lost or read in another way than it is written, in the batches so far.
    fn warnings(&self) -> Vec<String> {
        Vec::new()
    }
    /// Columns that are not wanted, and so not read, in the batches so far.
    fn unread(&self) -> &[String] {
        &[]
    }
    /// The share of the file that the batches so far make, if it is known.
    fn share(&self) -> Option<f64> {
        None
    }
    /// The numbers of rows of the parts that can be read by themselves; `None` if the file is read as a whole.
    fn unit_rows(&self) -> Option<&[u64]> {
        None
    }
    /// Rows that were passed over before those given last, or at the end, since this was asked last.
    fn take_skipped(&mut self) -> u64 {
        0
    }
    /// The next rows.
    fn next_batch(&mut self) -> Option<Result<RecordBatch>>;
}

/// Parameters for opening a file.
pub(crate) struct Opening<'a> {
    pub(crate) source: &'a Source,
    pub(crate) format: Format,
    /// The name for messages.
    pub(crate) name: String,
    pub(crate) header: Header,
    pub(crate) batch_rows: usize,
    pub(crate) wanted: Option<&'a Schema>,
    /// The columns of the first file, for later ones.
    pub(crate) expected: &'a [String],
    /// Number of rows in the previous files.
    pub(crate) first_row: u64,
    /// The parts of the file to read; by default all.
    pub(crate) units: Option<Range<usize>>,
}

impl Opening<'_> {
    /// Names that a header of this file is likely to contain.
    pub(crate) fn likely_names(&self) -> Vec<&str> {
        match self.wanted {
            _ if !self.expected.is_empty() => self.expected.iter().map(String::as_str).collect(),
            Some(schema) => schema.names(),
            None => Vec::new(),
        }
    }
}
