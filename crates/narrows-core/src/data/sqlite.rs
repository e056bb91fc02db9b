//! Tables of SQLite files, through the crate `rusqlite`; files are opened read-only.
//!
//! Cells have types of their own in SQLite, so rows come as text and columns are typed as those of delimited text are.

use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread;

use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions, StringBuilder};
use arrow::datatypes::{DataType, Field, Schema as ArrowSchema, SchemaRef};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags};

use super::names::Names;
use super::reader::{Batches, Opening};
use super::schema::listed;
use super::storage::is_stored;
use crate::error::{Error, Place, Result, nearest};

/// Batches read ahead.
const AHEAD: usize = 2;

/// A batch ends early at this many bytes of text, which bounds memory for long cells.
const BATCH_BYTES: usize = 64 << 20;

/// A table of a SQLite file being read, on a thread of its own because rows borrow from their connection.
pub(crate) struct Sqlite {
    batches: Receiver<Result<(RecordBatch, u64)>>,
    schema: SchemaRef,
    notes: Vec<String>,
    name: String,
    blobs: u64,
}

impl Sqlite {
    /// Opens the table called `part`, or the only one.
    pub(crate) fn open(path: &Path, part: Option<&str>, opening: &Opening) -> Result<Sqlite> {
        let place = Place::source(&opening.name);
        let wrong = |error: rusqlite::Error| {
            Error::data(place.clone(), format!("expected a SQLite file, got an error: {error}"))
        };
        if path.as_os_str() == "-" {
            return Err(Error::data(place.clone(), "a SQLite file cannot be read from a pipe"));
        }
        if is_stored(path) {
            let message = "expected a database on disk, which is read from anywhere in it, got an address";
            return Err(Error::data(place.clone(), message).with_hint("download it first"));
        }
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, flags).map_err(wrong)?;
        let table = table(&connection, part, opening)?;
        let query = format!("SELECT * FROM \"{}\"", table.replace('"', "\"\""));
        let names: Vec<String> = {
            let statement = connection.prepare(&query).map_err(wrong)?;
            statement.column_names().map(str::to_owned).collect()
        };
        let names = Names::of(names);
        let fields = names.names.iter().map(|name| Field::new(name, DataType::Utf8, true));
        let schema = Arc::new(ArrowSchema::new(fields.collect::<Vec<_>>()));
        let mut notes = vec![format!("the table `{table}` is read")];
        notes.extend(names.notes);
        let (send, batches) = sync_channel(AHEAD);
        let (sent, rows, place) = (schema.clone(), opening.batch_rows.max(1), place.clone());
        thread::spawn(move || {
            let read = || -> rusqlite::Result<()> {
                let mut statement = connection.prepare(&query)?;
                let mut cursor = statement.query([])?;
                while let Some(batch) = next(&mut cursor, &sent, rows)? {
                    // A failed send means that the receiver was dropped.
                    if send.send(Ok(batch)).is_err() {
                        break;
                    }
                }
                Ok(())
            };
            if let Err(error) = read() {
                drop(
                    send.send(Err(Error::data(place, format!("expected a whole SQLite file, got an error: {error}")))),
                );
            }
        });
        let notes = notes.iter().map(|note| format!("{}: {note}", opening.name)).collect();
        Ok(Sqlite { batches, schema, notes, name: opening.name.clone(), blobs: 0 })
    }
}

/// The name of the table to read.
fn table(connection: &Connection, part: Option<&str>, opening: &Opening) -> Result<String> {
    let place = || Place::source(&opening.name);
    let wrong = |error: rusqlite::Error| Error::data(place(), format!("expected a SQLite file, got an error: {error}"));
    let query = "SELECT name FROM sqlite_master WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' \
                 ORDER BY type, name";
    let mut statement = connection.prepare(query).map_err(wrong)?;
    let names = statement.query_map([], |row| row.get::<_, String>(0)).map_err(wrong)?;
    let names = names.collect::<rusqlite::Result<Vec<String>>>().map_err(wrong)?;
    let file = opening.name.split('#').next().unwrap_or_default();
    match (part, names.as_slice()) {
        (Some(part), names) if names.iter().any(|name| name == part) => Ok(part.to_owned()),
        (Some(part), names) => {
            let error = Error::data(place(), format!("there is no table `{part}`"));
            let near = nearest(part, names.iter().map(String::as_str));
            Err(error.with_hint(match near.is_empty() {
                true => format!("the tables are {}", listed(names)),
                false => format!("did you mean {}?", listed(&near)),
            }))
        }
        (None, [only]) => Ok(only.clone()),
        (None, []) => Err(Error::data(place(), "expected a table, got a SQLite file without one")),
        (None, names) => {
            let error = Error::data(place(), format!("expected the name of a table, as there are {}", names.len()));
            let specs: Vec<String> = names.iter().map(|name| format!("{file}#{name}")).collect();
            Err(error.with_hint(format!("name one of them: {}", listed(&specs))))
        }
    }
}

/// The next rows, and the number of binary cells among them.
fn next(
    cursor: &mut rusqlite::Rows<'_>,
    schema: &SchemaRef,
    batch_rows: usize,
) -> rusqlite::Result<Option<(RecordBatch, u64)>> {
    let mut builders: Vec<StringBuilder> = schema.fields().iter().map(|_| StringBuilder::new()).collect();
    let (mut rows, mut bytes, mut blobs) = (0, 0, 0);
    while rows < batch_rows && bytes < BATCH_BYTES {
        let Some(row) = cursor.next()? else { break };
        for (i, builder) in builders.iter_mut().enumerate() {
            let text = match row.get_ref(i)? {
                ValueRef::Null => None,
                ValueRef::Integer(x) => Some(x.to_string()),
                ValueRef::Real(x) => Some(x.to_string()),
                ValueRef::Text(text) => Some(String::from_utf8_lossy(text).into_owned()),
                ValueRef::Blob(_) => {
                    blobs += 1;
                    None
                }
            };
            bytes += text.as_ref().map_or(0, String::len);
            builder.append_option(text);
        }
        rows += 1;
    }
    let arrays = builders.iter_mut().map(|builder| Arc::new(builder.finish()) as ArrayRef).collect();
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    let batch = RecordBatch::try_new_with_options(schema.clone(), arrays, &options).expect("columns of equal length");
    Ok((rows > 0).then_some((batch, blobs)))
}

impl Batches for Sqlite {
    fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }

    fn notes(&self) -> &[String] {
        &self.notes
    }

    fn warnings(&self) -> Vec<String> {
        match self.blobs {
            0 => Vec::new(),
            n => vec![format!("{}: {n} binary cells are read as missing", self.name)],
        }
    }

    fn next_batch(&mut self) -> Option<Result<RecordBatch>> {
        let (batch, blobs) = match self.batches.recv().ok()? {
            Ok(read) => read,
            Err(error) => return Some(Err(error)),
        };
        self.blobs += blobs;
        Some(Ok(batch))
    }
}
