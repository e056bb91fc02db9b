//! JSON lines: one object per line.
//!
//! The first lines determine keys and types; later cells of another type are errors with row and column. All numbers
//! become 64-bit floats.

use std::collections::{HashMap, HashSet};
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanBuilder, Float64Builder, NullArray, RecordBatch, RecordBatchOptions, StringBuilder,
};
use arrow::datatypes::{DataType, Field, Schema as ArrowSchema, SchemaRef};
use serde::de::Deserializer;
use serde_json::error::Category;

use super::input::Input;
use super::json_row::{JsonCell, JsonRow, RowVisitor};
use super::limits::{BATCH_BYTES, ReadLimits, check_columns};
use super::reader::{Batches, Opening};
use crate::error::{Error, Place, Result};

/// Rows read to determine keys and types.
const LOOK: usize = 1000;

/// A file of JSON lines being read.
pub(crate) struct Ndjson {
    lines: Lines,
    columns: Vec<JsonKind>,
    index: HashMap<String, usize>,
    schema: SchemaRef,
    notes: Vec<String>,
    /// Rows read ahead for the schema but not returned yet.
    ahead: std::vec::IntoIter<JsonRow>,
    batch_rows: usize,
}

/// The type of a column; `Null` until a value is seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum JsonKind {
    Null,
    Number,
    Flag,
    Word,
}

impl Ndjson {
    /// Reads the first lines and determines the columns. Keys outside `wanted`, if given, are ignored.
    pub(crate) fn open(_path: &Path, input: Input, opening: &Opening) -> Result<Ndjson> {
        let mut lines = Lines {
            reader: BufReader::with_capacity(1 << 18, input.into_stream()),
            buffer: Vec::new(),
            name: opening.name.clone(),
            row: opening.first_row,
            limits: opening.source.limits,
            read: 0,
        };
        let wanted = |key: &str| opening.wanted.is_none_or(|schema| schema.get(key).is_some());
        let (mut names, mut columns): (Vec<String>, Vec<JsonKind>) = (Vec::new(), Vec::new());
        let mut index: HashMap<String, usize> = HashMap::new();
        let mut ahead = Vec::new();
        // Fewer rows if they are long: they stay in memory.
        while ahead.len() < LOOK && lines.read < BATCH_BYTES as u64 {
            let Some(row) = lines.next_row()? else { break };
            for (key, cell) in &row {
                let column = *index.entry(key.clone()).or_insert_with(|| {
                    if !wanted(key) {
                        return SKIPPED;
                    }
                    names.push(key.clone());
                    columns.push(JsonKind::Null);
                    columns.len() - 1
                });
                if column != SKIPPED {
                    columns[column] =
                        columns[column].with(cell).ok_or_else(|| lines.retyped(key, columns[column], cell))?;
                }
            }
            check_columns(&opening.name, index.len())?;
            ahead.push(row);
        }
        if ahead.is_empty() {
            return Err(Error::data(Place::source(&opening.name), "expected lines of JSON, got an empty file"));
        }
        let fields: Vec<Field> =
            names.iter().zip(&columns).map(|(name, kind)| Field::new(name, kind.data_type(), true)).collect();
        Ok(Ndjson {
            lines,
            columns,
            index,
            schema: Arc::new(ArrowSchema::new(fields)),
            notes: vec![format!("{}: {} columns, from the first {} rows", opening.name, names.len(), ahead.len())],
            ahead: ahead.into_iter(),
            batch_rows: opening.batch_rows.max(1),
        })
    }

    fn fill(&mut self) -> Result<Option<RecordBatch>> {
        let mut builders: Vec<Builder> = self.columns.iter().map(|kind| Builder::new(*kind)).collect();
        let (mut rows, begin) = (0, self.lines.read);
        while rows < self.batch_rows && self.lines.read - begin < BATCH_BYTES as u64 {
            let row = match self.ahead.next() {
                Some(row) => row,
                None => match self.lines.next_row()? {
                    Some(row) => row,
                    None => break,
                },
            };
            for (key, cell) in &row {
                match self.index.get(key) {
                    Some(&SKIPPED) => {}
                    Some(&column) => builders[column]
                        .push(rows, cell)
                        .ok_or_else(|| self.lines.retyped(key, self.columns[column], cell))?,
                    None => return Err(self.lines.new_key(key)),
                }
            }
            rows += 1;
        }
        if rows == 0 {
            return Ok(None);
        }
        let arrays = builders.into_iter().map(|builder| builder.finish(rows)).collect();
        // Objects without keys are rows too.
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        let batch = RecordBatch::try_new_with_options(self.schema.clone(), arrays, &options);
        Ok(Some(batch.expect("columns of equal length")))
    }
}

/// The index of an ignored key.
const SKIPPED: usize = usize::MAX;

impl Batches for Ndjson {
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

struct Lines {
    reader: BufReader<Box<dyn Read + Send>>,
    buffer: Vec<u8>,
    name: String,
    /// Number of the next row over all files.
    row: u64,
    limits: ReadLimits,
    /// Bytes read so far.
    read: u64,
}

impl Lines {
    fn next_row(&mut self) -> Result<Option<JsonRow>> {
        loop {
            self.buffer.clear();
            let most = self.limits.max_line_bytes as u64;
            let read = self.reader.by_ref().take(most.saturating_add(1)).read_until(b'\n', &mut self.buffer);
            let read = read.map_err(|error| Error::read(&self.name, error))? as u64;
            if read == 0 {
                return Ok(None);
            }
            self.read += read;
            if read > most && self.buffer.last() != Some(&b'\n') {
                return Err(self.limits.long_line(Place::source(&self.name).at_row(self.row)));
            }
            let line = self.buffer.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&self.buffer).trim_ascii();
            if line.is_empty() {
                continue;
            }
            let row = row_of(line, &self.name, self.row)?;
            self.row += 1;
            return Ok(Some(row));
        }
    }

    fn place(&self, key: &str, row: u64) -> Place {
        Place::cell(key, row).of(&self.name)
    }

    fn retyped(&self, key: &str, kind: JsonKind, cell: &JsonCell) -> Error {
        let message = format!("expected {} as in the rows before, got {}", kind.describe(), cell.describe());
        Error::data(self.place(key, self.row.saturating_sub(1)), message)
    }

    fn new_key(&self, key: &str) -> Error {
        let message = format!("a new key, which none of the first {LOOK} rows has");
        Error::data(self.place(key, self.row.saturating_sub(1)), message).with_hint("write it as null in an early row")
    }
}

/// The next non-blank line as keys and cells; `row` is its number over all files.
pub(super) fn row_of(line: &[u8], source: &str, row: u64) -> Result<JsonRow> {
    let mut json = serde_json::Deserializer::from_slice(line);
    let cells = json.deserialize_any(RowVisitor).and_then(|cells| json.end().map(|()| cells));
    let cells = cells.map_err(|error| not_json(line, &error, Place::source(source).at_row(row)))?;
    let mut keys = HashSet::with_capacity(cells.len());
    if let Some((key, _)) = cells.iter().find(|(key, _)| !keys.insert(key.as_str())) {
        return Err(Error::data(Place::cell(key, row).of(source), "the key occurs more than once"));
    }
    drop(keys);
    Ok(cells)
}

fn not_json(line: &[u8], error: &serde_json::Error, place: Place) -> Error {
    let message = match error.classify() {
        // Our own message, to which serde_json appends a position within the line.
        Category::Data => error.to_string().split(" at line ").next().unwrap_or_default().to_owned(),
        _ => format!("expected a JSON object, got an error at character {}: {error}", error.column()),
    };
    let error = Error::data(place, message);
    let holds = |word: &[u8]| line.windows(word.len()).any(|part| part == word);
    if line.starts_with(b"[") {
        error.with_hint("a JSON array: write one object a line instead (jq -c '.[]')")
    } else if holds(b"NaN") || holds(b"Infinity") {
        error.with_hint("NaN and Infinity are not JSON: write null for a missing number")
    } else {
        error
    }
}

impl JsonKind {
    fn with(self, cell: &JsonCell) -> Option<JsonKind> {
        let kind = match cell {
            JsonCell::Null => return Some(self),
            JsonCell::Number(_) => JsonKind::Number,
            JsonCell::Flag(_) => JsonKind::Flag,
            JsonCell::Word(_) => JsonKind::Word,
        };
        (self == JsonKind::Null || self == kind).then_some(kind)
    }

    fn data_type(self) -> DataType {
        match self {
            JsonKind::Null => DataType::Null,
            JsonKind::Number => DataType::Float64,
            JsonKind::Flag => DataType::Boolean,
            JsonKind::Word => DataType::Utf8,
        }
    }

    fn describe(self) -> &'static str {
        match self {
            JsonKind::Null => "null",
            JsonKind::Number => "a number",
            JsonKind::Flag => "true or false",
            JsonKind::Word => "text",
        }
    }
}

enum Builder {
    Null,
    Number(Float64Builder),
    Flag(BooleanBuilder),
    Word(StringBuilder),
}

impl Builder {
    fn new(kind: JsonKind) -> Builder {
        match kind {
            JsonKind::Null => Builder::Null,
            // Without room for a thousand cells, which many columns would fill the memory with.
            JsonKind::Number => Builder::Number(Float64Builder::with_capacity(0)),
            JsonKind::Flag => Builder::Flag(BooleanBuilder::with_capacity(0)),
            JsonKind::Word => Builder::Word(StringBuilder::with_capacity(0, 0)),
        }
    }

    /// Writes the cell of row `row`; rows before it without this key are missing. `None` for a cell of another type.
    fn push(&mut self, row: usize, cell: &JsonCell) -> Option<()> {
        if *cell == JsonCell::Null {
            return Some(());
        }
        self.pad(row);
        match (self, cell) {
            (Builder::Number(builder), JsonCell::Number(x)) => builder.append_value(*x),
            (Builder::Flag(builder), JsonCell::Flag(flag)) => builder.append_value(*flag),
            (Builder::Word(builder), JsonCell::Word(word)) => builder.append_value(word),
            _ => return None,
        }
        Some(())
    }

    fn pad(&mut self, rows: usize) {
        use arrow::array::ArrayBuilder;
        match self {
            Builder::Null => {}
            Builder::Number(builder) => builder.append_nulls(rows - builder.len()),
            Builder::Flag(builder) => builder.append_nulls(rows - builder.len()),
            Builder::Word(builder) => (builder.len()..rows).for_each(|_| builder.append_null()),
        }
    }

    fn finish(mut self, rows: usize) -> ArrayRef {
        self.pad(rows);
        match self {
            Builder::Null => Arc::new(NullArray::new(rows)),
            Builder::Number(mut builder) => Arc::new(builder.finish()),
            Builder::Flag(mut builder) => Arc::new(builder.finish()),
            Builder::Word(mut builder) => Arc::new(builder.finish()),
        }
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::{Array, AsArray};
    use arrow::datatypes::Float64Type;

    use crate::data::{Source, Table};
    use crate::error::Result;

    fn read(text: &str) -> Result<Table> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.ndjson");
        std::fs::write(&path, text).unwrap();
        Source::parse(&[path.display().to_string()])?.open(2, None)?.read_all()
    }

    fn check_error(text: &str, expected: &str) {
        let error = read(text).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }

    #[test]
    fn keys_are_joined_over_rows_and_absent_ones_are_missing() {
        let table = read("{\"a\":1,\"b\":\"x\"}\n\n{\"c\":true,\"a\":2.5}\n{\"a\":null,\"b\":\"\\u00e4\"}").unwrap();
        assert_eq!((table.n_rows(), table.names()), (3, vec!["a", "b", "c"]));
        let a = table.column("a").unwrap();
        assert_eq!((a.as_primitive::<Float64Type>().value(1), a.is_null(2)), (2.5, true));
        let b = table.column("b").unwrap();
        assert_eq!((b.is_null(1), b.as_string::<i32>().value(2)), (true, "ä"));
        assert!(table.column("c").unwrap().is_null(0));
    }

    #[test]
    fn objects_without_keys_are_rows_without_cells() {
        let table = read("{}\n{}\n{}").unwrap();
        assert_eq!((table.n_rows(), table.names().len()), (3, 0));
    }

    #[test]
    fn a_line_without_end_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.ndjson");
        std::fs::write(&path, format!("{{\"a\":1}}\n{{\"a\":{}", "1".repeat(2000))).unwrap();
        let mut source = Source::parse(&[path.display().to_string()]).unwrap();
        source.limits.max_line_bytes = 1000;
        let error = source.open(2, None).err().unwrap().to_string();
        assert!(error.contains("row 1: expected a line of at most 1000 bytes"), "{error}");
    }

    #[test]
    fn bad_lines_are_refused_with_row_and_column() {
        check_error("", "expected lines of JSON, got an empty file");
        check_error(
            "{\"a\":1}\n{\"a\":\"x\"}\n",
            "column `a`, row 1: expected a number as in the rows before, got the text `x`",
        );
        let late: String = (0..1500).map(|i| if i == 1200 { "{\"a\":true}\n" } else { "{\"a\":1}\n" }).collect();
        check_error(&late, "column `a`, row 1200: expected a number as in the rows before, got true");
        check_error(&late.replace("{\"a\":true}", "{\"b\":1}"), "column `b`, row 1200: a new key");
        check_error("{\"a\":1}\n{\"a\":[1]}\n", "row 1: key `a`: nested values cannot be read");
        check_error("{\"a\":{\"b\":1}}\n", "got an object");
        check_error("{\"a\":1,\"a\":2}\n", "column `a`, row 0: the key occurs more than once");
        check_error("{\"a\":NaN}\n", "row 0: expected a JSON object, got an error at character");
        check_error("{\"a\":1}\n7\n", "row 1: invalid type: integer `7`, expected a JSON object");
        assert!(read("{\"a\":NaN}").unwrap_err().hint_text().unwrap().contains("null"));
        assert!(read("[{\"a\":1}]").is_err());
    }
}
