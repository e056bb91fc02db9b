//! How much a file may ask for: memory for a line, and what it unfolds to.

use crate::error::{Error, Hint, Place};

/// Bytes that any input may unfold to, however small it is.
const FREE: u64 = 256 << 20;

/// A batch ends early at this many bytes of values, which bounds memory for long cells and wide rows.
pub(super) const BATCH_BYTES: usize = 64 << 20;

/// Columns of a table.
const MOST_COLUMNS: usize = 1 << 20;

/// Limits on what is read, so that a damaged or forged file is refused before it fills the memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReadLimits {
    /// Longest line or record of text in bytes.
    pub max_line_bytes: usize,
    /// How many times its own size an input may unfold to where it is kept as a whole: in memory as a table, or in a
    /// temporary file. Up to 256 MiB are always allowed.
    pub max_ratio: u64,
}

impl Default for ReadLimits {
    /// 64 MiB a line, 250 times the size.
    fn default() -> ReadLimits {
        ReadLimits { max_line_bytes: 64 << 20, max_ratio: 250 }
    }
}

impl ReadLimits {
    /// Bytes that an input of `size` bytes may unfold to.
    pub(super) fn unfolded(&self, size: u64) -> u64 {
        size.saturating_mul(self.max_ratio).max(FREE)
    }

    /// The error for a line or a record that is too long.
    pub(super) fn long_line(&self, place: Place) -> Error {
        let message = format!("expected a line of at most {} bytes, got a longer one", self.max_line_bytes);
        let hint = format!("a larger limit: [max_line_bytes={}]", self.max_line_bytes.saturating_mul(4));
        Error::data(place, message).with_hint(Hint::of(&hint))
    }

    /// The error for an input of `size` bytes that unfolds to more than it may.
    pub(super) fn bomb(&self, name: &str, size: u64) -> Error {
        let most = self.unfolded(size);
        let message = format!("expected at most {most} bytes once unfolded, from an input of {size} bytes, got more");
        let hint = format!("if the file is to be trusted: [max_ratio={}]", self.max_ratio.saturating_mul(10));
        Error::data(Place::source(name), message).with_hint(Hint::of(&hint))
    }
}

/// Checks a number of columns.
pub(super) fn check_columns(name: &str, columns: usize) -> Result<(), Error> {
    if columns <= MOST_COLUMNS {
        return Ok(());
    }
    Err(Error::data(Place::source(name), format!("expected at most {MOST_COLUMNS} columns, got {columns}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_inputs_may_unfold_freely_and_large_ones_in_proportion() {
        let limits = ReadLimits::default();
        assert_eq!((limits.unfolded(10), limits.unfolded(4 << 20)), (256 << 20, 1000 << 20));
        let error = limits.bomb("a.gz", 4 << 20);
        assert!(error.to_string().starts_with("a.gz: expected at most 1048576000 bytes once unfolded"), "{error}");
        assert_eq!(error.hint_text().as_deref(), Some("if the file is to be trusted: `max_ratio=2500`"));
    }
}
