//! Table output, batch by batch, in one of the output formats.

use std::io::Write;
use std::path::{Path, PathBuf};

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;
use arrow::ipc::writer::{DictionaryHandling, FileWriter, IpcWriteOptions, StreamWriter};
#[cfg(feature = "parquet")]
use parquet::{arrow::ArrowWriter, basic, errors::ParquetError, file::properties::WriterProperties};

use super::compressed::{Compressed, Compression};
use super::dictionaries::Dictionaries;
use super::npy::NpyRows;
use super::sink::Sink;
use super::text::Text;
use super::{FORMATS, format_of, is_written};
use crate::data::Format;
use crate::error::{Error, Result};

/// Rows per Parquet row group, which is buffered in memory.
#[cfg(feature = "parquet")]
const ROW_GROUP: usize = 1 << 17;

/// Writes batches of one schema.
///
/// ```
/// use narrows_core::data::{Format, Table};
/// use narrows_core::output::TableWriter;
///
/// let mut bytes = Vec::new();
/// let mut writer = TableWriter::new(&mut bytes, Format::Csv)?;
/// writer.write(Table::from_columns(vec![("x", vec![1.5, f64::NAN]), ("y", vec![2.0, 3.0])])?.batch())?;
/// writer.finish()?;
/// assert_eq!(bytes, b"x,y\n1.5,2\n,3\n");
/// # Ok::<(), narrows_core::Error>(())
/// ```
pub struct TableWriter<'a> {
    state: State<'a>,
    format: Format,
    /// Whether Arrow is written in its stream format, which needs no end.
    is_stream: bool,
    name: PathBuf,
    buffer: Vec<u8>,
    /// Of an Arrow file.
    dictionaries: Dictionaries,
}

enum State<'a> {
    /// Nothing written yet: the schema comes with the first batch.
    Waiting(Compressed<'a>),
    Text(Compressed<'a>, Text),
    #[cfg(feature = "parquet")]
    Parquet(Box<ArrowWriter<Compressed<'a>>>),
    Arrow(Box<FileWriter<Compressed<'a>>>),
    ArrowStream(Box<StreamWriter<Compressed<'a>>>),
    Npy(Compressed<'a>, NpyRows),
    /// After a failure.
    Broken,
}

impl TableWriter<'static> {
    /// A writer to the file `path`; format and compression are given by its extension. The file is published by
    /// [`finish`](TableWriter::finish).
    ///
    /// # Errors
    /// [`Error::Recipe`] for an unknown extension; [`Error::Write`] if the file cannot be written.
    pub fn create(path: impl AsRef<Path>) -> Result<TableWriter<'static>> {
        let format = format_of(path.as_ref())?;
        TableWriter::create_as(path, format)
    }

    /// A writer to the file `path` in a format, whatever its extension.
    ///
    /// # Errors
    /// [`Error::Recipe`] for a read-only format; [`Error::Write`] if the file cannot be written.
    pub fn create_as(path: impl AsRef<Path>, format: Format) -> Result<TableWriter<'static>> {
        TableWriter::to(Sink::create(path)?, format)
    }
}

impl<'a> TableWriter<'a> {
    /// A writer to any writer.
    ///
    /// # Errors
    /// [`Error::Recipe`] for a read-only format.
    pub fn new(out: impl Write + Send + 'a, format: Format) -> Result<TableWriter<'a>> {
        TableWriter::to(Sink::new(out, "the output"), format)
    }

    /// A writer to a sink, compressing by file extension.
    ///
    /// # Errors
    /// [`Error::Recipe`] for a read-only format.
    pub fn to(sink: Sink<'a>, format: Format) -> Result<TableWriter<'a>> {
        if !is_written(format) {
            let names: Vec<&str> = FORMATS.iter().map(|(_, name)| *name).collect();
            return Err(Error::recipe("format", format!("expected one of {}, got {format}", names.join(", "))));
        }
        let name = sink.name().to_owned();
        let is_stream = sink.is_stream() || name.extension().is_some_and(|extension| extension == "arrows");
        let compression = match format {
            // Parquet compresses its pages itself.
            Format::Parquet => Compression::None,
            _ => sink.compression(),
        };
        let state = State::Waiting(Compressed::new(sink, compression)?);
        let dictionaries = Dictionaries::default();
        Ok(TableWriter { state, format, is_stream, name, buffer: Vec::new(), dictionaries })
    }

    /// Appends the rows of a batch.
    ///
    /// # Errors
    /// [`Error::Write`] naming the target.
    pub fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        let state = std::mem::replace(&mut self.state, State::Broken);
        self.state = match state {
            State::Waiting(out) => self.begin(out, batch.schema())?,
            state => state,
        };
        self.buffer.clear();
        let done = match &mut self.state {
            State::Text(out, text) => {
                text.rows(batch, &mut self.buffer).and_then(|()| Ok(out.write_all(&self.buffer)?))
            }
            #[cfg(feature = "parquet")]
            State::Parquet(writer) => writer.write(batch).map_err(io_of_parquet),
            State::Arrow(writer) => self.dictionaries.grown(batch).and_then(|batch| writer.write(&batch)),
            State::ArrowStream(writer) => writer.write(batch),
            State::Npy(_, rows) => rows.add(batch),
            State::Waiting(_) | State::Broken => Ok(()),
        };
        done.map_err(|error| self.failure(error))
    }

    /// Writes the remaining rows and publishes the file.
    ///
    /// # Errors
    /// [`Error::Write`] naming the target; the existing file is then unchanged.
    pub fn finish(mut self) -> Result<()> {
        let out = match std::mem::replace(&mut self.state, State::Broken) {
            State::Waiting(out) | State::Text(out, _) => Ok(out),
            // Its `into_inner` would return the system's error as text only.
            #[cfg(feature = "parquet")]
            State::Parquet(mut writer) => match writer.finish() {
                Ok(_) => Ok(std::mem::replace(writer.inner_mut(), Compressed::nowhere())),
                Err(error) => Err(io_of_parquet(error)),
            },
            State::Arrow(writer) => writer.into_inner(),
            State::ArrowStream(writer) => writer.into_inner(),
            State::Npy(mut out, rows) => rows.write(&mut out).map(|()| out).map_err(ArrowError::from),
            State::Broken => return Ok(()),
        };
        out.map_err(|error| self.failure(error))?.finish()
    }

    fn begin(&mut self, mut out: Compressed<'a>, schema: SchemaRef) -> Result<State<'a>> {
        let begun = match Text::of(self.format) {
            Some(text) => {
                self.buffer.clear();
                text.header(&schema, &mut self.buffer);
                out.write_all(&self.buffer).map(|()| State::Text(out, text)).map_err(ArrowError::from)
            }
            #[cfg(feature = "parquet")]
            None if self.format == Format::Parquet => {
                let properties = WriterProperties::builder()
                    .set_compression(basic::Compression::SNAPPY)
                    .set_max_row_group_row_count(Some(ROW_GROUP))
                    .build();
                ArrowWriter::try_new(out, schema, Some(properties))
                    .map(|writer| State::Parquet(Box::new(writer)))
                    .map_err(io_of_parquet)
            }
            None if self.format == Format::Npy => return Ok(State::Npy(out, NpyRows::new(&schema)?)),
            None if self.is_stream => {
                StreamWriter::try_new(out, &schema).map(|writer| State::ArrowStream(Box::new(writer)))
            }
            None => {
                let options = IpcWriteOptions::default().with_dictionary_handling(DictionaryHandling::Delta);
                let writer = FileWriter::try_new_with_options(out, &schema, options);
                writer.map(|writer| State::Arrow(Box::new(writer)))
            }
        };
        begun.map_err(|error| self.failure(error))
    }

    fn failure(&self, error: ArrowError) -> Error {
        let error = match error {
            ArrowError::IoError(_, error) => error,
            ArrowError::ExternalError(error) => match error.downcast::<std::io::Error>() {
                Ok(error) => *error,
                Err(error) => std::io::Error::other(error),
            },
            error => std::io::Error::other(error),
        };
        Error::write(&self.name, error)
    }
}

/// The underlying I/O error of a Parquet error.
#[cfg(feature = "parquet")]
fn io_of_parquet(error: ParquetError) -> ArrowError {
    match error {
        ParquetError::External(error) => ArrowError::ExternalError(error),
        error => ArrowError::ParquetError(error.to_string()),
    }
}

#[cfg(all(test, feature = "parquet"))]
mod tests {
    use std::sync::Arc;

    use arrow::array::{Array, ArrayRef, Float64Array, Int64Array, StringArray};
    use arrow::compute::cast;
    use arrow::datatypes::{DataType, TimeUnit};

    use super::*;
    use crate::data::Source;

    fn batch() -> RecordBatch {
        let columns: Vec<(&str, arrow::array::ArrayRef)> = vec![
            ("x", Arc::new(Float64Array::from(vec![1.5, 2.25]))),
            ("word", Arc::new(StringArray::from(vec!["a", "b, c"]))),
        ];
        RecordBatch::try_from_iter(columns).unwrap()
    }

    fn check(name: &str) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        let mut writer = TableWriter::create(&path).unwrap();
        writer.write(&batch()).unwrap();
        writer.write(&batch()).unwrap();
        assert!(!path.exists());
        writer.finish().unwrap();
        let table = Source::parse(&[path.display().to_string()]).unwrap().open(100, None).unwrap().read_all().unwrap();
        assert_eq!((table.n_rows(), table.names()), (4, vec!["x", "word"]), "{name}");
    }

    #[test]
    fn what_is_written_can_be_read() {
        ["a.csv", "a.tsv", "a.csv.gz", "a.ndjson.zst", "a.parquet", "a.arrow"].into_iter().for_each(check);
    }

    #[test]
    fn every_type_that_is_read_is_written_in_every_format() {
        use TimeUnit::{Microsecond, Millisecond, Nanosecond, Second};
        let zones = [None, Some("UTC"), Some("+05:30"), Some("Europe/Berlin")].map(|zone| zone.map(Arc::from));
        let times = [Second, Millisecond, Microsecond, Nanosecond].into_iter();
        let times = times.flat_map(|unit| zones.clone().map(|zone| DataType::Timestamp(unit, zone)));
        let words = |values| DataType::Dictionary(Box::new(DataType::Int8), Box::new(values));
        let others = [
            DataType::Int8,
            DataType::Int64,
            DataType::UInt16,
            DataType::UInt64,
            DataType::Float16,
            DataType::Float32,
            DataType::Float64,
            DataType::Decimal32(9, 2),
            DataType::Decimal64(18, 2),
            DataType::Decimal128(38, 2),
            DataType::Decimal256(60, 2),
            DataType::Boolean,
            DataType::Date32,
            DataType::Date64,
            DataType::Utf8,
            DataType::LargeUtf8,
            DataType::Utf8View,
            words(DataType::Utf8),
            words(DataType::Int32),
        ];
        let numbers: ArrayRef = Arc::new(Int64Array::from(vec![Some(1), None, Some(0)]));
        for kind in others.into_iter().chain(times) {
            let column = cast(&numbers, &kind).unwrap();
            let batch = RecordBatch::try_from_iter([("n", numbers.clone()), ("c", column)]).unwrap();
            // An NPY array holds numbers only, which is said before any row.
            for (format, name) in FORMATS.iter().filter(|(format, _)| *format != Format::Npy) {
                let folder = tempfile::tempdir().unwrap();
                let path = folder.path().join(format!("a.{name}"));
                let mut writer = TableWriter::create_as(&path, *format).unwrap();
                writer.write(&batch).unwrap_or_else(|error| panic!("{kind} as {name}: {error}"));
                writer.finish().unwrap();
                let source = Source::parse(&[path.display().to_string()]).unwrap();
                let table = source.open(100, None).unwrap().read_all().unwrap();
                let column = table.column("c").unwrap_or_else(|| panic!("{kind} as {name}"));
                assert_eq!((column.len(), column.null_count()), (3, 1), "{kind} as {name}");
            }
        }
    }

    #[test]
    fn arrow_is_a_stream_where_it_is_read_as_it_is_written() {
        let written = |stream: bool| {
            let mut bytes = Vec::new();
            let sink = Sink::new(&mut bytes, "a pipe");
            let sink = if stream { sink.read_as_written() } else { sink };
            let mut writer = TableWriter::to(sink, Format::ArrowIpc).unwrap();
            writer.write(&batch()).unwrap();
            writer.finish().unwrap();
            bytes
        };
        assert!(written(false).starts_with(b"ARROW1"));
        assert!(written(true).starts_with(b"\xff\xff\xff\xff"));
        check("a.arrows");
    }

    #[test]
    fn a_format_that_is_only_read_is_refused() {
        let error = TableWriter::new(Vec::new(), Format::Npz).err().unwrap().to_string();
        assert!(error.contains("expected one of csv, tsv, parquet, arrow, ndjson, npy, got npz"), "{error}");
    }

    #[test]
    fn a_failed_write_names_the_target() {
        struct Full;
        impl Write for Full {
            fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
                Err(std::io::ErrorKind::StorageFull.into())
            }
            fn flush(&mut self) -> std::io::Result<()> {
                Ok(())
            }
        }
        // An array of numbers cannot hold the text of the batch.
        for (format, _) in FORMATS.iter().copied().filter(|(format, _)| *format != Format::Npy) {
            let mut writer = TableWriter::to(Sink::new(Full, "a disk"), format).unwrap();
            let failed = writer.write(&batch()).and_then(|()| writer.finish()).unwrap_err();
            let Error::Write { path, source } = &failed else { panic!("{failed}") };
            assert_eq!((path.to_str(), source.kind()), (Some("a disk"), std::io::ErrorKind::StorageFull), "{format}");
        }
    }
}
