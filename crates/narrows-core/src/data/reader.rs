//! Concatenates files to a stream of tables with one set of columns.
//!
//! The first file determines names and order; later files may order the columns differently, but must have the same ones.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;

use super::columnar::Columnar;
use super::delimited::Delimited;
use super::input::{Input, InputSize};
use super::ndjson::Ndjson;
use super::numpy::Numpy;
use super::schema::Schema;
use super::source::{Format, Header, Source};
use super::table::{Table, different_columns};
use crate::error::{Error, Place, Result};

/// One file, whatever its format: raw batches of the same columns.
pub(crate) trait Batches: Send {
    /// The columns, known before the first batch.
    fn schema(&self) -> SchemaRef;
    /// Notes on detected settings and skipped columns.
    fn notes(&self) -> &[String];
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
    /// Number of rows in the previous files.
    pub(crate) first_row: u64,
}

/// A stream of raw tables in bounded memory; ends after the first error.
pub struct Reader {
    source: Source,
    wanted: Option<Schema>,
    batch_rows: usize,
    waiting: VecDeque<PathBuf>,
    current: Option<(String, Box<dyn Batches>)>,
    schema: SchemaRef,
    columns: Vec<String>,
    notes: Vec<String>,
    row: u64,
    /// What the files opened so far take as they are stored.
    sizes: Vec<InputSize>,
}

impl Reader {
    pub(crate) fn open(source: Source, batch_rows: usize, wanted: Option<Schema>) -> Result<Reader> {
        let mut waiting: VecDeque<PathBuf> = source.paths.iter().cloned().collect();
        let Some(path) = waiting.pop_front() else {
            return Err(Error::data(Place::default(), "expected at least one file, got none"));
        };
        let header = source.header;
        let (first, size) = open_file(&path, &source, header, batch_rows, wanted.as_ref(), 0)?;
        let schema = first.schema();
        let columns = schema.fields().iter().map(|field| field.name().clone()).collect();
        let notes = first.notes().to_vec();
        let current = Some((name_of(&path), first));
        Ok(Reader { source, wanted, batch_rows, waiting, current, schema, columns, notes, row: 0, sizes: vec![size] })
    }

    /// The column names, known before any row is read.
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// Notes so far: delimiter, header, skipped columns.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// All remaining rows as one table; without rows if there are none.
    ///
    /// # Errors
    /// If the data is invalid, a column changes its type between files, or the rows unfold to more than the files' sizes
    /// justify.
    pub fn read_all(mut self) -> Result<Table> {
        let schema = self.schema.clone();
        let name = self.current.as_ref().map_or_else(String::new, |(name, _)| name.clone());
        let limits = self.source.limits;
        let (mut tables, mut bytes) = (Vec::new(), 0);
        while let Some(table) = self.next() {
            let table = table?;
            bytes += table.bytes();
            let size = self.sizes.iter().map(InputSize::bytes).sum();
            if bytes > limits.unfolded(size) {
                return Err(limits.bomb(table.source(), size));
            }
            tables.push(table);
        }
        if tables.is_empty() {
            return Ok(Table::new(RecordBatch::new_empty(schema), name, 0));
        }
        Table::concat(&tables)
    }

    fn next_table(&mut self) -> Result<Option<Table>> {
        loop {
            let Some((name, file)) = &mut self.current else { return Ok(None) };
            if let Some(batch) = file.next_batch() {
                let table = Table::new(batch?, name.clone(), self.row);
                self.row += table.n_rows() as u64;
                let in_order = self.columns.iter().map(String::as_str).eq(table.names());
                return Ok(Some(if in_order { table } else { table.select(&self.columns)? }));
            }
            self.current = None;
            let Some(path) = self.waiting.pop_front() else { return Ok(None) };
            self.current = Some((name_of(&path), self.open_next(&path)?));
        }
    }

    fn open_next(&mut self, path: &Path) -> Result<Box<dyn Batches>> {
        // If the first file has no header, no later file has one: names could not match otherwise.
        let is_numbered = |(i, name): (usize, &String)| *name == format!("column_{i}");
        let has_no_header = self.source.header == Header::Auto && self.columns.iter().enumerate().all(is_numbered);
        let header = if has_no_header { Header::Absent } else { self.source.header };
        let (file, size) = open_file(path, &self.source, header, self.batch_rows, self.wanted.as_ref(), self.row)?;
        self.sizes.push(size);
        let schema = file.schema();
        let got: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
        let expected: Vec<&str> = self.columns.iter().map(String::as_str).collect();
        if got.len() != expected.len() || !expected.iter().all(|name| got.contains(name)) {
            return Err(different_columns(&expected, &got, &name_of(path)));
        }
        self.notes.extend(file.notes().iter().cloned());
        Ok(file)
    }
}

impl Iterator for Reader {
    type Item = Result<Table>;

    fn next(&mut self) -> Option<Result<Table>> {
        let table = self.next_table().transpose();
        if matches!(table, Some(Err(_))) {
            self.current = None;
        }
        table
    }
}

fn open_file(
    path: &Path,
    source: &Source,
    header: Header,
    batch_rows: usize,
    wanted: Option<&Schema>,
    first_row: u64,
) -> Result<(Box<dyn Batches>, InputSize)> {
    let name = name_of(path);
    let input = Input::open(path)?;
    let size = input.size().clone();
    let format = match source.format.or_else(|| Format::of_path(path)) {
        Some(format) => format,
        None => guessed(path, &name, &input.prefix)?,
    };
    let opening = Opening { source, format, name, header, batch_rows, wanted, first_row };
    let file: Box<dyn Batches> = match format {
        Format::Csv | Format::Tsv => Box::new(Delimited::open(path, input, &opening)?),
        Format::Parquet => Box::new(Columnar::parquet(path, input, &opening)?),
        Format::ArrowIpc => Box::new(Columnar::ipc(path, input, &opening)?),
        Format::Ndjson => Box::new(Ndjson::open(path, input, &opening)?),
        Format::Npy => Box::new(Numpy::npy(path, input, &opening)?),
        Format::Npz => Box::new(Numpy::npz(path, input, &opening)?),
    };
    Ok((file, size))
}

/// The format of a file with an uninformative name. A zip is read as NumPy's only if there is no extension: `.xlsx` and
/// others are zips too.
fn guessed(path: &Path, name: &str, prefix: &[u8]) -> Result<Format> {
    let format = Format::of_bytes(prefix);
    if format == Format::Npz && path.extension().is_some() {
        let known: Vec<&str> = Format::ALL.iter().map(|(_, name)| *name).collect();
        let message = format!("expected one of the formats {}, got another kind of file", known.join(", "));
        return Err(Error::data(Place::source(name), message).with_hint("a spreadsheet can be saved as CSV"));
    }
    Ok(format)
}

fn name_of(path: &Path) -> String {
    if path.as_os_str() == "-" { "stdin".to_owned() } else { path.display().to_string() }
}

#[cfg(test)]
mod tests {
    use arrow::array::AsArray;

    use super::*;

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
        let reader = reader.unwrap();
        assert!(reader.notes()[0].ends_with("the first line is data (it contains values)"), "{:?}", reader.notes());
        assert_eq!(column(&reader.read_all().unwrap(), "column_0"), ["1", "2", "z", "3"]);
    }

    #[test]
    fn a_header_alone_is_a_table_of_no_rows() {
        let table = open(&[("a.csv", "a,b\n")], 10).1.unwrap().read_all().unwrap();
        assert_eq!((table.n_rows(), table.names()), (0, vec!["a", "b"]));
    }

    #[test]
    fn formats_without_an_extension_are_guessed_and_zips_are_not() {
        assert_eq!(open(&[("data", "{\"a\":1}\n")], 10).1.unwrap().columns(), ["a"]);
        let error = open(&[("a.xlsx", "PK\x03\x04")], 10).1.err().unwrap();
        assert!(error.to_string().contains("expected one of the formats csv, tsv"), "{error}");
    }
}
