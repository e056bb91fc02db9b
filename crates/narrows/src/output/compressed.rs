//! A sink that compresses what goes through it where the target's name says so: `.gz`, `.zst`.

use std::io::{self, Write};
use std::path::Path;

use flate2::write::GzEncoder;

use super::Sink;
use crate::failure::Failure;

/// Bytes on their way to a sink.
pub(super) enum Compressed {
    Plain(Sink),
    Gzip(GzEncoder<Sink>),
    Zstd(zstd::Encoder<'static, Sink>),
}

impl Compressed {
    /// The compression that the name of `target` asks for.
    pub(super) fn new(sink: Sink, target: Option<&Path>) -> Result<Compressed, Failure> {
        let extension = target.and_then(|path| path.extension()).and_then(|extension| extension.to_str());
        Ok(match extension {
            Some("gz") => Compressed::Gzip(GzEncoder::new(sink, flate2::Compression::default())),
            Some("zst" | "zstd") => {
                let name = sink.name().to_owned();
                Compressed::Zstd(zstd::Encoder::new(sink, 0).map_err(|error| Failure::write(&name, error))?)
            }
            _ => Compressed::Plain(sink),
        })
    }

    /// Ends the compression and lets the file appear.
    pub(super) fn finish(self) -> Result<(), Failure> {
        let name = self.name().to_owned();
        let sink = match self {
            Compressed::Plain(sink) => Ok(sink),
            Compressed::Gzip(encoder) => encoder.finish(),
            Compressed::Zstd(encoder) => encoder.finish(),
        };
        sink.map_err(|error| Failure::write(&name, error))?.finish()
    }

    /// The name of the target.
    pub(super) fn name(&self) -> &str {
        match self {
            Compressed::Plain(sink) => sink.name(),
            Compressed::Gzip(encoder) => encoder.get_ref().name(),
            Compressed::Zstd(encoder) => encoder.get_ref().name(),
        }
    }
}

impl Write for Compressed {
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
