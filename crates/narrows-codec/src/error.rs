//! What can be wrong with compressed bytes.

use std::{fmt, io};

/// A result of this crate.
pub type Result<T> = std::result::Result<T, CodecError>;

/// Why compressed bytes cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CodecError {
    /// The file does not begin as a compressed file does.
    #[error("not a compressed file of Narrows: expected it to begin with `NRWZ`, got {got:02x?}")]
    NotCompressed {
        /// The first bytes, at most four.
        got: Vec<u8>,
    },
    /// A newer program wrote the file.
    #[error("the file has format version {got}, the newest known here is {newest}")]
    Version {
        /// The version in the file.
        got: u64,
        /// The newest version that this program reads.
        newest: u64,
    },
    /// The file ends too early.
    #[error("the file ends inside {part}, at byte {offset}")]
    Truncated {
        /// What was being read.
        part: Part,
        /// How many bytes there are.
        offset: u64,
    },
    /// The bytes are not those that were written.
    #[error("{part}, which begins at byte {offset}, is damaged: {reason}")]
    Damaged {
        /// What is damaged.
        part: Part,
        /// Where it begins in the file.
        offset: u64,
        /// What does not hold.
        reason: String,
    },
    /// The values came out other than they went in, because what helped to decode them was other than what helped to
    /// encode them.
    #[error(
        "{section} diverged: expected values of checksum {expected:08x}, got {got:08x}; the guesses or the bytes are \
         not those it was written with"
    )]
    Diverged {
        /// Which section.
        section: String,
        /// The checksum that was stored.
        expected: u32,
        /// The checksum of what was decoded.
        got: u32,
    },
    /// A part that cannot be what it says it is.
    #[error("{what}: expected {expected}, got {got}")]
    Malformed {
        /// What it is about.
        what: &'static str,
        /// What would be right.
        expected: String,
        /// What is there.
        got: String,
    },
    /// The source could not be read.
    #[error("cannot read the compressed file: {0}")]
    Io(#[from] io::Error),
}

/// A part of the compressed file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// Magic, version, codec, model and settings.
    Header,
    /// A chunk, by its number from zero.
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
