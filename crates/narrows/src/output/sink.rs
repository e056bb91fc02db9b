//! Bytes on their way out: to stdout, to a device, or to a file that appears only when it is complete.
//!
//! A regular file is written beside its target under a temporary name and renamed at the end, so that an error, a full
//! disk or Ctrl-C leaves the old file, or none. Devices and pipes (`/dev/null`, `/dev/full`, a FIFO) are opened as they
//! are: a rename would replace the device itself.

use std::fs::{self, File};
use std::io::{self, Stdout, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use crate::failure::Failure;
use crate::interrupt::Unfinished;

/// Something to write to, with the name that errors call it by.
#[derive(Debug)]
pub(crate) struct Sink {
    place: Place,
    name: String,
}

#[derive(Debug)]
enum Place {
    Stdout(Stdout),
    Device(File),
    File { file: NamedTempFile, target: PathBuf, _unfinished: Unfinished },
}

impl Sink {
    /// Opens `target`, or stdout where there is none.
    pub(crate) fn open(target: Option<&Path>) -> Result<Sink, Failure> {
        let name = target.map_or_else(|| "stdout".to_owned(), |path| path.display().to_string());
        match place(target) {
            Ok(place) => Ok(Sink { place, name }),
            Err(error) => Err(Failure::write(&name, error)),
        }
    }

    /// Writes all of `bytes`.
    pub(crate) fn write_all(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        io::Write::write_all(self, bytes).map_err(|error| Failure::write(&self.name, error))
    }

    /// The name of the target.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Where what is written so far can be read, before the file has its name; none where it cannot.
    pub(crate) fn draft(&self) -> Option<&Path> {
        match &self.place {
            Place::File { file, .. } => Some(file.path()),
            Place::Stdout(_) | Place::Device(_) => None,
        }
    }

    /// Makes the file appear under its name.
    pub(crate) fn finish(mut self) -> Result<(), Failure> {
        let done = self.flush().and_then(|()| match self.place {
            Place::File { file, target, .. } => persist(file, &target),
            Place::Stdout(_) | Place::Device(_) => Ok(()),
        });
        done.map_err(|error| Failure::write(&self.name, error))
    }
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.place {
            Place::Stdout(stdout) => stdout.write(bytes),
            Place::Device(file) => file.write(bytes),
            Place::File { file, .. } => file.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.place {
            Place::Stdout(stdout) => stdout.flush(),
            Place::Device(file) => file.flush(),
            Place::File { file, .. } => file.flush(),
        }
    }
}

fn place(target: Option<&Path>) -> io::Result<Place> {
    let Some(target) = target else { return Ok(Place::Stdout(io::stdout())) };
    // A link is followed, so that what it points to is replaced and not the link.
    let target = fs::canonicalize(target).unwrap_or_else(|_| target.to_path_buf());
    match fs::metadata(&target) {
        Ok(metadata) if metadata.is_dir() => return Err(io::ErrorKind::IsADirectory.into()),
        Ok(metadata) if !metadata.is_file() => return Ok(Place::Device(File::options().write(true).open(&target)?)),
        _ => {}
    }
    let folder = match target.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let mut builder = tempfile::Builder::new();
    builder.prefix(".narrows-").suffix(".tmp");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        // As any new file would be: the umask takes its share.
        builder.permissions(fs::Permissions::from_mode(0o666));
    }
    // The system's reason alone: the caller names the target, and nobody knows the temporary name.
    let file = builder
        .tempfile_in(folder)
        .map_err(|error| error.raw_os_error().map_or(error.kind().into(), io::Error::from_raw_os_error))?;
    let unfinished = Unfinished::new(file.path());
    Ok(Place::File { file, target, _unfinished: unfinished })
}

fn persist(file: NamedTempFile, target: &Path) -> io::Result<()> {
    if let Ok(metadata) = fs::metadata(target) {
        fs::set_permissions(file.path(), metadata.permissions())?;
    }
    file.persist(target).map(drop).map_err(|error| error.error)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> =
            fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_file_appears_only_when_it_is_complete() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("out.csv");
        fs::write(&target, "old").unwrap();
        let mut sink = Sink::open(Some(&target)).unwrap();
        sink.write_all(b"half").unwrap();
        drop(sink);
        assert_eq!(
            (fs::read_to_string(&target).unwrap().as_str(), names(folder.path())),
            ("old", vec!["out.csv".to_owned()])
        );
        let mut sink = Sink::open(Some(&target)).unwrap();
        sink.write_all(b"new").unwrap();
        sink.finish().unwrap();
        assert_eq!(
            (fs::read_to_string(&target).unwrap().as_str(), names(folder.path())),
            ("new", vec!["out.csv".to_owned()])
        );
    }

    #[test]
    #[cfg(unix)]
    fn a_link_is_followed_and_a_folder_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let (target, link) = (folder.path().join("out.csv"), folder.path().join("link.csv"));
        fs::write(&target, "old").unwrap();
        std::os::unix::fs::symlink(&target, &link).unwrap();
        let mut sink = Sink::open(Some(&link)).unwrap();
        sink.write_all(b"new").unwrap();
        sink.finish().unwrap();
        assert!(link.is_symlink());
        assert_eq!(fs::read_to_string(&target).unwrap(), "new");
        assert!(Sink::open(Some(folder.path())).is_err());
        assert!(Sink::open(Some(&folder.path().join("no/such/out.csv"))).is_err());
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_device_stays_a_device() {
        use std::os::unix::fs::FileTypeExt;
        let mut sink = Sink::open(Some(Path::new("/dev/full"))).unwrap();
        assert!(sink.write_all(b"x").is_err());
        assert!(fs::metadata("/dev/full").unwrap().file_type().is_char_device());
    }
}
