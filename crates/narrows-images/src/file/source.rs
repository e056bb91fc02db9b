//! Where the bytes of an image come from.

use std::fs::File;
use std::io::{BufReader, Cursor, Read, Result, Seek, SeekFrom};

/// What every decoder here reads from. The decoders are generic over it and are compiled anew for each type that they
/// are given, so there is to be one.
pub(crate) type Buffered = BufReader<Source>;

/// A file on the disk or in memory.
pub(crate) enum Source {
    File(File),
    Memory(Cursor<Vec<u8>>),
}

impl Source {
    pub(crate) fn file(file: File) -> Buffered {
        BufReader::new(Source::File(file))
    }

    pub(crate) fn memory(bytes: Vec<u8>) -> Buffered {
        BufReader::new(Source::Memory(Cursor::new(bytes)))
    }
}

impl Read for Source {
    fn read(&mut self, into: &mut [u8]) -> Result<usize> {
        match self {
            Source::File(file) => file.read(into),
            Source::Memory(bytes) => bytes.read(into),
        }
    }

    fn read_to_end(&mut self, into: &mut Vec<u8>) -> Result<usize> {
        match self {
            Source::File(file) => file.read_to_end(into),
            Source::Memory(bytes) => bytes.read_to_end(into),
        }
    }
}

impl Seek for Source {
    fn seek(&mut self, to: SeekFrom) -> Result<u64> {
        match self {
            Source::File(file) => file.seek(to),
            Source::Memory(bytes) => bytes.seek(to),
        }
    }
}
