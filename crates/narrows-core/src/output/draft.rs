//! Files written under a temporary name beside their target and renamed at the end, so that an error, a full disk or
//! the end of the process leaves the old file, or none.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

/// A temporary file for a target; removed if dropped before it is renamed.
#[derive(Debug)]
pub(crate) struct Draft {
    file: NamedTempFile,
    target: PathBuf,
}

impl Draft {
    /// A temporary file for `target`. Symbolic links are followed, so that the file they point to is replaced.
    ///
    /// # Errors
    /// The system's, if the target is a directory or nothing can be written beside it.
    pub(crate) fn of(target: &Path) -> io::Result<Draft> {
        let target = fs::canonicalize(target).unwrap_or_else(|_| target.to_path_buf());
        if target.is_dir() {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        let folder = target.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let mut builder = tempfile::Builder::new();
        builder.prefix(".narrows-").suffix(".tmp");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            // Permissions of a new file; the umask applies.
            builder.permissions(fs::Permissions::from_mode(0o666));
        }
        // Without the temporary path in the message: the caller names the target.
        let file = builder
            .tempfile_in(folder)
            .map_err(|error| error.raw_os_error().map_or(error.kind().into(), io::Error::from_raw_os_error))?;
        Ok(Draft { file, target })
    }

    /// The path of the temporary file.
    pub(crate) fn path(&self) -> &Path {
        self.file.path()
    }

    /// The open file.
    pub(crate) fn file(&self) -> &File {
        self.file.as_file()
    }

    /// Renames it to the target, with the permissions of the replaced file.
    pub(crate) fn rename(self) -> io::Result<()> {
        if let Ok(metadata) = fs::metadata(&self.target) {
            fs::set_permissions(self.file.path(), metadata.permissions())?;
        }
        self.file.persist(&self.target).map(drop).map_err(|error| error.error)
    }
}

impl Write for Draft {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<String> = names.collect();
        names.sort();
        names
    }

    #[test]
    fn a_file_appears_only_when_it_is_complete() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("out.csv");
        fs::write(&target, "old").unwrap();
        let mut draft = Draft::of(&target).unwrap();
        draft.write_all(b"half").unwrap();
        assert_eq!(names(folder.path()).len(), 2);
        drop(draft);
        assert_eq!((fs::read(&target).unwrap(), names(folder.path())), (b"old".to_vec(), vec!["out.csv".to_owned()]));
        let mut draft = Draft::of(&target).unwrap();
        draft.write_all(b"new").unwrap();
        draft.rename().unwrap();
        assert_eq!((fs::read(&target).unwrap(), names(folder.path())), (b"new".to_vec(), vec!["out.csv".to_owned()]));
    }

    #[test]
    #[cfg(unix)]
    fn a_link_is_followed_permissions_stay_and_a_folder_is_refused() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let (target, link) = (folder.path().join("out.csv"), folder.path().join("link.csv"));
        fs::write(&target, "old").unwrap();
        fs::set_permissions(&target, fs::Permissions::from_mode(0o640)).unwrap();
        std::os::unix::fs::symlink(&target, &link).unwrap();
        let mut draft = Draft::of(&link).unwrap();
        draft.write_all(b"new").unwrap();
        draft.rename().unwrap();
        assert!(link.is_symlink());
        assert_eq!(fs::read(&target).unwrap(), b"new");
        assert_eq!(fs::metadata(&target).unwrap().permissions().mode() & 0o777, 0o640);
        assert!(Draft::of(folder.path()).is_err());
        assert!(Draft::of(&folder.path().join("no/such/out.csv")).is_err());
    }
}
