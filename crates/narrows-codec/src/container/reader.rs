//! Sequential reading, for pipes.

use std::io::Read;

use super::{CHUNK, END, header::Header, source::Source};
use crate::error::{Part, Result};

/// Consecutive rows of a compressed file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chunk {
    /// Number of the first row, from zero.
    pub first_row: u64,
    /// Number of rows as stated in the file; not validated.
    pub rows: u64,
    /// The coded sections.
    pub sections: Vec<Vec<u8>>,
}

/// Reads a compressed file chunk by chunk.
pub struct Reader<R> {
    source: Source<R>,
    header: Header,
    /// Rows and bytes of each chunk so far.
    chunks: Vec<(u64, u64)>,
    next_row: u64,
    at_end: bool,
}

impl<R: Read> Reader<R> {
    /// Reads the header.
    ///
    /// # Errors
    ///
    /// If it is not a compressed file, has a newer version, or is truncated or damaged.
    pub fn new(inner: R) -> Result<Self> {
        let mut source = Source::new(inner, 0);
        let header = Header::read(&mut source)?;
        Ok(Reader { source, header, chunks: Vec::new(), next_row: 0, at_end: false })
    }

    /// The header.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// The next chunk; `None` at the end, after the table has been checked.
    ///
    /// # Errors
    ///
    /// If the file is truncated or damaged.
    pub fn next_chunk(&mut self) -> Result<Option<Chunk>> {
        if self.at_end {
            return Ok(None);
        }
        let number = self.chunks.len() as u64;
        self.source.begin(Part::Chunk(number));
        let start = self.source.offset();
        match self.source.byte()? {
            CHUNK => {
                let chunk = read_chunk(&mut self.source, self.next_row)?;
                self.chunks.push((chunk.rows, self.source.offset() - start));
                self.next_row += chunk.rows;
                Ok(Some(chunk))
            }
            END => {
                self.source.rename(Part::Table);
                self.read_table(start)?;
                self.at_end = true;
                Ok(None)
            }
            other => Err(self.source.damaged(format!("expected a chunk (1) or the table (0), got {other}"))),
        }
    }

    fn read_table(&mut self, start: u64) -> Result<()> {
        let source = &mut self.source;
        let count = source.varint()?;
        let mut agrees = count == self.chunks.len() as u64;
        for &(rows, length) in self.chunks.iter().take(usize::try_from(count).unwrap_or(usize::MAX)) {
            agrees &= source.varint()? == rows;
            agrees &= source.varint()? == length;
        }
        if !agrees {
            return Err(source.damaged(format!("it does not list the {} chunks that were read", self.chunks.len())));
        }
        source.checksum()?;
        let length = source.offset() - start;
        let mut told = [0; 4];
        for byte in &mut told {
            *byte = source.byte()?;
        }
        let told = u32::from_le_bytes(told);
        if u64::from(told) != length {
            return Err(source.damaged(format!("it has {length} bytes and says {told}")));
        }
        if source.next()?.is_some() {
            return Err(source.damaged("expected the end of the file after it, got more bytes"));
        }
        Ok(())
    }
}

/// Reads a chunk after its marker.
pub(super) fn read_chunk<R: Read>(source: &mut Source<R>, first_row: u64) -> Result<Chunk> {
    let rows = source.varint()?;
    if first_row.checked_add(rows).is_none() {
        return Err(source.damaged(format!("rows cannot be numbered: {rows} after {first_row}")));
    }
    let count = source.varint()?;
    let mut lengths = Vec::new();
    for _ in 0..count {
        lengths.push(source.varint()?);
    }
    let sections = lengths.into_iter().map(|length| source.bytes(length)).collect::<Result<_>>()?;
    source.checksum()?;
    Ok(Chunk { first_row, rows, sections })
}
