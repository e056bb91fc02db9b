//! The bytes of a file or of standard input, with gzip and zstd decompressed.
//!
//! Compression is detected from the first bytes, not from the name, so that misnamed files can be read.

use std::fs::File;
use std::io::{self, Cursor, Read, Seek, SeekFrom};
use std::path::Path;

use encoding_rs_io::DecodeReaderBytesBuilder;
use flate2::read::MultiGzDecoder;

use super::encoding::Encoding;
use crate::error::{Error, Result};

/// Bytes inspected for format detection.
pub(crate) const PREFIX: usize = 64 * 1024;

/// A stream of decompressed bytes with an inspected prefix.
pub(crate) struct Input {
    /// The first [`PREFIX`] bytes, or all if there are fewer.
    pub(crate) prefix: Vec<u8>,
    rest: Box<dyn Read + Send>,
    /// The encoding that the text was decoded from.
    pub(crate) encoding: Option<Encoding>,
}

impl Input {
    /// Opens `path`, or standard input for `-`.
    pub(crate) fn open(path: &Path) -> Result<Input> {
        let raw: Box<dyn Read + Send> = if path.as_os_str() == "-" {
            Box::new(io::stdin())
        } else {
            Box::new(File::open(path).map_err(|error| Error::read(path, error))?)
        };
        Input::over(raw).map_err(|error| Error::read(path, error))
    }

    fn over(mut raw: Box<dyn Read + Send>) -> io::Result<Input> {
        let magic = read_up_to(&mut raw, 4)?;
        let rejoined = Cursor::new(magic.clone()).chain(raw);
        let mut plain: Box<dyn Read + Send> = match magic.as_slice() {
            [0x1f, 0x8b, ..] => Box::new(MultiGzDecoder::new(io::BufReader::new(rejoined))),
            [0x28, 0xb5, 0x2f, 0xfd] => Box::new(zstd::Decoder::new(rejoined)?),
            _ => Box::new(rejoined),
        };
        let prefix = read_up_to(&mut plain, PREFIX)?;
        Ok(Input { prefix, rest: plain, encoding: None })
    }

    /// The text decoded from an encoding to UTF-8; a byte order mark in it wins over `encoding`.
    pub(super) fn decoded(self, encoding: Encoding) -> io::Result<Input> {
        let decoder =
            DecodeReaderBytesBuilder::new().encoding(Some(encoding.0)).bom_override(true).build(self.into_stream());
        let mut rest: Box<dyn Read + Send> = Box::new(decoder);
        let prefix = read_up_to(&mut rest, PREFIX)?;
        Ok(Input { prefix, rest, encoding: Some(encoding) })
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
    /// [`Error::Read`] if the input is truncated or the temporary file cannot be written.
    pub(crate) fn into_file(self, path: &Path) -> Result<File> {
        let spool = |mut stream: Box<dyn Read + Send>| -> io::Result<File> {
            let mut file = tempfile::tempfile()?;
            io::copy(&mut stream, &mut file)?;
            file.seek(SeekFrom::Start(0))?;
            Ok(file)
        };
        spool(self.into_stream()).map_err(|error| Error::read(path, error))
    }
}

/// A seekable file: `path` itself if uncompressed, else a temporary one.
pub(crate) fn seekable(path: &Path, input: Input) -> Result<File> {
    if path.as_os_str() == "-" {
        return input.into_file(path);
    }
    let mut file = File::open(path).map_err(|error| Error::read(path, error))?;
    let is_plain = read_up_to(&mut file, 4).map(|magic| input.prefix.starts_with(&magic));
    match is_plain.and_then(|is_plain| file.seek(SeekFrom::Start(0)).map(|_| is_plain)) {
        Ok(true) => Ok(file),
        Ok(false) => input.into_file(path),
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
        seekable(&path, Input::open(&path).unwrap()).unwrap().read_to_string(&mut text).unwrap();
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
    fn a_truncated_gzip_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("short.gz");
        let bytes = gzip("some text");
        std::fs::write(&path, &bytes[..bytes.len() - 6]).unwrap();
        assert!(Input::open(&path).is_err());
    }
}
