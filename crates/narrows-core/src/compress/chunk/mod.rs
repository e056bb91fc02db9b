//! A chunk of columns and the sections of a file that hold it.

mod layout;
mod pack;
mod unpack;
mod words;

pub(super) use layout::{places, sizes};
pub(super) use pack::{PackedChunk, PreparedChunk};
pub(super) use unpack::unpack;
