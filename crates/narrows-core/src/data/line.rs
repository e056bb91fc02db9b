//! Lines of a stream, each read separately as a raw table of one row.
//!
//! A file is read as a whole: its first rows determine columns and types, and a bad row ends reading. A stream cannot
//! wait for more rows and continues after a bad one, so lines are independent except for the
//! column names.

use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, Float64Array, StringArray};
use csv::ByteRecord;

use super::blanks::Blanks;
use super::conform::conform;
use super::delimited::OTHER_ENCODING;
use super::delimiter::Delimiter;
use super::json_row::JsonCell;
use super::json_rows::row_of;
use super::names::Names;
use super::schema::Schema;
use super::table::Table;
use crate::error::{Error, Hint, Place, Result};

const BOM: &[u8] = b"\xef\xbb\xbf";

/// Parses the lines of a stream.
///
/// ```
/// use narrows_core::data::LineReader;
/// let lines = LineReader::json(vec!["t".to_owned(), "x".to_owned()], "stdin");
/// let row = lines.read(br#"{"x": 2.5, "note": "ok"}"#, 17)?.expect("a line with something in it");
/// assert_eq!(row.names(), ["x", "note", "t"]);
/// assert_eq!((row.n_rows(), row.first_row()), (1, 17));
/// assert!(lines.read(b"{\"x\": ", 18).is_err());
/// # Ok::<(), narrows_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct LineReader {
    form: LineForm,
    columns: Vec<String>,
    source: String,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum LineForm {
    Json,
    Delimited(Delimiter),
}

impl LineReader {
    /// For lines that are JSON objects. If a line lacks the key of one of these columns, its cell is missing.
    pub fn json(columns: Vec<String>, source: &str) -> LineReader {
        LineReader { form: LineForm::Json, columns, source: source.to_owned() }
    }

    /// For delimited lines, the first of which is the header. Fields cannot contain line breaks.
    ///
    /// # Errors
    /// [`Error::Mismatch`] if a column of `schema` is missing; [`Error::Data`] for bytes that are not text.
    pub fn delimited(header: &[u8], delimiter: Delimiter, schema: &Schema, source: &str) -> Result<LineReader> {
        let names = fields(without_end(header.strip_prefix(BOM).unwrap_or(header)), delimiter)
            .ok_or_else(|| Error::data(Place::source(source), UNCLOSED))?;
        let names = std::str::from_utf8(names.as_slice()).map(|_| names.iter().map(String::from_utf8_lossy));
        let names = names.map_err(|_| {
            let error = Error::data(Place::source(source), "expected column names in UTF-8, got other bytes");
            error.with_hint(Hint::of(OTHER_ENCODING))
        })?;
        let columns = Names::of(names).names;
        let none = || Arc::new(StringArray::new_null(0)) as ArrayRef;
        conform(Table::from_arrays(columns.iter().map(|name| (name.clone(), none())).collect(), source)?, schema)?;
        Ok(LineReader { form: LineForm::Delimited(delimiter), columns, source: source.to_owned() })
    }

    /// The column names known before a line is read.
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// The line as a table of one row with number `row`; `None` for a blank line.
    ///
    /// # Errors
    /// [`Error::Data`] for a malformed line; later lines are not affected.
    pub fn read(&self, line: &[u8], row: u64) -> Result<Option<Table>> {
        let line = without_end(if row == 0 { line.strip_prefix(BOM).unwrap_or(line) } else { line });
        let columns = match self.form {
            LineForm::Json if line.trim_ascii().is_empty() => return Ok(None),
            LineForm::Delimited(_) if line.is_empty() => return Ok(None),
            LineForm::Json => self.json_cells(line.trim_ascii(), row)?,
            LineForm::Delimited(delimiter) => self.delimited_cells(line, delimiter, row)?,
        };
        let table = Table::from_arrays(columns, &self.source)?;
        Ok(Some(Table::new(table.batch().clone(), self.source.as_str(), row)))
    }

    fn json_cells(&self, line: &[u8], row: u64) -> Result<Vec<(String, ArrayRef)>> {
        let mut cells = row_of(line, &self.source, row)?;
        let is_list = |(key, cell): &&(String, JsonCell)| *cell == JsonCell::List && self.columns.contains(key);
        if let Some((key, cell)) = cells.iter().find(is_list) {
            let message = format!("expected a number, text, true, false or null, got {}", cell.describe());
            return Err(Error::data(Place::cell(key, row).of(&self.source), message));
        }
        cells.retain(|(_, cell)| *cell != JsonCell::List);
        let mut columns: Vec<(String, ArrayRef)> = cells.into_iter().map(|(key, cell)| (key, array_of(cell))).collect();
        for name in &self.columns {
            if !columns.iter().any(|(key, _)| key == name) {
                columns.push((name.clone(), array_of(JsonCell::Null)));
            }
        }
        Ok(columns)
    }

    fn delimited_cells(&self, line: &[u8], delimiter: Delimiter, row: u64) -> Result<Vec<(String, ArrayRef)>> {
        let place = || Place::source(&self.source).at_row(row);
        let record = fields(line, delimiter).ok_or_else(|| Error::data(place(), UNCLOSED))?;
        if record.len() != self.columns.len() {
            let message = format!("expected {} fields, got {}", self.columns.len(), record.len());
            return Err(Error::data(place(), message));
        }
        let cell = |(name, bytes): (&String, &[u8])| {
            let text = std::str::from_utf8(bytes).map_err(|_| {
                let place = Place::cell(name, row).of(&self.source);
                Error::data(place, "expected text in UTF-8, got other bytes").with_hint(Hint::of(OTHER_ENCODING))
            })?;
            Ok((name.clone(), Arc::new(StringArray::from(vec![text])) as ArrayRef))
        };
        self.columns.iter().zip(&record).map(cell).collect()
    }
}

const UNCLOSED: &str = "a quote is opened and not closed in the same line";

/// The line without its terminator.
fn without_end(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}

/// The fields of one line; `None` if a quote is not closed.
fn fields(line: &[u8], delimiter: Delimiter) -> Option<ByteRecord> {
    // Within an open quote the line terminator becomes part of the last field.
    let text = [line, b"\n"].concat();
    let mut builder = csv::ReaderBuilder::new();
    builder.has_headers(false).flexible(true).delimiter(delimiter.byte()).buffer_capacity(text.len());
    let mut record = ByteRecord::new();
    let read = match delimiter.least_blanks() {
        None => builder.from_reader(text.as_slice()).read_byte_record(&mut record),
        Some(least) => builder.from_reader(Blanks::new(text.as_slice(), least)).read_byte_record(&mut record),
    };
    read.expect("memory is read, rows may be ragged");
    let is_open = record.iter().next_back().is_some_and(|field| field.ends_with(b"\n"));
    (!is_open).then_some(record)
}

/// A column of one cell.
fn array_of(cell: JsonCell) -> ArrayRef {
    match cell {
        JsonCell::Null | JsonCell::List => Arc::new(StringArray::new_null(1)),
        JsonCell::Number(x) => Arc::new(Float64Array::from(vec![x])),
        JsonCell::Flag(flag) => Arc::new(BooleanArray::from(vec![flag])),
        JsonCell::Word(word) => Arc::new(StringArray::from(vec![word])),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Column, ColumnKind};

    fn schema() -> Schema {
        let columns = ["t", "x"].map(|name| Column::new(name, ColumnKind::Numeric));
        Schema { columns: columns.to_vec() }
    }

    fn json() -> LineReader {
        LineReader::json(vec!["t".to_owned(), "x".to_owned()], "stdin")
    }

    /// Names and cells of the row, or the error.
    fn check(lines: &LineReader, line: &[u8], expected: &str) {
        use arrow::util::display::array_value_to_string;
        let shown = |table: Table| {
            let cells = table
                .names()
                .into_iter()
                .map(|name| format!("{name}={}", array_value_to_string(table.column(name).unwrap(), 0).unwrap()));
            cells.collect::<Vec<_>>().join(" ")
        };
        let got = match lines.read(line, 7) {
            Ok(table) => table.map_or("blank".to_owned(), shown),
            Err(error) => error.to_string(),
        };
        assert_eq!(got, expected);
    }

    #[test]
    fn an_object_is_a_row_and_what_it_lacks_is_missing() {
        check(&json(), b"{\"x\":1.5,\"t\":3}\r\n", "x=1.5 t=3.0");
        check(&json(), b"{\"x\":\"one\",\"ok\":true}", "x=one ok=true t=");
        check(&json(), b" \t\n", "blank");
    }

    #[test]
    fn what_is_no_object_is_refused_with_its_row() {
        check(&json(), b"{\"x\":1,\"x\":2}", "stdin, column `x`, row 7: the key occurs more than once");
        check(&json(), b"7", "stdin, row 7: invalid type: integer `7`, expected a JSON object");
        check(
            &json(),
            b"{\"x\":[1]}",
            "stdin, column `x`, row 7: expected a number, text, true, false or null, got an array",
        );
        assert!(json().read(b"{\"x\":1} {", 0).is_err());
        assert!(json().read(b"\xff\xfe", 0).is_err());
    }

    #[test]
    fn fields_have_the_names_of_the_first_line() {
        let lines =
            LineReader::delimited(b"\xef\xbb\xbft, x,\"a,b\"\r\n", Delimiter::Byte(b','), &schema(), "s.csv").unwrap();
        assert_eq!(lines.columns(), ["t", "x", "a,b"]);
        check(&lines, b"1,2,\"say \"\"so\"\"\"\n", "t=1 x=2 a,b=say \"so\"");
        check(&lines, b",,", "t= x= a,b=");
        check(&lines, b"\r\n", "blank");
        check(&lines, b"1,2", "s.csv, row 7: expected 3 fields, got 2");
        check(&lines, b"1,2,\"open", "s.csv, row 7: a quote is opened and not closed in the same line");
        check(&lines, b"1,2,\xff", "s.csv, column `a,b`, row 7: expected text in UTF-8, got other bytes");
        let refused = |header: &[u8]| {
            LineReader::delimited(header, Delimiter::Byte(b','), &schema(), "s.csv").unwrap_err().to_string()
        };
        assert_eq!(refused(b"t,t"), "s.csv: column `x` missing");
        let padded = LineReader::delimited(b" t  x  x", Delimiter::Whitespace, &schema(), "s.txt").unwrap();
        check(&padded, b"1   2 3 \n", "t=1 x=2 x_2=3");
        assert_eq!(refused(b"t,y"), "s.csv: column `x` missing");
    }
}
