//! Parquet and Arrow IPC: typed columns.
//!
//! Columns of types that no model takes are skipped with a note, so that one of them does not make the whole file
//! unreadable; whoever stores whole tables reads them too.

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Schema as ArrowSchema, SchemaRef};
#[cfg(feature = "parquet")]
use narrows_images::guarded;
#[cfg(feature = "parquet")]
use parquet::arrow::ProjectionMask;
#[cfg(feature = "parquet")]
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use super::form::is_readable;
use super::input::Input;
#[cfg(feature = "parquet")]
use super::input::seekable;
use super::ipc::IpcReader;
use super::ipc_bytes::Flaw;
use super::limits::check_columns;
#[cfg(feature = "parquet")]
use super::parquet_file::ParquetFile;
#[cfg(feature = "parquet")]
use super::parquet_place::ParquetPlace;
use super::reader::{Batches, Opening};
#[cfg(feature = "parquet")]
use super::row_groups;
use super::row_runs::RowRuns;
use super::schema::listed;
use super::source::TypesRead;
use super::weight::rows_that_fit;
use crate::error::{Error, Place, Result};

/// A Parquet or Arrow file being read.
pub(crate) struct Columnar {
    batches: Box<dyn Iterator<Item = Result<RecordBatch, Flaw>> + Send>,
    /// The rest of a batch longer than `batch_rows`.
    rest: Option<RecordBatch>,
    schema: SchemaRef,
    warnings: Vec<String>,
    unread: Vec<String>,
    name: String,
    batch_rows: usize,
    /// Rows of the files before, and those read of this one.
    row: u64,
    /// The number of its first row, and of its rows, if that is known.
    rows: Option<(u64, u64)>,
    runs: RowRuns,
    /// The rows of each part of the file that can be read by itself.
    unit_rows: Option<Vec<u64>>,
}

/// The columns of a file that are read, and what is told of the others.
struct ChosenColumns {
    kept: Vec<usize>,
    warnings: Vec<String>,
    unread: Vec<String>,
}

impl Columnar {
    /// Opens a Parquet file; only wanted columns are read.
    #[cfg(feature = "parquet")]
    pub(crate) fn parquet(path: &Path, input: Input, opening: &Opening) -> Result<Columnar> {
        let wrong = |error: &dyn std::fmt::Display| unreadable(opening, "Parquet", error);
        let place = match input.object() {
            Some(object) => ParquetPlace::of_object(object),
            None => ParquetPlace::of_file(seekable(path, input, &opening.source.limits)?),
        };
        let opened = place.map_err(|error| Error::read(&opening.name, error))?;
        let opened = guarded(|| ParquetFile::open(opened)).map_err(|panic| wrong(&panic))?;
        let (mut file, metadata) = opened.map_err(|error| wrong(&error))?;
        let chosen = choose(metadata.schema(), opening)?;
        let stored = metadata.schema().clone();
        let schema = projected(&stored, &chosen.kept);
        let mask = ProjectionMask::roots(metadata.parquet_schema(), chosen.kept.iter().copied());
        file.plan(metadata.metadata(), &mask);
        let builder = ParquetRecordBatchReaderBuilder::new_with_metadata(file, metadata);
        let rows = u64::try_from(builder.metadata().file_metadata().num_rows()).ok();
        if let Some(filter) = &opening.source.filter {
            filter.check_types(&stored)?;
        }
        let unit_rows = row_groups::rows(builder.metadata());
        let (units, filter) = (opening.units.as_ref(), opening.source.filter.as_ref());
        let groups = row_groups::chosen(builder.metadata(), &stored, units, filter);
        let batch_rows = opening.batch_rows.max(1);
        let builder = builder.with_projection(mask).with_batch_size(batch_rows);
        let (builder, runs) = match groups {
            Some((groups, runs)) => (builder.with_row_groups(groups), runs),
            None => (builder, RowRuns::all()),
        };
        let reader = guarded(|| builder.build());
        let reader = reader.map_err(|panic| wrong(&panic))?.map_err(|error| wrong(&error))?;
        let mut reader = reader;
        let batches = std::iter::from_fn(move || match guarded(|| reader.next()) {
            Ok(batch) => batch.map(|batch| batch.map_err(|error| error.to_string())),
            Err(panic) => Some(Err(panic)),
        });
        let rows = rows.map(|rows| (opening.first_row, rows));
        let columnar = Columnar::new(Box::new(batches), schema, chosen, opening);
        Ok(Columnar { rows, runs, unit_rows: Some(unit_rows), ..columnar })
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
        let reader = IpcReader::open(path, input, opening.source.limits, opening.batch_rows.max(1));
        let mut reader = reader.map_err(|error| unreadable(opening, "Arrow IPC", &error))?;
        let chosen = choose(reader.schema(), opening)?;
        let schema = projected(reader.schema(), &chosen.kept);
        reader.keep(chosen.kept.clone());
        if let Some(filter) = &opening.source.filter {
            filter.check_types(reader.schema())?;
        }
        let unit_rows = match opening.source.shard {
            Some(_) => reader.block_rows().map_err(|error| unreadable(opening, "Arrow IPC", &error))?,
            None => None,
        };
        let mut runs = RowRuns::all();
        if let (Some(units), Some(rows)) = (&opening.units, &unit_rows) {
            runs = RowRuns::after(rows[..units.start].iter().sum());
            reader.keep_blocks(units.clone());
        }
        let batches = std::iter::from_fn(move || reader.next_batch().transpose());
        let columnar = Columnar::new(Box::new(batches), schema, chosen, opening);
        Ok(Columnar { runs, unit_rows, ..columnar })
    }

    fn new(
        batches: Box<dyn Iterator<Item = Result<RecordBatch, Flaw>> + Send>,
        schema: SchemaRef,
        chosen: ChosenColumns,
        opening: &Opening,
    ) -> Columnar {
        let ChosenColumns { warnings, unread, .. } = chosen;
        let (name, row, batch_rows) = (opening.name.clone(), opening.first_row, opening.batch_rows.max(1));
        let (runs, unit_rows) = (RowRuns::all(), None);
        Columnar { batches, rest: None, schema, warnings, unread, name, batch_rows, row, rows: None, runs, unit_rows }
    }

    fn fill(&mut self) -> Result<Option<RecordBatch>> {
        let batch = match self.rest.take() {
            Some(rest) => rest,
            None => {
                let Some(batch) = self.batches.next() else {
                    self.runs.end();
                    return Ok(None);
                };
                batch.map_err(|error| Error::data(Place::source(&self.name).at_row(self.row), damage(&error)))?
            }
        };
        let rows = rows_that_fit(&batch, self.runs.first(batch.num_rows().min(self.batch_rows)));
        self.runs.read(rows);
        if rows < batch.num_rows() {
            self.rest = Some(batch.slice(rows, batch.num_rows() - rows));
        }
        self.row += rows as u64;
        let shown = |column: &ArrayRef| match column.data_type() {
            DataType::Utf8View => cast(column, &DataType::Utf8),
            _ => Ok(column.clone()),
        };
        let columns = batch.slice(0, rows).columns().iter().map(shown).collect::<Result<Vec<_>, _>>();
        let columns =
            columns.map_err(|error| Error::data(Place::source(&self.name).at_row(self.row), damage(&error)))?;
        let options = arrow::array::RecordBatchOptions::new().with_row_count(Some(rows));
        let batch = RecordBatch::try_new_with_options(self.schema.clone(), columns, &options);
        Ok(Some(batch.map_err(|error| Error::data(Place::source(&self.name), damage(&error)))?))
    }
}

impl Batches for Columnar {
    fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }

    fn notes(&self) -> &[String] {
        &[]
    }

    fn warnings(&self) -> Vec<String> {
        self.warnings.clone()
    }

    fn unread(&self) -> &[String] {
        &self.unread
    }

    fn share(&self) -> Option<f64> {
        self.rows.map(|(first, rows)| (self.row - first) as f64 / rows.max(1) as f64)
    }

    fn unit_rows(&self) -> Option<&[u64]> {
        self.unit_rows.as_deref()
    }

    fn take_skipped(&mut self) -> u64 {
        let skipped = self.runs.take_skipped();
        self.row += skipped;
        skipped
    }

    fn next_batch(&mut self) -> Option<Result<RecordBatch>> {
        self.fill().transpose()
    }
}

/// The columns to read: supported, and wanted if a selection is given.
fn choose(schema: &SchemaRef, opening: &Opening) -> Result<ChosenColumns> {
    check_columns(&opening.name, schema.fields().len())?;
    let (mut kept, mut left_out, mut unread) = (Vec::new(), Vec::new(), Vec::new());
    let mut first_of = HashMap::with_capacity(schema.fields().len());
    let wanted: Option<HashSet<&str>> =
        opening.wanted.map(|wanted| wanted.columns.iter().map(|column| column.name.trim()).collect());
    for (i, field) in schema.fields().iter().enumerate() {
        let name = field.name();
        if let Some(first) = first_of.insert(name, i) {
            let message = format!("the name occurs more than once, in fields {first} and {i}");
            return Err(Error::data(Place::column(name).of(&opening.name), message));
        }
        if wanted.as_ref().is_some_and(|wanted| !wanted.contains(name.trim())) {
            unread.push(name.clone());
            continue;
        }
        if opening.source.types == TypesRead::Every || is_readable(field.data_type()) {
            kept.push(i)
        } else {
            left_out.push(format!("{name}: {}", field.data_type()))
        }
    }
    if kept.is_empty() && !left_out.is_empty() {
        let message = format!("expected columns of numbers, text or dates, got only {}", listed(&left_out));
        return Err(Error::data(Place::source(&opening.name), message));
    }
    let warning = |left_out: &[String]| {
        format!("{}: left out columns whose types no model takes: {}", opening.name, listed(left_out))
    };
    let warnings = if left_out.is_empty() { Vec::new() } else { vec![warning(&left_out)] };
    Ok(ChosenColumns { kept, warnings, unread })
}

fn projected(schema: &SchemaRef, kept: &[usize]) -> SchemaRef {
    // Schema metadata is dropped and all columns are nullable, so that files which differ in these can be concatenated.
    let field = |i: &usize| {
        let field = schema.field(*i).clone().with_nullable(true).with_metadata(Default::default());
        match field.data_type() {
            DataType::Utf8View => field.with_data_type(DataType::Utf8),
            _ => field,
        }
    };
    Arc::new(ArrowSchema::new(kept.iter().map(field).collect::<Vec<_>>()))
}

fn unreadable(opening: &Opening, format: &str, error: &dyn std::fmt::Display) -> Error {
    Error::data(Place::source(&opening.name), format!("expected a whole {format} file, got an error: {error}"))
}

fn damage(error: &dyn std::fmt::Display) -> String {
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
                // Texts that recur stay in the dictionary, however long.
                let properties =
                    parquet::file::properties::WriterProperties::builder().set_dictionary_page_size_limit(16 << 20);
                let mut writer = ArrowWriter::try_new(&mut bytes, schema, Some(properties.build())).unwrap();
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
    fn typed_columns_come_in_batches_and_nested_ones_are_left_out_with_a_warning() {
        for extension in ["parquet", "arrow", "arrows"] {
            let bytes = bytes_of(&batch(), extension);
            let mut reader = open(&bytes, &format!("t.{extension}"), None).unwrap();
            assert_eq!(reader.columns(), ["a", "word", "text"], "{extension}");
            let rows: Vec<usize> = reader.by_ref().map(|table| table.unwrap().n_rows()).collect();
            assert_eq!(rows, [2, 1], "{extension}");
            assert!(
                reader.warnings()[0].contains("left out columns whose types no model takes: `list: List"),
                "{extension}"
            );
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
            let mut reader = Source { types: TypesRead::Every, ..source }.open(10, None).unwrap();
            let table = reader.read_all().unwrap();
            assert!(reader.warnings().is_empty());
            assert_eq!(table.batch().columns(), batch().columns());
        }
    }

    #[test]
    fn texts_that_recur_are_read_in_small_batches_and_not_kept_whole() {
        let long = "x".repeat(1 << 20);
        let mut words = StringDictionaryBuilder::<Int32Type>::new();
        (0..300).for_each(|_| words.append_value(&long));
        let words = Arc::new(words.finish()) as ArrayRef;
        let texts = Arc::new(StringArray::from_iter_values(std::iter::repeat_n(&long, 300))) as ArrayRef;
        for (extension, column) in [("parquet", texts), ("parquet", words.clone()), ("arrow", words)] {
            let bytes = bytes_of(&RecordBatch::try_from_iter([("text", column)]).unwrap(), extension);
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join(format!("t.{extension}"));
            std::fs::write(&path, &bytes).unwrap();
            let mut source = Source::parse(&[path.display().to_string()]).unwrap();
            // So that a small file's share counts, whatever the writer made of the text.
            source.limits.max_ratio = 1;
            let open = || source.open(1 << 16, None).unwrap();
            let rows: Vec<usize> = open().map(|table| table.unwrap().n_rows()).collect();
            assert_eq!(rows, [64, 64, 64, 64, 44], "{extension}");
            let error = open().read_all().unwrap_err();
            assert!(error.to_string().contains("expected at most 268435456 bytes once unfolded"), "{error}");
            assert!(error.hint_text().unwrap().contains("max_ratio"));
        }
    }

    #[test]
    fn only_wanted_columns_are_read() {
        let wanted = Schema { columns: vec![Column::new("text", ColumnKind::Text)] };
        for extension in ["parquet", "arrow"] {
            let mut reader = open(&bytes_of(&batch(), extension), &format!("t.{extension}"), Some(&wanted)).unwrap();
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
