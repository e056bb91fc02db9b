//! Integers to bytes and back.
#![deny(clippy::float_arithmetic)]

mod coder;
mod codes;
mod container;
mod error;
mod fit;
mod logistic;
mod mixer;
mod plane;
mod predictor;
mod residual;
mod table;
mod varint;

pub use codes::{decode_codes, encode_codes};
pub use container::{Chunk, Entry, Header, Index, Reader, VERSION, Writer};
pub use error::{CodecError, Part, Result};
pub use plane::{FRACTION, Plane, Shape, decode_plane, encode_plane};
pub use table::Table;
