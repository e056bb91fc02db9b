//! The files of a source in turn, as batches with one set of columns.
//!
//! The first file determines names and order; later files may order the columns differently, but must have the same ones.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;

use super::columnar::Columnar;
use super::delimited::Delimited;
use super::encoding::utf16;
use super::input::{Input, InputSize};
use super::ndjson::Ndjson;
use super::numpy::Numpy;
use super::schema::Schema;
use super::source::{Format, Header, Source, file_and_part};
#[cfg(feature = "sqlite")]
use super::sqlite::Sqlite;
use super::table::{Table, different_columns};
#[cfg(feature = "xlsx")]
use super::workbook::Workbook;
use crate::error::{Error, Hint, Place, Result};

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

/// Files being read in turn.
pub(super) struct Files {
    source: Source,
    wanted: Option<Schema>,
    batch_rows: usize,
    waiting: VecDeque<PathBuf>,
    current: Option<(String, Box<dyn Batches>)>,
    pub(super) schema: SchemaRef,
    pub(super) columns: Vec<String>,
    pub(super) notes: Vec<String>,
    pub(super) hints: Vec<Hint>,
    pub(super) warnings: Vec<String>,
    /// Columns that are not wanted, of the files read to their end.
    pub(super) unread: Vec<String>,
    row: u64,
    /// What the files opened so far take as they are stored.
    sizes: Vec<InputSize>,
}

impl Files {
    pub(super) fn open(source: Source, batch_rows: usize, wanted: Option<Schema>) -> Result<Files> {
        let mut waiting: VecDeque<PathBuf> = source.paths.iter().cloned().collect();
        let Some(path) = waiting.pop_front() else {
            return Err(Error::data(Place::default(), "expected at least one file, got none"));
        };
        let header = source.header;
        let first = open_file(&path, &source, header, batch_rows, wanted.as_ref(), (&[], 0))?;
        let notes = first.notes();
        let (first, sizes) = (first.batches, vec![first.size]);
        let schema = first.schema();
        let columns = schema.fields().iter().map(|field| field.name().clone()).collect();
        let hints = first.hint().cloned().into_iter().collect();
        let current = Some((source.name_of(&path), first));
        let warnings = Vec::new();
        Ok(Files {
            source,
            wanted,
            batch_rows,
            waiting,
            current,
            schema,
            columns,
            notes,
            hints,
            warnings,
            unread: Vec::new(),
            row: 0,
            sizes,
        })
    }

    /// Refuses rows of so many bytes in memory if the files are too small for them.
    pub(super) fn check_bytes(&self, source: &str, bytes: u64) -> Result<()> {
        let size = self.sizes.iter().map(InputSize::bytes).sum();
        let limits = self.source.limits;
        if bytes > limits.unfolded(size) { Err(limits.bomb(source, size)) } else { Ok(()) }
    }

    /// The file being read.
    pub(super) fn name(&self) -> &str {
        self.current.as_ref().map_or("", |(name, _)| name)
    }

    /// Reads no further.
    pub(super) fn close(&mut self) {
        self.end_file();
        self.waiting.clear();
    }

    /// Keeps what the file being read has to tell.
    fn end_file(&mut self) {
        if let Some((_, file)) = self.current.take() {
            self.warnings.extend(file.warnings());
            let new: Vec<String> = file.unread().iter().filter(|name| !self.unread.contains(name)).cloned().collect();
            self.unread.extend(new);
        }
    }

    pub(super) fn next_table(&mut self) -> Result<Option<Table>> {
        loop {
            let Some((name, file)) = &mut self.current else { return Ok(None) };
            if let Some(batch) = file.next_batch() {
                let table = Table::new(batch?, name.clone(), self.row);
                self.row += table.n_rows() as u64;
                let in_order = self.columns.iter().map(String::as_str).eq(table.names());
                return Ok(Some(if in_order { table } else { table.select(&self.columns)? }));
            }
            self.end_file();
            let Some(path) = self.waiting.pop_front() else { return Ok(None) };
            self.current = Some((self.source.name_of(&path), self.open_next(&path)?));
        }
    }

    fn open_next(&mut self, path: &Path) -> Result<Box<dyn Batches>> {
        // If the first file has no header, no later file has one: names could not match otherwise.
        let is_numbered = |(i, name): (usize, &String)| *name == format!("column_{i}");
        let has_no_header = self.source.header == Header::Auto && self.columns.iter().enumerate().all(is_numbered);
        let header = if has_no_header { Header::Absent } else { self.source.header };
        let before = (self.columns.as_slice(), self.row);
        let file = open_file(path, &self.source, header, self.batch_rows, self.wanted.as_ref(), before)?;
        let notes = file.notes();
        self.sizes.push(file.size);
        let file = file.batches;
        let schema = file.schema();
        let got: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
        let expected: Vec<&str> = self.columns.iter().map(String::as_str).collect();
        if got.len() != expected.len() || !expected.iter().all(|name| got.contains(name)) {
            return Err(different_columns(&expected, &got, &self.source.name_of(path)));
        }
        self.notes.extend(notes);
        self.hints.extend(file.hint().cloned());
        Ok(file)
    }
}

/// Opens a file; `before` holds the columns and the number of rows of the files before it.
fn open_file(
    path: &Path,
    source: &Source,
    header: Header,
    batch_rows: usize,
    wanted: Option<&Schema>,
    (expected, first_row): (&[String], u64),
) -> Result<Opened> {
    let name = source.name_of(path);
    let (file, part) = file_and_part(path);
    let mut input = match &source.memory {
        Some(memory) if path.as_os_str() == "-" => Input::in_memory(memory)?,
        _ => Input::open(file)?,
    };
    let size = input.size().clone();
    if let (Some(encoding), None) = (utf16(&input.prefix), source.encoding) {
        input = input.decoded(encoding).map_err(|error| Error::read(file, error))?;
    }
    let (format, note) = match source.format {
        Some(format) => (format, None),
        None => detected(file, &name, &input.prefix)?,
    };
    if let (Some(part), false) = (part, matches!(format, Format::Xlsx | Format::Sqlite)) {
        let message = format!("expected a workbook or a database before `#{part}`, got {format}");
        return Err(Error::data(Place::source(name), message));
    }
    let opening = Opening { source, format, name, header, batch_rows, wanted, expected, first_row };
    let batches: Box<dyn Batches> = match format {
        Format::Csv | Format::Tsv => Box::new(Delimited::open(file, input, &opening)?),
        Format::Parquet => Box::new(Columnar::parquet(file, input, &opening)?),
        Format::ArrowIpc => Box::new(Columnar::ipc(file, input, &opening)?),
        Format::Ndjson => Box::new(Ndjson::open(file, input, &opening)?),
        Format::Npy => Box::new(Numpy::npy(file, input, &opening)?),
        Format::Npz => Box::new(Numpy::npz(file, input, &opening)?),
        #[cfg(feature = "xlsx")]
        Format::Xlsx => Box::new(Workbook::open(file, part, input, &opening)?),
        #[cfg(not(feature = "xlsx"))]
        Format::Xlsx => return Err(not_built(&opening, "xlsx", "save the sheet as CSV")),
        #[cfg(feature = "sqlite")]
        Format::Sqlite => Box::new(Sqlite::open(file, part, &opening)?),
        #[cfg(not(feature = "sqlite"))]
        Format::Sqlite => return Err(not_built(&opening, "sqlite", "export the table as CSV")),
    };
    Ok(Opened { batches, note, size })
}

/// An opened file, with a note if it is not what its name says.
struct Opened {
    batches: Box<dyn Batches>,
    note: Option<String>,
    size: InputSize,
}

impl Opened {
    fn notes(&self) -> Vec<String> {
        self.note.iter().chain(self.batches.notes()).cloned().collect()
    }
}

#[cfg(not(all(feature = "xlsx", feature = "sqlite")))]
fn not_built(opening: &Opening, feature: &str, instead: &str) -> Error {
    let message = format!("expected a format that this build reads, got {}", opening.format);
    let hint = format!("build with the cargo feature `{feature}`, or {instead}");
    Error::data(Place::source(&opening.name), message).with_hint(hint)
}

/// The format by the first bytes if they tell, else by the name; and a note if the name says something else.
fn detected(path: &Path, name: &str, prefix: &[u8]) -> Result<(Format, Option<String>)> {
    let named = Format::of_path(path);
    let is_text = !prefix.contains(&0);
    let found = match (named, Format::of_magic(prefix)) {
        (Some(Format::Npz | Format::Xlsx) | None, Some(Format::Npz))
            if path.extension().is_some() && named != Some(Format::Npz) =>
        {
            return Err(Error::data(
                Place::source(name),
                "expected a table, got an archive or document of another kind",
            )
            .with_hint("unpack it, or save what it holds as CSV"));
        }
        // Text may begin like a binary file.
        (Some(named), Some(_)) if named.is_text() && is_text => named,
        (_, Some(found)) => found,
        // Reports called `.xls` are often text.
        (Some(Format::Xlsx | Format::Sqlite), None) if is_text && !prefix.is_empty() => Format::of_bytes(prefix),
        (Some(named), None) => named,
        (None, None) => Format::of_bytes(prefix),
    };
    let note = named.filter(|named| *named != found && !(named.is_text() && found.is_text()));
    Ok((found, note.map(|named| format!("{name}: by its content the file is {found}, not {named}"))))
}

#[cfg(test)]
mod tests {
    use arrow::array::AsArray;

    use super::super::{Reader, Source, Table};
    use crate::error::Result;

    /// The folder is deleted when the test ends.
    fn open(files: &[(&str, &str)], batch_rows: usize) -> (tempfile::TempDir, Result<Reader>) {
        let folder = tempfile::tempdir().unwrap();
        let write = |(name, text): &(&str, &str)| {
            let path = folder.path().join(name);
            std::fs::write(&path, text).unwrap();
            path.display().to_string()
        };
        let specs: Vec<String> = files.iter().map(write).collect();
        let reader = Source::parse(&specs).and_then(|source| source.open(batch_rows, None));
        (folder, reader)
    }

    fn column(table: &Table, name: &str) -> Vec<String> {
        table.column(name).unwrap().as_string::<i32>().iter().flatten().map(str::to_owned).collect()
    }

    #[test]
    fn files_are_read_in_turn_with_the_first_ones_order_of_columns() {
        let (_folder, reader) = open(&[("a.csv", "a,b\n1,2\n3,4\n5,6\n"), ("b.csv", "b,a\n8,7\n")], 2);
        let reader = reader.unwrap();
        assert_eq!(reader.columns(), ["a", "b"]);
        let tables: Vec<Table> = reader.map(Result::unwrap).collect();
        let places: Vec<(u64, usize)> = tables.iter().map(|table| (table.first_row(), table.n_rows())).collect();
        assert_eq!(places, [(0, 2), (2, 1), (3, 1)]);
        assert_eq!(column(&Table::concat(&tables).unwrap(), "a"), ["1", "3", "5", "7"]);
    }

    #[test]
    fn a_file_with_other_columns_is_refused() {
        let (_folder, reader) = open(&[("a.csv", "a,b\n1,2\n"), ("b.csv", "a,c\n1,2\n")], 10);
        let mut reader = reader.unwrap();
        assert!(reader.next().unwrap().is_ok());
        let error = reader.next().unwrap().unwrap_err().to_string();
        assert!(
            error.ends_with("expected the columns of the first file, but it lacks `b` and has `c` in addition"),
            "{error}"
        );
        assert!(reader.next().is_none());
    }

    #[test]
    fn files_without_header_go_on_without_one() {
        let (_folder, reader) = open(&[("a.csv", "1,x\n2,y\n"), ("b.csv", "z,q\n3,w\n")], 10);
        let mut reader = reader.unwrap();
        assert!(reader.notes()[0].ends_with("the first line is data (it contains values)"), "{:?}", reader.notes());
        assert_eq!(column(&reader.read_all().unwrap(), "column_0"), ["1", "2", "z", "3"]);
    }

    #[test]
    fn a_header_alone_is_a_table_of_no_rows() {
        let table = open(&[("a.csv", "a,b\n")], 10).1.unwrap().read_all().unwrap();
        assert_eq!((table.n_rows(), table.names()), (0, vec!["a", "b"]));
    }

    #[test]
    fn the_content_decides_where_the_name_does_not_or_is_wrong() {
        assert_eq!(open(&[("data", "{\"a\":1}\n")], 10).1.unwrap().columns(), ["a"]);
        let reader = open(&[("report.xls", "a\tb\n1\t2\n")], 10).1.unwrap();
        assert!(reader.notes()[0].ends_with("by its content the file is csv, not xlsx"), "{:?}", reader.notes());
        assert_eq!(reader.columns(), ["a", "b"]);
        assert_eq!(open(&[("a.csv", "PAR1,b\n1,2\n")], 10).1.unwrap().columns(), ["PAR1", "b"]);
        let error = open(&[("a.zip", "PK\x03\x04")], 10).1.err().unwrap().to_string();
        assert!(error.contains("got an archive or document of another kind"), "{error}");
        let error = open(&[("a.csv", "SQLite format 3\0")], 10).1.err().unwrap().to_string();
        assert!(error.contains("sqlite") || error.contains("SQLite"), "{error}");
    }
}
