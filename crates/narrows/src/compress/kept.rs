//! What is kept as it is: columns that the model does not know, and single cells that no cell of a lattice holds.

use std::io::Read;

use arrow::array::RecordBatch;
use arrow::ipc::reader::StreamReader;
use arrow::ipc::writer::StreamWriter;
use serde::{Deserialize, Serialize};

use super::manifest::{pack, unpack};

/// As small as zstd makes it in bearable time.
const EFFORT: i32 = 19;
/// No chunk's columns grow beyond this when they are unpacked: a small file cannot fill the memory.
const LARGEST: u64 = 1 << 31;

/// A number that is stored by itself.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(super) struct Exception {
    /// Its place among the numbers of the chunk.
    pub(super) place: u64,
    pub(super) value: f64,
}

/// Columns as a packed Arrow stream; nothing for no columns.
pub(super) fn columns(batch: &RecordBatch) -> Vec<u8> {
    if batch.num_columns() == 0 {
        return Vec::new();
    }
    let mut writer = StreamWriter::try_new(Vec::new(), &batch.schema()).expect("memory does not fail");
    writer.write(batch).expect("memory does not fail");
    squeeze(&writer.into_inner().expect("memory does not fail"))
}

/// The columns of a packed stream.
pub(super) fn read_columns(bytes: &[u8]) -> Result<RecordBatch, String> {
    let bytes = release(bytes)?;
    let damaged = |error: arrow::error::ArrowError| format!("the kept columns are damaged: {error}");
    let mut batches = StreamReader::try_new(bytes.as_slice(), None).map_err(damaged)?;
    batches.next().unwrap_or_else(|| Err(arrow::error::ArrowError::IpcError("no rows".to_owned()))).map_err(damaged)
}

/// Anything small, packed; nothing for nothing.
pub(super) fn values<T: Serialize>(values: &[T]) -> Vec<u8> {
    if values.is_empty() { Vec::new() } else { squeeze(&pack(&values)) }
}

/// The opposite of [`values`].
pub(super) fn read_values<T: serde::de::DeserializeOwned>(bytes: &[u8], what: &str) -> Result<Vec<T>, String> {
    if bytes.is_empty() { Ok(Vec::new()) } else { unpack(&release(bytes)?, what) }
}

/// As small as zstd makes it.
pub(super) fn squeeze(bytes: &[u8]) -> Vec<u8> {
    zstd::bulk::compress(bytes, EFFORT).expect("memory does not fail")
}

/// The opposite of [`squeeze`].
pub(super) fn release(bytes: &[u8]) -> Result<Vec<u8>, String> {
    let damaged = |error: std::io::Error| format!("what is kept is damaged: {error}");
    let mut released = Vec::new();
    let decoder = zstd::stream::read::Decoder::new(bytes).map_err(damaged)?;
    decoder.take(LARGEST).read_to_end(&mut released).map_err(damaged)?;
    if released.len() as u64 == LARGEST {
        return Err(format!("expected less than {LARGEST} bytes of kept columns, got more"));
    }
    Ok(released)
}
