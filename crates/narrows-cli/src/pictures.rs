//! Pictures on the command line: telling them from tables, opening them, saying what was left out, writing them.

use std::fs;
use std::path::{Path, PathBuf};

use narrows::pictures::{Album, Limits, Photo, Store};
use narrows::{Error, Threads};

use crate::failure::{Failure, Outcome};
use crate::talk::{Talk, count};

/// Memory for decoded pictures while a model is fitted or measured; others are decoded again when they are needed.
const KEPT_BYTES: u64 = 2 << 30;
/// Most pictures named one by one.
const NAMED: usize = 10;

/// Whether these inputs look like pictures: a folder, picture files, arrays of pictures.
pub(crate) fn are_pictures(inputs: &[String]) -> bool {
    !inputs.is_empty() && inputs.iter().all(|input| Album::recognises(input))
}

/// Opens pictures and names those that cannot be read.
pub(crate) fn open(inputs: &[String], talk: Talk) -> Result<Album, Failure> {
    let album = Album::open_all(inputs, &Limits::default()).map_err(Error::from)?;
    tell_skipped(talk, album.skipped().iter().map(|skipped| (skipped.name.as_str(), skipped.reason.as_str())));
    if album.ignored() > 0 {
        talk.line(format_args!("note: {} that are no pictures by their names", count(album.ignored() as u64, "file")));
    }
    Ok(album)
}

/// Opens pictures and reads every one of them.
pub(crate) fn store(inputs: &[String], threads: &Threads, talk: Talk) -> Result<Store, Failure> {
    let album = Album::open_all(inputs, &Limits::default()).map_err(Error::from)?;
    let ignored = album.ignored();
    let store = threads.install(|| Store::take(album, KEPT_BYTES)).map_err(Error::from)?;
    tell_skipped(talk, store.skipped().iter().map(|skipped| (skipped.name.as_str(), skipped.reason.as_str())));
    if ignored > 0 {
        talk.line(format_args!("note: {} that are no pictures by their names", count(ignored as u64, "file")));
    }
    Ok(store)
}

/// Names pictures that were left out.
pub(crate) fn tell_skipped<'a>(talk: Talk, skipped: impl ExactSizeIterator<Item = (&'a str, &'a str)>) {
    let n = skipped.len();
    for (name, reason) in skipped.take(NAMED) {
        talk.line(format_args!("left out: {}", told(name, reason)));
    }
    if n > NAMED {
        talk.line(format_args!("left out: and {} more", n - NAMED));
    }
}

/// A reason that may begin with the name itself.
fn told(name: &str, reason: &str) -> String {
    if reason.contains(name) { reason.to_owned() } else { format!("{name}: {reason}") }
}

/// The end of a run that left out so many pictures.
pub(crate) fn outcome(skipped: usize) -> Outcome {
    if skipped > 0 { Outcome::Partial } else { Outcome::Done }
}

/// A folder that pictures are written to.
pub(crate) struct Folder {
    path: PathBuf,
}

impl Folder {
    /// The folder, made where it is not there. It must not be the folder of the inputs.
    pub(crate) fn open(path: &Path, flag: &str, inputs: &[String]) -> Result<Folder, Failure> {
        if path.exists() && !path.is_dir() {
            let message = format!("expected a folder, got the file `{}`", path.display());
            return Err(Error::recipe(flag, message).into());
        }
        let full = |path: &Path| path.canonicalize().ok();
        let is_input = |input: &String| full(path).is_some() && full(Path::new(input)) == full(path);
        if inputs.iter().any(is_input) {
            let message = format!("expected another folder than the input, got `{}`", path.display());
            return Err(Error::recipe(flag, message).with_hint("the pictures there would be replaced").into());
        }
        fs::create_dir_all(path).map_err(|error| Error::write(path, error))?;
        Ok(Folder { path: path.to_path_buf() })
    }

    /// Where the picture of this name goes: below the folder as it was below its own, with `extension` where its own
    /// cannot be written or another is wanted.
    pub(crate) fn place(&self, name: &str, extension: Option<&str>) -> Result<PathBuf, Failure> {
        let plain: PathBuf = Path::new(name)
            .components()
            .filter(|part| matches!(part, std::path::Component::Normal(_)))
            .collect::<PathBuf>()
            .to_string_lossy()
            .replace(['#', ':'], "_")
            .into();
        let mut path = self.path.join(plain);
        if let Some(extension) = extension {
            let mut name = path.file_name().unwrap_or_default().to_owned();
            if narrows::pictures::Format::of_path(&path).is_some() {
                path.set_extension(extension);
            } else {
                name.push(format!(".{extension}"));
                path.set_file_name(name);
            }
        }
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(|error| Error::write(parent, error))?;
        }
        Ok(path)
    }
}

/// Writes a picture; what its format cannot hold is told.
pub(crate) fn write(photo: &Photo, path: &Path, talk: Talk) -> Result<(), Failure> {
    let written = photo.write(path).map_err(Error::from)?;
    if !written.lost.is_empty() {
        let lost: Vec<String> = written.lost.iter().map(ToString::to_string).collect();
        talk.line(format_args!("note: {} cannot hold {}", path.display(), lost.join(" nor ")));
    }
    Ok(())
}
