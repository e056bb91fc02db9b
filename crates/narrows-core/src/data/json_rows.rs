//! The rows of a JSON file, whatever its layout.
//!
//! Objects one a line are read line by line; other layouts are cut into values first. A file of one value may be a
//! document that holds the whole table.

use std::collections::HashSet;
use std::io::{BufRead, BufReader, Read};

use serde::de::Deserializer;
use serde_json::error::Category;

use super::input::Input;
use super::json_document::Json;
use super::json_row::{JsonCell, JsonRow, RowVisitor};
use super::json_values::JsonValues;
use super::limits::ReadLimits;
use crate::error::{Error, Place, Result};

const BOM: &[u8] = b"\xef\xbb\xbf";

/// Rows being read.
pub(super) struct JsonRows {
    layout: JsonLayout,
    name: String,
    /// Number of the next row over all files.
    row: u64,
    note: Option<String>,
    not_json: u64,
    limits: ReadLimits,
    /// Bytes read so far.
    read: u64,
}

type JsonStream = BufReader<Box<dyn Read + Send>>;

enum JsonLayout {
    Lines {
        reader: JsonStream,
        buffer: Vec<u8>,
    },
    /// Values, the first of which was read to see whether it is the only one.
    Values {
        values: JsonValues<JsonStream>,
        ahead: std::vec::IntoIter<Vec<u8>>,
    },
    Document(std::vec::IntoIter<JsonRow>),
}

impl JsonRows {
    /// Detects the layout.
    pub(super) fn open(input: Input, name: &str, first_row: u64, limits: ReadLimits) -> Result<JsonRows> {
        let prefix = input.prefix.strip_prefix(BOM).unwrap_or(&input.prefix).trim_ascii_start();
        let is_array = prefix.starts_with(b"[");
        let mut lines = prefix.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii).filter(|line| !line.is_empty());
        let (first, second) = (lines.next().unwrap_or_default(), lines.next());
        let is_whole = |line: &[u8]| serde_json::from_slice::<serde::de::IgnoredAny>(line).is_ok();
        // Objects one a line, the first of which may have an error to be told.
        let is_lines = !prefix.starts_with(b"{") || (second.is_some() && (is_whole(first) || first.ends_with(b"}")));
        let reader = BufReader::with_capacity(1 << 18, input.into_stream());
        let mut rows = JsonRows {
            layout: JsonLayout::Document(Vec::new().into_iter()),
            name: name.to_owned(),
            row: first_row,
            note: None,
            not_json: 0,
            limits,
            read: 0,
        };
        if is_lines && !is_array {
            rows.layout = JsonLayout::Lines { reader, buffer: Vec::new() };
            return Ok(rows);
        }
        let mut values = JsonValues::new(reader, is_array, limits.max_line_bytes);
        let mut ahead = Vec::new();
        while ahead.len() < 2 {
            match values.next_value().map_err(|error| rows.unreadable(&error))? {
                Some(value) => ahead.push(value.to_vec()),
                None => break,
            }
        }
        let document = match (is_array, ahead.as_slice()) {
            (false, [only]) => serde_json::from_slice::<Json>(only).ok().map_or(Ok(None), Json::rows),
            (true, [first, ..]) if first.starts_with(b"[") => {
                let mut items = Vec::new();
                let mut left = limits.max_line_bytes.saturating_mul(4);
                let mut push = |value: &[u8]| {
                    left = left.checked_sub(value.len()).ok_or_else(|| limits.long_line(Place::source(name)))?;
                    let json = serde_json::from_slice::<Json>(value);
                    items.push(json.map_err(|error| Error::data(Place::source(name), error.to_string()))?);
                    Ok::<(), Error>(())
                };
                ahead.iter().try_for_each(|value| push(value))?;
                while let Some(value) = values.next_value().map_err(|error| rows.unreadable(&error))? {
                    push(value)?;
                }
                Json::List(items).rows()
            }
            _ => Ok(None),
        };
        let document = document.map_err(|message| Error::data(Place::source(name), message))?;
        rows.layout = match document {
            Some(document) => {
                rows.note = Some(document.note);
                JsonLayout::Document(document.rows.into_iter())
            }
            None => JsonLayout::Values { values, ahead: ahead.into_iter() },
        };
        Ok(rows)
    }

    /// How a document was read.
    pub(super) fn note(&self) -> Option<&str> {
        self.note.as_deref()
    }

    /// Rows so far with NaN or infinite numbers, which are not JSON.
    pub(super) fn not_json(&self) -> u64 {
        self.not_json
    }

    /// Bytes read so far.
    pub(super) fn read(&self) -> u64 {
        self.read
    }

    pub(super) fn next_row(&mut self) -> Result<Option<JsonRow>> {
        let (name, row) = (self.name.as_str(), self.row);
        let (cells, is_json) = match &mut self.layout {
            JsonLayout::Lines { reader, buffer } => {
                let longest = self.limits.max_line_bytes;
                let Some(line) = next_line(reader, buffer, longest).map_err(|error| Error::read(name, error))? else {
                    return Ok(None);
                };
                if line.len() > longest {
                    return Err(self.limits.long_line(Place::source(name).at_row(row)));
                }
                self.read += line.len() as u64;
                lenient_row(line, name, row)?
            }
            JsonLayout::Values { values, ahead } => match ahead.next() {
                Some(value) => lenient_row(&value, name, row)?,
                None => match values.next_value() {
                    Ok(Some(value)) => {
                        self.read += value.len() as u64;
                        lenient_row(value, name, row)?
                    }
                    Ok(None) => return Ok(None),
                    Err(error) => return Err(self.unreadable(&error)),
                },
            },
            JsonLayout::Document(rows) => match rows.next() {
                Some(cells) => (checked(cells, name, row)?, true),
                None => return Ok(None),
            },
        };
        self.not_json += u64::from(!is_json);
        self.row += 1;
        Ok(Some(cells))
    }

    fn unreadable(&self, error: &std::io::Error) -> Error {
        if error.kind() == std::io::ErrorKind::FileTooLarge {
            return self.limits.long_line(Place::source(&self.name).at_row(self.row));
        }
        Error::data(Place::source(&self.name).at_row(self.row), error.to_string())
    }
}

/// The next line that is not blank, or more than `longest` bytes of it.
fn next_line<'a>(
    reader: &mut JsonStream,
    buffer: &'a mut Vec<u8>,
    longest: usize,
) -> std::io::Result<Option<&'a [u8]>> {
    loop {
        buffer.clear();
        // Room for the end of the line.
        if reader.by_ref().take(longest.saturating_add(3) as u64).read_until(b'\n', buffer)? == 0 {
            return Ok(None);
        }
        if !buffer.strip_prefix(BOM).unwrap_or(buffer).trim_ascii().is_empty() {
            return Ok(Some(buffer.strip_prefix(BOM).unwrap_or(buffer).trim_ascii()));
        }
    }
}

/// One object as keys and cells; `row` is its number over all files.
pub(super) fn row_of(line: &[u8], source: &str, row: u64) -> Result<JsonRow> {
    Ok(lenient_row(line, source, row)?.0)
}

/// As [`row_of`], and whether it is JSON: programs write NaN and Infinity as well.
fn lenient_row(line: &[u8], source: &str, row: u64) -> Result<(JsonRow, bool)> {
    match parsed(line) {
        Ok(cells) => Ok((checked(cells, source, row)?, true)),
        Err(error) => {
            let place = || Place::source(source).at_row(row);
            let text = with_null_for_nan(line).ok_or_else(|| not_json(line, &error, place()))?;
            let mut cells = parsed(&text).map_err(|_| not_json(line, &error, place()))?;
            for (_, cell) in &mut cells {
                match cell {
                    JsonCell::Word(word) if word == "Infinity" => *cell = JsonCell::Number(f64::INFINITY),
                    JsonCell::Word(word) if word == "-Infinity" => *cell = JsonCell::Number(f64::NEG_INFINITY),
                    _ => {}
                }
            }
            Ok((checked(cells, source, row)?, false))
        }
    }
}

fn parsed(line: &[u8]) -> serde_json::Result<JsonRow> {
    let mut json = serde_json::Deserializer::from_slice(line);
    json.deserialize_any(RowVisitor).and_then(|cells| json.end().map(|()| cells))
}

fn checked(cells: JsonRow, source: &str, row: u64) -> Result<JsonRow> {
    let mut keys = HashSet::with_capacity(cells.len());
    if let Some((key, _)) = cells.iter().find(|(key, _)| !keys.insert(key.as_str())) {
        return Err(Error::data(Place::cell(key, row).of(source), "the key occurs more than once"));
    }
    drop(keys);
    Ok(cells)
}

/// JSON with null for NaN and text for infinite numbers, which programs write and JSON does not have; `None` without
/// either outside of text.
pub fn with_null_for_nan(line: &[u8]) -> Option<Vec<u8>> {
    const WORDS: [(&[u8], &[u8]); 3] =
        [(b"NaN", b"null"), (b"-Infinity", b"\"-Infinity\""), (b"Infinity", b"\"Infinity\"")];
    let mut text = Vec::with_capacity(line.len() + 16);
    let (mut in_text, mut is_escaped, mut is_changed) = (false, false, false);
    let mut rest = line;
    while let Some((byte, after)) = rest.split_first() {
        let word = WORDS.iter().find(|(word, _)| !in_text && rest.starts_with(word));
        if let Some((word, instead)) = word {
            text.extend_from_slice(instead);
            rest = &rest[word.len()..];
            is_changed = true;
            continue;
        }
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' if in_text => is_escaped = true,
            b'"' => in_text = !in_text,
            _ => {}
        }
        text.push(*byte);
        rest = after;
    }
    is_changed.then_some(text)
}

fn not_json(line: &[u8], error: &serde_json::Error, place: Place) -> Error {
    let message = match error.classify() {
        // Our own message, to which serde_json appends a position within the line.
        Category::Data => error.to_string().split(" at line ").next().unwrap_or_default().to_owned(),
        _ => format!("expected a JSON object, got an error at character {}: {error}", error.column()),
    };
    let error = Error::data(place, message);
    if line.starts_with(b"[") {
        error.with_hint("write one object a line instead of an array (jq -c '.[]')")
    } else {
        error
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nan_and_infinity_are_read_outside_of_text() {
        let row = row_of(br#"{"a":NaN,"b":-Infinity,"c":"NaN \" NaN","d":[NaN]}"#, "t", 0).unwrap();
        let shown: Vec<String> = row.iter().map(|(key, cell)| format!("{key}: {}", cell.describe())).collect();
        assert_eq!(shown, ["a: null", "b: the number -inf", "c: the text `NaN \" NaN`", "d: an array"]);
        assert!(row_of(b"{\"a\":NaNa}", "t", 0).is_err());
    }
}
