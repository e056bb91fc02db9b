//! Narrows: autoencoders that learn what data looks like by squeezing it through a narrow code.

pub mod baseline;
pub mod detect;
pub mod error;
pub mod range;

pub use error::{Error, ErrorKind, Result};
