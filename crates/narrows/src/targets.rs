//! The files that a run reads and writes, checked before any work: an output that is an input or another output is
//! refused, and an existing file is replaced only with `--force`.
//!
//! Every verb that writes registers its files here. Files are compared by what they are, not by name, so links are seen
//! through. Stdout, devices and pipes hold nothing that could be lost.

use std::cell::OnceCell;
use std::collections::HashMap;
use std::ffi::OsStr;
use std::fs::{self, Metadata};
use std::path::{Path, PathBuf};

use clap::Args as ClapArgs;
use narrows_core::Error;
use narrows_core::data::{Source, is_stored, size_of};
use narrows_core::images::Format;
use narrows_core::output::{is_stream, resolved};
use walkdir::WalkDir;

use crate::address;
use crate::closed::stdout_is_closed;
use crate::failure::Failure;

/// The flag of every verb that writes files.
#[derive(Debug, Clone, Copy, Default, ClapArgs)]
pub(crate) struct ForceArg {
    /// Replace output files that exist
    #[arg(short, long)]
    pub(crate) force: bool,
}

/// The files of a run.
#[derive(Debug, Default)]
pub(crate) struct Targets {
    force: bool,
    /// Files, folders and patterns, as typed.
    inputs: Vec<PathBuf>,
    /// Flag and file; `None` is stdout.
    outputs: Vec<(&'static str, Option<PathBuf>)>,
    /// The input files by what they are; listed when an output exists.
    known: OnceCell<HashMap<FileId, PathBuf>>,
}

impl Targets {
    /// No files yet.
    pub(crate) fn new(force: ForceArg) -> Targets {
        Targets { force: force.force, inputs: Vec::new(), outputs: Vec::new(), known: OnceCell::new() }
    }

    /// Adds inputs: files, folders, patterns, `-` for stdin.
    pub(crate) fn reads<P: AsRef<OsStr>>(mut self, inputs: impl IntoIterator<Item = P>) -> Targets {
        self.inputs.extend(inputs.into_iter().map(|input| PathBuf::from(input.as_ref())));
        self
    }

    /// Adds an output: a file or a folder, or stdout for `None` and `-`.
    pub(crate) fn writes(mut self, flag: &'static str, output: Option<impl AsRef<Path>>) -> Targets {
        let file = output.map(|path| path.as_ref().to_path_buf()).filter(|path| path.as_os_str() != "-");
        self.outputs.push((flag, file));
        self
    }

    /// Adds an output that is asked for with a flag of its own, if it is.
    pub(crate) fn writes_if(self, flag: &'static str, output: Option<impl AsRef<Path>>) -> Targets {
        if output.is_some() { self.writes(flag, output) } else { self }
    }

    /// Whether existing files are replaced.
    pub(crate) fn may_replace(&self) -> bool {
        self.force
    }

    /// The same files, of which existing ones are replaced.
    pub(crate) fn replacing(self) -> Targets {
        Targets { force: true, ..self }
    }

    /// Refuses what would lose a file. Files in output folders are checked one by one, by [`check_file`](Self::check_file).
    pub(crate) fn check(&self) -> Result<(), Failure> {
        for (i, (flag, output)) in self.outputs.iter().enumerate() {
            let Some(path) = output else {
                self.check_stdout(flag)?;
                continue;
            };
            if path.is_dir() {
                continue;
            }
            address::refuse_output(flag, path)?;
            self.check_file(flag, path)?;
            if is_stream(path) {
                continue;
            }
            let others = self.outputs[..i].iter().filter_map(|(flag, output)| Some((flag, output.as_ref()?)));
            for (other_flag, other) in others {
                if FileId::of(path) == FileId::of(other) {
                    let path = path.display();
                    let message = format!("expected a file of its own, got `{path}`, which {other_flag} writes too");
                    return Err(Error::recipe(*flag, message).into());
                }
            }
        }
        Ok(())
    }

    /// Refuses to overwrite an input, or without `--force` any file.
    pub(crate) fn check_file(&self, flag: &str, path: &Path) -> Result<(), Failure> {
        if is_stored(path) {
            return self.check_object(flag, path);
        }
        let Ok(metadata) = fs::metadata(path) else { return Ok(()) };
        // A name such as /dev/stdout may lead to a file, too.
        if let Some(input) = self.known().get(&FileId::from(path, &metadata)).filter(|_| metadata.is_file()) {
            return Err(is_input(flag, path, input));
        }
        if !self.force && !is_stream(path) {
            let error = Error::recipe(flag, format!("`{}` exists", path.display()));
            return Err(error.with_hint("--force overwrites it").into());
        }
        Ok(())
    }

    /// The same for an object.
    fn check_object(&self, flag: &str, path: &Path) -> Result<(), Failure> {
        if let Some(input) = self.known().get(&FileId::of(path)) {
            return Err(is_input(flag, path, input));
        }
        if !self.force && is_there(path)? {
            let error = Error::recipe(flag, format!("`{}` exists", path.display()));
            return Err(error.with_hint("--force overwrites it").into());
        }
        Ok(())
    }

    /// Refuses a redirection onto an input.
    fn check_stdout(&self, flag: &str) -> Result<(), Failure> {
        if stdout_is_closed() {
            return Err(Error::write("stdout", std::io::Error::other("it is closed")).into());
        }
        self.check_redirection(flag)
    }

    /// Refuses a stdout that is one of the inputs.
    pub(crate) fn check_redirection(&self, flag: &str) -> Result<(), Failure> {
        let stdout = FileId::of_stdout();
        match stdout.and_then(|id| self.known().get(&id)) {
            Some(input) => Err(is_input(flag, Path::new("stdout"), input)),
            None => Ok(()),
        }
    }

    fn known(&self) -> &HashMap<FileId, PathBuf> {
        self.known.get_or_init(|| {
            let mut known = HashMap::new();
            for input in &self.inputs {
                if input.as_os_str() == "-" {
                    known.extend(FileId::of_stdin().map(|id| (id, PathBuf::from("stdin"))));
                }
                for file in files(input) {
                    known.insert(FileId::of(&file), file);
                }
            }
            known
        })
    }
}

fn is_input(flag: &str, path: &Path, input: &Path) -> Failure {
    let path = path.display();
    let same =
        if input == Path::new(&path.to_string()) { String::new() } else { format!(", which is `{}`", input.display()) };
    Error::recipe(flag, format!("expected another file than the input, got `{path}`{same}")).into()
}

/// Whether there is a file, or an object, of this name.
pub(crate) fn is_there(path: &Path) -> Result<bool, Failure> {
    if !is_stored(path) {
        return Ok(path.exists());
    }
    let is_folder = path.as_os_str().as_encoded_bytes().ends_with(b"/");
    Ok(!is_folder && size_of(path)?.is_some())
}

/// Whether two names lead to one file.
pub(crate) fn is_same_file(a: &Path, b: &Path) -> bool {
    FileId::of(a) == FileId::of(b)
}

/// The files of an input: itself, what matches a pattern, the images or the tables in a folder, the archive of
/// `faces.npz:X`.
pub(crate) fn files(input: &Path) -> Vec<PathBuf> {
    if input.is_dir() && !Source::is_folder_of_tables(input) {
        let entries = WalkDir::new(input).follow_links(true).into_iter().flatten();
        let files = entries.filter(|entry| entry.file_type().is_file()).map(walkdir::DirEntry::into_path);
        return files.filter(|path| Format::of_path(path).is_some()).collect();
    }
    if input.is_file() {
        return vec![input.to_path_buf()];
    }
    let Some(text) = input.to_str() else { return Vec::new() };
    if let Some((archive, _)) = text.rsplit_once(':').filter(|(archive, _)| Path::new(archive).is_file()) {
        return vec![PathBuf::from(archive)];
    }
    Source::parse(&[text]).map_or_else(|_| Vec::new(), |source| source.paths)
}

/// What a file is, whatever it is called.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum FileId {
    /// Device and inode.
    #[cfg(unix)]
    Inode(u64, u64),
    /// A file that is not there yet, by its path with links followed; elsewhere any file.
    Path(PathBuf),
}

impl FileId {
    fn of(path: &Path) -> FileId {
        match fs::metadata(path) {
            Ok(metadata) => FileId::from(path, &metadata),
            Err(_) => FileId::Path(resolved(path)),
        }
    }

    #[cfg(unix)]
    fn from(_: &Path, metadata: &Metadata) -> FileId {
        use std::os::unix::fs::MetadataExt;
        FileId::Inode(metadata.dev(), metadata.ino())
    }

    #[cfg(not(unix))]
    fn from(path: &Path, _: &Metadata) -> FileId {
        FileId::Path(resolved(path))
    }

    /// The file that stdin reads from, if it is one.
    fn of_stdin() -> Option<FileId> {
        #[cfg(unix)]
        return FileId::of_descriptor(std::os::fd::AsFd::as_fd(&std::io::stdin()));
        #[cfg(not(unix))]
        None
    }

    /// The file that stdout is redirected to, if it is one.
    fn of_stdout() -> Option<FileId> {
        #[cfg(unix)]
        return FileId::of_descriptor(std::os::fd::AsFd::as_fd(&std::io::stdout()));
        #[cfg(not(unix))]
        None
    }

    #[cfg(unix)]
    fn of_descriptor(descriptor: std::os::fd::BorrowedFd<'_>) -> Option<FileId> {
        let metadata = fs::File::from(descriptor.try_clone_to_owned().ok()?).metadata().ok()?;
        metadata.is_file().then(|| FileId::from(Path::new(""), &metadata))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder with `in.csv` and `images/a.png`.
    fn folder() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("images")).unwrap();
        for name in ["in.csv", "images/a.png", "images/notes.txt", "old.csv"] {
            fs::write(folder.path().join(name), "x").unwrap();
        }
        folder
    }

    fn check(force: bool, input: &str, outputs: &[&str], expected: Option<&str>) {
        let folder = folder();
        let path = |name: &str| folder.path().join(name);
        #[cfg(unix)]
        {
            use std::os::unix::fs::symlink;
            symlink("in.csv", path("link.csv")).unwrap();
            fs::hard_link(path("in.csv"), path("hard.csv")).unwrap();
            symlink("coming.csv", path("to-coming.csv")).unwrap();
            symlink("images/a.png", path("a.png")).unwrap();
        }
        let mut targets = Targets::new(ForceArg { force }).reads([path(input)]);
        for output in outputs {
            targets = targets.writes("--output", Some(path(output)));
        }
        let error = targets.check().err().map(|failure| format!("{failure:?}"));
        match (expected, &error) {
            (None, None) => {}
            (Some(expected), Some(error)) if error.contains(expected) => {}
            _ => panic!("{input} -> {outputs:?}: expected {expected:?}, got {error:?}"),
        }
    }

    #[test]
    fn an_existing_file_is_replaced_only_with_force() {
        check(false, "in.csv", &["new.csv"], None);
        check(false, "in.csv", &["old.csv"], Some("old.csv` exists"));
        check(true, "in.csv", &["old.csv"], None);
        check(false, "in.csv", &["images"], None);
    }

    #[test]
    #[cfg(unix)]
    fn an_output_that_is_an_input_is_refused_whatever_it_is_called() {
        let refused = Some("expected another file than the input");
        for output in ["in.csv", "link.csv", "hard.csv", "images/../in.csv"] {
            check(true, "in.csv", &[output], refused);
            check(true, "i*.csv", &[output], refused);
        }
        for input in ["images", "images/*.png", "images/a.png"] {
            check(true, input, &["a.png"], refused);
        }
        // Not an image, so not read.
        check(true, "images", &["images/notes.txt"], None);
        check(true, "in.csv:X", &["in.csv"], refused);
    }

    #[test]
    #[cfg(unix)]
    fn two_outputs_in_one_file_are_refused() {
        let refused = Some("a file of its own");
        check(true, "in.csv", &["old.csv", "old.csv"], refused);
        check(false, "in.csv", &["new.csv", "images/../new.csv"], refused);
        check(false, "in.csv", &["coming.csv", "to-coming.csv"], refused);
        check(false, "in.csv", &["a.csv", "b.csv"], None);
        check(false, "in.csv", &["a.csv", "/dev/null", "/dev/null"], None);
    }
}
