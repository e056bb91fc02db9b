//! Image input and output: opening, reporting skipped files, writing.

use std::collections::HashMap;
use std::path::{Component, Path, PathBuf};

use narrows_core::error::{Hint, Place};
use narrows_core::images::{Album, Channels, Format, Image, Limits, Photo, SplitFolder, Store};
use narrows_core::recipe::DataKind;
use narrows_core::{Compute, Error, ImageModel};
use walkdir::WalkDir;

use crate::address;
use crate::failure::{Failure, Outcome};
use crate::image_writer::{are_together, make_room};
use crate::tables_in;
use crate::talk::{Talk, count};
use crate::targets::Targets;
use crate::told;

/// Memory limit for decoded images during fitting and evaluation; others are decoded on demand.
const KEPT_BYTES: u64 = 2 << 30;
/// Maximum number of values of images in one batch.
const BATCH_PIXELS: usize = 1 << 22;
/// Maximum number of images listed individually.
const NAMED: usize = 10;

/// Opens inputs as images; an error with a hint if they are tables.
fn album(inputs: &[String]) -> Result<Album, Failure> {
    address::refuse_all(inputs, "images are read from disk")?;
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
    tell_left_out(talk, &album);
    Ok(album)
}

/// Opens and reads all images.
pub(crate) fn store(inputs: &[String], compute: &Compute, talk: Talk) -> Result<Store, Failure> {
    let album = album(inputs)?;
    let store = compute.install(|| Store::take(album, KEPT_BYTES)).map_err(Error::from)?;
    tell_skipped(talk, store.skipped().iter().map(|skipped| (skipped.name.as_str(), skipped.reason.as_str())));
    tell_left_out(talk, store.album());
    Ok(store)
}

/// Reports files that are no images to be read, and how an array was read.
fn tell_left_out(talk: Talk, album: &Album) {
    let left_out = album.left_out();
    let others = left_out.to_string();
    if !others.is_empty() {
        talk.warn(format_args!("not read: {others}"));
    }
    if let [first, ..] = left_out.masks.as_slice() {
        let n = count(left_out.masks.len() as u64, "mask");
        talk.note(format_args!("{n} left out, which mark defects in other images: first {first}"));
    }
    if let Some((n, first)) = number(album, |i| album.has_inks(i)) {
        talk.warn(format_args!("{n} of CMYK inks, read as RGB: first {first}"));
    }
    album.notes().iter().for_each(|note| talk.note(format_args!("{note}")));
}

/// Reports transparency, which networks do not see.
pub(crate) fn tell_alpha(talk: Talk, album: &Album) {
    if let Some((n, first)) = number(album, |i| album.has_alpha(i)) {
        talk.warn(format_args!("{n} with an alpha channel, which is not used: first {first}"));
    }
}

/// Number of images that were not read, those in formats that are not read among them.
pub(crate) fn unread(album: &Album) -> usize {
    album.skipped().len() + album.left_out().n_unread()
}

/// Reports skipped images.
pub(crate) fn tell_skipped<'a>(talk: Talk, skipped: impl ExactSizeIterator<Item = (&'a str, &'a str)>) {
    let n = skipped.len();
    for (i, (name, reason)) in skipped.enumerate() {
        let reason = without_name(name, reason);
        told::skipped(name, reason);
        if i < NAMED {
            talk.loss(format_args!("skipped: {name}: {reason}"));
        }
    }
    if n > NAMED {
        talk.loss(format_args!("skipped: and {} more", n - NAMED));
    }
}

/// The reason without the name, if it starts with it.
fn without_name<'a>(name: &str, reason: &'a str) -> &'a str {
    reason.split_once(&format!("{name}: ")).map_or(reason, |(_, reason)| reason)
}

/// The outcome of a run that skipped this many images.
pub(crate) fn outcome(skipped: usize) -> Outcome {
    if skipped > 0 { Outcome::Partial } else { Outcome::Done }
}

/// An output folder for images, created when the first one is written.
pub(crate) struct Folder<'t> {
    path: PathBuf,
    flag: &'static str,
    targets: &'t Targets,
}

impl<'t> Folder<'t> {
    /// The folder given by `flag`.
    pub(crate) fn new(path: &Path, flag: &'static str, targets: &'t Targets) -> Result<Folder<'t>, Failure> {
        if path.exists() && !path.is_dir() {
            let message = format!("expected a folder, got the file `{}`", path.display());
            return Err(Error::recipe(flag, message).into());
        }
        if !path.is_dir() && is_named_as_file(path) {
            let message = format!("expected a folder, or a file of one image, got `{}`", path.display());
            let hint = format!("images are written as {}", Format::extensions());
            return Err(Error::recipe(flag, message).with_hint(hint).into());
        }
        Ok(Folder { path: path.to_path_buf(), flag, targets })
    }

    /// The folder given by `flag`, for images whose names are not known before they are made: one that holds images is
    /// refused without `--force`.
    pub(crate) fn fresh(path: &Path, flag: &'static str, targets: &'t Targets) -> Result<Folder<'t>, Failure> {
        let folder = Folder::new(path, flag, targets)?;
        let entries = || WalkDir::new(path).into_iter().flatten();
        if !targets.may_replace() && entries().any(|entry| entry.file_type().is_file() && is_image(entry.path())) {
            let message = format!("expected a folder without images, got `{}`", path.display());
            return Err(Error::recipe(flag, message).with_hint("--force overwrites images of the same names").into());
        }
        Ok(folder)
    }

    /// Output paths of all images of an album: relative paths are kept, extensions replaced if `extension` returns one. Pages
    /// of one file share a path if `pages` are to stay together and the format holds them.
    ///
    /// An error if a path would overwrite an input, or without `--force` any file, or if two images map to the same path.
    pub(crate) fn places<'e>(
        &self,
        album: &Album,
        extension: impl Fn(&str) -> Option<&'e str>,
        pages: Pages,
    ) -> Result<Vec<PathBuf>, Failure> {
        let mut taken: HashMap<PathBuf, usize> = HashMap::new();
        let mut places = Vec::with_capacity(album.len());
        for i in 0..album.len() {
            let name = album.name(i);
            let file = album.file_name(i);
            let mut given = extension(&file);
            // An image without loss does not become one with loss by its name alone.
            if given.is_none() && Format::of_path(Path::new(&file)) == Some(Format::Jpeg) {
                given = Some(album.format(i)).filter(|format| *format != Format::Jpeg).map(Format::name);
            }
            let together = self.path_of(&file, given);
            let is_together = pages == Pages::Together && are_together(&together, album.page(i));
            let place = if is_together { together } else { self.path_of(&name, given.or(self::extension(&name))) };
            self.targets.check_file(self.flag, &place)?;
            if let Some(other) = taken.insert(place.clone(), i)
                && !(is_together && album.path(other) == album.path(i))
            {
                let (other, place) = (album.name(other), place.display());
                let message =
                    format!("expected a separate file for each image, got `{place}` for both `{other}` and `{name}`");
                return Err(Error::recipe(self.flag, message).into());
            }
            places.push(place);
        }
        Ok(places)
    }

    /// Output path of the image with this name; an error as for all of them.
    pub(crate) fn place(&self, name: &str, extension: Option<&str>) -> Result<PathBuf, Failure> {
        let path = self.path_of(name, extension);
        self.targets.check_file(self.flag, &path)?;
        Ok(path)
    }

    /// Refuses to overwrite an input, or without `--force` any file.
    pub(crate) fn check(&self, place: &Path) -> Result<(), Failure> {
        self.targets.check_file(self.flag, place)
    }

    /// Output path of the image with this name, whether it can be written or not.
    pub(crate) fn path_of(&self, name: &str, extension: Option<&str>) -> PathBuf {
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

/// Writes a generated image, which has no metadata.
pub(crate) fn write_plain(image: narrows_core::images::Image, path: &Path) -> Result<(), Failure> {
    write_photo(&Photo::from(image), path)
}

/// Writes an image with what belongs to it.
pub(crate) fn write_photo(photo: &Photo, path: &Path) -> Result<(), Failure> {
    make_room(path)?;
    photo.write(path).map_err(Error::from)?;
    Ok(())
}

/// Whether pages of one file are written into one file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pages {
    /// If the format can hold them.
    Together,
    /// Each on its own.
    Apart,
}

/// Output paths of all images of an album: the file `out`, if it is named as one and there is one image or the pages of one
/// file, else paths in the folder.
pub(crate) fn places<'e>(
    out: &Path,
    (flag, targets): (&'static str, &Targets),
    album: &Album,
    extension: impl Fn(&str) -> Option<&'e str>,
) -> Result<Vec<PathBuf>, Failure> {
    if !is_image(out) || out.is_dir() {
        return Folder::new(out, flag, targets)?.places(album, extension, Pages::Together);
    }
    let is_one_file = (1..album.len()).all(|i| album.path(i).is_some() && album.path(i) == album.path(0));
    if album.len() > 1 && !(is_one_file && are_together(out, album.page(0))) {
        let message = format!("expected a folder for {} images, got `{}`", album.len(), out.display());
        let error = Error::recipe(flag, message);
        return Err(match is_one_file {
            true => {
                error.with_hint("a .tif holds the pages of a file, a .gif or .png the frames of an animation").into()
            }
            false => error.into(),
        });
    }
    targets.check_file(flag, out)?;
    Ok(vec![out.to_path_buf(); album.len()])
}

/// Reports what happens to files of several images, and to files whose content is not what their name says, before any work.
pub(crate) fn tell_places(talk: Talk, album: &Album, places: &[PathBuf]) {
    let mut apart: Vec<usize> = (0..album.len()).filter(|i| !are_together(&places[*i], album.page(*i))).collect();
    apart.retain(|i| album.page(*i).is_some());
    if let Some(first) = apart.first() {
        let n = count(apart.len() as u64, "page or frame");
        let (name, place) = (album.name(*first), places[*first].display());
        let n = n.replace("page or frames", "pages or frames");
        talk.note(format_args!("{n} become files of their own, as this format cannot hold several: {name} is {place}"));
    }
    let is_other = |i: &usize| {
        let format = album.format(*i);
        Format::of_path(Path::new(&album.file_name(*i))).is_some_and(|named| named != format)
    };
    for i in (0..album.len()).filter(is_other).take(NAMED) {
        let (name, format, place) = (album.name(i), album.format(i), places[i].display());
        talk.note(format_args!("{name} is a {format} by its content; written as {place}"));
    }
}

/// The images to fit to: of a folder that is split, those for training.
pub(crate) fn for_training(inputs: &[String], talk: Talk) -> Vec<String> {
    part(inputs, talk, "fitted to", |split| split.train)
}

/// The images to evaluate: of a folder that is split, those for testing.
pub(crate) fn for_testing(inputs: &[String], talk: Talk) -> Vec<String> {
    part(inputs, talk, "evaluated on", |split| split.test)
}

fn part(inputs: &[String], talk: Talk, what: &str, choose: impl Fn(SplitFolder) -> PathBuf) -> Vec<String> {
    let [only] = inputs else { return inputs.to_vec() };
    let Some(split) = SplitFolder::of(only) else { return inputs.to_vec() };
    let chosen = choose(split).display().to_string();
    talk.note(format_args!("{only} is split into train and test: {what} {chosen}"));
    vec![chosen]
}

/// The number of images of which something is true, and the name of the first; `None` if there are none.
fn number(album: &Album, is: impl Fn(usize) -> bool) -> Option<(String, String)> {
    let which: Vec<usize> = (0..album.len()).filter(|i| is(*i)).collect();
    which.first().map(|first| (count(which.len() as u64, "image"), album.name(*first)))
}

/// Rejects images of another size than those of the training, or reports them if they are to be resized; reports what the
/// model does not see of images.
pub(crate) fn check_sizes(model: &ImageModel, album: &Album, resize: bool, talk: Talk) -> Result<(), Failure> {
    if model.channels() == Channels::Grey
        && let Some((n, first)) = number(album, |i| album.size(i).2 == Channels::Rgb)
    {
        talk.warn(format_args!("{n} in colour, seen as grey by this model: first {first}"));
    }
    tell_alpha(talk, album);
    let size = |i: usize| (album.size(i).0, album.size(i).1);
    let others: Vec<usize> = (0..album.len()).filter(|i| !model.fits_size(size(*i).0, size(*i).1)).collect();
    let (Some(first), Some((height, width))) = (others.first(), model.training_size()) else { return Ok(()) };
    let (n, name, (h, w)) = (count(others.len() as u64, "image"), album.name(*first), size(*first));
    if resize {
        talk.warn(format_args!("{n} of other sizes resized to {height} x {width} pixels, first {name}, {h} x {w}"));
        return Ok(());
    }
    let message =
        format!("expected images of {height} x {width} pixels, as in training, got {n} of others, first {h} x {w}");
    let hint = Hint::of("[resize] resizes them; a model fitted with [data.view=pieces] takes images of any size");
    Err(Error::data(Place::source(name), message).with_hint(hint).into())
}

/// Calls `each` with the index, name and content of every readable image.
pub(crate) fn each_photo(
    album: &Album,
    talk: Talk,
    mut each: impl FnMut(usize, &str, Photo) -> Result<(), Failure>,
) -> Result<Outcome, Failure> {
    let (mut skipped, mut n) = (unread(album), 0);
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
    check_any(n as usize, album)?;
    Ok(done(n, skipped, talk))
}

/// Refuses an album of which no image was readable.
fn check_any(n: usize, album: &Album) -> Result<(), Failure> {
    if n > 0 {
        return Ok(());
    }
    let message = format!("expected a readable image, got none of {}", album.len());
    Err(Error::data(Place::source(album.source()), message).into())
}

/// Tells how many images were worked on.
pub(crate) fn done(n: u64, skipped: usize, talk: Talk) -> Outcome {
    told::count("images", n);
    let suffix = if skipped > 0 { format!("; {} skipped", count(skipped as u64, "image")) } else { String::new() };
    talk.line(format_args!("{} done{suffix}", count(n, "image")));
    outcome(skipped)
}

/// Calls `each` with the numbers and content of readable images, many at once; returns the number of those that could not be
/// read.
///
/// An error if no image is readable.
pub(crate) fn each_batch(
    album: &Album,
    talk: Talk,
    mut each: impl FnMut(&[usize], &[Image]) -> Result<(), Failure>,
) -> Result<usize, Failure> {
    let (mut skipped, mut n) = (unread(album), 0);
    let (mut which, mut waiting, mut pixels): (Vec<usize>, Vec<Image>, usize) = (Vec::new(), Vec::new(), 0);
    for i in 0..album.len() {
        match album.image(i) {
            Ok(image) => {
                pixels += image.pixels.len();
                which.push(i);
                waiting.push(image);
            }
            Err(error) => {
                skipped += 1;
                let reason = error.to_string();
                tell_skipped(talk, std::iter::once((album.name(i).as_str(), reason.as_str())));
            }
        }
        if waiting.is_empty() || pixels < BATCH_PIXELS && i + 1 < album.len() {
            continue;
        }
        n += waiting.len();
        each(&which, &waiting)?;
        which.clear();
        waiting.clear();
        pixels = 0;
    }
    check_any(n, album)?;
    Ok(skipped)
}

/// Whether a path that does not exist is named as a file: by the extension of an image or of data.
fn is_named_as_file(path: &Path) -> bool {
    const OTHERS: &[&str] = &[
        "npy", "npz", "csv", "tsv", "json", "ndjson", "jsonl", "parquet", "arrow", "zip", "gz", "zst", "tar", "txt",
        "pdf", "html", "narrows", "toml",
    ];
    let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default().to_ascii_lowercase();
    let is_folder = path.as_os_str().to_string_lossy().ends_with(['/', '\\']);
    !is_folder && (is_image(path) || Format::is_unread(&extension) || OTHERS.contains(&extension.as_str()))
}

/// Whether the extension is that of an image format.
pub(crate) fn is_image(path: &Path) -> bool {
    Format::of_path(path).is_some()
}

/// The extension to use if the name has no image extension.
pub(crate) fn extension(name: &str) -> Option<&'static str> {
    (!is_image(Path::new(name))).then_some("png")
}
