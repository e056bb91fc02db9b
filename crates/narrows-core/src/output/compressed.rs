//! A sink that compresses by file extension: `.gz`, `.zst`.

use std::io::{self, Write};
use std::path::Path;

use flate2::write::GzEncoder;

use super::sink::Sink;
use crate::error::{Error, Result};

/// Compression of text output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Compression {
    /// No compression.
    #[default]
    None,
    /// gzip.
    Gzip,
    /// zstd.
    Zstd,
}

impl Compression {
    /// The compression given by a file extension.
    pub fn of_path(path: &Path) -> Compression {
        match path.extension().and_then(|extension| extension.to_str()) {
            Some("gz") => Compression::Gzip,
            Some("zst" | "zstd") => Compression::Zstd,
            _ => Compression::None,
        }
    }
}

/// A writer to a sink, possibly compressing.
pub(super) enum Compressed<'a> {
    Plain(Sink<'a>),
    Gzip(GzEncoder<Sink<'a>>),
    Zstd(zstd::Encoder<'static, Sink<'a>>),
}

impl<'a> Compressed<'a> {
    /// Wraps a sink.
    pub(super) fn new(sink: Sink<'a>, compression: Compression) -> Result<Compressed<'a>> {
        Ok(match compression {
            Compression::None => Compressed::Plain(sink),
            Compression::Gzip => Compressed::Gzip(GzEncoder::new(sink, flate2::Compression::default())),
            Compression::Zstd => {
                let name = sink.name().to_owned();
                Compressed::Zstd(zstd::Encoder::new(sink, 0).map_err(|error| Error::write(&name, error))?)
            }
        })
    }

    /// A placeholder for a moved writer.
    #[cfg(feature = "parquet")]
    pub(super) fn nowhere() -> Compressed<'a> {
        Compressed::Plain(Sink::new(io::sink(), "nowhere"))
    }

    /// Finishes the compression and publishes the file.
    pub(super) fn finish(self) -> Result<()> {
        let name = self.name().to_owned();
        let sink = match self {
            Compressed::Plain(sink) => Ok(sink),
            Compressed::Gzip(encoder) => encoder.finish(),
            Compressed::Zstd(encoder) => encoder.finish(),
        };
        sink.map_err(|error| Error::write(&name, error))?.finish()
    }

    /// The name of the target.
    fn name(&self) -> &Path {
        match self {
            Compressed::Plain(sink) => sink.name(),
            Compressed::Gzip(encoder) => encoder.get_ref().name(),
            Compressed::Zstd(encoder) => encoder.get_ref().name(),
        }
    }
}

impl Write for Compressed<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Compressed::Plain(sink) => sink.write(bytes),
            Compressed::Gzip(encoder) => encoder.write(bytes),
            Compressed::Zstd(encoder) => encoder.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Compressed::Plain(sink) => sink.flush(),
            Compressed::Gzip(encoder) => encoder.flush(),
            Compressed::Zstd(encoder) => encoder.flush(),
        }
    }
}
