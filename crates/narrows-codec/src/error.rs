//! Errors of decoding.

use std::{fmt, io};

/// The result type of this crate.
pub type Result<T> = std::result::Result<T, CodecError>;

/// Why compressed bytes cannot be decoded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CodecError {
    /// The file does not start with the magic number.
    #[error("not a compressed file of Narrows: expected it to begin with `NRWZ`, got {got:02x?}")]
    NotCompressed {
        /// The first bytes, at most four.
        got: Vec<u8>,
    },
    /// The file has a newer version.
    #[error("the file has format version {got}, the newest known here is {newest}")]
    Version {
        /// The version in the file.
        got: u64,
        /// The newest supported version.
        newest: u64,
    },
    /// The file is truncated.
    #[error("the file ends inside {part}, at byte {offset}")]
    Truncated {
        /// What was being read.
        part: Part,
        /// Number of bytes available.
        offset: u64,
    },
    /// The bytes differ from those written.
    #[error("{part}, which begins at byte {offset}, is damaged: {reason}")]
    Damaged {
        /// What is damaged.
        part: Part,
        /// Its offset in the file.
        offset: u64,
        /// What is inconsistent.
        reason: String,
    },
    /// Decoded values differ from the encoded ones, because the predictions of decoder and encoder
    /// differ.
    #[error(
        "{section} diverged: expected values of checksum {expected:08x}, got {got:08x}; the guesses or the bytes are \
         not those it was written with"
    )]
    Diverged {
        /// The section.
        section: String,
        /// The stored checksum.
        expected: u32,
        /// The checksum of the decoded values.
        got: u32,
    },
    /// An invalid part.
    #[error("{what}: expected {expected}, got {got}")]
    Malformed {
        /// The part.
        what: &'static str,
        /// Valid values.
        expected: String,
        /// The value found.
        got: String,
    },
    /// The source could not be read.
    #[error("cannot read the compressed file: {0}")]
    Io(#[from] io::Error),
}

/// A part of the compressed file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// Magic number, version, codec, model and settings.
    Header,
    /// A chunk, numbered from zero.
    Chunk(u64),
    /// The table of chunks at the end.
    Table,
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Part::Header => f.write_str("the header"),
            Part::Chunk(number) => write!(f, "chunk {number}"),
            Part::Table => f.write_str("the chunk table"),
        }
    }
}

impl CodecError {
    pub(crate) fn malformed(what: &'static str, expected: impl ToString, got: impl ToString) -> Self {
        CodecError::Malformed { what, expected: expected.to_string(), got: got.to_string() }
    }
}
