//! Narrows: autoencoders that learn what data looks like by squeezing it through a narrow code.

pub mod data;
pub mod error;
pub mod prep;
pub mod range;

pub use error::{Error, ErrorKind, Result};
