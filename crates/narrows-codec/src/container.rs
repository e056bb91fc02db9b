//! The compressed file: a header, chunks of sections, a table of chunks. The format is described in the
//! crate documentation.

mod header;
mod index;
mod reader;
mod source;
mod writer;

pub use header::{Header, VERSION};
pub use index::{Entry, Index};
pub use reader::{Chunk, Reader};
pub use writer::Writer;

/// The marker byte before a chunk.
const CHUNK: u8 = 1;
/// The marker byte before the table.
const END: u8 = 0;
/// Size in bytes of the table length at the end of the file.
const LENGTH_BYTES: u64 = 4;
