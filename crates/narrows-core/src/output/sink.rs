//! Output sinks: stdout, devices, memory, or a file that is published only when it is complete.
//!
//! Devices, pipes (`/dev/null`, `/dev/full`, a FIFO) and open descriptors (`/dev/stdout`, `/dev/fd/3`) are opened directly:
//! a rename would replace the device itself, or a file that a shell has redirected to. An object in a storage is uploaded
//! while it is written, and visible when it is finished.

use std::any::Any;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::Draft;
use super::compressed::Compression;
use crate::data::{Upload, shown, storage_of};
use crate::error::{Error, Result};

/// A writer with a name for error messages.
pub struct Sink<'a> {
    destination: Destination<'a>,
    name: PathBuf,
    compression: Compression,
    is_stream: bool,
    /// Dropped last.
    _guard: Option<Box<dyn Any + Send>>,
}

enum Destination<'a> {
    Stream(Box<dyn Write + Send + 'a>),
    Draft(Draft),
    Upload(Box<dyn Upload>),
}

impl Sink<'static> {
    /// The file `path`, or the object at this address, which is created or replaced when the sink is
    /// [finished](Sink::finish).
    ///
    /// # Errors
    /// [`Error::Write`] if it cannot be written.
    pub fn create(path: impl AsRef<Path>) -> Result<Sink<'static>> {
        let path = path.as_ref();
        let compression = Compression::of_path(path);
        if let Some((storage, address)) = storage_of(path) {
            let upload = storage.create(address).map_err(|error| Error::write(shown(path), error))?;
            let destination = Destination::Upload(upload);
            return Ok(Sink { destination, name: shown(path), compression, is_stream: false, _guard: None });
        }
        let is_stream = is_stream(path);
        let destination = if is_stream {
            open_stream(path).map(|device| Destination::Stream(Box::new(device)))
        } else {
            Draft::of(path).map(Destination::Draft)
        };
        let destination = destination.map_err(|error| Error::write(path, error))?;
        Ok(Sink { destination, name: path.to_path_buf(), compression, is_stream, _guard: None })
    }

    /// The standard output.
    pub fn stdout() -> Sink<'static> {
        Sink::new(io::stdout(), "stdout").read_as_written()
    }

    /// Attaches a value that is dropped once the file is renamed or removed: for callers that register
    /// [`draft`](Sink::draft) for removal on a signal.
    #[must_use]
    pub fn with_guard(self, guard: impl Any + Send) -> Sink<'static> {
        Sink { _guard: Some(Box::new(guard)), ..self }
    }
}

impl<'a> Sink<'a> {
    /// Any writer, such as a socket or a vector of bytes.
    pub fn new(out: impl Write + Send + 'a, name: impl Into<PathBuf>) -> Sink<'a> {
        Sink {
            destination: Destination::Stream(Box::new(out)),
            name: name.into(),
            compression: Compression::None,
            is_stream: false,
            _guard: None,
        }
    }

    /// The target as given, used in error messages.
    pub fn name(&self) -> &Path {
        &self.name
    }

    /// Marks a sink whose reader reads while it is written, such as a pipe: Arrow is then written in its stream format.
    #[must_use]
    pub fn read_as_written(self) -> Sink<'a> {
        Sink { is_stream: true, ..self }
    }

    /// Whether it is read while it is written.
    pub(super) fn is_stream(&self) -> bool {
        self.is_stream
    }

    /// The compression given by the file extension.
    pub fn compression(&self) -> Compression {
        self.compression
    }

    /// The path of the temporary file, before it is renamed; `None` for other sinks.
    pub fn draft(&self) -> Option<&Path> {
        match &self.destination {
            Destination::Draft(draft) => Some(draft.path()),
            Destination::Stream(_) | Destination::Upload(_) => None,
        }
    }

    /// Publishes the file under its name.
    ///
    /// # Errors
    /// [`Error::Write`]; the temporary file is then removed, and the existing file is unchanged.
    pub fn finish(mut self) -> Result<()> {
        let done = self.flush().and_then(|()| match self.destination {
            Destination::Draft(draft) => draft.rename(),
            Destination::Upload(upload) => upload.finish(),
            Destination::Stream(_) => Ok(()),
        });
        done.map_err(|error| Error::write(&self.name, error))
    }
}

/// Whether `path` is a device, a pipe or an open descriptor, which is written as it is, and never replaced.
pub fn is_stream(path: &Path) -> bool {
    is_descriptor(path) || fs::metadata(path).is_ok_and(|metadata| !metadata.is_file() && !metadata.is_dir())
}

/// Opens such a path. What a descriptor has written is kept.
pub(super) fn open_stream(path: &Path) -> io::Result<File> {
    File::options().write(true).append(is_descriptor(path)).open(path)
}

fn is_descriptor(path: &Path) -> bool {
    ["/dev/stdout", "/dev/stderr"].iter().any(|name| path == Path::new(name))
        || ["/dev/fd", "/proc/self/fd"].iter().any(|folder| path.parent() == Some(Path::new(folder)))
}

impl Write for Sink<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.destination {
            Destination::Stream(stream) => stream.write(bytes),
            Destination::Draft(draft) => draft.write(bytes),
            Destination::Upload(upload) => upload.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.destination {
            Destination::Stream(stream) => stream.flush(),
            Destination::Draft(draft) => draft.flush(),
            Destination::Upload(upload) => upload.flush(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn a_guard_lives_until_the_file_has_its_name_or_is_gone() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("out.csv");
        let guard = Arc::new(());
        let mut sink = Sink::create(&target).unwrap().with_guard(guard.clone());
        sink.write_all(b"x").unwrap();
        assert!(sink.draft().unwrap().exists() && !target.exists() && Arc::strong_count(&guard) == 2);
        sink.finish().unwrap();
        assert!(target.exists() && Arc::strong_count(&guard) == 1);
        drop(Sink::create(&target).unwrap().with_guard(guard.clone()));
        assert_eq!(Arc::strong_count(&guard), 1);
    }

    #[test]
    fn memory_is_written_to_as_well() {
        let mut bytes = Vec::new();
        let mut sink = Sink::new(&mut bytes, "memory");
        sink.write_all(b"x").unwrap();
        assert!(sink.draft().is_none());
        sink.finish().unwrap();
        assert_eq!(bytes, b"x");
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_device_stays_a_device() {
        use std::os::unix::fs::FileTypeExt;
        let mut sink = Sink::create("/dev/full").unwrap();
        assert!(sink.write_all(b"x").is_err());
        assert!(fs::metadata("/dev/full").unwrap().file_type().is_char_device());
    }
}
