//! Rows on their way out as they come: each is written and flushed at once, so that whoever reads them waits for none.
//!
//! A file is written under its own name from the first row on, other than a table, which appears when it is complete: a
//! stream may have no end to wait for.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

use arrow::array::RecordBatch;
use narrows_core::data::Format;

use super::ndjson;
use super::table::delimited;
use crate::failure::Failure;

/// Writes rows of one schema, as NDJSON or delimited text.
pub(crate) struct RowWriter {
    out: Box<dyn Write>,
    format: Format,
    name: String,
    has_header: bool,
    buffer: Vec<u8>,
}

impl RowWriter {
    /// Opens `target`, or stdout where there is none. A file that exists is emptied.
    pub(super) fn open(target: Option<&Path>, format: Format) -> Result<RowWriter, Failure> {
        let (out, name): (Box<dyn Write>, _) = match target {
            None => (Box::new(io::stdout()), "stdout".to_owned()),
            Some(path) => {
                let name = path.display().to_string();
                (Box::new(File::create(path).map_err(|error| Failure::write(&name, error))?), name)
            }
        };
        Ok(RowWriter { out, format, name, has_header: false, buffer: Vec::new() })
    }

    /// Writes the rows of a batch; before the first, the names of its columns.
    pub(crate) fn write(&mut self, batch: &RecordBatch) -> Result<(), Failure> {
        self.buffer.clear();
        if !std::mem::replace(&mut self.has_header, true) && self.format != Format::Ndjson {
            let schema = batch.schema_ref();
            delimited(self.format).header(schema.fields().iter().map(|field| field.name().as_str()), &mut self.buffer);
        }
        let filled = match self.format {
            Format::Ndjson => ndjson::rows(batch, &mut self.buffer),
            format => delimited(format).rows(batch, &mut self.buffer),
        };
        filled.map_err(|error| Failure::write(&self.name, io::Error::other(error)))?;
        let put = self.out.write_all(&self.buffer).and_then(|()| self.out.flush());
        put.map_err(|error| Failure::write(&self.name, error))
    }
}
