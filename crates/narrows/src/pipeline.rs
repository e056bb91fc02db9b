//! Streaming table pipeline in bounded memory: reading, processing and writing run on separate threads.
//!
//! Bounded queues connect the stages, so memory does not grow with the number of rows. Row order is preserved.

use std::sync::mpsc::{Receiver, sync_channel};
use std::thread;

use arrow::array::RecordBatch;
use narrows_core::data::{Reader, Schema, Source, Table};
use narrows_core::error::Place;
use narrows_core::output::TableWriter;
use narrows_core::{Error, TabularModel};

use crate::arguments;
use crate::failure::Failure;
use crate::talk::Talk;
use crate::told;

/// Rows per batch: enough to amortise the overhead, few enough to stay in cache.
pub(crate) const BATCH_ROWS: usize = 8192;

/// Capacity of the queue between two stages, in batches.
const WAITING: usize = 2;

/// How much of the input is processed at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Portion {
    /// Batch by batch, in bounded memory.
    Batch,
    /// All rows at once, because results depend on other rows.
    Whole,
}

impl Portion {
    /// The portion required by the model.
    pub(crate) fn of(model: &dyn TabularModel) -> Portion {
        Portion::of_rows(model.rows_are_independent())
    }

    /// [`Whole`](Portion::Whole) unless rows are independent.
    pub(crate) fn of_rows(rows_are_independent: bool) -> Portion {
        if rows_are_independent { Portion::Batch } else { Portion::Whole }
    }
}

/// Reads `source`, only the `wanted` columns for columnar formats, and calls `work` for each portion.
pub(crate) fn read(
    source: &Source,
    wanted: Option<&Schema>,
    portion: Portion,
    mut work: impl FnMut(&Table) -> Result<Flow, Failure>,
) -> Result<(), Failure> {
    match portion {
        Portion::Batch => read_batches(source, wanted, work),
        Portion::Whole => {
            let mut tables = Vec::new();
            read_batches(source, wanted, |table| {
                tables.push(table.clone());
                Ok(Flow::More)
            })?;
            let table = Table::concat(&tables)?;
            drop(tables);
            work(&table)?;
            Ok(())
        }
    }
}

fn read_batches(
    source: &Source,
    wanted: Option<&Schema>,
    mut work: impl FnMut(&Table) -> Result<Flow, Failure>,
) -> Result<(), Failure> {
    let mut rows = 0;
    thread::scope(|scope| {
        let (send, receive) = sync_channel(WAITING);
        scope.spawn(move || match source.open(BATCH_ROWS, wanted) {
            Ok(mut reader) => {
                reader.notes().iter().for_each(|note| Talk::current().note(note));
                // A failed send means that the receiver was dropped.
                while reader.next().is_some_and(|table| send.send(table).is_ok()) {}
                tell_read(&reader, Talk::current());
            }
            Err(error) => drop(send.send(Err(error))),
        });
        for table in receive {
            let table = table?;
            rows += table.n_rows();
            if work(&table)? == Flow::Enough {
                break;
            }
        }
        Ok::<(), Failure>(())
    })?;
    match rows {
        // Others may have them.
        0 if source.shard.is_none() => Err(no_rows(source)),
        _ => Ok(()),
    }
}

/// Whether to continue reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flow {
    /// Continue with the next table.
    More,
    /// Stop.
    Enough,
}

/// Maps every portion of `source` to a batch and writes it; the target is only created on success.
pub(crate) fn transform(
    source: &Source,
    wanted: Option<&Schema>,
    portion: Portion,
    writer: TableWriter<'_>,
    mut work: impl FnMut(&Table) -> Result<RecordBatch, Failure>,
) -> Result<(), Failure> {
    let writer = write_while(writer, |send| {
        let mut is_empty = true;
        read(source, wanted, portion, |table| {
            is_empty = false;
            let batch = work(table)?;
            Ok(if send(batch) { Flow::More } else { Flow::Enough })
        })?;
        if is_empty {
            send(work(&first_row(source, wanted)?)?.slice(0, 0));
        }
        Ok(())
    })?;
    Ok(writer.finish()?)
}

/// The first row of all, for the columns of the result of a shard without rows.
pub(crate) fn first_row(source: &Source, wanted: Option<&Schema>) -> Result<Table, Failure> {
    let whole = Source { shard: None, filter: None, limit: Some(1), ..source.clone() };
    let table = whole.open(1, wanted)?.read_all()?;
    match table.n_rows() {
        0 => Err(no_rows(source)),
        _ => Ok(table),
    }
}

fn no_rows(source: &Source) -> Failure {
    Error::data(Place::source(name(source)), "expected at least one row of data, got none").into()
}

/// Writes batches of one schema.
pub(crate) trait BatchWriter: Send {
    /// Appends the rows of a batch.
    fn write(&mut self, batch: &RecordBatch) -> Result<(), Failure>;
}

impl BatchWriter for TableWriter<'_> {
    fn write(&mut self, batch: &RecordBatch) -> Result<(), Failure> {
        Ok(TableWriter::write(self, batch)?)
    }
}

/// Writes the batches sent by `produce` on another thread; the send function returns `false` after a write error.
pub(crate) fn write_while<W: BatchWriter>(
    mut writer: W,
    produce: impl FnOnce(&dyn Fn(RecordBatch) -> bool) -> Result<(), Failure>,
) -> Result<W, Failure> {
    thread::scope(|scope| {
        let (send, receive) = sync_channel(WAITING);
        let written = scope.spawn(move || write_all(&mut writer, &receive).map(|()| writer));
        let produced = produce(&|batch| send.send(batch).is_ok());
        drop(send);
        let written = written.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        produced?;
        written
    })
}

fn write_all(writer: &mut impl BatchWriter, batches: &Receiver<RecordBatch>) -> Result<(), Failure> {
    batches.iter().try_for_each(|batch| {
        told::count("rows", batch.num_rows() as u64);
        writer.write(&batch)
    })
}

/// The reader of `source`, with what was detected told.
pub(crate) fn opened(source: &Source, talk: Talk) -> Result<Reader, Failure> {
    let reader = source.open(BATCH_ROWS, None)?;
    reader.notes().iter().for_each(|note| talk.note(note));
    reader.hints().iter().for_each(|hint| talk.line(format_args!("hint: {}", arguments::hint(hint))));
    Ok(reader)
}

/// The whole of `source` as a table, with what was detected, lost and changed told.
pub(crate) fn read_whole(source: &Source, talk: Talk) -> Result<Table, Failure> {
    let mut reader = opened(source, talk)?;
    let table = reader.read_all()?;
    tell_read(&reader, talk);
    Ok(table)
}

/// Tells what was found on the way; notes told before are not repeated.
pub(crate) fn tell_read(reader: &Reader, talk: Talk) {
    reader.notes().iter().for_each(|note| talk.note(note));
    reader.warnings().iter().for_each(|warning| talk.warn(warning));
}

fn name(source: &Source) -> String {
    let names: Vec<String> = source
        .paths
        .iter()
        .map(|path| if path.as_os_str() == "-" { "stdin".to_owned() } else { path.display().to_string() })
        .collect();
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn many_rows(folder: &Path, rows: usize) -> Source {
        let path = folder.join("in.csv");
        let text: String =
            std::iter::once("x,y\n".to_owned()).chain((0..rows).map(|i| format!("{i},{}.5\n", i % 7))).collect();
        std::fs::write(&path, text).unwrap();
        Source::parse(&[path.display().to_string()]).unwrap()
    }

    #[test]
    fn rows_keep_their_order_through_all_stages() {
        let folder = tempfile::tempdir().unwrap();
        let source = many_rows(folder.path(), 3 * BATCH_ROWS + 5);
        let target = folder.path().join("out.csv");
        let writer = TableWriter::create(&target).unwrap();
        transform(&source, None, Portion::Batch, writer, |table| Ok(table.batch().clone())).unwrap();
        let text = std::fs::read_to_string(&target).unwrap();
        let first: Vec<usize> =
            text.lines().skip(1).map(|line| line.split(',').next().unwrap().parse().unwrap()).collect();
        assert_eq!(first, (0..3 * BATCH_ROWS + 5).collect::<Vec<_>>());
    }

    #[test]
    fn a_failure_in_the_middle_leaves_no_file() {
        let folder = tempfile::tempdir().unwrap();
        let source = many_rows(folder.path(), 3 * BATCH_ROWS);
        let target = folder.path().join("out.csv");
        let writer = TableWriter::create(&target).unwrap();
        let failed = transform(&source, None, Portion::Batch, writer, |table| match table.first_row() {
            0 => Ok(table.batch().clone()),
            _ => Err(Error::mismatch("enough").into()),
        });
        assert!(failed.is_err());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn no_rows_are_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let source = many_rows(folder.path(), 0);
        assert!(read(&source, None, Portion::Batch, |_| Ok(Flow::More)).is_err());
    }
}
