//! The files of a source in turn, as batches with one set of columns.
//!
//! The first file determines names and order; later files may order the columns differently, but must have the same ones.
//! Columns in the names of folders follow those of the files, and a filter is applied to both. What cannot match is not
//! read, nor what another shard reads; [`FileQueue`] knows it.

use std::ops::Range;

use arrow::datatypes::{DataType, Field, Schema as ArrowSchema, SchemaRef};

use super::batches::Batches;
use super::file_queue::{FileQueue, FileUnits, UnitsRead};
use super::filter::{Filter, is_called};
use super::input::InputSize;
use super::opened_file::{FileStart, OpenedFile, open_file};
use super::row_filter::RowFilter;
use super::schema::{Column, ColumnKind, Schema, listed};
use super::source::{Header, Source, file_and_part};
use super::table::{Table, different_columns};
use crate::error::{Hint, Result};

/// Files being read in turn.
pub(super) struct Files {
    source: Source,
    wanted: Option<Schema>,
    batch_rows: usize,
    queue: FileQueue,
    current: Option<CurrentFile>,
    pub(super) schema: SchemaRef,
    pub(super) columns: Vec<String>,
    /// The columns that files have themselves.
    own_columns: Vec<String>,
    /// The columns in the names of folders that are read.
    keys: Vec<String>,
    filter: Option<RowFilter>,
    pub(super) notes: Vec<String>,
    pub(super) hints: Vec<Hint>,
    pub(super) warnings: Vec<String>,
    /// Columns that are not wanted, of the files read to their end.
    pub(super) unread: Vec<String>,
    row: u64,
    /// What the files opened so far take as they are stored.
    sizes: Vec<InputSize>,
    /// Files opened so far, and the bytes of those that are waiting, if all are files.
    waiting: Option<(usize, Option<u64>)>,
}

/// The file being read.
struct CurrentFile {
    index: usize,
    name: String,
    has_types: bool,
    batches: Box<dyn Batches>,
}

impl Files {
    pub(super) fn open(source: Source, batch_rows: usize, wanted: Option<Schema>) -> Result<Files> {
        let mut queue = FileQueue::new(&source)?;
        let read = extended(wanted.as_ref(), source.filter.as_ref());
        let header = source.header;
        let open =
            |i: usize| open_file(&source.paths[i], &source, header, batch_rows, read.as_ref(), FileStart::default());
        let mut first = open(queue.first())?;
        let own: Vec<String> = names_of(&first.batches.schema());
        let in_file = |key: &String| own.iter().chain(first.batches.unread()).any(|name| is_called(name, key));
        let shadowed: Vec<String> = source.partitions.keys.iter().filter(|key| in_file(key)).cloned().collect();
        let mut notes = source.notes.clone();
        if !shadowed.is_empty() {
            let before = queue.first();
            queue.shadow(&source, &shadowed);
            if queue.first() != before {
                first = open(queue.first())?;
            }
            let names = listed(&shadowed);
            notes.push(format!(
                "the files have the columns {names} themselves: those in the names of folders are not read"
            ));
        }
        let is_key = |key: &&String| !shadowed.contains(*key);
        let keys: Vec<String> = source.partitions.keys.iter().filter(is_key).cloned().collect();
        if let Some(filter) = &source.filter {
            let known = own.iter().chain(first.batches.unread()).chain(&keys).map(String::as_str);
            filter.check_columns(&known.collect::<Vec<_>>())?;
        }
        notes.extend(first.notes());
        notes.extend(queue.note());
        let is_read = |key: &String| read.as_ref().is_none_or(|schema| schema.wants(key));
        let keys: Vec<String> = keys.into_iter().filter(is_read).collect();
        let key_fields = keys.iter().map(|key| Field::new(key, DataType::Utf8, true));
        let fields = first.batches.schema().fields().iter().map(|field| field.as_ref().clone()).collect::<Vec<_>>();
        let whole = ArrowSchema::new(fields.into_iter().chain(key_fields).collect::<Vec<_>>());
        let whole = whole.with_metadata(first.batches.schema().metadata().clone());
        // Formats that cannot leave out columns give all of them, whether they are wanted or not.
        let may_leave_out = |name: &str| first.may_leave_out() || keys.iter().any(|key| key == name);
        let is_for_filter =
            |name: &&String| wanted.as_ref().is_some_and(|wanted| !wanted.wants(name)) && may_leave_out(name);
        let all = names_of(&whole);
        let dropped: Vec<String> = all.iter().filter(is_for_filter).cloned().collect();
        let kept = whole.fields().iter().filter(|field| !dropped.contains(field.name())).cloned();
        let schema = ArrowSchema::new(kept.collect::<Vec<_>>()).with_metadata(whole.metadata().clone());
        let filter = source.filter.clone().map(|filter| RowFilter::new(filter, dropped));
        let hints = first.batches.hint().cloned().into_iter().collect();
        let mut files = Files {
            wanted: read,
            batch_rows,
            queue,
            current: None,
            columns: names_of(&schema),
            schema: schema.into(),
            own_columns: own,
            keys,
            filter,
            notes,
            hints,
            warnings: Vec::new(),
            unread: Vec::new(),
            row: 0,
            sizes: vec![first.size.clone()],
            waiting: None,
            source,
        };
        files.start(first)?;
        Ok(files)
    }

    /// Begins with the first file, opened, or in a shard with the first of its files.
    fn start(&mut self, first: OpenedFile) -> Result<()> {
        if let Some(shard) = self.source.shard {
            let mut sizes = Vec::new();
            for i in self.queue.waiting() {
                let file = self.open_path(i, None)?;
                let rows = file.batches.unit_rows().map(<[u64]>::to_vec);
                sizes.push(FileUnits { rows, bytes: file.size.bytes() });
            }
            self.queue.divide(shard, &sizes);
            self.sizes.clear();
            return self.open_next();
        }
        let Some(next) = self.queue.next() else { return Ok(()) };
        self.current = Some(self.named(next.index, first));
        Ok(())
    }

    fn named(&self, index: usize, file: OpenedFile) -> CurrentFile {
        let has_types = file.has_types();
        let name = self.source.name_of(&self.source.paths[index]);
        CurrentFile { index, name, has_types, batches: file.batches }
    }

    /// Refuses rows of so many bytes in memory if the files are too small for them.
    pub(super) fn check_bytes(&self, source: &str, bytes: u64) -> Result<()> {
        let size = self.sizes.iter().map(InputSize::bytes).sum();
        let limits = self.source.limits;
        if bytes > limits.unfolded(size) { Err(limits.bomb(source, size)) } else { Ok(()) }
    }

    /// The share of all bytes that has been read, if all are files.
    pub(super) fn share(&mut self) -> Option<f64> {
        // Asked for at every batch, and different for every file alone.
        if self.waiting.is_none_or(|(opened, _)| opened != self.sizes.len()) {
            let length = |i: usize| {
                let metadata = std::fs::metadata(file_and_part(&self.source.paths[i]).0).ok();
                metadata.filter(|file| file.is_file()).map(|file| file.len())
            };
            let bytes = self.queue.waiting().into_iter().map(length).sum::<Option<u64>>();
            self.waiting = Some((self.sizes.len(), bytes));
        }
        let waiting = self.waiting.and_then(|(_, bytes)| bytes)?;
        let opened: u64 = self.sizes.iter().map(|size| size.file()).sum();
        let of_current = match (&self.current, self.sizes.last()) {
            (Some(CurrentFile { batches: file, .. }), Some(size)) => {
                size.file() as f64 * (1.0 - file.share().unwrap_or_else(|| size.share()).min(1.0))
            }
            _ => 0.0,
        };
        (opened > 0).then(|| (opened as f64 - of_current) / (opened + waiting) as f64)
    }

    /// The file being read.
    pub(super) fn name(&self) -> &str {
        self.current.as_ref().map_or("", |current| &current.name)
    }

    /// Reads no further.
    pub(super) fn close(&mut self) {
        self.end_file();
        self.queue.clear();
        self.tell_filter();
    }

    /// Keeps what the filter has to tell.
    fn tell_filter(&mut self) {
        if let Some(filter) = self.filter.take() {
            self.notes.push(filter.note());
            self.warnings.extend(filter.warnings());
        }
    }

    /// Keeps what the file being read has to tell.
    fn end_file(&mut self) {
        if let Some(CurrentFile { batches: file, .. }) = self.current.take() {
            self.warnings.extend(file.warnings());
            let new: Vec<String> = file.unread().iter().filter(|name| !self.unread.contains(name)).cloned().collect();
            self.unread.extend(new);
        }
    }

    pub(super) fn next_table(&mut self) -> Result<Option<Table>> {
        loop {
            let Some(current) = &mut self.current else {
                if let Some(filter) = self.filter.as_ref().filter(|_| self.source.shard.is_none()) {
                    filter.check_any(&self.source.name(), self.queue.n_excluded())?;
                }
                self.tell_filter();
                return Ok(None);
            };
            let batch = current.batches.next_batch();
            let skipped = current.batches.take_skipped();
            self.row += skipped;
            // In a shard these may be rows of others.
            if let Some(filter) = self.filter.as_mut().filter(|_| self.source.shard.is_none()) {
                filter.skip(skipped);
            }
            let Some(batch) = batch else {
                self.end_file();
                self.open_next()?;
                continue;
            };
            let table = Table::new(batch?, current.name.clone(), self.row);
            let (index, has_types) = (current.index, current.has_types);
            self.row += table.n_rows() as u64;
            let table = self.whole(table, index)?;
            match &mut self.filter {
                None => return Ok(Some(table)),
                Some(filter) => {
                    if let Some(table) = filter.matching(&table, has_types) {
                        return Ok(Some(table));
                    }
                }
            }
        }
    }

    /// The table with its columns in order and with those in the names of folders.
    fn whole(&self, table: Table, index: usize) -> Result<Table> {
        let in_order = self.own_columns.iter().map(String::as_str).eq(table.names());
        let table = if in_order { table } else { table.select(&self.own_columns)? };
        if self.keys.is_empty() {
            return Ok(table);
        }
        let own = table.names().into_iter().map(str::to_owned).zip(table.batch().columns().iter().cloned());
        let column = |key: &String| (key.clone(), self.source.partitions.column(index, key, table.n_rows()));
        Ok(table.with_columns(own.chain(self.keys.iter().map(column)).collect()))
    }

    fn open_next(&mut self) -> Result<()> {
        while let Some(next) = self.queue.next() {
            match next.units {
                UnitsRead::None(Some(rows)) => self.row += rows,
                UnitsRead::None(None) => {
                    // So many rows are in front of the shard's.
                    let mut file = self.open_path(next.index, None)?.batches;
                    while let Some(batch) = file.next_batch() {
                        self.row += batch?.num_rows() as u64;
                    }
                }
                UnitsRead::All => return self.begin(next.index, None),
                UnitsRead::Only(units) => return self.begin(next.index, Some(units)),
            }
        }
        Ok(())
    }

    fn begin(&mut self, index: usize, units: Option<Range<usize>>) -> Result<()> {
        let file = self.open_path(index, units)?;
        self.notes.extend(file.notes());
        self.hints.extend(file.batches.hint().cloned());
        self.sizes.push(file.size.clone());
        self.current = Some(self.named(index, file));
        Ok(())
    }

    fn open_path(&self, index: usize, units: Option<Range<usize>>) -> Result<OpenedFile> {
        // If the first file has no header, no later file has one: names could not match otherwise.
        let is_numbered = |(i, name): (usize, &String)| *name == format!("column_{i}");
        let has_no_header = self.source.header == Header::Auto && self.own_columns.iter().enumerate().all(is_numbered);
        let header = if has_no_header { Header::Absent } else { self.source.header };
        let path = &self.source.paths[index];
        let start = FileStart { expected: &self.own_columns, first_row: self.row, units };
        let file = open_file(path, &self.source, header, self.batch_rows, self.wanted.as_ref(), start)?;
        let got = names_of(&file.batches.schema());
        let got: Vec<&str> = got.iter().map(String::as_str).collect();
        let expected: Vec<&str> = self.own_columns.iter().map(String::as_str).collect();
        if got.len() != expected.len() || !expected.iter().all(|name| got.contains(name)) {
            return Err(different_columns(&expected, &got, &self.source.name_of(path)));
        }
        Ok(file)
    }
}

/// The wanted columns with those of a filter.
fn extended(wanted: Option<&Schema>, filter: Option<&Filter>) -> Option<Schema> {
    let mut schema = wanted?.clone();
    let asked = filter.map_or_else(Vec::new, Filter::columns);
    let new: Vec<&str> = asked.into_iter().filter(|name| !schema.wants(name)).collect();
    schema.columns.extend(new.into_iter().map(|name| Column::new(name, ColumnKind::Text)));
    Some(schema)
}

fn names_of(schema: &ArrowSchema) -> Vec<String> {
    schema.fields().iter().map(|field| field.name().clone()).collect()
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

    /// The first cells of rows with their numbers.
    fn numbered(reader: &mut Reader) -> Vec<(u64, String)> {
        let cells = |table: Table| {
            let shown = |row| arrow::util::display::array_value_to_string(table.batch().column(0), row).unwrap();
            (0..table.n_rows()).map(|row| (table.row_number(row), shown(row))).collect::<Vec<_>>()
        };
        reader.flat_map(|table| cells(table.unwrap())).collect()
    }

    fn rows_of(source: &Source, filter: &str) -> Vec<u64> {
        let source = Source { filter: Some(filter.parse().unwrap()), ..source.clone() };
        numbered(&mut source.open(3, None).unwrap()).into_iter().map(|(row, _)| row).collect()
    }

    #[test]
    fn rows_that_match_keep_their_numbers_and_are_cut_and_sampled_afterwards() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, rows: std::ops::Range<u32>| {
            let text: String = rows.map(|i| format!("{i},{}\n", ["x", "y", "NA"][i as usize % 3])).collect();
            let path = folder.path().join(name);
            std::fs::write(&path, format!("n,word\n{text}")).unwrap();
            path.display().to_string()
        };
        let source = Source::parse(&[write("a.csv", 0..10), write("b.csv", 10..20)]).unwrap();
        assert_eq!(rows_of(&source, "n >= 8 and word = 'x'"), [9, 12, 15, 18]);
        assert_eq!(rows_of(&source, "word is null and n < 6"), [2, 5]);
        let filter = Some("word = 'y'".parse().unwrap());
        let limited = Source { filter: filter.clone(), limit: Some(3), ..source.clone() };
        let mut reader = limited.open(3, None).unwrap();
        assert_eq!(numbered(&mut reader).iter().map(|(row, _)| *row).collect::<Vec<_>>(), [1, 4, 7]);
        assert!(reader.notes().iter().any(|note| note.ends_with("match word = 'y'")), "{:?}", reader.notes());
        let sample = Some(super::super::RowSample { rows: 2, seed: 1 });
        let rows = numbered(&mut Source { filter, sample, ..source.clone() }.open(3, None).unwrap());
        assert!(rows.len() == 2 && rows.iter().all(|(row, _)| row % 3 == 1), "{rows:?}");
        let none = Source { filter: Some("n > 99".parse().unwrap()), ..source.clone() };
        let error = none.open(3, None).unwrap().read_all().unwrap_err().to_string();
        assert!(error.contains("expected rows that match n > 99, got none among 20"), "{error}");
        let unknown = Source { filter: Some("wrod = 'x'".parse().unwrap()), ..source };
        assert!(unknown.open(3, None).err().unwrap().to_string().contains("there is no column `wrod`"));
    }

    #[test]
    fn pivoted_tables_are_filtered_by_their_columns() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.csv");
        std::fs::write(&path, "ts,sensor,value\n1,a,5\n1,b,6\n2,a,7\n2,b,8\n").unwrap();
        let source = Source::parse(&[path.display().to_string()]).unwrap();
        let source = Source { pivot: Some("sensor=value".parse().unwrap()), ..source };
        // A row has the number of its first measurement.
        assert_eq!(rows_of(&source, "b > 6"), [2]);
    }

    /// A folder with a file of the rows `n` in each of these folders.
    fn hive(folders: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in folders {
            std::fs::create_dir_all(folder.path().join(name)).unwrap();
            std::fs::write(folder.path().join(name).join("part.csv"), text).unwrap();
        }
        folder
    }

    #[test]
    fn names_of_folders_are_columns_and_files_that_they_exclude_are_not_opened() {
        let folder = hive(&[
            ("day=2024-01-01/land=DE", "n\n1\n2\n"),
            ("day=2024-01-02/land=__HIVE_DEFAULT_PARTITION__", "n\n3\n"),
            ("day=2024-01-03/land=DE", "PAR1 is damaged"),
        ]);
        let source = Source::parse(&[folder.path().display().to_string()]).unwrap();
        assert!(source.open(10, None).unwrap().read_all().is_err(), "the last file is damaged");
        let filtered = Source { filter: Some("day < '2024-01-03'".parse().unwrap()), ..source.clone() };
        let mut reader = filtered.open(10, None).unwrap();
        assert_eq!(reader.columns(), ["n", "day", "land"]);
        let table = reader.read_all().unwrap();
        assert_eq!(column(&table, "day"), ["2024-01-01", "2024-01-01", "2024-01-02"]);
        assert_eq!(column(&table, "land"), ["DE", "DE"]);
        assert!(
            reader.notes().iter().any(|note| note.starts_with("1 of 3 files are not read")),
            "{:?}",
            reader.notes()
        );
        assert_eq!(rows_of(&source, "land is null and day < '2024-01-03'"), [0]);
        let none = Source { filter: Some("day = '2023-01-01'".parse().unwrap()), ..source };
        let error = none.open(10, None).unwrap().read_all().unwrap_err().to_string();
        assert!(error.contains("got none in 3 files, by the names of their folders"), "{error}");
    }

    #[test]
    fn a_column_of_the_files_goes_before_one_in_the_names_of_folders() {
        let folder = hive(&[("land=DE", "n,land\n1,FR\n"), ("land=IT", "n,land\n2,DE\n")]);
        let source = Source::parse(&[folder.path().display().to_string()]).unwrap();
        let mut reader = source.open(10, None).unwrap();
        assert_eq!(column(&reader.read_all().unwrap(), "land"), ["FR", "DE"]);
        assert!(reader.notes().iter().any(|note| note.contains("have the columns `land` themselves")));
        assert_eq!(rows_of(&source, "land = 'DE'"), [1]);
    }

    #[cfg(feature = "parquet")]
    mod of_types {
        use std::sync::Arc;

        use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
        use arrow::ipc::writer::FileWriter;
        use parquet::arrow::ArrowWriter;

        use super::*;
        use crate::data::{Column, ColumnKind, Schema};

        /// Rows in groups of five: `n` counts up, `word` is one for each group.
        fn write(folder: &std::path::Path, name: &str, rows: std::ops::Range<i64>) -> String {
            let path = folder.join(name);
            let file = std::fs::File::create(&path).unwrap();
            let batches: Vec<RecordBatch> = rows
                .clone()
                .step_by(5)
                .map(|start| {
                    let rows = start..(start + 5).min(rows.end);
                    let words = StringArray::from_iter_values(rows.clone().map(|_| format!("w{}", start / 5)));
                    RecordBatch::try_from_iter([
                        ("n", Arc::new(Int64Array::from_iter_values(rows)) as ArrayRef),
                        ("word", Arc::new(words) as ArrayRef),
                    ])
                    .unwrap()
                })
                .collect();
            if name.ends_with(".parquet") {
                let mut writer = ArrowWriter::try_new(file, batches[0].schema(), None).unwrap();
                for batch in &batches {
                    writer.write(batch).unwrap();
                    writer.flush().unwrap();
                }
                writer.close().unwrap();
            } else {
                let mut writer = FileWriter::try_new(file, &batches[0].schema()).unwrap();
                batches.iter().for_each(|batch| writer.write(batch).unwrap());
                writer.finish().unwrap();
            }
            path.display().to_string()
        }

        #[test]
        fn row_groups_without_a_match_are_passed_over_and_counted() {
            let folder = tempfile::tempdir().unwrap();
            let files = [write(folder.path(), "a.parquet", 0..23), write(folder.path(), "b.parquet", 23..40)];
            let source = Source::parse(&files).unwrap();
            assert_eq!(rows_of(&source, "n between 8 and 11 or n = 20"), [8, 9, 10, 11, 20]);
            assert_eq!(rows_of(&source, "word = 'w1'"), [5, 6, 7, 8, 9]);
            assert_eq!(rows_of(&source, "n >= 38"), [38, 39]);
            let filtered = Source { filter: Some("n = 21 or n = 24".parse().unwrap()), ..source };
            let mut reader = filtered.open(100, None).unwrap();
            assert_eq!(numbered(&mut reader), [(21, "21".to_owned()), (24, "24".to_owned())]);
            assert!(reader.notes().contains(&"2 of 40 rows match n = 21 or n = 24".to_owned()), "{:?}", reader.notes());
        }

        #[test]
        fn columns_for_the_filter_are_read_and_left_out() {
            let folder = tempfile::tempdir().unwrap();
            let wanted = Schema { columns: vec![Column::new("word", ColumnKind::Text)] };
            for name in ["a.parquet", "a.arrow"] {
                let source = Source::parse(&[write(folder.path(), name, 0..23)]).unwrap();
                let source = Source { filter: Some("n = 7".parse().unwrap()), ..source };
                let mut reader = source.open(100, Some(&wanted)).unwrap();
                assert_eq!(reader.columns(), ["word"]);
                let table = reader.read_all().unwrap();
                assert_eq!((table.names(), table.row_numbers()), (vec!["word"], vec![7]));
                let source = Source { filter: Some("n = 'x'".parse().unwrap()), ..source };
                let error = source.open(100, None).err().unwrap().to_string();
                assert!(error.contains("expected a number, got 'x'"), "{error}");
            }
        }

        #[test]
        fn shards_one_after_the_other_are_the_whole() {
            let folder = tempfile::tempdir().unwrap();
            let text: String = (60..70).map(|i| format!("{i},w\n")).collect();
            let csv = folder.path().join("c.csv");
            std::fs::write(&csv, format!("n,word\n{text}")).unwrap();
            let csv = csv.display().to_string();
            let parquet = [write(folder.path(), "a.parquet", 0..23), write(folder.path(), "b.parquet", 23..40)];
            let arrow = write(folder.path(), "c.arrow", 40..60);
            let all: Vec<String> = parquet.iter().cloned().chain([arrow.clone(), csv.clone()]).collect();
            for files in [parquet.to_vec(), vec![arrow], vec![csv.clone(), csv], all] {
                for filter in [None, Some("n >= 3 and n != 22 and n != 60")] {
                    let source =
                        Source { filter: filter.map(|text| text.parse().unwrap()), ..Source::parse(&files).unwrap() };
                    let whole = numbered(&mut source.open(3, None).unwrap());
                    for count in [1, 2, 3, 7, 40] {
                        let mut joined = Vec::new();
                        for index in 0..count {
                            let shard = crate::data::Shard::new(index, count);
                            joined.extend(numbered(&mut Source { shard, ..source.clone() }.open(3, None).unwrap()));
                        }
                        assert_eq!(joined, whole, "{files:?} {filter:?} {count}");
                    }
                }
            }
        }
    }
}
