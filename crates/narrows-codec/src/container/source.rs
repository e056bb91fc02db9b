//! A byte source for untrusted files, with position and checksum.

use std::io::{self, BufReader, Read};

use crate::{
    error::{CodecError, Part, Result},
    varint::{Partial, Step},
};

pub(super) struct Source<R> {
    inner: BufReader<R>,
    /// Number of bytes read.
    offset: u64,
    hasher: crc32fast::Hasher,
    part: Part,
    /// Start of the current part.
    start: u64,
}

impl<R: Read> Source<R> {
    /// A source whose first byte is at `offset` of the file.
    pub(super) fn new(inner: R, offset: u64) -> Self {
        let hasher = crc32fast::Hasher::new();
        Source { inner: BufReader::new(inner), offset, hasher, part: Part::Header, start: offset }
    }

    pub(super) fn offset(&self) -> u64 {
        self.offset
    }

    /// Starts a part and its checksum.
    pub(super) fn begin(&mut self, part: Part) {
        self.part = part;
        self.start = self.offset;
        self.hasher = crc32fast::Hasher::new();
    }

    /// Sets the kind of the current part.
    pub(super) fn rename(&mut self, part: Part) {
        self.part = part;
    }

    pub(super) fn truncated(&self) -> CodecError {
        CodecError::Truncated { part: self.part, offset: self.offset }
    }

    pub(super) fn damaged(&self, reason: impl Into<String>) -> CodecError {
        CodecError::Damaged { part: self.part, offset: self.start, reason: reason.into() }
    }

    /// The next byte, if there is one.
    pub(super) fn next(&mut self) -> Result<Option<u8>> {
        let mut byte = [0];
        loop {
            match self.inner.read(&mut byte) {
                Ok(0) => return Ok(None),
                Ok(_) => break,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
        self.offset += 1;
        self.hasher.update(&byte);
        Ok(Some(byte[0]))
    }

    pub(super) fn byte(&mut self) -> Result<u8> {
        self.next()?.ok_or_else(|| self.truncated())
    }

    pub(super) fn varint(&mut self) -> Result<u64> {
        let mut partial = Partial::default();
        loop {
            match partial.step(self.byte()?) {
                Step::More => {}
                Step::Done(value) => return Ok(value),
                Step::Invalid => return Err(self.damaged("a number is not spelled as numbers are")),
            }
        }
    }

    /// The next `count` bytes. Memory grows with the bytes read, not with the stated length.
    pub(super) fn bytes(&mut self, length: u64) -> Result<Vec<u8>> {
        let mut out = Vec::new();
        (&mut self.inner).take(length).read_to_end(&mut out)?;
        self.offset += out.len() as u64;
        self.hasher.update(&out);
        if (out.len() as u64) < length { Err(self.truncated()) } else { Ok(out) }
    }

    /// Reads a checksum and compares it with that of the current part.
    pub(super) fn checksum(&mut self) -> Result<()> {
        let expected = self.hasher.clone().finalize();
        let mut stored = [0; 4];
        for byte in &mut stored {
            *byte = self.byte()?;
        }
        let got = u32::from_le_bytes(stored);
        if got != expected {
            return Err(
                self.damaged(format!("its bytes have the checksum {expected:08x}, its stored one is {got:08x}"))
            );
        }
        Ok(())
    }
}
