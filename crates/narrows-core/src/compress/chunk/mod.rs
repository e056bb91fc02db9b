//! A chunk of columns and the sections of a file that hold it.

mod check;
mod corrections;
mod layout;
mod pack;
mod places;
mod unpack;
mod words;

pub(super) use layout::sizes;
pub(super) use pack::{Effort, PackedChunk, PreparedChunk};
pub(super) use places::manifest;
pub(super) use unpack::unpack;
