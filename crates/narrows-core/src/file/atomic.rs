//! Atomic and durable writes of files and objects.

use std::io::{self, BufWriter, Write};
use std::path::Path;

use crate::data::{shown, storage_of};
use crate::error::{Error, Result};
use crate::output::Draft;

/// Writes `path` through `write`: into a temporary file beside it, synced, then renamed. An object at an address is
/// uploaded, and visible only when it is complete.
///
/// # Errors
/// [`Error::Write`]; the temporary file is then removed, and the file at `path` is unchanged.
pub fn write_atomically(path: &Path, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<()> {
    if let Some((storage, address)) = storage_of(path) {
        let put = storage.create(address).and_then(|mut upload| {
            write(&mut upload)?;
            upload.finish()
        });
        return put.map_err(|error| Error::write(shown(path), error));
    }
    let attempt = || -> io::Result<()> {
        let draft = Draft::of(path)?;
        let mut buffered = BufWriter::new(draft.file());
        write(&mut buffered)?;
        buffered.flush()?;
        drop(buffered);
        draft.file().sync_all()?;
        draft.rename()
    };
    attempt().map_err(|error| Error::write(path, error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_write_leaves_the_old_file_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.txt");
        write_atomically(&path, |file| file.write_all(b"old")).unwrap();
        let error = write_atomically(&path, |file| {
            file.write_all(b"half")?;
            Err(io::Error::other("the disk is full"))
        });
        assert!(error.unwrap_err().to_string().contains("the disk is full"));
        assert_eq!(std::fs::read(&path).unwrap(), b"old");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
