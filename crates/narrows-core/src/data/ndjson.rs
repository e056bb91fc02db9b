//! JSON: one object per line, an array of objects, or a document that holds a table.
//!
//! The first rows determine keys and types; later cells of another type are errors with row and column. All numbers
//! become 64-bit floats.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions};
use arrow::datatypes::{Field, Schema as ArrowSchema, SchemaRef};

use super::input::Input;
use super::json_column::{JsonColumn, JsonKind};
use super::json_row::{JsonCell, JsonRow};
use super::json_rows::JsonRows;
use super::json_typed::TypedColumn;
use super::limits::{BATCH_BYTES, check_columns};
use super::reader::{Batches, Opening};
use super::schema::listed;
use super::source::TypesRead;
use crate::error::{Error, Place, Result};

/// Rows read to determine keys and types.
const LOOK: usize = 1000;

/// Late keys that are told by name.
const MOST_LATE: usize = 100;
/// Keys that are not wanted and kept by name.
const MOST_UNREAD: usize = 10_000;

/// A file of JSON being read.
pub(crate) struct Ndjson {
    rows: JsonRows,
    columns: Vec<JsonKind>,
    index: HashMap<String, usize>,
    schema: SchemaRef,
    notes: Vec<String>,
    /// The warning about columns that are left out.
    left_out: Option<String>,
    name: String,
    /// Rows read ahead for the schema but not returned yet.
    ahead: std::vec::IntoIter<JsonRow>,
    batch_rows: usize,
    /// Number of the next row to return, over all files.
    row: u64,
    /// The names that are wanted, without blanks around them; `None` if all are.
    wanted: Option<HashSet<String>>,
    /// Keys that no row had when the columns were determined, with the number of their rows.
    late: BTreeMap<String, u64>,
    /// For each column what it is known to be, if that is asked for; else the rows decide.
    typed: Vec<TypedColumn>,
    /// Keys that are not wanted.
    unread: Vec<String>,
}

impl Ndjson {
    /// Reads the first rows and determines the columns. Keys outside `wanted`, if given, are ignored.
    pub(crate) fn open(path: &Path, input: Input, opening: &Opening) -> Result<Ndjson> {
        let input = match opening.source.encoding {
            Some(encoding) => input.decoded(encoding).map_err(|error| Error::read(path, error))?,
            None => input,
        };
        let mut rows = JsonRows::open(input, &opening.name, opening.first_row, opening.source.limits)?;
        let wanted = |key: &str| opening.wanted.is_none_or(|schema| schema.wants(key));
        let known = opening.wanted.filter(|_| opening.source.types == TypesRead::Wanted);
        let (mut typed, mut unread): (Vec<TypedColumn>, Vec<String>) = (Vec::new(), Vec::new());
        let (mut names, mut columns): (Vec<String>, Vec<JsonKind>) = (Vec::new(), Vec::new());
        let mut index: HashMap<String, usize> = HashMap::new();
        let (mut ahead, mut mixed): (Vec<JsonRow>, Vec<usize>) = (Vec::new(), Vec::new());
        // Fewer rows if they are long: they stay in memory.
        while ahead.len() < LOOK && rows.read() < BATCH_BYTES as u64 {
            let Some(row) = rows.next_row()? else { break };
            for (key, cell) in &row {
                let column = match index.get(key) {
                    Some(column) => *column,
                    None => {
                        let column = if wanted(key) { names.len() } else { SKIPPED };
                        if column == SKIPPED {
                            unread.push(key.clone());
                        } else {
                            names.push(key.clone());
                            columns.push(JsonKind::Null);
                            typed.extend(known.and_then(|schema| schema.wanted(key)).map(TypedColumn::new));
                        }
                        index.insert(key.clone(), column);
                        column
                    }
                };
                if column != SKIPPED && known.is_none() {
                    let before = columns[column];
                    let row = opening.first_row + ahead.len() as u64;
                    columns[column] =
                        before.with(cell).ok_or_else(|| retyped(&opening.name, key, row, before, cell))?;
                    let is_mixed = before != JsonKind::Null && before != columns[column];
                    if (is_mixed || before.is_text_for(cell)) && !mixed.contains(&column) {
                        mixed.push(column);
                    }
                }
            }
            check_columns(&opening.name, index.len())?;
            ahead.push(row);
        }
        if ahead.is_empty() {
            return Err(Error::data(Place::source(&opening.name), "expected objects of JSON, got an empty file"));
        }
        if known.is_some() {
            columns = typed.iter().map(TypedColumn::kind).collect();
        }
        let mut notes = vec![format!("{} columns, from the first {} rows", names.len(), ahead.len())];
        notes.extend(rows.note().map(str::to_owned));
        let of = |places: &[usize]| listed(&places.iter().map(|i| names[*i].as_str()).collect::<Vec<_>>());
        if !mixed.is_empty() {
            notes.push(format!("columns of numbers and text are read as text first: {}", of(&mixed)));
        }
        let mut left_out = None;
        let lists: Vec<usize> = (0..columns.len()).filter(|i| columns[*i] == JsonKind::List).collect();
        if !lists.is_empty() {
            left_out = Some(format!("{}: left out columns of arrays {}", opening.name, of(&lists)));
            let kept: Vec<usize> = (0..columns.len()).filter(|i| columns[*i] != JsonKind::List).collect();
            index =
                index.into_iter().map(|(key, i)| (key, kept.iter().position(|k| *k == i).unwrap_or(SKIPPED))).collect();
            (names, columns) = kept.iter().map(|i| (names[*i].clone(), columns[*i])).unzip();
        }
        let fields = names.iter().zip(&columns).map(|(name, kind)| Field::new(name, kind.data_type(), true));
        Ok(Ndjson {
            rows,
            schema: Arc::new(ArrowSchema::new(fields.collect::<Vec<_>>())),
            columns,
            index,
            notes: notes.iter().map(|note| format!("{}: {note}", opening.name)).collect(),
            left_out,
            name: opening.name.clone(),
            ahead: ahead.into_iter(),
            batch_rows: opening.batch_rows.max(1),
            row: opening.first_row,
            wanted: opening
                .wanted
                .map(|schema| schema.columns.iter().map(|column| column.name.trim().to_owned()).collect()),
            late: BTreeMap::new(),
            typed,
            unread,
        })
    }

    fn fill(&mut self) -> Result<Option<RecordBatch>> {
        let mut columns: Vec<JsonColumn> = self.columns.iter().map(|kind| JsonColumn::new(*kind)).collect();
        let (mut rows, begin) = (0, self.rows.read());
        while rows < self.batch_rows && self.rows.read() - begin < BATCH_BYTES as u64 {
            let row = match self.ahead.next() {
                Some(row) => row,
                None => match self.rows.next_row()? {
                    Some(row) => row,
                    None => break,
                },
            };
            for (key, cell) in &row {
                match self.index.get(key).copied() {
                    Some(SKIPPED) => {}
                    Some(column) if !self.typed.is_empty() => {
                        let cell = self.typed[column].read(cell, self.row);
                        columns[column]
                            .push(rows, &cell)
                            .ok_or_else(|| retyped(&self.name, key, self.row, self.columns[column], &cell))?;
                    }
                    Some(column) => columns[column]
                        .push(rows, cell)
                        .ok_or_else(|| retyped(&self.name, key, self.row, self.columns[column], cell))?,
                    None if self.wanted.as_ref().is_some_and(|wanted| !wanted.contains(key.trim())) => {
                        if self.unread.len() < MOST_UNREAD {
                            self.index.insert(key.clone(), SKIPPED);
                            self.unread.push(key.clone());
                        }
                    }
                    // A column that the model needs cannot begin in the middle.
                    None if self.wanted.is_some() => {
                        let message = format!("a new key, which none of the first {LOOK} rows has");
                        let error = Error::data(Place::cell(key, self.row).of(&self.name), message);
                        return Err(error.with_hint("write it as null in an early row"));
                    }
                    None if self.late.len() < MOST_LATE || self.late.contains_key(key) => {
                        *self.late.entry(key.clone()).or_default() += 1;
                    }
                    None => *self.late.entry("others".to_owned()).or_default() += 1,
                }
            }
            rows += 1;
            self.row += 1;
        }
        if rows == 0 {
            return Ok(None);
        }
        let arrays: Vec<ArrayRef> = columns.into_iter().map(|column| column.finish(rows)).collect();
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

    fn warnings(&self) -> Vec<String> {
        let mut warnings: Vec<String> = self.left_out.iter().cloned().collect();
        warnings.extend(self.typed.iter().filter_map(TypedColumn::warning));
        if !self.late.is_empty() {
            let keys: Vec<String> = self.late.iter().map(|(key, rows)| format!("{key}: {rows} rows")).collect();
            let message = "left out keys that none of the first";
            warnings.push(format!("{}: {message} {LOOK} rows has: {}", self.name, listed(&keys)));
        }
        if self.rows.not_json() > 0 {
            let message = "rows hold NaN or Infinity, which is not JSON: NaN is read as missing";
            warnings.push(format!("{}: {} {message}", self.name, self.rows.not_json()));
        }
        warnings
    }

    fn unread(&self) -> &[String] {
        &self.unread
    }

    fn next_batch(&mut self) -> Option<Result<RecordBatch>> {
        self.fill().transpose()
    }
}

fn retyped(source: &str, key: &str, row: u64, kind: JsonKind, cell: &JsonCell) -> Error {
    let message = format!("expected {} as in the rows before, got {}", kind.describe(), cell.describe());
    Error::data(Place::cell(key, row).of(source), message)
}

#[cfg(test)]
mod tests {
    use arrow::array::{Array, AsArray};
    use arrow::datatypes::Float64Type;

    use crate::data::{Column, ColumnKind, InMemory, Schema, Source, Table, TypesRead};
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
        for start in ["{\"a\":1}\n", "[{\"a\":1},"] {
            std::fs::write(&path, format!("{start}{{\"a\":{}", "1".repeat(2000))).unwrap();
            let mut source = Source::parse(&[path.display().to_string()]).unwrap();
            source.limits.max_line_bytes = 1000;
            let error = source.open(2, None).err().unwrap().to_string();
            assert!(error.contains("expected a line of at most 1000 bytes"), "{error}");
        }
    }

    #[test]
    fn bad_lines_are_refused_with_row_and_column() {
        check_error("", "expected objects of JSON, got an empty file");
        check_error("[]", "got an empty file");
        check_error("[{\"a\":1},{\"a\":2}", "row 2: the array is not closed: the file is cut off");
        check_error("[1,2]", "row 0: invalid type: integer `1`, expected a JSON object");
        let late: String = (0..1500).map(|i| if i == 1200 { "{\"a\":true}\n" } else { "{\"a\":1}\n" }).collect();
        check_error(&late, "column `a`, row 1200: expected a number as in the rows before, got true");
        check_error(
            "{\"a\":1}\n{\"a\":[1]}\n",
            "column `a`, row 1: expected a number as in the rows before, got an array",
        );
        check_error("{\"a\":1,\"a\":2}\n", "column `a`, row 0: the key occurs more than once");
        check_error("{\"a\":nan}\n{\"a\":1}\n", "row 0: expected a JSON object, got an error at character");
        check_error("{\"a\":1}\n7\n", "row 1: invalid type: integer `7`, expected a JSON object");
    }

    fn check(text: &str, expected: &str) {
        use arrow::util::display::array_value_to_string;
        let table = read(text).unwrap();
        let row = |row: usize| {
            let cells = table.batch().columns().iter().map(|array| array_value_to_string(array, row).unwrap());
            cells.collect::<Vec<_>>().join(",")
        };
        let rows: Vec<String> = (0..table.n_rows()).map(row).collect();
        assert_eq!(format!("{} {}", table.names().join(","), rows.join(" ")), expected);
    }

    #[test]
    fn known_columns_are_read_cell_by_cell_and_others_are_told() {
        let wanted =
            Schema { columns: vec![Column::new("a", ColumnKind::Numeric), Column::new("b", ColumnKind::Category)] };
        let read = |text: &str| {
            let source = Source::in_memory(InMemory::new("rows", text.to_owned()));
            let source = Source { types: TypesRead::Wanted, ..source };
            let mut reader = source.open(500, Some(&wanted)).unwrap();
            let table = reader.read_all().unwrap();
            (table, reader.warnings().to_vec(), reader.unread().to_vec())
        };
        // Whatever stands beside it, and however late it comes.
        let row = |i: usize| match i {
            0 | 1200 => "{\"a\":true,\"b\":7,\"late\":1}\n",
            _ => "{\"a\":1,\"b\":\"x\",\"id\":9}\n",
        };
        let (table, warnings, unread) = read(&(0..1500).map(row).collect::<String>());
        let a = table.column("a").unwrap();
        assert_eq!((table.names(), a.null_count(), a.is_null(1200)), (vec!["a", "b"], 2, true));
        assert_eq!(table.column("b").unwrap().as_string::<i32>().value(1200), "7");
        assert_eq!(warnings, ["column `a`: 2 cells are not numbers, from row 0: `true`; taken as missing"]);
        assert_eq!(unread, ["late", "id"]);
        let (alone, warnings, _) = read(row(0));
        assert_eq!((alone.column("a").unwrap().null_count(), warnings.len()), (1, 1));
        assert_eq!(read(&format!("{}{}", row(1).repeat(1200), row(0))).2, ["id", "late"]);
    }

    #[test]
    fn objects_are_read_in_any_layout() {
        check("[{\"a\":1,\"b\":\"x\"},\n{\"a\":2}]", "a,b 1.0,x 2.0,");
        check("[\n  {\n    \"a\": 1\n  },\n  {\n    \"a\": 2\n  }\n]\n", "a 1.0 2.0");
        check("{\n  \"a\": 1\n}\n{\n  \"a\": 2\n}\n", "a 1.0 2.0");
        check("{\"a\": 1}{\"a\": 2}", "a 1.0 2.0");
        check("{\"a\": 1}", "a 1.0");
        check("{\"page\":1,\"data\":[{\"a\":1},{\"a\":2}]}", "a 1.0 2.0");
        check("{\"a\":{\"0\":1,\"1\":2},\"b\":{\"0\":3,\"1\":4}}", "a,b 1.0,3.0 2.0,4.0");
        check("[[\"a\",\"b\"],[1,2]]", "a,b 1.0,2.0");
        check("{}\n{\"a\":1}\n", "a  1.0");
    }

    #[test]
    fn nested_objects_are_flattened_and_arrays_left_out() {
        check("{\"a\":{\"b\":1},\"tags\":[1]}\n{\"a\":{\"b\":2},\"tags\":[]}\n", "a.b 1.0 2.0");
        check("{\"a\":1}\n{\"a\":\"x\"}\n{\"a\":true}\n", "a 1 x true");
        check("{\"a\":1,\"b\":1}\n{\"a\":NaN,\"b\":Infinity}\n", "a,b 1.0,1.0 ,inf");
    }

    #[test]
    fn what_is_left_out_or_read_otherwise_is_told() {
        let told = |text: &str| {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("t.json");
            std::fs::write(&path, text).unwrap();
            let mut reader = Source::parse(&[path.display().to_string()]).unwrap().open(2, None).unwrap();
            reader.read_all().unwrap();
            [reader.notes(), reader.warnings()].concat().join("\n")
        };
        assert!(told("{\"a\":1,\"l\":[1]}\n{\"a\":\"x\"}\n").contains("left out columns of arrays `l`"));
        assert!(told("{\"a\":1}\n{\"a\":\"x\"}\n").contains("columns of numbers and text are read as text first: `a`"));
        assert!(told("{\"a\":1}\n{\"a\":NaN}\n").contains("1 rows hold NaN or Infinity"));
        let late: String = (0..1500).map(|i| if i > 1200 { "{\"a\":1,\"b\":2}\n" } else { "{\"a\":1}\n" }).collect();
        assert!(told(&late).contains("left out keys that none of the first 1000 rows has: `b: 299 rows`"));
    }
}
