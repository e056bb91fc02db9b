//! The bytes of a file or of standard input, with gzip and zstd decompressed.
//!
//! Compression is detected from the first bytes, not from the name, so that misnamed files can be read.

use std::fs::File;
use std::io::{self, Cursor, Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use encoding_rs_io::DecodeReaderBytesBuilder;
use flate2::read::MultiGzDecoder;

use super::encoding::Encoding;
use super::limits::ReadLimits;
use super::memory::InMemory;
use super::storage::{StoredObject, shown, storage_of};
use crate::error::{Error, Result};

/// Bytes inspected for format detection.
pub(crate) const PREFIX: usize = 64 * 1024;

/// A stream of decompressed bytes with an inspected prefix.
pub(crate) struct Input {
    /// The first [`PREFIX`] bytes, or all if there are fewer.
    pub(crate) prefix: Vec<u8>,
    rest: Box<dyn Read + Send>,
    size: InputSize,
    is_compressed: bool,
    /// What is read, if it is stored elsewhere than on disk.
    object: Option<Arc<dyn StoredObject>>,
    /// The encoding that the text was decoded from.
    pub(crate) encoding: Option<Encoding>,
}

/// Number of bytes of an input as it is stored, compressed or not: of a file all, of a pipe what has been read.
#[derive(Debug, Clone, Default)]
pub(crate) struct InputSize {
    file: u64,
    read: Arc<AtomicU64>,
}

impl InputSize {
    /// The number in the file; 0 for a pipe.
    pub(super) fn file(&self) -> u64 {
        self.file
    }

    /// The share of the file that has been read.
    pub(super) fn share(&self) -> f64 {
        self.read.load(Ordering::Relaxed) as f64 / self.file.max(1) as f64
    }

    /// The number so far.
    pub(crate) fn bytes(&self) -> u64 {
        self.file.max(self.read.load(Ordering::Relaxed))
    }
}

/// Counts what is read.
struct Metered<R> {
    raw: R,
    read: Arc<AtomicU64>,
}

impl<R: Read> Read for Metered<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.raw.read(buffer)?;
        self.read.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}

impl Input {
    /// Opens `path`, or standard input for `-`.
    pub(crate) fn open(path: &Path) -> Result<Input> {
        let mut size = InputSize::default();
        if let Some((storage, address)) = storage_of(path) {
            let opened = storage.open(address).and_then(|object| {
                size.file = object.size();
                let mut input = Input::over(object.stream()?, size)?;
                input.object = Some(object);
                Ok(input)
            });
            return opened.map_err(|error| Error::read(shown(path), error));
        }
        let raw: Box<dyn Read + Send> = if path.as_os_str() == "-" {
            Box::new(io::stdin())
        } else {
            let file = File::open(path).map_err(|error| Error::read(path, error))?;
            size.file = file.metadata().map_or(0, |metadata| metadata.len());
            Box::new(file)
        };
        Input::over(raw, size).map_err(|error| Error::read(path, error))
    }

    /// Bytes in memory.
    pub(super) fn in_memory(memory: &InMemory) -> Result<Input> {
        let size = InputSize { file: memory.len(), ..InputSize::default() };
        Input::over(Box::new(memory.reader()), size).map_err(|error| Error::read(memory.name(), error))
    }

    fn over(raw: Box<dyn Read + Send>, size: InputSize) -> io::Result<Input> {
        let mut raw = Metered { raw, read: Arc::clone(&size.read) };
        let magic = read_up_to(&mut raw, 4)?;
        let rejoined = Cursor::new(magic.clone()).chain(raw);
        let mut is_compressed = true;
        let mut plain: Box<dyn Read + Send> = match magic.as_slice() {
            [0x1f, 0x8b, ..] => Box::new(MultiGzDecoder::new(io::BufReader::new(rejoined))),
            [0x28, 0xb5, 0x2f, 0xfd] => Box::new(zstd::Decoder::new(rejoined)?),
            _ => {
                is_compressed = false;
                Box::new(rejoined)
            }
        };
        let prefix = read_up_to(&mut plain, PREFIX)?;
        Ok(Input { prefix, rest: plain, size, is_compressed, object: None, encoding: None })
    }

    /// The text decoded from an encoding to UTF-8; a byte order mark in it wins over `encoding`.
    pub(super) fn decoded(self, encoding: Encoding) -> io::Result<Input> {
        let size = self.size.clone();
        let decoder =
            DecodeReaderBytesBuilder::new().encoding(Some(encoding.0)).bom_override(true).build(self.into_stream());
        let mut rest: Box<dyn Read + Send> = Box::new(decoder);
        let prefix = read_up_to(&mut rest, PREFIX)?;
        Ok(Input { prefix, rest, size, is_compressed: true, object: None, encoding: Some(encoding) })
    }

    /// The number of bytes as stored.
    pub(crate) fn size(&self) -> &InputSize {
        &self.size
    }

    /// The object, if it is one, of which parts can be read as they are.
    pub(crate) fn object(&self) -> Option<Arc<dyn StoredObject>> {
        self.object.clone().filter(|object| object.has_ranges() && !self.is_compressed)
    }

    /// Whether the prefix is the whole input.
    pub(crate) fn is_whole(&self) -> bool {
        self.prefix.len() < PREFIX
    }

    /// All bytes from the start.
    pub(crate) fn into_stream(self) -> Box<dyn Read + Send> {
        Box::new(Cursor::new(self.prefix).chain(self.rest))
    }

    /// The bytes as a seekable temporary file, deleted when closed.
    ///
    /// # Errors
    /// [`Error::Read`] if the input is truncated or the temporary file cannot be written; [`Error::Data`] if it unfolds to
    /// more than the limit.
    pub(crate) fn into_file(self, path: &Path, limits: &ReadLimits) -> Result<File> {
        let (size, path) = (self.size.clone(), &shown(path));
        let mut stream = self.into_stream();
        let mut file = tempfile::tempfile().map_err(|error| Error::read(path, error))?;
        let mut length = 0;
        // In parts, since of a pipe only what has been read can justify what it unfolds to.
        loop {
            let part =
                io::copy(&mut stream.by_ref().take(PART), &mut file).map_err(|error| Error::read(path, error))?;
            length += part;
            if length > limits.unfolded(size.bytes()) {
                return Err(limits.bomb(&path.display().to_string(), size.bytes()));
            }
            if part < PART {
                break;
            }
        }
        file.seek(SeekFrom::Start(0)).map_err(|error| Error::read(path, error))?;
        Ok(file)
    }
}

/// Bytes copied at a time.
const PART: u64 = 16 << 20;

/// At most `most` bytes of a stream as a temporary file with their number; no file if there are more.
pub(crate) fn copied(stream: &mut dyn Read, most: u64) -> io::Result<(Option<File>, u64)> {
    let mut file = tempfile::tempfile()?;
    let length = io::copy(&mut stream.take(most.saturating_add(1)), &mut file)?;
    Ok(((length <= most).then_some(file), length))
}

/// A seekable file: `path` itself if it is an uncompressed file, else a temporary one.
pub(crate) fn seekable(path: &Path, input: Input, limits: &ReadLimits) -> Result<File> {
    // A pipe gives its bytes once: it cannot be opened again.
    let is_file = path.as_os_str() != "-" && std::fs::metadata(path).is_ok_and(|metadata| metadata.is_file());
    if !is_file {
        return input.into_file(path, limits);
    }
    let mut file = File::open(path).map_err(|error| Error::read(path, error))?;
    let is_plain = read_up_to(&mut file, 4).map(|magic| input.prefix.starts_with(&magic));
    match is_plain.and_then(|is_plain| file.seek(SeekFrom::Start(0)).map(|_| is_plain)) {
        Ok(true) => Ok(file),
        Ok(false) => input.into_file(path, limits),
        Err(error) => Err(Error::read(path, error)),
    }
}

fn read_up_to(reader: &mut impl Read, limit: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(limit);
    reader.by_ref().take(limit as u64).read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn check(bytes: &[u8], expected: &str) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        std::fs::write(&path, bytes).unwrap();
        let mut text = String::new();
        Input::open(&path).unwrap().into_stream().read_to_string(&mut text).unwrap();
        assert_eq!(text, expected);
        text.clear();
        let limits = ReadLimits::default();
        seekable(&path, Input::open(&path).unwrap(), &limits).unwrap().read_to_string(&mut text).unwrap();
        assert_eq!(text, expected);
    }

    fn gzip(text: &str) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(text.as_bytes()).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn plain_gzip_and_zstd_read_alike() {
        let long = "narrows ".repeat(20_000);
        check(b"", "");
        check(long.as_bytes(), &long);
        check(&gzip(&long), &long);
        check(&[gzip("a"), gzip("b")].concat(), "ab");
        check(&zstd::encode_all(long.as_bytes(), 1).unwrap(), &long);
    }

    #[test]
    fn what_unfolds_to_more_than_its_size_justifies_is_refused() {
        let zeros = zstd::encode_all(io::repeat(0).take(300 << 20), 1).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("zeros");
        std::fs::write(&path, &zeros).unwrap();
        let error = Input::open(&path).unwrap().into_file(&path, &ReadLimits::default()).unwrap_err().to_string();
        assert!(error.contains("expected at most 268435456 bytes once unfolded, from an input of"), "{error}");
    }

    #[test]
    fn a_truncated_gzip_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("short.gz");
        let bytes = gzip("some text");
        std::fs::write(&path, &bytes[..bytes.len() - 6]).unwrap();
        assert!(Input::open(&path).is_err());
    }
}
