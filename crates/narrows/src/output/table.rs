//! A table on its way out, batch by batch, in one of the written formats.

use std::io::Write;
use std::path::Path;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;
use arrow::ipc::writer::FileWriter;
use narrows_core::data::Format;
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;

use super::compressed::Compressed;
use super::delimited::Delimited;
use super::{Sink, ndjson};
use crate::failure::Failure;

/// Rows of a Parquet row group, which is kept in memory until it is whole.
const ROW_GROUP: usize = 1 << 17;

/// Writes batches of one schema.
pub(crate) struct TableWriter {
    state: State,
    format: Format,
    name: String,
    buffer: Vec<u8>,
}

enum State {
    /// Nothing written yet: the columns come with the first batch.
    Waiting(Compressed),
    Text(Compressed),
    Parquet(Box<ArrowWriter<Compressed>>),
    Arrow(Box<FileWriter<Compressed>>),
    /// After a failure.
    Broken,
}

impl TableWriter {
    /// A writer to `sink`, compressing where the name of `target` says so.
    pub(crate) fn open(sink: Sink, target: Option<&Path>, format: Format) -> Result<TableWriter, Failure> {
        let name = sink.name().to_owned();
        // Parquet compresses its pages itself.
        let target = target.filter(|_| format != Format::Parquet);
        Ok(TableWriter { state: State::Waiting(Compressed::new(sink, target)?), format, name, buffer: Vec::new() })
    }

    /// A writer to the file `target` in the format its name says.
    pub(crate) fn create(target: &Path) -> Result<TableWriter, Failure> {
        TableWriter::open(Sink::open(Some(target))?, Some(target), super::format_of(target)?)
    }

    /// Appends the rows of a batch.
    pub(crate) fn write(&mut self, batch: &RecordBatch) -> Result<(), Failure> {
        let state = std::mem::replace(&mut self.state, State::Broken);
        self.state = match state {
            State::Waiting(out) => self.begin(out, batch.schema())?,
            state => state,
        };
        self.buffer.clear();
        let done = match &mut self.state {
            State::Text(out) => {
                let filled = match self.format {
                    Format::Ndjson => ndjson::rows(batch, &mut self.buffer),
                    _ => delimited(self.format).rows(batch, &mut self.buffer),
                };
                filled.and_then(|()| Ok(out.write_all(&self.buffer)?))
            }
            State::Parquet(writer) => writer.write(batch).map_err(io_of_parquet),
            State::Arrow(writer) => writer.write(batch),
            State::Waiting(_) | State::Broken => Ok(()),
        };
        done.map_err(|error| self.failure(error))
    }

    /// Writes what is left and lets the file appear.
    pub(crate) fn finish(mut self) -> Result<(), Failure> {
        let out = match std::mem::replace(&mut self.state, State::Broken) {
            State::Waiting(out) | State::Text(out) => Ok(out),
            State::Parquet(writer) => writer.into_inner().map_err(io_of_parquet),
            State::Arrow(writer) => writer.into_inner(),
            State::Broken => return Ok(()),
        };
        out.map_err(|error| self.failure(error))?.finish()
    }

    fn begin(&mut self, mut out: Compressed, schema: SchemaRef) -> Result<State, Failure> {
        let begun = match self.format {
            Format::Parquet => {
                let properties = WriterProperties::builder()
                    .set_compression(Compression::SNAPPY)
                    .set_max_row_group_row_count(Some(ROW_GROUP))
                    .build();
                ArrowWriter::try_new(out, schema, Some(properties))
                    .map(|writer| State::Parquet(Box::new(writer)))
                    .map_err(io_of_parquet)
            }
            Format::ArrowIpc => FileWriter::try_new(out, &schema).map(|writer| State::Arrow(Box::new(writer))),
            Format::Ndjson => Ok(State::Text(out)),
            _ => {
                self.buffer.clear();
                delimited(self.format)
                    .header(schema.fields().iter().map(|field| field.name().as_str()), &mut self.buffer);
                out.write_all(&self.buffer).map(|()| State::Text(out)).map_err(ArrowError::from)
            }
        };
        begun.map_err(|error| self.failure(error))
    }

    fn failure(&self, error: ArrowError) -> Failure {
        let error = match error {
            ArrowError::IoError(_, error) => error,
            ArrowError::ExternalError(error) => match error.downcast::<std::io::Error>() {
                Ok(error) => *error,
                Err(error) => std::io::Error::other(error),
            },
            error => std::io::Error::other(error),
        };
        Failure::write(&self.name, error)
    }
}

/// The layout of a text table.
pub(super) fn delimited(format: Format) -> Delimited {
    Delimited { delimiter: if format == Format::Tsv { b'\t' } else { b',' } }
}

/// The system's own error where Parquet wraps one.
fn io_of_parquet(error: ParquetError) -> ArrowError {
    match error {
        ParquetError::External(error) => ArrowError::ExternalError(error),
        error => ArrowError::ParquetError(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{Float64Array, StringArray};
    use narrows_core::data::Source;

    use super::*;

    fn check(name: &str, format: Format) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        let columns: Vec<(&str, arrow::array::ArrayRef)> = vec![
            ("x", Arc::new(Float64Array::from(vec![1.5, 2.25]))),
            ("word", Arc::new(StringArray::from(vec!["a", "b, c"]))),
        ];
        let batch = RecordBatch::try_from_iter(columns).unwrap();
        let mut writer = TableWriter::open(Sink::open(Some(&path)).unwrap(), Some(&path), format).unwrap();
        writer.write(&batch).unwrap();
        writer.write(&batch).unwrap();
        assert!(!path.exists());
        writer.finish().unwrap();
        let table = Source::parse(&[path.display().to_string()]).unwrap().open(100, None).unwrap().read_all().unwrap();
        assert_eq!((table.n_rows(), table.names()), (4, vec!["x", "word"]), "{name}");
    }

    #[test]
    fn what_is_written_can_be_read() {
        check("a.csv", Format::Csv);
        check("a.tsv", Format::Tsv);
        check("a.csv.gz", Format::Csv);
        check("a.ndjson.zst", Format::Ndjson);
        check("a.parquet", Format::Parquet);
        check("a.arrow", Format::ArrowIpc);
    }
}
