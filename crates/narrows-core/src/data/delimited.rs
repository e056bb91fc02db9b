//! Delimited text, streamed as text cells in batches of bounded size.
//!
//! Types are left to [`conform`](super::conform()), which reports bad cells by position; types guessed from the first
//! lines could fail on a later one without a clear error.

use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arrow::array::{ArrayRef, RecordBatch, StringBuilder};
use arrow::datatypes::{DataType, Field, Schema as ArrowSchema, SchemaRef};
use csv::ByteRecord;

use super::alignment::Alignment;
use super::blanks::Blanks;
use super::delimiter::Delimiter;
use super::encoding::{self, Detected, Encoding, windows_1252};
use super::input::Input;
use super::limits::{BATCH_BYTES, ReadLimits, check_columns};
use super::names::Names;
use super::reader::{Batches, Opening};
use super::sniff::{self, Known};
use super::source::{Format, Header};
use super::table::DELIMITER;
use crate::error::{Error, Hint, Place, Result};

const BOM: &[u8] = b"\xef\xbb\xbf";

/// A delimited file being read.
pub(crate) struct Delimited {
    reader: csv::Reader<Tail>,
    schema: SchemaRef,
    notes: Vec<String>,
    hint: Option<Hint>,
    name: String,
    batch_rows: usize,
    /// Number of the next row over all files.
    row: u64,
    /// Lines in front of the table.
    lead_lines: u64,
    record: ByteRecord,
    /// The current record is the first data row, read to count the columns.
    is_pending: bool,
    /// The last field of the previous record ends on another line than it starts.
    ends_lines_later: bool,
    /// Fields that the next one is joined to.
    joins: Vec<usize>,
    text: Encoded,
    limits: ReadLimits,
}

/// Bytes that the parser reads at once.
const BUFFER: usize = 1 << 18;

/// How the text is encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Encoded {
    /// UTF-8, or ASCII if `is_ascii` so far: other bytes are then read as Windows-1252.
    Utf8 { is_ascii: bool },
    /// UTF-8 in which rows with bytes that are not are read as Windows-1252.
    Mixed { rows: u64 },
    /// Decoded to UTF-8 in front of the parser; characters that could not be are replaced.
    Decoded { rows: u64 },
}

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
        let (input, text, mut notes) = decoded(path, input, opening)?;
        let has_bom = input.prefix.starts_with(BOM);
        let prefix = if has_bom { &input.prefix[BOM.len()..] } else { &input.prefix };
        let is_tsv = opening.format == Format::Tsv && prefix.contains(&b'\t');
        let delimiter = opening.source.delimiter.or(is_tsv.then_some(Delimiter::Byte(b'\t')));
        let comment = opening.source.comment;
        let known = Known { delimiter, header: opening.header, comment, names: &opening.likely_names() };
        let dialect = sniff::dialect(prefix, input.is_whole(), known);
        let lead = dialect.lead.bytes + if has_bom { BOM.len() } else { 0 };
        let mut stream = input.into_stream();
        io::copy(&mut stream.by_ref().take(lead as u64), &mut io::sink()).map_err(|error| Error::read(path, error))?;
        let stream = match dialect.delimiter.least_blanks() {
            Some(least) => Box::new(Blanks::new(stream, least)) as Box<dyn Read + Send>,
            None => stream,
        };
        let mut builder = csv::ReaderBuilder::new();
        let builder = builder.has_headers(false).flexible(true).delimiter(dialect.delimiter.byte()).comment(comment);
        let limits = opening.source.limits;
        // A buffer may hold the whole of the next record beside this one.
        let longest = limits.max_line_bytes.saturating_add(BUFFER) as u64;
        let tail = Tail { stream, last: 0, given: 0, record: AtomicU64::new(0), longest };
        let mut file = Delimited {
            reader: builder.buffer_capacity(BUFFER).from_reader(tail),
            schema: Arc::new(ArrowSchema::empty()),
            notes: Vec::new(),
            hint: dialect.hint,
            name: opening.name.clone(),
            batch_rows: opening.batch_rows.max(1),
            row: opening.first_row,
            lead_lines: dialect.lead.lines,
            record: ByteRecord::new(),
            is_pending: false,
            ends_lines_later: false,
            joins: Vec::new(),
            text,
            limits,
        };
        let has_first = file.advance()?;
        check_columns(&file.name, file.record.len())?;
        let names = match (dialect.header, dialect.names) {
            (_, Some(names)) => {
                file.is_pending = has_first;
                Names::of(names)
            }
            (Header::Absent, None) => {
                file.is_pending = has_first;
                let width = file.record.len() - dialect.alignment.joins.len();
                Names::of((0..width).map(|i| format!("column_{i}")))
            }
            (_, None) => {
                let cells = file.header_cells(&dialect.alignment)?;
                (0..dialect.below).try_for_each(|_| file.advance().map(drop))?;
                Names::of(cells)
            }
        };
        file.joins = dialect.alignment.joins;
        if file.is_pending {
            file.join();
        }
        let fields = names.names.iter().map(|name| Field::new(name, DataType::Utf8, true));
        // Semicolons go with decimal commas, which is worth knowing where a column does not tell.
        let has_semicolons = dialect.delimiter == Delimiter::Byte(b';');
        let noted = has_semicolons.then(|| (DELIMITER.to_owned(), ";".to_owned()));
        let schema = ArrowSchema::new(fields.collect::<Vec<_>>());
        file.schema = Arc::new(schema.with_metadata(noted.into_iter().collect()));
        notes.splice(0..0, dialect.notes);
        notes.extend(names.notes);
        file.notes = notes.iter().map(|note| format!("{}: {note}", opening.name)).collect();
        Ok(file)
    }

    /// The cells of the header, which was just read.
    fn header_cells(&mut self, alignment: &Alignment) -> Result<Vec<String>> {
        let cells = self.record.iter().map(|cell| match (std::str::from_utf8(cell), self.text) {
            (Ok(text), _) => Ok(text.to_owned()),
            (Err(_), Encoded::Utf8 { is_ascii: false }) => {
                let error = Error::data(Place::source(&self.name), "expected column names in UTF-8, got other bytes");
                Err(error.with_hint(Hint::of(OTHER_ENCODING)))
            }
            (Err(_), _) => Ok(windows_1252(cell)),
        });
        let mut cells = cells.collect::<Result<Vec<String>>>()?;
        if alignment.row_names {
            cells.insert(0, String::new());
        }
        cells.truncate(cells.len() - usize::from(alignment.header_ends_empty));
        Ok(cells)
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
        if has_more && !self.joins.is_empty() {
            self.join();
        }
        Ok(has_more)
    }

    /// Joins dates and times of day in the current record.
    fn join(&mut self) {
        if self.joins.is_empty() || self.joins.iter().any(|i| i + 1 >= self.record.len()) {
            return;
        }
        let mut record = ByteRecord::with_capacity(self.record.as_slice().len() + 8, self.record.len());
        let mut field = Vec::new();
        for (i, cell) in self.record.iter().enumerate() {
            field.extend_from_slice(cell);
            match self.joins.contains(&i) {
                true => field.push(b' '),
                false => {
                    record.push_field(&field);
                    field.clear();
                }
            }
        }
        record.set_position(self.record.position().cloned());
        self.record = record;
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
            // A delimiter may end a line.
            let is_even =
                self.record.len() == width || (self.record.len() == width + 1 && self.record[width].is_empty());
            if !is_even {
                return Err(self.ragged(width));
            }
            if !append(&self.record, &mut builders) {
                self.decode()?;
                append(&self.record, &mut builders);
            }
            if let Encoded::Decoded { rows } = &mut self.text {
                *rows += u64::from(self.record.as_slice().windows(3).any(|bytes| bytes == REPLACED));
            }
            bytes += self.record.as_slice().len();
            rows += 1;
            self.row += 1;
        }
        if rows == 0 {
            return Ok(None);
        }
        let arrays = builders.iter_mut().map(|builder| Arc::new(builder.finish()) as ArrayRef).collect();
        Ok(Some(RecordBatch::try_new(self.schema.clone(), arrays).expect("columns of equal length")))
    }

    /// Reads the current record as Windows-1252.
    fn decode(&mut self) -> Result<()> {
        let rows = match self.text {
            Encoded::Utf8 { is_ascii: false } | Encoded::Decoded { .. } => return Err(self.not_utf8()),
            Encoded::Utf8 { is_ascii: true } => 0,
            Encoded::Mixed { rows } => rows,
        };
        self.text = Encoded::Mixed { rows: rows + 1 };
        let decoded = self.record.iter().map(windows_1252).collect::<Vec<_>>();
        self.record = ByteRecord::from(decoded);
        Ok(())
    }

    fn ragged(&self, expected: usize) -> Error {
        let line = self.record.position().map_or(0, csv::Position::line) + self.lead_lines;
        let got = self.record.len();
        let message = format!("expected {expected} fields, got {got} (line {line})");
        let error = Error::data(Place::source(&self.name).at_row(self.row), message);
        if self.record.as_slice().contains(&b'\n') {
            return error.with_hint("a field spans several lines: is a quote never closed?");
        }
        let advice = match (got > expected, self.row == 0) {
            (true, false) => "a field that contains the delimiter has to be quoted; or name another with [delimiter]",
            (true, true) => "is the first line a title rather than the header, or the [delimiter] another?",
            (false, _) => {
                "is the line cut off, or a comment or total? Remove it, or name another [delimiter] or [comment]"
            }
        };
        error.with_hint(Hint::of(advice))
    }

    fn not_utf8(&self) -> Error {
        let column = self.record.iter().position(|cell| std::str::from_utf8(cell).is_err());
        let mut place = Place::source(&self.name).at_row(self.row);
        place.column = column.and_then(|i| self.schema.fields().get(i)).map(|field| field.name().clone());
        Error::data(place, "expected text in UTF-8, got other bytes").with_hint(Hint::of(OTHER_ENCODING))
    }
}

/// U+FFFD in UTF-8.
const REPLACED: &[u8] = "\u{fffd}".as_bytes();

/// Appends the fields; nothing, and false, unless they are UTF-8.
fn append(record: &ByteRecord, builders: &mut [StringBuilder]) -> bool {
    let Ok(text) = std::str::from_utf8(record.as_slice()) else { return false };
    // A field boundary may lie within a character of the joined text.
    let is_boundary = |i: usize| record.range(i).is_some_and(|range| text.is_char_boundary(range.end));
    if !text.is_ascii() && !(0..builders.len()).all(is_boundary) {
        return false;
    }
    for (i, builder) in builders.iter_mut().enumerate() {
        let cell = &text[record.range(i).expect("a field of the record")];
        // Readers cannot tell an empty field from an empty text in quotes.
        builder.append_option((!cell.is_empty()).then_some(cell));
    }
    true
}

/// The input in UTF-8 or nearly so, with notes on its encoding.
fn decoded(path: &Path, input: Input, opening: &Opening) -> Result<(Input, Encoded, Vec<String>)> {
    let name = &opening.name;
    let (mut input, mut text, mut notes) = (input, Encoded::Utf8 { is_ascii: false }, Vec::new());
    let decode = |input: Input, encoding: Encoding, notes: &mut Vec<String>| {
        notes.push(format!("the text is read as {encoding}"));
        input.decoded(encoding).map_err(|error| Error::read(path, error))
    };
    if let Some(encoding) = opening.source.encoding {
        input = decode(input, encoding, &mut notes)?;
        text = Encoded::Decoded { rows: 0 };
    }
    if input.prefix.contains(&0) {
        let error = Error::data(Place::source(name), "expected delimited text, got binary data");
        return Err(error.with_hint("say which format it is"));
    }
    if let (Some(encoding), None) = (input.encoding, opening.source.encoding) {
        notes.push(format!("the text is read as {encoding}"));
    } else if opening.source.encoding.is_none() {
        match encoding::detect(&input.prefix, input.is_whole()) {
            Detected::Ascii => text = Encoded::Utf8 { is_ascii: true },
            Detected::Utf8 => {}
            Detected::Other(_) if is_binary(&input.prefix) => {
                let error = Error::data(Place::source(name), "expected delimited text, got binary data");
                return Err(error.with_hint("say which format it is"));
            }
            Detected::Other(encoding) => {
                input = decode(input, encoding, &mut notes)?;
                text = Encoded::Decoded { rows: 0 };
            }
        }
    }
    let content = input.prefix.strip_prefix(BOM).unwrap_or(&input.prefix).trim_ascii();
    if content.is_empty() && input.is_whole() {
        return Err(Error::data(Place::source(name), "expected lines of text, got an empty file"));
    }
    let start = content.get(..16).unwrap_or(content).to_ascii_lowercase();
    if [&b"<!doctype"[..], b"<html", b"<?xml", b"<table"].iter().any(|tag| start.starts_with(tag)) {
        let error = Error::data(Place::source(name), "expected delimited text, got a page of HTML or XML");
        return Err(error.with_hint("a page that holds a table can be opened in a spreadsheet and saved as CSV"));
    }
    Ok((input, text, notes))
}

/// Whether control characters say that this is no text.
fn is_binary(prefix: &[u8]) -> bool {
    let is_control = |byte: &&u8| **byte < 0x20 && !matches!(byte, b'\t' | b'\n' | b'\r' | 0x0c | 0x1b);
    prefix.iter().filter(is_control).count() * 100 > prefix.len()
}

pub(super) const OTHER_ENCODING: &str =
    "name the encoding, such as [encoding=windows-1252] or [encoding=gbk], or convert the text: iconv -t UTF-8";

impl Batches for Delimited {
    fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }

    fn notes(&self) -> &[String] {
        &self.notes
    }

    fn hint(&self) -> Option<&Hint> {
        self.hint.as_ref()
    }

    fn warnings(&self) -> Vec<String> {
        match self.text {
            Encoded::Mixed { rows } => {
                vec![format!("{}: {rows} rows that are not UTF-8 were read as windows-1252", self.name)]
            }
            Encoded::Decoded { rows } if rows > 0 => {
                vec![format!("{}: {rows} rows hold characters that the encoding does not have", self.name)]
            }
            _ => Vec::new(),
        }
    }

    fn next_batch(&mut self) -> Option<Result<RecordBatch>> {
        self.fill().transpose()
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::AsArray;

    use crate::data::{Reader, Source, Table};
    use crate::error::Result;

    fn open(bytes: &[u8]) -> Result<Reader> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.csv");
        std::fs::write(&path, bytes).unwrap();
        Source::parse(&[path.display().to_string()])?.open(2, None)
    }

    fn read(bytes: &[u8]) -> Result<Table> {
        open(bytes)?.read_all()
    }

    fn check(text: &str, expected: &str) {
        assert_eq!(shown(&read(text.as_bytes()).unwrap()), expected);
    }

    fn shown(table: &Table) -> String {
        let mut lines = vec![table.names().join("|")];
        for row in 0..table.n_rows() {
            let cells = table.batch().columns().iter().map(|array| array.as_string::<i32>().value(row).to_owned());
            lines.push(cells.collect::<Vec<_>>().join("|"));
        }
        lines.join("/")
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
        let damaged = ["\u{e4},\u{f6}\n1,".as_bytes(), b"\xe4\n"].concat();
        check_error(&damaged, "t.csv, column `\u{f6}`, row 0: expected text in UTF-8, got other bytes");
        check_error(b"\x01\x02\xff\x03\x04,\n", "expected delimited text, got binary data");
        check_error(b"<!DOCTYPE html><html>", "got a page of HTML or XML");
        check_error(b"a\0b", "expected delimited text, got binary data");
        check_error(b"a,b\n1,2\n1,\"x\n2,3\n4,5\n", "t.csv, row 1: a quote is opened and never closed");
        let more = read(b"a,b\n1,2\n1,2,3\n").unwrap_err();
        assert!(more.hint_text().unwrap().starts_with("a field that contains the delimiter has to be quoted"));
        let open = read(b"a,b\n1,2\n\"x,3\n4,5\n").unwrap_err();
        assert_eq!(open.hint_text().as_deref(), Some("a field spans several lines: is a quote never closed?"));
    }

    #[test]
    fn padded_columns_names_of_rows_and_delimiters_at_ends_are_read() {
        check("  t    x\n  0  1.5\n 10  2.5\n", "t|x/0|1.5/10|2.5");
        check("1 1 -0.5  \n1 2 0.25  \n", "column_0|column_1|column_2/1|1|-0.5/1|2|0.25");
        check(
            "  date size\n1 2014-11-09 03:39:31 5\n2 2014-11-09 03:39:32 7\n",
            "column_0|date|size/1|2014-11-09 03:39:31|5/2|2014-11-09 03:39:32|7",
        );
        check("\"x\" \"y\"\n\"a b\" 1 2\n\"c\" 3 4\n", "column_0|x|y/a b|1|2/c|3|4");
        check("a,b\n1,2,\n3,4,\n", "a|b/1|2/3|4");
        check("a,b,\n1,2\n3,4\n", "a|b/1|2/3|4");
        check("a,b\r1,2\r3,4\r", "a|b/1|2/3|4");
    }

    #[test]
    fn names_are_made_unique_and_told() {
        let mut reader = open(b" a,b,a\n1,2,3\n").unwrap();
        assert_eq!(reader.columns(), ["a", "b", "a_2"]);
        assert!(
            reader.notes().iter().any(|note| note.ends_with(": names that occur more than once are numbered: `a_2`"))
        );
        assert!(reader.notes().iter().any(|note| note.ends_with(": blanks around names are left out: ` a`")));
        assert_eq!(reader.read_all().unwrap().n_rows(), 1);
    }

    #[test]
    fn comments_titles_and_units_around_the_header_are_left_out() {
        check("# by x\n\nt,v\ns,m/s\n1,2\n3,4\n5,6\n", "t|v/1|2/3|4/5|6");
        check("# t v\n1,2\n3,4\n", "t|v/1|2/3|4");
        check("My report\nof today\n\nt,v\n1,2\n3,4\n", "t|v/1|2/3|4");
        check_error(b"# x\nt,v\n1,2\n3\n", "row 1: expected 2 fields, got 1 (line 4)");
    }

    #[test]
    fn other_encodings_are_read_and_told() {
        check_bytes(b"gr\xf6\xdfe,x\n\xfc,1\n", "gr\u{f6}\u{df}e|x/\u{fc}|1", "the text is read as windows-1252");
        let utf16 =
            |unit: fn(u16) -> [u8; 2]| "\u{feff}a,\u{e4}\n1,2\n".encode_utf16().flat_map(unit).collect::<Vec<u8>>();
        check_bytes(&utf16(u16::to_le_bytes), "a|\u{e4}/1|2", "the text is read as UTF-16LE");
        check_bytes(&utf16(u16::to_be_bytes), "a|\u{e4}/1|2", "the text is read as UTF-16BE");
        // A byte beyond what is looked at to detect the encoding.
        let late = [b"a,b\n".to_vec(), b"1,2\n".repeat(20_000), b"1,\xb0C\n".to_vec()].concat();
        let mut reader = open(&late).unwrap();
        let table = reader.read_all().unwrap();
        assert_eq!(table.column("b").unwrap().as_string::<i32>().value(20_000), "\u{b0}C");
        assert!(reader.warnings()[0].ends_with("1 rows that are not UTF-8 were read as windows-1252"));
    }

    fn check_bytes(bytes: &[u8], expected: &str, note: &str) {
        let reader = open(bytes).unwrap();
        assert!(reader.notes().iter().any(|told| told.ends_with(note)), "{:?}", reader.notes());
        assert_eq!(shown(&read(bytes).unwrap()), expected);
    }
}
