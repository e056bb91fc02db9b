//! Where the bytes of an image come from.

use std::fs::File;
use std::io::{BufReader, Cursor, Error, ErrorKind, Read, Result, Seek, SeekFrom};
use std::path::Path;

use super::directory::Layout;
use super::pages::{Part, Place};

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
    /// A file whose first directory is another one than it says: its bytes at this position are these.
    Page(File, u64, Vec<u8>),
}

impl ByteSource {
    pub(crate) fn file(file: File) -> Buffered {
        BufReader::new(ByteSource::File(file))
    }

    /// A file whose first image is the given one.
    pub(super) fn file_at(file: File, part: &Part, place: &str) -> crate::Result<Buffered> {
        let Place::Directory(at) = part.place else { return Ok(ByteSource::file(file)) };
        let mut source = ByteSource::file(file);
        let changed = || crate::Error::image(place, "expected the tiff that it was, got another file");
        let layout = Layout::read(&mut source).ok().flatten().ok_or_else(changed)?;
        let ByteSource::File(mut file) = source.into_inner() else { return Err(changed()) };
        file.rewind().map_err(|error| crate::Error::read(place, error))?;
        let (position, bytes) = layout.patch(at);
        Ok(BufReader::new(ByteSource::Page(file, position, bytes)))
    }

    pub(crate) fn memory(bytes: Vec<u8>) -> Buffered {
        BufReader::new(ByteSource::Memory(Cursor::new(bytes)))
    }

    /// Number of bytes in all.
    pub(crate) fn length(&self) -> u64 {
        match self {
            ByteSource::File(file) => file.metadata().map_or(0, |metadata| metadata.len()),
            ByteSource::Memory(bytes) => bytes.get_ref().len() as u64,
            ByteSource::Page(file, ..) => file.metadata().map_or(0, |metadata| metadata.len()),
        }
    }
}

impl Read for ByteSource {
    fn read(&mut self, into: &mut [u8]) -> Result<usize> {
        match self {
            ByteSource::File(file) => file.read(into),
            ByteSource::Memory(bytes) => bytes.read(into),
            ByteSource::Page(file, at, bytes) => {
                let start = file.stream_position()?;
                let count = file.read(into)?;
                for (place, byte) in (*at..).zip(bytes.iter()) {
                    if (start..start + count as u64).contains(&place) {
                        into[(place - start) as usize] = *byte;
                    }
                }
                Ok(count)
            }
        }
    }

    fn read_to_end(&mut self, into: &mut Vec<u8>) -> Result<usize> {
        match self {
            ByteSource::File(file) => file.read_to_end(into),
            ByteSource::Memory(bytes) => bytes.read_to_end(into),
            // The default: what is read in parts is patched.
            ByteSource::Page(..) => {
                let start = into.len();
                let mut part = [0; 8192];
                loop {
                    match self.read(&mut part)? {
                        0 => return Ok(into.len() - start),
                        count => into.extend_from_slice(&part[..count]),
                    }
                }
            }
        }
    }
}

impl Seek for ByteSource {
    fn seek(&mut self, to: SeekFrom) -> Result<u64> {
        match self {
            ByteSource::File(file) => file.seek(to),
            ByteSource::Memory(bytes) => bytes.seek(to),
            ByteSource::Page(file, ..) => file.seek(to),
        }
    }
}
