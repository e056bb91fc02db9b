//! Files written under a temporary name beside their target and renamed at the end, so that an error, a full disk or
//! the end of the process leaves the old file, or none.
//!
//! Every file of this project is written in this way, tables and models included. A process that is killed cannot remove
//! its draft; the next one that writes to the folder does, since drafts are locked while they are written.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Duration;

use tempfile::NamedTempFile;

const PREFIX: &str = ".narrows-";
const SUFFIX: &str = ".tmp";

/// Age from which a draft that nobody has locked is abandoned; younger ones may not have been locked yet.
const ABANDONED: Duration = Duration::from_secs(60);

/// Longest chain of symbolic links that is followed.
const LINKS: usize = 40;

/// A temporary file for a target; removed if dropped before it is renamed.
#[derive(Debug)]
pub struct Draft {
    file: NamedTempFile,
    target: PathBuf,
}

impl Draft {
    /// A temporary file for `target`. Symbolic links are followed, so that the file they point to is replaced.
    ///
    /// # Errors
    /// The system's, if the target is a directory or nothing can be written beside it.
    pub fn of(target: &Path) -> io::Result<Draft> {
        let target = resolved(target);
        if target.is_dir() {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        let folder = folder_of(&target);
        sweep_once(folder);
        let mut builder = tempfile::Builder::new();
        builder.prefix(PREFIX).suffix(SUFFIX);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            // Nobody may read the draft who may not read the file; the umask applies.
            let mode = fs::metadata(&target).map_or(0o666, |metadata| metadata.permissions().mode() & 0o777 | 0o600);
            builder.permissions(fs::Permissions::from_mode(mode));
        }
        // Without the temporary path in the message: the caller names the target.
        let file = builder
            .tempfile_in(folder)
            .map_err(|error| error.raw_os_error().map_or(error.kind().into(), io::Error::from_raw_os_error))?;
        // Some file systems have no locks; drafts there stay if the process is killed.
        #[cfg(unix)]
        let _ = file.as_file().try_lock();
        Ok(Draft { file, target })
    }

    /// The path of the temporary file.
    pub fn path(&self) -> &Path {
        self.file.path()
    }

    /// The open file.
    pub fn file(&self) -> &File {
        self.file.as_file()
    }

    /// Renames it to the target, with the permissions and, where that is allowed, the owner of the replaced file.
    ///
    /// # Errors
    /// The system's; the temporary file is then removed.
    pub fn rename(self) -> io::Result<()> {
        if let Ok(replaced) = fs::metadata(&self.target) {
            keep_access(self.file.as_file(), &replaced)?;
        }
        self.file.persist(&self.target).map(drop).map_err(|error| error.error)
    }
}

impl Write for Draft {
    // Not through `NamedTempFile`, whose errors name the temporary file.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.as_file_mut().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.as_file_mut().flush()
    }
}

/// The file that writing to `path` creates or replaces: absolute, with links followed, also where the last one leads to
/// nothing yet.
pub fn resolved(path: &Path) -> PathBuf {
    let mut path = path.to_path_buf();
    for _ in 0..LINKS {
        if let Ok(whole) = fs::canonicalize(&path) {
            return whole;
        }
        match fs::read_link(&path) {
            Ok(next) => path = folder_of(&path).join(next),
            Err(_) => break,
        }
    }
    match (fs::canonicalize(folder_of(&path)), path.file_name()) {
        (Ok(folder), Some(name)) => folder.join(name),
        _ => path,
    }
}

/// Removes drafts in `folder` that no process writes any more and that are at least this old.
pub fn sweep(folder: &Path, age: Duration) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    let is_draft = |name: &str| name.starts_with(PREFIX) && name.ends_with(SUFFIX);
    for entry in entries.flatten().filter(|entry| entry.file_name().to_str().is_some_and(is_draft)) {
        let Ok(metadata) = entry.metadata() else { continue };
        let is_old =
            age.is_zero() || metadata.modified().is_ok_and(|time| time.elapsed().is_ok_and(|elapsed| elapsed >= age));
        // Where a lock cannot be had, whoever holds it is at work.
        let is_free = || cfg!(unix) && File::open(entry.path()).is_ok_and(|file| file.try_lock().is_ok());
        if metadata.is_file() && is_old && is_free() {
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// Sweeps each folder once per process, as a folder may get many files.
fn sweep_once(folder: &Path) {
    static SWEPT: Mutex<Option<HashSet<PathBuf>>> = Mutex::new(None);
    let mut swept = SWEPT.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    if swept.get_or_insert_default().insert(folder.to_path_buf()) {
        sweep(folder, ABANDONED);
    }
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

#[cfg(unix)]
fn keep_access(file: &File, replaced: &fs::Metadata) -> io::Result<()> {
    use std::os::unix::fs::{MetadataExt, PermissionsExt, fchown};
    let made = file.metadata()?;
    let mut mode = replaced.mode() & 0o777;
    // Only root may give a file away, and anybody else only to a group of theirs. Rights of a group that cannot be kept
    // must not go to another one.
    if made.gid() != replaced.gid() && fchown(file, None, Some(replaced.gid())).is_err() {
        mode &= !0o070;
    }
    if made.uid() != replaced.uid() {
        let _ = fchown(file, Some(replaced.uid()), None);
    }
    file.set_permissions(fs::Permissions::from_mode(mode))
}

#[cfg(not(unix))]
fn keep_access(file: &File, replaced: &fs::Metadata) -> io::Result<()> {
    file.set_permissions(replaced.permissions())
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

    fn replace(target: &Path, text: &str) {
        let mut draft = Draft::of(target).unwrap();
        draft.write_all(text.as_bytes()).unwrap();
        draft.rename().unwrap();
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
        replace(&target, "new");
        assert_eq!((fs::read(&target).unwrap(), names(folder.path())), (b"new".to_vec(), vec!["out.csv".to_owned()]));
    }

    #[test]
    #[cfg(unix)]
    fn links_are_followed_permissions_stay_and_a_folder_is_refused() {
        use std::os::unix::fs::{PermissionsExt, symlink};
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::write(path("out.csv"), "old").unwrap();
        fs::set_permissions(path("out.csv"), fs::Permissions::from_mode(0o640)).unwrap();
        symlink("out.csv", path("link.csv")).unwrap();
        let draft = Draft::of(&path("link.csv")).unwrap();
        assert_eq!(draft.file().metadata().unwrap().permissions().mode() & 0o007, 0, "others may read the draft");
        drop(draft);
        replace(&path("link.csv"), "new");
        assert!(path("link.csv").is_symlink());
        assert_eq!(fs::read(path("out.csv")).unwrap(), b"new");
        assert_eq!(fs::metadata(path("out.csv")).unwrap().permissions().mode() & 0o777, 0o640);
        // A link to a file that is not there yet, by way of another link.
        symlink("coming.csv", path("a.csv")).unwrap();
        symlink("a.csv", path("b.csv")).unwrap();
        assert_eq!(resolved(&path("b.csv")), resolved(&path("coming.csv")));
        replace(&path("b.csv"), "new");
        assert!(path("a.csv").is_symlink() && path("b.csv").is_symlink() && !path("coming.csv").is_symlink());
        assert_eq!(fs::read(path("coming.csv")).unwrap(), b"new");
        assert!(Draft::of(folder.path()).is_err());
        assert!(Draft::of(&path("no/such/out.csv")).is_err());
    }

    #[test]
    #[cfg(unix)]
    fn drafts_of_a_killed_process_are_removed_and_no_others() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let draft = Draft::of(&path("out.csv")).unwrap();
        for name in [".narrows-abc.tmp", ".narrows-abc", "narrows-abc.tmp"] {
            fs::write(path(name), "half").unwrap();
        }
        sweep(folder.path(), ABANDONED);
        assert!(path(".narrows-abc.tmp").exists(), "it may be about to be locked");
        sweep(folder.path(), Duration::ZERO);
        assert!(draft.path().exists());
        assert!(
            !path(".narrows-abc.tmp").exists() && path(".narrows-abc").exists() && path("narrows-abc.tmp").exists()
        );
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn errors_do_not_name_the_temporary_file() {
        let folder = tempfile::tempdir().unwrap();
        let draft = Draft::of(&folder.path().join("out.csv")).unwrap();
        let readable = File::open(draft.path()).unwrap();
        let mut broken = Draft {
            file: NamedTempFile::from_parts(readable, draft.file.into_temp_path()),
            ..Draft::of(&folder.path().join("x")).unwrap()
        };
        let error = broken.write_all(b"x").unwrap_err().to_string();
        assert!(!error.contains("narrows"), "{error}");
    }
}
