//! Where the bytes of an image come from.

use std::fs::File;
use std::io::{BufReader, Cursor, Read, Result, Seek, SeekFrom};

/// What every decoder here reads from. The decoders are generic over it and are compiled anew for each type that they
/// are given, so there is to be one.
pub(crate) type Buffered = BufReader<ByteSource>;

/// A file on the disk or in memory.
pub(crate) enum ByteSource {
    File(File),
    Memory(Cursor<Vec<u8>>),
}

impl ByteSource {
    pub(crate) fn file(file: File) -> Buffered {
        BufReader::new(ByteSource::File(file))
    }

    pub(crate) fn memory(bytes: Vec<u8>) -> Buffered {
        BufReader::new(ByteSource::Memory(Cursor::new(bytes)))
    }
}

impl Read for ByteSource {
    fn read(&mut self, into: &mut [u8]) -> Result<usize> {
        match self {
            ByteSource::File(file) => file.read(into),
            ByteSource::Memory(bytes) => bytes.read(into),
        }
    }

    fn read_to_end(&mut self, into: &mut Vec<u8>) -> Result<usize> {
        match self {
            ByteSource::File(file) => file.read_to_end(into),
            ByteSource::Memory(bytes) => bytes.read_to_end(into),
        }
    }
}

impl Seek for ByteSource {
    fn seek(&mut self, to: SeekFrom) -> Result<u64> {
        match self {
            ByteSource::File(file) => file.seek(to),
            ByteSource::Memory(bytes) => bytes.seek(to),
        }
    }
}
