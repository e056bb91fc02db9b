//! Sequential writing, for pipes.

use std::io::{self, Write};

use super::{CHUNK, END, header::Header};
use crate::varint;

/// Writes a compressed file. Without [`Writer::finish`] it has no table, and readers report it as truncated.
#[derive(Debug)]
pub struct Writer<W: Write> {
    inner: W,
    /// Rows and bytes of each chunk.
    chunks: Vec<(u64, u64)>,
}

impl<W: Write> Writer<W> {
    /// Writes the header.
    ///
    /// # Errors
    ///
    /// If writing fails.
    pub fn new(mut inner: W, header: &Header) -> io::Result<Self> {
        inner.write_all(&header.to_bytes())?;
        Ok(Writer { inner, chunks: Vec::new() })
    }

    /// Writes the next `rows` rows as one chunk.
    ///
    /// # Errors
    ///
    /// If writing fails.
    pub fn chunk(&mut self, rows: u64, sections: &[&[u8]]) -> io::Result<()> {
        let mut head = vec![CHUNK];
        varint::push(&mut head, rows);
        varint::push(&mut head, sections.len() as u64);
        for section in sections {
            varint::push(&mut head, section.len() as u64);
        }
        let mut hasher = crc32fast::Hasher::new();
        let mut length = 4;
        for part in std::iter::once(head.as_slice()).chain(sections.iter().copied()) {
            self.inner.write_all(part)?;
            hasher.update(part);
            length += part.len() as u64;
        }
        self.inner.write_all(&hasher.finalize().to_le_bytes())?;
        self.chunks.push((rows, length));
        Ok(())
    }

    /// Writes the table of chunks and returns the flushed sink.
    ///
    /// # Errors
    ///
    /// If writing fails, or the table exceeds 4 GiB.
    pub fn finish(mut self) -> io::Result<W> {
        let mut table = vec![END];
        varint::push(&mut table, self.chunks.len() as u64);
        for &(rows, length) in &self.chunks {
            varint::push(&mut table, rows);
            varint::push(&mut table, length);
        }
        table.extend(crc32fast::hash(&table).to_le_bytes());
        let length = u32::try_from(table.len())
            .map_err(|_| io::Error::other(format!("expected a chunk table below 4 GiB, got {} bytes", table.len())))?;
        table.extend(length.to_le_bytes());
        self.inner.write_all(&table)?;
        self.inner.flush()?;
        Ok(self.inner)
    }
}
