//! Parquet and Arrow IPC: typed columns.
//!
//! Columns of types that no model takes are skipped with a note, so that one of them does not make the whole file
//! unreadable; whoever stores whole tables reads them too.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{Schema as ArrowSchema, SchemaRef};
use arrow::error::ArrowError;
use arrow::ipc::reader::{FileReader, StreamReader};
#[cfg(feature = "parquet")]
use parquet::arrow::ProjectionMask;
#[cfg(feature = "parquet")]
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use super::form::is_readable;
use super::input::{Input, seekable};
use super::reader::{Batches, Opening};
use super::schema::listed;
use super::source::ColumnTypes;
use crate::error::{Error, Place, Result};

/// A Parquet or Arrow file being read.
pub(crate) struct Columnar {
    batches: Box<dyn Iterator<Item = Result<RecordBatch, ArrowError>> + Send>,
    /// The columns to keep, if the batches hold more.
    kept: Option<Vec<usize>>,
    /// The rest of a batch longer than `batch_rows`.
    rest: Option<RecordBatch>,
    schema: SchemaRef,
    notes: Vec<String>,
    name: String,
    batch_rows: usize,
    row: u64,
}

impl Columnar {
    /// Opens a Parquet file; only wanted columns are read.
    #[cfg(feature = "parquet")]
    pub(crate) fn parquet(path: &Path, input: Input, opening: &Opening) -> Result<Columnar> {
        let wrong = |error: &dyn std::fmt::Display| unreadable(opening, "Parquet", error);
        let file = seekable(path, input)?;
        let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(|error| wrong(&error))?;
        let (kept, notes) = choose(builder.schema(), opening)?;
        let schema = projected(builder.schema(), &kept);
        let mask = ProjectionMask::roots(builder.parquet_schema(), kept.iter().copied());
        let batch_rows = opening.batch_rows.max(1);
        let reader =
            builder.with_projection(mask).with_batch_size(batch_rows).build().map_err(|error| wrong(&error))?;
        Ok(Columnar::new(Box::new(reader), None, schema, notes, opening))
    }

    /// Refuses a Parquet file.
    #[cfg(not(feature = "parquet"))]
    pub(crate) fn parquet(_: &Path, _: Input, opening: &Opening) -> Result<Columnar> {
        let message = "expected a format that this build reads, got Parquet";
        let hint = "enable the feature `parquet` of narrows-core, or convert the file to Arrow IPC";
        Err(Error::data(Place::source(&opening.name), message).with_hint(hint))
    }

    /// Opens an Arrow IPC file or stream.
    pub(crate) fn ipc(path: &Path, input: Input, opening: &Opening) -> Result<Columnar> {
        let wrong = |error: &dyn std::fmt::Display| unreadable(opening, "Arrow IPC", error);
        let is_file = input.prefix.starts_with(b"ARROW1");
        let (full, batches): (SchemaRef, Box<dyn Iterator<Item = _> + Send>) = if is_file {
            let file: BufReader<File> = BufReader::new(seekable(path, input)?);
            let reader = FileReader::try_new(file, None).map_err(|error| wrong(&error))?;
            (reader.schema(), Box::new(reader))
        } else {
            let stream = BufReader::with_capacity(1 << 18, input.into_stream());
            let reader = StreamReader::try_new(stream, None).map_err(|error| wrong(&error))?;
            (reader.schema(), Box::new(reader))
        };
        let (kept, notes) = choose(&full, opening)?;
        let schema = projected(&full, &kept);
        Ok(Columnar::new(batches, Some(kept), schema, notes, opening))
    }

    fn new(
        batches: Box<dyn Iterator<Item = Result<RecordBatch, ArrowError>> + Send>,
        kept: Option<Vec<usize>>,
        schema: SchemaRef,
        notes: Vec<String>,
        opening: &Opening,
    ) -> Columnar {
        let (name, row, batch_rows) = (opening.name.clone(), opening.first_row, opening.batch_rows.max(1));
        Columnar { batches, kept, rest: None, schema, notes, name, batch_rows, row }
    }

    fn fill(&mut self) -> Result<Option<RecordBatch>> {
        let batch = match self.rest.take() {
            Some(rest) => rest,
            None => {
                let Some(batch) = self.batches.next() else { return Ok(None) };
                let cut = batch.and_then(|batch| match &self.kept {
                    Some(kept) => batch.project(kept),
                    None => Ok(batch),
                });
                cut.map_err(|error| Error::data(Place::source(&self.name).at_row(self.row), plain(&error)))?
            }
        };
        let rows = batch.num_rows().min(self.batch_rows);
        if rows < batch.num_rows() {
            self.rest = Some(batch.slice(rows, batch.num_rows() - rows));
        }
        self.row += rows as u64;
        let columns = batch.slice(0, rows).columns().to_vec();
        let options = arrow::array::RecordBatchOptions::new().with_row_count(Some(rows));
        let batch = RecordBatch::try_new_with_options(self.schema.clone(), columns, &options);
        Ok(Some(batch.map_err(|error| Error::data(Place::source(&self.name), plain(&error)))?))
    }
}

impl Batches for Columnar {
    fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }

    fn notes(&self) -> &[String] {
        &self.notes
    }

    fn next_batch(&mut self) -> Option<Result<RecordBatch>> {
        self.fill().transpose()
    }
}

/// The columns to read: supported, and wanted if a selection is given.
fn choose(schema: &SchemaRef, opening: &Opening) -> Result<(Vec<usize>, Vec<String>)> {
    let (mut kept, mut left_out) = (Vec::new(), Vec::new());
    for (i, field) in schema.fields().iter().enumerate() {
        let name = field.name();
        if let Some(first) = schema.fields()[..i].iter().position(|other| other.name() == name) {
            let message = format!("the name occurs more than once, in fields {first} and {i}");
            return Err(Error::data(Place::column(name).of(&opening.name), message));
        }
        if opening.wanted.is_some_and(|wanted| wanted.get(name).is_none()) {
            continue;
        }
        if opening.source.types == ColumnTypes::Every || is_readable(field.data_type()) {
            kept.push(i)
        } else {
            left_out.push(format!("{name}: {}", field.data_type()))
        }
    }
    if kept.is_empty() && !left_out.is_empty() {
        let message = format!("expected columns of numbers, text or dates, got only {}", listed(&left_out));
        return Err(Error::data(Place::source(&opening.name), message));
    }
    let note =
        |left_out: &[String]| format!("{}: left out columns whose types no model takes: {}", opening.name, listed(left_out));
    let notes = if left_out.is_empty() { Vec::new() } else { vec![note(&left_out)] };
    Ok((kept, notes))
}

fn projected(schema: &SchemaRef, kept: &[usize]) -> SchemaRef {
    // Schema metadata is dropped and all columns are nullable, so that files which differ in these can be concatenated.
    let field = |i: &usize| schema.field(*i).clone().with_nullable(true).with_metadata(Default::default());
    Arc::new(ArrowSchema::new(kept.iter().map(field).collect::<Vec<_>>()))
}

fn unreadable(opening: &Opening, format: &str, error: &dyn std::fmt::Display) -> Error {
    Error::data(Place::source(&opening.name), format!("expected a whole {format} file, got an error: {error}"))
}

fn plain(error: &ArrowError) -> String {
    format!("the file is damaged: {error}")
}

#[cfg(all(test, feature = "parquet"))]
mod tests {
    use arrow::array::{ArrayRef, BinaryArray, Float64Array, ListArray, StringArray, StringDictionaryBuilder};
    use arrow::datatypes::Int32Type;
    use arrow::ipc::writer::{FileWriter, StreamWriter};
    use parquet::arrow::ArrowWriter;

    use super::*;
    use crate::data::{Column, ColumnKind, Schema, Source};

    fn batch() -> RecordBatch {
        let list = ListArray::from_iter_primitive::<Int32Type, _, _>((0..3).map(|i| Some(vec![Some(i)])));
        let mut words = StringDictionaryBuilder::<Int32Type>::new();
        ["x", "y", "x"].iter().for_each(|word| words.append_value(word));
        RecordBatch::try_from_iter([
            ("a", Arc::new(Float64Array::from(vec![1.0, 2.0, 3.0])) as ArrayRef),
            ("list", Arc::new(list) as ArrayRef),
            ("word", Arc::new(words.finish()) as ArrayRef),
            ("text", Arc::new(StringArray::from(vec![Some("q"), None, Some("r")])) as ArrayRef),
        ])
        .unwrap()
    }

    fn bytes_of(batch: &RecordBatch, extension: &str) -> Vec<u8> {
        let (mut bytes, schema) = (Vec::new(), batch.schema());
        match extension {
            "parquet" => {
                let mut writer = ArrowWriter::try_new(&mut bytes, schema, None).unwrap();
                writer.write(batch).unwrap();
                writer.close().unwrap();
            }
            "arrow" => {
                let mut writer = FileWriter::try_new(&mut bytes, &schema).unwrap();
                writer.write(batch).unwrap();
                writer.finish().unwrap();
            }
            _ => {
                let mut writer = StreamWriter::try_new(&mut bytes, &schema).unwrap();
                writer.write(batch).unwrap();
                writer.finish().unwrap();
            }
        }
        bytes
    }

    fn open(bytes: &[u8], name: &str, wanted: Option<&Schema>) -> Result<crate::data::Reader> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        Source::parse(&[path.display().to_string()])?.open(2, wanted)
    }

    #[test]
    fn typed_columns_come_in_batches_and_nested_ones_are_left_out_with_a_note() {
        for extension in ["parquet", "arrow", "arrows"] {
            let bytes = bytes_of(&batch(), extension);
            let reader = open(&bytes, &format!("t.{extension}"), None).unwrap();
            assert_eq!(reader.columns(), ["a", "word", "text"], "{extension}");
            assert!(reader.notes()[0].contains("left out columns whose types no model takes: `list: List"), "{extension}");
            let rows: Vec<usize> = reader.map(|table| table.unwrap().n_rows()).collect();
            assert_eq!(rows, [2, 1], "{extension}");
            let zipped = zstd::encode_all(bytes.as_slice(), 1).unwrap();
            assert_eq!(open(&zipped, &format!("t.{extension}.zst"), None).unwrap().read_all().unwrap().n_rows(), 3);
        }
    }

    #[test]
    fn every_column_is_read_for_those_who_store_whole_tables() {
        let folder = tempfile::tempdir().unwrap();
        for extension in ["parquet", "arrow"] {
            let path = folder.path().join(format!("t.{extension}"));
            std::fs::write(&path, bytes_of(&batch(), extension)).unwrap();
            let source = Source::parse(&[path.display().to_string()]).unwrap();
            let reader = Source { types: ColumnTypes::Every, ..source }.open(10, None).unwrap();
            assert!(reader.notes().is_empty());
            let table = reader.read_all().unwrap();
            assert_eq!(table.batch().columns(), batch().columns());
        }
    }

    #[test]
    fn only_wanted_columns_are_read() {
        let wanted = Schema { columns: vec![Column { name: "text".to_owned(), kind: ColumnKind::Text }] };
        for extension in ["parquet", "arrow"] {
            let reader = open(&bytes_of(&batch(), extension), &format!("t.{extension}"), Some(&wanted)).unwrap();
            assert_eq!(reader.read_all().unwrap().names(), ["text"]);
        }
    }

    #[test]
    fn damaged_files_and_files_without_cells_are_refused() {
        for extension in ["parquet", "arrow"] {
            let bytes = bytes_of(&batch(), extension);
            let error = open(&bytes[..bytes.len() / 2], &format!("t.{extension}"), None).err().unwrap().to_string();
            assert!(error.contains(&format!("t.{extension}: expected a whole")), "{error}");
        }
        let binary = Arc::new(BinaryArray::from_vec(vec![b"a"])) as ArrayRef;
        let bytes = bytes_of(&RecordBatch::try_from_iter([("b", binary)]).unwrap(), "parquet");
        let error = open(&bytes, "t.parquet", None).err().unwrap().to_string();
        assert!(error.contains("expected columns of numbers, text or dates, got only `b: Binary`"), "{error}");
    }
}
