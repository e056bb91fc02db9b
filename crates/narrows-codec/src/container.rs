//! The compressed file: a header, chunks of sections, a table of the chunks. Its bytes are laid out at the head of the
//! crate.

mod header;
mod index;
mod reader;
mod source;
mod writer;

pub use header::{Header, VERSION};
pub use index::{Entry, Index};
pub use reader::{Chunk, Reader};
pub use writer::Writer;

/// The byte before a chunk.
const CHUNK: u8 = 1;
/// The byte before the table.
const END: u8 = 0;
/// The length of a table is told in this many bytes at the end.
const LENGTH_BYTES: u64 = 4;
