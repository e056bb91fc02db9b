//! Random access to chunks.

use std::io::{Read, Seek, SeekFrom};

use super::{
    CHUNK, END, LENGTH_BYTES,
    header::Header,
    reader::{Chunk, read_chunk},
    source::Source,
};
use crate::error::{CodecError, Part, Result};

/// The position of a chunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// Number of its first row, from zero.
    pub first_row: u64,
    /// Number of rows.
    pub rows: u64,
    /// Offset in the file, in bytes.
    pub offset: u64,
    /// Length in bytes.
    pub length: u64,
}

/// The table of a compressed file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Index {
    header: Header,
    chunks: Vec<Entry>,
}

impl Index {
    /// Reads the header and the table.
    ///
    /// # Errors
    ///
    /// If it is not a compressed file, has a newer version, or header or table are truncated or damaged.
    pub fn open<R: Read + Seek>(file: &mut R) -> Result<Index> {
        file.seek(SeekFrom::Start(0))?;
        let mut source = Source::new(&mut *file, 0);
        let header = Header::read(&mut source)?;
        let body = source.offset();
        let end = file.seek(SeekFrom::End(0))?;
        let lost = |reason: String| CodecError::Damaged { part: Part::Table, offset: end, reason };
        let tail = end
            .checked_sub(LENGTH_BYTES)
            .filter(|&tail| tail >= body)
            .ok_or(CodecError::Truncated { part: Part::Table, offset: end })?;
        file.seek(SeekFrom::Start(tail))?;
        let mut told = [0; LENGTH_BYTES as usize];
        file.read_exact(&mut told)?;
        let told = u64::from(u32::from_le_bytes(told));
        let start = tail.checked_sub(told).filter(|&start| start >= body).ok_or_else(|| {
            lost(format!(
                "expected at most {} bytes of it before its length, got {told}; the file may be cut short",
                tail - body
            ))
        })?;
        file.seek(SeekFrom::Start(start))?;
        let mut source = Source::new(file.take(told), start);
        source.begin(Part::Table);
        if source.byte()? != END {
            return Err(source.damaged("it does not begin where the end of the file says; the file may be cut short"));
        }
        let count = source.varint()?;
        let mut chunks = Vec::new();
        let (mut first_row, mut offset) = (0u64, body);
        for _ in 0..count {
            let (rows, length) = (source.varint()?, source.varint()?);
            chunks.push(Entry { first_row, rows, offset, length });
            let sums = (first_row.checked_add(rows), offset.checked_add(length));
            let (Some(rows), Some(bytes)) = sums else {
                return Err(source.damaged("its rows or bytes cannot be numbered"));
            };
            (first_row, offset) = (rows, bytes);
        }
        source.checksum()?;
        if offset != start || source.next()?.is_some() {
            return Err(source.damaged(format!("it says that chunks end at byte {offset}, they end at {start}")));
        }
        Ok(Index { header, chunks })
    }

    /// The header.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// The chunks, in order.
    pub fn chunks(&self) -> &[Entry] {
        &self.chunks
    }

    /// Total number of rows.
    pub fn rows(&self) -> u64 {
        self.chunks.last().map_or(0, |last| last.first_row + last.rows)
    }

    /// Reads the chunk with this number from the file of the index.
    ///
    /// # Errors
    ///
    /// If there is no such chunk, or it is truncated, damaged, or inconsistent with the table.
    pub fn read_chunk<R: Read + Seek>(&self, file: &mut R, number: usize) -> Result<Chunk> {
        let Some(entry) = self.chunks.get(number) else {
            let expected = format!("below {}", self.chunks.len());
            return Err(CodecError::malformed("number of a chunk", expected, number));
        };
        file.seek(SeekFrom::Start(entry.offset))?;
        let mut source = Source::new(file.take(entry.length), entry.offset);
        source.begin(Part::Chunk(number as u64));
        match source.byte()? {
            CHUNK => {}
            other => return Err(source.damaged(format!("expected a chunk (1), got {other}"))),
        }
        let chunk = read_chunk(&mut source, entry.first_row)?;
        if chunk.rows != entry.rows || source.offset() - entry.offset != entry.length {
            return Err(source.damaged(format!("the table says {} rows in {} bytes", entry.rows, entry.length)));
        }
        Ok(chunk)
    }
}
