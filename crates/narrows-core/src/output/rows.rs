//! Streaming output: each row is written and flushed at once.
//!
//! A file is written under its own name from the first row on, unlike a table, which is published when it is complete:
//! a stream may not end.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use arrow::array::RecordBatch;

use super::sink::{Sink, is_stream, open_stream};
use super::text::Text;
use crate::data::{Format, is_stored};
use crate::error::{Error, Result};

/// Writes rows of one schema, as NDJSON or delimited text.
///
/// ```
/// use narrows_core::data::{Format, Table};
/// use narrows_core::output::RowWriter;
///
/// let mut bytes = Vec::new();
/// let mut writer = RowWriter::new(&mut bytes, Format::Ndjson)?;
/// writer.write(Table::from_columns(vec![("x", vec![1.5])])?.batch())?;
/// drop(writer);
/// assert_eq!(bytes, b"{\"x\":1.5}\n");
/// # Ok::<(), narrows_core::Error>(())
/// ```
pub struct RowWriter<'a> {
    out: Box<dyn Write + Send + 'a>,
    text: Text,
    name: PathBuf,
    has_header: bool,
    buffer: Vec<u8>,
}

impl RowWriter<'static> {
    /// Creates or truncates the file `path`; devices and pipes are opened.
    ///
    /// # Errors
    /// [`Error::Recipe`] for a format that cannot be written row by row; [`Error::Write`].
    pub fn create(path: impl AsRef<Path>, format: Format) -> Result<RowWriter<'static>> {
        let (path, text) = (path.as_ref(), text_of(format)?);
        if is_stored(path) {
            let message = format!("expected a file on disk for rows as they come, got `{}`", path.display());
            return Err(Error::recipe("output", message));
        }
        let file = if is_stream(path) { open_stream(path) } else { File::create(path) };
        let file = file.map_err(|error| Error::write(path, error))?;
        Ok(RowWriter::of(Box::new(file), text, path))
    }

    /// Writes to the standard output.
    ///
    /// # Errors
    /// [`Error::Recipe`] for a format that cannot be written row by row.
    pub fn stdout(format: Format) -> Result<RowWriter<'static>> {
        Ok(RowWriter::of(Box::new(io::stdout()), text_of(format)?, Path::new("stdout")))
    }
}

impl<'a> RowWriter<'a> {
    /// Writes to any writer.
    ///
    /// # Errors
    /// [`Error::Recipe`] for a format that cannot be written row by row.
    pub fn new(out: impl Write + Send + 'a, format: Format) -> Result<RowWriter<'a>> {
        Ok(RowWriter::of(Box::new(out), text_of(format)?, Path::new("the output")))
    }

    /// Writes to a sink, each row as it comes; a draft is published by [`Sink::finish`] only, so this is for streams.
    ///
    /// # Errors
    /// [`Error::Recipe`] for a format that cannot be written row by row.
    pub fn to(sink: Sink<'a>, format: Format) -> Result<RowWriter<'a>> {
        let (name, text) = (sink.name().to_path_buf(), text_of(format)?);
        Ok(RowWriter::of(Box::new(sink), text, &name))
    }

    fn of(out: Box<dyn Write + Send + 'a>, text: Text, name: &Path) -> RowWriter<'a> {
        RowWriter { out, text, name: name.to_path_buf(), has_header: false, buffer: Vec::new() }
    }

    /// Writes the rows of a batch; before the first, the header.
    ///
    /// # Errors
    /// [`Error::Write`] naming the target.
    pub fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        self.buffer.clear();
        if !std::mem::replace(&mut self.has_header, true) {
            self.text.header(batch.schema_ref(), &mut self.buffer);
        }
        let filled = self.text.rows(batch, &mut self.buffer).map_err(io::Error::other);
        let put = filled.and_then(|()| self.out.write_all(&self.buffer)).and_then(|()| self.out.flush());
        put.map_err(|error| Error::write(&self.name, error))
    }
}

fn text_of(format: Format) -> Result<Text> {
    Text::of(format).ok_or_else(|| {
        let message = format!("expected ndjson, csv or tsv for rows as they come, got {format}");
        Error::recipe("format", message)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Table;

    #[test]
    fn names_come_once_and_before_the_rows() {
        let table = |x| Table::from_columns(vec![("x", vec![x]), ("y", vec![2.0])]).unwrap();
        let mut bytes = Vec::new();
        let mut writer = RowWriter::new(&mut bytes, Format::Tsv).unwrap();
        writer.write(table(1.0).batch()).unwrap();
        writer.write(table(f64::NAN).batch()).unwrap();
        drop(writer);
        assert_eq!(String::from_utf8(bytes).unwrap(), "x\ty\n1\t2\n\t2\n");
        assert!(RowWriter::new(Vec::new(), Format::Parquet).is_err());
    }
}
