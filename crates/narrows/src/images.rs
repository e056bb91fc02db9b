//! Images on the command line: opening them, saying what was left out, writing them.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::{Component, Path, PathBuf};

use narrows_core::error::Place;
use narrows_core::images::{Album, Format, Limits, Photo, Store};
use narrows_core::recipe::DataKind;
use narrows_core::{Compute, Error};

use crate::failure::{Failure, Outcome};
use crate::talk::{Talk, count};

/// Memory for decoded images while a model is fitted or measured; others are decoded again when they are needed.
const KEPT_BYTES: u64 = 2 << 30;
/// Most images named one by one.
const NAMED: usize = 10;

/// Opens inputs as images; says so where they are a table.
fn album(inputs: &[String]) -> Result<Album, Failure> {
    Album::open_all(inputs, &Limits::default()).map_err(|error| {
        if let narrows_core::images::Error::Setting { message } = error {
            return Error::recipe("INPUT", message).into();
        }
        let is_there = inputs.iter().all(|input| input == "-" || Path::new(input).exists());
        if !(is_there && DataKind::of_inputs(inputs) == Some(DataKind::Table)) {
            let hint = inputs.iter().find(|input| Path::new(input).is_dir()).map(|folder| {
                let folder = folder.trim_end_matches('/');
                format!("a folder is read as images; of tables, name the files, such as `{folder}/*.csv`")
            });
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

/// Opens images and names those that cannot be read.
pub(crate) fn open(inputs: &[String], talk: Talk) -> Result<Album, Failure> {
    let album = album(inputs)?;
    tell_skipped(talk, album.skipped().iter().map(|skipped| (skipped.name.as_str(), skipped.reason.as_str())));
    if album.ignored() > 0 {
        talk.line(format_args!(
            "note: {} passed over, no images by their names",
            count(album.ignored() as u64, "file")
        ));
    }
    Ok(album)
}

/// Opens images and reads every one of them.
pub(crate) fn store(inputs: &[String], compute: &Compute, talk: Talk) -> Result<Store, Failure> {
    let album = album(inputs)?;
    let ignored = album.ignored();
    let store = compute.install(|| Store::take(album, KEPT_BYTES)).map_err(Error::from)?;
    tell_skipped(talk, store.skipped().iter().map(|skipped| (skipped.name.as_str(), skipped.reason.as_str())));
    if ignored > 0 {
        talk.line(format_args!("note: {} passed over, no images by their names", count(ignored as u64, "file")));
    }
    Ok(store)
}

/// Names images that were left out.
pub(crate) fn tell_skipped<'a>(talk: Talk, skipped: impl ExactSizeIterator<Item = (&'a str, &'a str)>) {
    let n = skipped.len();
    for (name, reason) in skipped.take(NAMED) {
        talk.line(format_args!("left out: {}", told(name, reason)));
    }
    if n > NAMED {
        talk.line(format_args!("left out: and {} more", n - NAMED));
    }
}

/// The name and the reason, which may name the file, too.
fn told(name: &str, reason: &str) -> String {
    let reason = reason.split_once(&format!("{name}: ")).map_or(reason, |(_, reason)| reason);
    format!("{name}: {reason}")
}

/// The end of a run that left out so many images.
pub(crate) fn outcome(skipped: usize) -> Outcome {
    if skipped > 0 { Outcome::Partial } else { Outcome::Done }
}

/// A folder that images are written to, made with the first of them.
pub(crate) struct Folder {
    path: PathBuf,
    flag: &'static str,
}

impl Folder {
    /// The folder, of which the flag spoke.
    pub(crate) fn new(path: &Path, flag: &'static str) -> Result<Folder, Failure> {
        if path.exists() && !path.is_dir() {
            let message = format!("expected a folder, got the file `{}`", path.display());
            return Err(Error::recipe(flag, message).into());
        }
        Ok(Folder { path: path.to_path_buf(), flag })
    }

    /// Where every image of an album goes: below the folder as it was below its own, with the extension that `extension`
    /// gives for its name, if any.
    ///
    /// Refuses, before anything is written, places where inputs are, and places of two images.
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
                let hint = format!("`{}` would be replaced", place.display());
                return Err(Error::recipe(self.flag, message).with_hint(hint).into());
            }
            if let Some(other) = taken.insert(place.clone(), i) {
                let (other, place) = (album.name(other), place.display());
                let message = format!("expected a file for each image, got `{place}` for `{other}` and for `{name}`");
                return Err(Error::recipe(self.flag, message).into());
            }
            places.push(place);
        }
        Ok(places)
    }

    /// Where the image of this name goes.
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

/// Makes the folder that a file is to lie in.
pub(crate) fn make_room(path: &Path) -> Result<(), Failure> {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    parent.map_or(Ok(()), |parent| fs::create_dir_all(parent).map_err(|error| Error::write(parent, error).into()))
}

/// Writes an image, which is ours and of which there is nothing to tell.
pub(crate) fn write_plain(image: narrows_core::images::Image, path: &Path) -> Result<(), Failure> {
    make_room(path)?;
    Photo::from(image).write(path).map_err(Error::from)?;
    Ok(())
}

/// Writes an image; what its format cannot hold is told.
pub(crate) fn write(photo: &Photo, path: &Path, talk: Talk) -> Result<(), Failure> {
    make_room(path)?;
    let written = photo.write(path).map_err(Error::from)?;
    if !written.lost.is_empty() {
        let lost: Vec<String> = written.lost.iter().map(ToString::to_string).collect();
        talk.line(format_args!("note: {} cannot hold {}", path.display(), lost.join(" nor ")));
    }
    Ok(())
}

/// Calls `each` with every image that can be read, its number and its name.
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
        let message = format!("expected an image that can be read, got none of {}", album.len());
        return Err(Error::data(Place::source(album.source()), message).into());
    }
    let left_out = if skipped > 0 { format!("; {} left out", count(skipped as u64, "image")) } else { String::new() };
    talk.line(format_args!("{} done{left_out}", count(n, "image")));
    Ok(outcome(skipped))
}

/// Whether a path can hold an image.
pub(crate) fn is_image(path: &Path) -> bool {
    Format::of_path(path).is_some()
}

/// The extension to write an image of this name with, where its own will not do.
pub(crate) fn extension(name: &str) -> Option<&'static str> {
    (!is_image(Path::new(name))).then_some("png")
}
