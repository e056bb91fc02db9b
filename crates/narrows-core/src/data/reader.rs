//! A source as a stream of tables: files in turn, pivoted, cut and sampled as asked for.

use std::collections::VecDeque;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;

pub(crate) use super::batches::{Batches, Opening};
use super::files::Files;
use super::pivot::{Melted, Pivot};
use super::row_filter::RowFilter;
use super::row_key::RowKey;
use super::sample::Sampler;
use super::schema::Schema;
use super::source::Source;
use super::table::Table;
use crate::error::{Hint, Result};

/// A stream of raw tables; ends after the first error. Memory is bounded, unless rows are sampled (then by their number)
/// or pivoted.
pub struct Reader {
    files: Files,
    schema: SchemaRef,
    columns: Vec<String>,
    batch_rows: usize,
    /// Rows that may still be read.
    left: u64,
    limit: Option<u64>,
    sampler: Option<Sampler>,
    /// Tables read before they are asked for; nothing follows them.
    held: Option<VecDeque<Table>>,
}

impl Reader {
    pub(crate) fn open(source: Source, batch_rows: usize, wanted: Option<Schema>) -> Result<Reader> {
        let (limit, sampler, pivot) =
            (source.limit, source.sample.map(|sample| Sampler::new(sample, RowKey::Position)), source.pivot.clone());
        let batch_rows = batch_rows.max(1);
        source.check_shard()?;
        let mut source = source;
        // Columns of a pivoted table are there to be asked about when all rows have been read.
        let filter = if pivot.is_some() { source.filter.take() } else { None };
        let wanted_of_files = if pivot.is_some() { None } else { wanted.clone() };
        let files = Files::open(source, batch_rows, wanted_of_files)?;
        let (schema, columns) = (files.schema.clone(), files.columns.clone());
        let left = limit.unwrap_or(u64::MAX);
        let mut reader = Reader { files, schema, columns, batch_rows, left, limit, sampler, held: None };
        if let Some(pivot) = pivot {
            let mut melted = Melted::new(&pivot, &reader.columns)?;
            let mut bytes = 0;
            while let Some(table) = reader.files.next_table()? {
                bytes += table.bytes();
                reader.files.check_bytes(table.source(), bytes)?;
                melted.push(&table)?;
            }
            let table = melted.finish(wanted.as_ref(), &mut reader.files)?;
            reader.columns = table.names().into_iter().map(str::to_owned).collect();
            reader.schema = table.batch().schema();
            match filter {
                Some(filter) => {
                    let (matching, note, warnings) = RowFilter::new(filter, Vec::new()).of_whole(&table)?;
                    reader.files.notes.push(note);
                    reader.files.warnings.extend(warnings);
                    reader.hold(&matching);
                }
                None => reader.hold(&table),
            }
        } else {
            reader.files.hints.extend(Pivot::advice(&reader.columns));
        }
        Ok(reader)
    }

    /// The column names, known before any row is read.
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// Notes so far: delimiter, header, skipped columns, and how many rows were chosen.
    pub fn notes(&self) -> &[String] {
        &self.files.notes
    }

    /// What to do if something was detected wrongly.
    pub fn hints(&self) -> &[Hint] {
        &self.files.hints
    }

    /// What was lost, or read in another way than it is written, in the files read to their end so far.
    pub fn warnings(&self) -> &[String] {
        &self.files.warnings
    }

    /// Columns of the files read to their end that are not wanted, and so not read, where the format lets them be left out.
    pub fn unread(&self) -> &[String] {
        &self.files.unread
    }

    /// The share of all files that has been read; `None` for pipes.
    pub(super) fn share(&mut self) -> Option<f64> {
        self.files.share()
    }

    /// Refuses to hold rows of so many bytes, the last of them those of `table`, if the files are too small for them.
    pub(super) fn check_held(&self, table: &Table, bytes: u64) -> Result<()> {
        self.files.check_bytes(table.source(), bytes)
    }

    /// A table of no rows.
    pub fn empty(&self) -> Table {
        Table::new(RecordBatch::new_empty(self.schema.clone()), self.files.name(), 0)
    }

    /// All remaining rows as one table; without rows if there are none.
    ///
    /// # Errors
    /// If the data is invalid, a column changes its type between files, or the rows unfold to more than the files' sizes
    /// justify.
    pub fn read_all(&mut self) -> Result<Table> {
        let name = self.files.name().to_owned();
        let (mut tables, mut bytes) = (Vec::new(), 0);
        while let Some(table) = self.next() {
            let table = table?;
            bytes += table.bytes();
            self.files.check_bytes(table.source(), bytes)?;
            tables.push(table);
        }
        if tables.is_empty() {
            return Ok(Table::new(RecordBatch::new_empty(self.schema.clone()), name, 0));
        }
        Table::concat(&tables)
    }

    fn next_table(&mut self) -> Result<Option<Table>> {
        if let Some(mut sampler) = self.sampler.take() {
            while let Some(table) = self.next_of_limit()? {
                sampler.push(&table)?;
            }
            self.files.notes.push(sampler.note());
            if let Some(table) = sampler.finish()? {
                self.held = None;
                self.hold(&table);
            }
            self.left = u64::MAX;
        }
        self.next_of_limit()
    }

    /// The next of the first rows.
    fn next_of_limit(&mut self) -> Result<Option<Table>> {
        if self.left == 0 {
            return Ok(None);
        }
        let next = match &mut self.held {
            Some(held) => held.pop_front(),
            None => self.files.next_table()?,
        };
        let Some(table) = next else { return Ok(None) };
        let rows = self.left.min(table.n_rows() as u64);
        self.left = self.left.saturating_sub(rows);
        if self.left == 0 {
            self.files.close();
            self.files.notes.push(format!("only the first {} rows are read", self.limit.unwrap_or_default()));
        }
        Ok(Some(table.slice(0, rows as usize)))
    }

    /// Keeps `table` to be given out in batches.
    fn hold(&mut self, table: &Table) {
        let starts = (0..table.n_rows()).step_by(self.batch_rows);
        let cut = |start: usize| table.slice(start, self.batch_rows.min(table.n_rows() - start));
        self.held = Some(starts.map(cut).collect());
    }
}

impl Iterator for Reader {
    type Item = Result<Table>;

    fn next(&mut self) -> Option<Result<Table>> {
        let table = self.next_table().transpose();
        if !matches!(table, Some(Ok(_))) {
            self.files.close();
            self.held = Some(VecDeque::new());
        }
        table
    }
}
