//! Where the bytes of an image come from.

use std::fs::File;
use std::io::{BufReader, Cursor, Error, ErrorKind, Read, Result, Seek, SeekFrom};
use std::path::Path;

/// Opens a regular file. A pipe would be waited for without end, and a device has no size to measure promises by.
pub(crate) fn open_regular(path: &Path) -> Result<File> {
    if !std::fs::metadata(path)?.is_file() {
        return Err(Error::new(ErrorKind::Unsupported, "expected a regular file, got a pipe, a device or a folder"));
    }
    File::open(path)
}

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

    /// Number of bytes in all.
    pub(crate) fn length(&self) -> u64 {
        match self {
            ByteSource::File(file) => file.metadata().map_or(0, |metadata| metadata.len()),
            ByteSource::Memory(bytes) => bytes.get_ref().len() as u64,
        }
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
