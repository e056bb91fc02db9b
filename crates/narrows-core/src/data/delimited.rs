//! Delimited text, streamed as text cells in batches of bounded size.
//!
//! Types are left to [`conform`](super::conform()), which reports bad cells by position; types guessed from the first
//! lines could fail on a later one without a clear error.

use std::collections::HashMap;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arrow::array::{ArrayRef, RecordBatch, StringBuilder};
use arrow::datatypes::{DataType, Field, Schema as ArrowSchema, SchemaRef};
use csv::ByteRecord;

use super::input::Input;
use super::limits::{BATCH_BYTES, ReadLimits, check_columns};
use super::reader::{Batches, Opening};
use super::sniff;
use super::source::{Format, Header};
use crate::error::{Error, Place, Result};

const BOM: &[u8] = b"\xef\xbb\xbf";

/// A delimited file being read.
pub(crate) struct Delimited {
    reader: csv::Reader<Tail>,
    schema: SchemaRef,
    notes: Vec<String>,
    name: String,
    batch_rows: usize,
    /// Number of the next row over all files.
    row: u64,
    record: ByteRecord,
    /// The current record is the first data row, read to count the columns.
    is_pending: bool,
    /// The last field of the previous record ends on another line than it starts.
    ends_lines_later: bool,
    limits: ReadLimits,
}

/// Bytes that the parser reads at once.
const BUFFER: usize = 1 << 18;

/// A stream that records its last bytes, because the parser accepts an unclosed quote as a field that extends to the
/// end of the file; and that ends with an error within a record that is too long, which the parser would gather in memory.
struct Tail {
    stream: Box<dyn Read + Send>,
    /// The last byte that is not a line terminator.
    last: u8,
    /// Bytes given so far.
    given: u64,
    /// Where the current record begins.
    record: AtomicU64,
    longest: u64,
}

impl Tail {
    fn is_too_long(&self) -> bool {
        self.given.saturating_sub(self.record.load(Ordering::Relaxed)) > self.longest
    }
}

impl Read for Tail {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if self.is_too_long() {
            return Err(std::io::ErrorKind::InvalidData.into());
        }
        let read = self.stream.read(buffer)?;
        self.given += read as u64;
        let is_text = |byte: &&u8| !matches!(byte, b'\n' | b'\r');
        self.last = buffer[..read].iter().rev().find(is_text).copied().unwrap_or(self.last);
        Ok(read)
    }
}

impl Delimited {
    /// Detects the dialect and reads the header.
    pub(crate) fn open(path: &Path, input: Input, opening: &Opening) -> Result<Delimited> {
        let name = opening.name.clone();
        let mut prefix = input.prefix.as_slice();
        if prefix.starts_with(b"\xff\xfe") || prefix.starts_with(b"\xfe\xff") {
            let error = Error::data(Place::source(&name), "expected text in UTF-8, got UTF-16");
            return Err(error.with_hint("convert it: iconv -f UTF-16 -t UTF-8"));
        }
        if prefix.contains(&0) {
            let error = Error::data(Place::source(&name), "expected delimited text, got binary data");
            return Err(error.with_hint("say which format it is"));
        }
        prefix = prefix.strip_prefix(BOM).unwrap_or(prefix);
        if prefix.trim_ascii().is_empty() && input.is_whole() {
            return Err(Error::data(Place::source(&name), "expected lines of text, got an empty file"));
        }
        let delimiter = opening.source.delimiter.or((opening.format == Format::Tsv).then_some(b'\t'));
        let dialect = sniff::dialect(prefix, input.is_whole(), delimiter, opening.header);
        let has_bom = input.prefix.starts_with(BOM);
        let mut stream = input.into_stream();
        if has_bom {
            stream.read_exact(&mut [0; BOM.len()]).map_err(|error| Error::read(path, error))?;
        }
        let mut builder = csv::ReaderBuilder::new();
        let builder = builder.has_headers(false).flexible(true).delimiter(dialect.delimiter).buffer_capacity(BUFFER);
        let limits = opening.source.limits;
        // A buffer may hold the whole of the next record beside this one.
        let longest = limits.max_line_bytes.saturating_add(BUFFER) as u64;
        let mut file = Delimited {
            reader: builder.from_reader(Tail { stream, last: 0, given: 0, record: AtomicU64::new(0), longest }),
            schema: Arc::new(ArrowSchema::empty()),
            notes: vec![format!("{name}: {}", dialect.note)],
            name,
            batch_rows: opening.batch_rows.max(1),
            row: opening.first_row,
            record: ByteRecord::new(),
            is_pending: false,
            ends_lines_later: false,
            limits,
        };
        let has_first = file.advance()?;
        let names = match dialect.header {
            Header::Absent => {
                file.is_pending = has_first;
                (0..file.record.len()).map(|i| format!("column_{i}")).collect()
            }
            _ => names_of(&file.record, &file.name)?,
        };
        check_columns(&file.name, names.len())?;
        let fields: Vec<Field> = names.into_iter().map(|name| Field::new(name, DataType::Utf8, true)).collect();
        file.schema = Arc::new(ArrowSchema::new(fields));
        Ok(file)
    }

    /// Reads the next record; false at the end.
    fn advance(&mut self) -> Result<bool> {
        let begin = self.reader.position().byte();
        self.reader.get_ref().record.store(begin, Ordering::Relaxed);
        let has_more = self.reader.read_byte_record(&mut self.record).map_err(|error| {
            if self.reader.get_ref().is_too_long() {
                return self.limits.long_line(Place::source(&self.name).at_row(self.row));
            }
            let text = error.to_string();
            match error.into_kind() {
                csv::ErrorKind::Io(error) => Error::read(&self.name, error),
                _ => Error::data(Place::source(&self.name).at_row(self.row), text),
            }
        })?;
        if !has_more && self.ends_lines_later && self.reader.get_ref().last != b'"' {
            let place = Place::source(&self.name).at_row(self.row.saturating_sub(1));
            return Err(Error::data(place, "a quote is opened and never closed"));
        }
        self.ends_lines_later = self.record.iter().next_back().is_some_and(|cell| cell.contains(&b'\n'));
        Ok(has_more)
    }

    fn fill(&mut self) -> Result<Option<RecordBatch>> {
        let width = self.schema.fields().len();
        // Of many columns each has few cells in a batch.
        let room = self.batch_rows.min(1 << 16).min((1 << 22) / width.max(1));
        let mut builders: Vec<StringBuilder> = (0..width).map(|_| StringBuilder::with_capacity(room, 0)).collect();
        let (mut rows, mut bytes) = (0, 0);
        while rows < self.batch_rows && bytes < BATCH_BYTES {
            if !std::mem::take(&mut self.is_pending) && !self.advance()? {
                break;
            }
            if self.record.len() != width {
                return Err(self.ragged(width));
            }
            let text = std::str::from_utf8(self.record.as_slice()).map_err(|_| self.not_utf8())?;
            for (i, builder) in builders.iter_mut().enumerate() {
                let range = self.record.range(i).expect("a field of the record");
                // A field boundary may lie within a character of the joined text.
                let cell = text.get(range).ok_or_else(|| self.not_utf8())?;
                // Readers cannot tell an empty field from an empty text in quotes.
                builder.append_option((!cell.is_empty()).then_some(cell));
            }
            bytes += text.len();
            rows += 1;
            self.row += 1;
        }
        if rows == 0 {
            return Ok(None);
        }
        let arrays = builders.iter_mut().map(|builder| Arc::new(builder.finish()) as ArrayRef).collect();
        Ok(Some(RecordBatch::try_new(self.schema.clone(), arrays).expect("columns of equal length")))
    }

    fn ragged(&self, expected: usize) -> Error {
        let line = self.record.position().map_or(0, csv::Position::line);
        let message = format!("expected {expected} fields, got {} (line {line})", self.record.len());
        let error = Error::data(Place::source(&self.name).at_row(self.row), message);
        if self.record.as_slice().contains(&b'\n') {
            error.with_hint("a field spans several lines: is a quote never closed?")
        } else {
            error
        }
    }

    fn not_utf8(&self) -> Error {
        let column = self.record.iter().position(|cell| std::str::from_utf8(cell).is_err());
        let mut place = Place::source(&self.name).at_row(self.row);
        place.column = column.map(|i| self.schema.field(i).name().clone());
        Error::data(place, "expected text in UTF-8, got other bytes").with_hint(LATIN1)
    }
}

/// The names in a header line.
pub(super) fn names_of(record: &ByteRecord, source: &str) -> Result<Vec<String>> {
    let mut names: Vec<String> = Vec::with_capacity(record.len());
    let mut first_of: HashMap<String, usize> = HashMap::with_capacity(record.len());
    for (i, cell) in record.iter().enumerate() {
        let text = std::str::from_utf8(cell).map_err(|_| {
            let error = Error::data(Place::source(source), "expected column names in UTF-8, got other bytes");
            error.with_hint(LATIN1)
        })?;
        // An index written without a name has an empty header cell.
        let name = if text.trim().is_empty() { format!("column_{i}") } else { text.trim().to_owned() };
        if let Some(first) = first_of.insert(name.clone(), i) {
            let place = Place::column(&name).of(source);
            let message = format!("the name occurs more than once, in fields {first} and {i}");
            return Err(Error::data(place, message));
        }
        names.push(name);
    }
    Ok(names)
}

pub(super) const LATIN1: &str = "if it is Latin-1, convert it: iconv -f LATIN1 -t UTF-8";

impl Batches for Delimited {
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

#[cfg(test)]
mod tests {
    use arrow::array::AsArray;

    use crate::data::{Source, Table};
    use crate::error::Result;

    fn read(bytes: &[u8]) -> Result<Table> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.csv");
        std::fs::write(&path, bytes).unwrap();
        Source::parse(&[path.display().to_string()])?.open(2, None)?.read_all()
    }

    fn check(text: &str, expected: &str) {
        let table = read(text.as_bytes()).unwrap();
        let mut lines = vec![table.names().join("|")];
        for row in 0..table.n_rows() {
            let cells = table.batch().columns().iter().map(|array| array.as_string::<i32>().value(row).to_owned());
            lines.push(cells.collect::<Vec<_>>().join("|"));
        }
        assert_eq!(lines.join("/"), expected);
    }

    fn check_error(bytes: &[u8], expected: &str) {
        let error = read(bytes).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }

    #[test]
    fn cells_come_as_text_in_order() {
        check("a,b\n1,x\n2,y\n3,z\n", "a|b/1|x/2|y/3|z");
        check("a,b\r\n1,\"x, \"\"y\"\"\nz\"\r\n", "a|b/1|x, \"y\"\nz");
        check("\u{feff}a;b\n1,5;2\n", "a|b/1,5|2");
        check("1,2\n3,4", "column_0|column_1/1|2/3|4");
        check("a,b\n", "a|b");
        check(",a\n0,7\n", "column_0|a/0|7");
        check("größe,x\nü,1\n", "größe|x/ü|1");
    }

    #[test]
    fn a_record_without_end_is_refused_and_many_short_ones_are_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.csv");
        let read = |text: String| {
            std::fs::write(&path, text).unwrap();
            let mut source = Source::parse(&[path.display().to_string()])?;
            source.limits.max_line_bytes = 1000;
            source.open(1 << 20, None)?.read_all()
        };
        assert_eq!(read(format!("a,b\n{}", "12,34567\n".repeat(200_000))).unwrap().n_rows(), 200_000);
        for text in
            ["a,b\n1,2\n3,".to_owned() + &"0".repeat(1 << 20), "a,b\n1,2\n\"".to_owned() + &"0\n".repeat(1 << 19)]
        {
            let error = read(text).unwrap_err();
            assert!(error.to_string().contains("row 1: expected a line of at most 1000 bytes"), "{error}");
            assert!(error.hint_text().unwrap().contains("max_line_bytes"));
        }
    }

    #[test]
    fn bad_files_are_refused_with_their_row() {
        check_error(b"", "t.csv: expected lines of text, got an empty file");
        check_error(b"\n\n", "got an empty file");
        check_error(b"a,b\n1,2\n3,4\n5\n", "t.csv, row 2: expected 2 fields, got 1 (line 4)");
        check_error(b"a,b\n1,2,3\n4,5\n6,7\n", "row 0: expected 2 fields, got 3");
        check_error(b"a,b\n1,\xe4\n", "t.csv, column `b`, row 0: expected text in UTF-8, got other bytes");
        check_error(b"a,b,a\n1,2,3\n", "column `a`: the name occurs more than once, in fields 0 and 2");
        check_error(b"\xff\xfea\0", "expected text in UTF-8, got UTF-16");
        check_error(b"a\0b", "expected delimited text, got binary data");
        check_error(b"a,b\n1,2\n1,\"x\n2,3\n4,5\n", "t.csv, row 1: a quote is opened and never closed");
        let open = read(b"a,b\n1,2\n\"x,3\n4,5\n").unwrap_err();
        assert_eq!(open.hint_text().as_deref(), Some("a field spans several lines: is a quote never closed?"));
    }
}
