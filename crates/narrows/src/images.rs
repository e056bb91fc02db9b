//! Image input and output: opening, reporting skipped files, writing.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::{Component, Path, PathBuf};

use narrows_core::error::Place;
use narrows_core::images::{Album, Format, Limits, Photo, Store};
use narrows_core::recipe::DataKind;
use narrows_core::{Compute, Error};

use crate::address;
use crate::failure::{Failure, Outcome};
use crate::tables_in;
use crate::talk::{Talk, count};

/// Memory limit for decoded images during fitting and evaluation; others are decoded on demand.
const KEPT_BYTES: u64 = 2 << 30;
/// Maximum number of images listed individually.
const NAMED: usize = 10;

/// Opens inputs as images; an error with a hint if they are tables.
fn album(inputs: &[String]) -> Result<Album, Failure> {
    address::refuse(inputs)?;
    Album::open_all(inputs, &Limits::default()).map_err(|error| {
        if let narrows_core::images::Error::Setting { message } = error {
            return Error::recipe("INPUT", message).into();
        }
        let is_there = inputs.iter().all(|input| input == "-" || Path::new(input).exists());
        if !(is_there && DataKind::of_inputs(inputs) == Some(DataKind::Table)) {
            let hint = inputs.iter().find(|input| Path::new(input).is_dir()).map(|folder| tables_in::hint(folder));
            let error = Error::from(error);
            return Failure::Library(match hint {
                Some(hint) => error.with_hint(hint),
                None => error,
            });
        }
        let error = Error::mismatch(format!("expected images, got the table `{}`", inputs.join(", ")));
        error.with_hint("a folder, a pattern, an image, IDX, NPY or NPZ").into()
    })
}

/// Opens images and reports unreadable ones.
pub(crate) fn open(inputs: &[String], talk: Talk) -> Result<Album, Failure> {
    let album = album(inputs)?;
    tell_skipped(talk, album.skipped().iter().map(|skipped| (skipped.name.as_str(), skipped.reason.as_str())));
    if album.ignored() > 0 {
        talk.line(format_args!("note: {} ignored: not an image extension", count(album.ignored() as u64, "file")));
    }
    Ok(album)
}

/// Opens and reads all images.
pub(crate) fn store(inputs: &[String], compute: &Compute, talk: Talk) -> Result<Store, Failure> {
    let album = album(inputs)?;
    let ignored = album.ignored();
    let store = compute.install(|| Store::take(album, KEPT_BYTES)).map_err(Error::from)?;
    tell_skipped(talk, store.skipped().iter().map(|skipped| (skipped.name.as_str(), skipped.reason.as_str())));
    if ignored > 0 {
        talk.line(format_args!("note: {} ignored: not an image extension", count(ignored as u64, "file")));
    }
    Ok(store)
}

/// Reports skipped images.
pub(crate) fn tell_skipped<'a>(talk: Talk, skipped: impl ExactSizeIterator<Item = (&'a str, &'a str)>) {
    let n = skipped.len();
    for (name, reason) in skipped.take(NAMED) {
        talk.line(format_args!("skipped: {}", told(name, reason)));
    }
    if n > NAMED {
        talk.line(format_args!("skipped: and {} more", n - NAMED));
    }
}

/// Name and reason, without repeating the name if the reason starts with it.
fn told(name: &str, reason: &str) -> String {
    let reason = reason.split_once(&format!("{name}: ")).map_or(reason, |(_, reason)| reason);
    format!("{name}: {reason}")
}

/// The outcome of a run that skipped this many images.
pub(crate) fn outcome(skipped: usize) -> Outcome {
    if skipped > 0 { Outcome::Partial } else { Outcome::Done }
}

/// An output folder for images, created when the first one is written.
pub(crate) struct Folder {
    path: PathBuf,
    flag: &'static str,
}

impl Folder {
    /// The folder given by `flag`.
    pub(crate) fn new(path: &Path, flag: &'static str) -> Result<Folder, Failure> {
        if path.exists() && !path.is_dir() {
            let message = format!("expected a folder, got the file `{}`", path.display());
            return Err(Error::recipe(flag, message).into());
        }
        Ok(Folder { path: path.to_path_buf(), flag })
    }

    /// Output paths of all images of an album: relative paths are kept, extensions replaced if `extension` returns one.
    ///
    /// An error if a path would overwrite an input, or if two images map to the same path.
    pub(crate) fn places<'e>(
        &self,
        album: &Album,
        extension: impl Fn(&str) -> Option<&'e str>,
    ) -> Result<Vec<PathBuf>, Failure> {
        let inputs: HashSet<PathBuf> = (0..album.len()).filter_map(|i| album.path(i)?.canonicalize().ok()).collect();
        let mut taken: HashMap<PathBuf, usize> = HashMap::new();
        let mut places = Vec::with_capacity(album.len());
        for i in 0..album.len() {
            let name = album.name(i);
            let place = self.place(&name, extension(&name));
            if place.canonicalize().is_ok_and(|place| inputs.contains(&place)) {
                let message = format!("expected another folder than the input's, got `{}`", self.path.display());
                let hint = format!("`{}` would be overwritten", place.display());
                return Err(Error::recipe(self.flag, message).with_hint(hint).into());
            }
            if let Some(other) = taken.insert(place.clone(), i) {
                let (other, place) = (album.name(other), place.display());
                let message =
                    format!("expected a separate file for each image, got `{place}` for both `{other}` and `{name}`");
                return Err(Error::recipe(self.flag, message).into());
            }
            places.push(place);
        }
        Ok(places)
    }

    /// Output path of the image with this name.
    pub(crate) fn place(&self, name: &str, extension: Option<&str>) -> PathBuf {
        let parts = Path::new(name).components().filter(|part| matches!(part, Component::Normal(_)));
        let plain = parts.collect::<PathBuf>().to_string_lossy().replace(['#', ':'], "_");
        let mut path = self.path.join(plain);
        if let Some(extension) = extension {
            if Format::of_path(&path).is_some() {
                path.set_extension(extension);
            } else {
                let mut name = path.file_name().unwrap_or_default().to_owned();
                name.push(format!(".{extension}"));
                path.set_file_name(name);
            }
        }
        path
    }
}

/// Creates the parent folder of a file.
pub(crate) fn make_room(path: &Path) -> Result<(), Failure> {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    parent.map_or(Ok(()), |parent| fs::create_dir_all(parent).map_err(|error| Error::write(parent, error).into()))
}

/// Writes a generated image, which has no metadata.
pub(crate) fn write_plain(image: narrows_core::images::Image, path: &Path) -> Result<(), Failure> {
    make_room(path)?;
    Photo::from(image).write(path).map_err(Error::from)?;
    Ok(())
}

/// Writes an image; reports metadata that the format cannot store.
pub(crate) fn write(photo: &Photo, path: &Path, talk: Talk) -> Result<(), Failure> {
    make_room(path)?;
    let written = photo.write(path).map_err(Error::from)?;
    if !written.lost.is_empty() {
        let lost: Vec<String> = written.lost.iter().map(ToString::to_string).collect();
        talk.line(format_args!("note: {} cannot store {}", path.display(), lost.join(" or ")));
    }
    Ok(())
}

/// Calls `each` with the index, name and content of every readable image.
pub(crate) fn each_photo(
    album: &Album,
    talk: Talk,
    mut each: impl FnMut(usize, &str, Photo) -> Result<(), Failure>,
) -> Result<Outcome, Failure> {
    let (mut skipped, mut n) = (album.skipped().len(), 0);
    for i in 0..album.len() {
        let name = album.name(i);
        match album.photo(i) {
            Ok(photo) => {
                n += 1;
                each(i, &name, photo)?;
            }
            Err(error) => {
                skipped += 1;
                tell_skipped(talk, std::iter::once((name.as_str(), error.to_string().as_str())));
            }
        }
    }
    if n == 0 {
        let message = format!("expected a readable image, got none of {}", album.len());
        return Err(Error::data(Place::source(album.source()), message).into());
    }
    let suffix = if skipped > 0 { format!("; {} skipped", count(skipped as u64, "image")) } else { String::new() };
    talk.line(format_args!("{} done{suffix}", count(n, "image")));
    Ok(outcome(skipped))
}

/// Whether the extension is that of an image format.
pub(crate) fn is_image(path: &Path) -> bool {
    Format::of_path(path).is_some()
}

/// The extension to use if the name has no image extension.
pub(crate) fn extension(name: &str) -> Option<&'static str> {
    (!is_image(Path::new(name))).then_some("png")
}
