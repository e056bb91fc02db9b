//! A collection of images: a folder, a pattern, a file, or an array.
//!
//! Opening reads headers only, so that a folder of a hundred thousand files
//! opens in seconds; files are read on request. Unreadable files are reported, and fatal only if nothing else is left.

mod ahead;
mod array;
mod files;
mod idx;
mod leaf;
mod masks;
mod numpy;
mod split;
mod store;

pub use split::SplitFolder;
pub use store::Store;

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use crate::file::{Depth, Header, Page};
use crate::{Channels, Error, Format, Image, Limits, Photo, Result};

use array::Array;
use leaf::Leaves;

/// A file that is not a readable image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skipped {
    /// Its name as in [`Album::name`].
    pub name: String,
    /// What was expected and what was got.
    pub reason: String,
}

/// A collection of images, in a fixed order.
#[derive(Debug)]
pub struct Album {
    source: String,
    limits: Limits,
    images: Images,
    skipped: Vec<Skipped>,
    left_out: LeftOut,
    notes: Vec<String>,
}

/// Files of a folder or pattern that are no images to be read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LeftOut {
    /// Number of files with the extension of an image format that is not read, by extension, such as `heic`.
    pub unread: BTreeMap<String, usize>,
    /// Number of other files, by extension; empty without one.
    pub others: BTreeMap<String, usize>,
    /// Names of masks, which mark defects in other images.
    pub masks: Vec<String>,
}

#[derive(Debug)]
enum Images {
    Files(Leaves),
    Array(Array),
    /// In memory, by name.
    Made(Vec<(String, Image)>),
}

impl Album {
    /// Opens a source of images:
    ///
    /// - a folder: every image file in it and its subfolders, sorted by path. Hidden files are skipped; files with
    ///   other extensions are counted, and masks are left out ([`Album::left_out`]);
    /// - a pattern such as `scans/*.png`, likewise;
    /// - an image file, detected by content. The pages of a TIFF file and the frames of a GIF, an animated PNG or WebP are
    ///   images of their own, named `movie.tif#1`, `movie.tif#2`, ...;
    /// - an IDX file of bytes, `[n, height, width]` or `[n, height, width, 1 or 3]`, such as MNIST; also gzipped;
    /// - a NumPy array of those shapes, in uint8, uint16, float32 or float64, floats in [0, 1]; also gzipped;
    /// - an archive of one such array, or one array of several: `faces.npz:X`.
    ///
    /// Arrays are read whole. For files only headers are read; [`Album::check`] reads the rest.
    ///
    /// # Errors
    /// [`Error::Read`] if the source does not exist; [`Error::Image`] if no readable image is left, and for
    /// arrays of other shapes or types; [`Error::Setting`] for an invalid pattern.
    pub fn open(source: impl AsRef<Path>, limits: &Limits) -> Result<Album> {
        let path = source.as_ref();
        let name = path.display().to_string();
        let array = |array: Array| {
            let notes = array.note().into_iter().collect();
            Ok(Album { notes, ..Album::new(&name, *limits, Images::Array(array)) })
        };
        if path.is_dir() {
            return Album::of_files(&name, files::in_folder(path)?, limits);
        }
        if path.exists() {
            return match array::open(path, limits)? {
                Some(found) => array(found),
                None => Album::of_files(&name, files::single(path), limits),
            };
        }
        if let Some((archive, key)) = name.rsplit_once(".npz:") {
            return array(numpy::npz(Path::new(&format!("{archive}.npz")), Some(key), limits)?);
        }
        if name.contains(['*', '?', '[']) {
            return Album::of_files(&name, files::matching(&name)?, limits);
        }
        Err(Error::read(path, std::io::ErrorKind::NotFound.into()))
    }

    /// Whether a source looks like images: a folder, a pattern or file with an image extension, an IDX file, a NumPy
    /// array of at least three dimensions or an archive of one, `archive.npz:array`. Only headers are read.
    pub fn recognises(source: &str) -> bool {
        let path = Path::new(source);
        if path.is_dir() || Format::of_path(path).is_some() || source.contains(".npz:") {
            return true;
        }
        path.is_file() && array::looks_like_images(path)
    }

    /// Opens several files as one album, such as those listed by a shell. A single source may be anything that
    /// [`Album::open`] accepts.
    ///
    /// # Errors
    /// As [`Album::open`]; [`Error::Setting`] if one of several sources is not a file.
    pub fn open_all(sources: &[String], limits: &Limits) -> Result<Album> {
        if let [only] = sources {
            return Album::open(only, limits);
        }
        if let Some(other) = sources.iter().find(|source| !Path::new(source).is_file()) {
            return Err(match Path::new(other).exists() {
                true => {
                    Error::setting(format!("expected files where there are several inputs, got the folder `{other}`"))
                }
                false => Error::read(other, std::io::ErrorKind::NotFound.into()),
            });
        }
        Album::of_files(&sources.join(", "), files::listed(sources), limits)
    }

    /// An album of named images in memory.
    ///
    /// # Errors
    /// [`Error::Image`] without images, or for one without pixels.
    pub fn of(source: &str, images: Vec<(String, Image)>) -> Result<Album> {
        if let Some((name, _)) = images.iter().find(|(_, image)| image.pixels.is_empty()) {
            return Err(Error::image(name, "expected at least one pixel, got none"));
        }
        Album::new(source, Limits::default(), Images::Made(images)).not_empty()
    }

    fn new(source: &str, limits: Limits, images: Images) -> Album {
        let source = source.to_owned();
        Album { source, limits, images, skipped: Vec::new(), left_out: LeftOut::default(), notes: Vec::new() }
    }

    fn of_files(source: &str, found: files::Findings, limits: &Limits) -> Result<Album> {
        let files::Findings { files, mut skipped, mut left_out } = found;
        let files = masks::without_masks(files, &mut left_out.masks, limits);
        let leaves = Leaves::open(files, &mut skipped, limits);
        Album { skipped, left_out, ..Album::new(source, *limits, Images::Files(leaves)) }.not_empty()
    }

    /// The source, as given.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Number of images; at least one.
    #[expect(clippy::len_without_is_empty, reason = "an album is never empty")]
    pub fn len(&self) -> usize {
        match &self.images {
            Images::Files(leaves) => leaves.all.len(),
            Images::Array(array) => array.len(),
            Images::Made(made) => made.len(),
        }
    }

    /// The name of image `i`: its path below the folder, its path as the pattern found it, `movie.tif#3` for the third
    /// page of a file, or `digits.idx3-ubyte#17` for the eighteenth of an array, which is number 17 in the array.
    ///
    /// # Panics
    /// If there is no such image, as for all methods with an index.
    pub fn name(&self, i: usize) -> String {
        match &self.images {
            Images::Files(leaves) => leaves.all[i].name(),
            Images::Array(array) => array.name(i),
            Images::Made(made) => made[i].0.clone(),
        }
    }

    /// The name of image `i`'s file: its name, without the number of a page.
    pub fn file_name(&self, i: usize) -> String {
        match &self.images {
            Images::Files(leaves) => leaves.all[i].found.name.clone(),
            Images::Array(_) | Images::Made(_) => self.name(i),
        }
    }

    /// Which of several images of its file image `i` is; `None` if it is the only one, and for arrays.
    pub fn page(&self, i: usize) -> Option<Page> {
        match &self.images {
            Images::Files(leaves) => leaves.all[i].part.page,
            Images::Array(_) | Images::Made(_) => None,
        }
    }

    /// The name of the folder of image `i`, which often is its label: of its file, or in its name, as in `good/1`; `None` for
    /// images of an array.
    pub fn folder(&self, i: usize) -> Option<&str> {
        match &self.images {
            Images::Files(leaves) => leaves.all[i].found.folder.as_deref(),
            Images::Made(images) => images[i].0.rsplit('/').nth(1),
            Images::Array(_) => None,
        }
    }

    /// The file of image `i`; `None` for images of an array.
    pub fn path(&self, i: usize) -> Option<&Path> {
        match &self.images {
            Images::Files(leaves) => Some(&leaves.all[i].found.path),
            Images::Array(_) | Images::Made(_) => None,
        }
    }

    /// The file that marks the defects of image `i`: `a_mask.png` beside `a.jpg`, or one of its name in `ground_truth` if the
    /// image is in `test`, as in MVTec AD.
    pub fn defect_mask(&self, i: usize) -> Option<PathBuf> {
        self.path(i).and_then(masks::of_image)
    }

    /// Height, width and channels of image `i`.
    pub fn size(&self, i: usize) -> (usize, usize, Channels) {
        match &self.images {
            Images::Files(leaves) => {
                let Header { height, width, channels, .. } = leaves.all[i].header;
                (height, width, channels)
            }
            Images::Array(array) => array.size(),
            Images::Made(made) => (made[i].1.height, made[i].1.width, made[i].1.channels),
        }
    }

    /// The format of image `i`'s file by its content; PNG for arrays.
    pub fn format(&self, i: usize) -> Format {
        match &self.images {
            Images::Files(leaves) => leaves.all[i].header.format,
            Images::Array(_) | Images::Made(_) => Format::Png,
        }
    }

    /// Whether the file of image `i` has CMYK inks, which are converted to RGB.
    pub fn has_inks(&self, i: usize) -> bool {
        matches!(&self.images, Images::Files(leaves) if leaves.all[i].header.has_inks)
    }

    /// Whether the file of image `i` has an alpha channel; frames and GIF files are not known beforehand.
    pub fn has_alpha(&self, i: usize) -> bool {
        matches!(&self.images, Images::Files(leaves) if leaves.all[i].header.has_alpha)
    }

    /// Bits per value of image `i`; sixteen for arrays of floating-point numbers.
    pub fn depth(&self, i: usize) -> Depth {
        match &self.images {
            Images::Files(leaves) => leaves.all[i].header.depth,
            Images::Array(array) => array.depth(),
            Images::Made(_) => Depth::Sixteen,
        }
    }

    /// Image `i` with its metadata; images of an array have none, and PNG as the format for writing.
    ///
    /// # Errors
    /// As [`Photo::read`], and if the file has changed its size since it was opened.
    pub fn photo(&self, i: usize) -> Result<Photo> {
        match &self.images {
            Images::Files(leaves) => leaves.photo(i, &self.limits),
            Images::Made(made) => Ok(Photo { depth: Depth::Sixteen, ..Photo::from(made[i].1.clone()) }),
            Images::Array(array) => {
                Ok(Photo { depth: array.depth(), format: Format::Png, ..Photo::from(array.image(i)) })
            }
        }
    }

    /// Image `i`.
    ///
    /// # Errors
    /// As [`Album::photo`].
    pub fn image(&self, i: usize) -> Result<Image> {
        match &self.images {
            Images::Files(leaves) => leaves.read(i, &self.limits).map(|compact| compact.image()),
            Images::Array(array) => Ok(array.image(i)),
            Images::Made(made) => Ok(made[i].1.clone()),
        }
    }

    /// Unreadable image files: first those found from headers, then those found by
    /// [`Album::check`].
    pub fn skipped(&self) -> &[Skipped] {
        &self.skipped
    }

    /// Files that are no images to be read.
    pub fn left_out(&self) -> &LeftOut {
        &self.left_out
    }

    /// How the source was read where that is not evident.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// Reads every image once, on all threads of the current rayon pool, and removes unreadable ones.
    ///
    /// # Errors
    /// [`Error::Image`] if none is left.
    pub fn check(mut self) -> Result<Album> {
        let Images::Files(leaves) = &self.images else { return Ok(self) };
        let outcomes = leaves.read_all(&self.limits, |_, compact| drop(compact));
        self.retain(outcomes).map(|()| self)
    }

    /// Removes the files that could not be read.
    fn retain(&mut self, outcomes: Vec<Result<()>>) -> Result<()> {
        if let Images::Files(leaves) = &mut self.images {
            let mut outcomes = outcomes.into_iter();
            let skipped = &mut self.skipped;
            leaves.all.retain(|leaf| match outcomes.next() {
                Some(Err(error)) => {
                    skipped.push(Skipped::new(leaf.name(), &error));
                    false
                }
                _ => true,
            });
        }
        self.refuse_empty()
    }

    fn not_empty(self) -> Result<Album> {
        self.refuse_empty().map(|()| self)
    }

    fn refuse_empty(&self) -> Result<()> {
        if self.len() > 0 {
            return Ok(());
        }
        let message = match self.skipped.as_slice() {
            [] => {
                let others = match self.left_out.to_string() {
                    none if none.is_empty() => "no file".to_owned(),
                    others => others,
                };
                format!("expected image files ({}), got {others}", Format::extensions())
            }
            [first, ..] => {
                let n = self.skipped.len();
                format!(
                    "expected at least one readable image, got {n} unreadable, first {}: {}",
                    first.name, first.reason
                )
            }
        };
        Err(Error::image(&self.source, message))
    }
}

impl LeftOut {
    /// Files with the extension of an image format that is not read.
    pub fn n_unread(&self) -> usize {
        self.unread.values().sum()
    }
}

impl fmt::Display for LeftOut {
    /// `8 .heic and 1 .tga, which are formats that are not read; 2 .txt and 1 without extension, no images by their names`;
    /// empty if there are none. Masks are not told.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let listed = |counts: &BTreeMap<String, usize>| {
            let one = |(extension, n): (&String, &usize)| match extension.as_str() {
                "" => format!("{n} without extension"),
                extension => format!("{n} .{extension}"),
            };
            counts.iter().map(one).collect::<Vec<_>>().join(", ")
        };
        let parts = [(&self.unread, "image formats that are not read"), (&self.others, "no images by their extension")];
        let parts = parts.iter().filter(|(counts, _)| !counts.is_empty());
        let told: Vec<String> = parts.map(|(counts, what)| format!("{} ({what})", listed(counts))).collect();
        f.write_str(&told.join(", "))
    }
}

impl Skipped {
    fn new(name: String, error: &Error) -> Skipped {
        let reason = match error {
            Error::Image { message, .. } => message.clone(),
            Error::Read { source, .. } => format!("cannot read it: {source}"),
            other => other.to_string(),
        };
        Skipped { name, reason }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grey(height: usize, width: usize) -> Photo {
        let levels = (0..height * width).map(|i| (i % 256) as f32 / 255.0);
        Photo::from(Image::new(height, width, Channels::Grey, levels.collect()))
    }

    #[test]
    fn the_folder_of_an_image_in_memory_is_in_its_name() {
        let images = ["good/1", "set/bad/2", "3"].map(|name| (name.to_owned(), grey(2, 2).image));
        let album = Album::of("made", images.to_vec()).unwrap();
        assert_eq!([0, 1, 2].map(|i| album.folder(i)), [Some("good"), Some("bad"), None]);
    }

    /// A folder of images of different sizes, channels, depths and formats.
    fn mixed() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        std::fs::create_dir_all(path("cats/.thumbs")).unwrap();
        std::fs::create_dir_all(path("dogs")).unwrap();
        grey(4, 6).write(path("cats/b.png")).unwrap();
        Photo { depth: Depth::Sixteen, ..grey(3, 3) }.write(path("cats/a.tif")).unwrap();
        Photo::from(Image::filled(5, 2, Channels::Rgb, 0.4)).write(path("dogs/c.webp")).unwrap();
        grey(16, 16).write(path("one.jpg")).unwrap();
        grey(1, 1).write(path(".hidden.png")).unwrap();
        grey(1, 1).write(path("cats/.thumbs/t.png")).unwrap();
        std::fs::write(path("dogs/notes.txt"), "two dogs").unwrap();
        folder
    }

    fn open(path: impl AsRef<Path>) -> Result<Album> {
        Album::open(path, &Limits::default())
    }

    fn names(album: &Album) -> Vec<String> {
        (0..album.len()).map(|i| album.name(i)).collect()
    }

    fn check_refused(path: impl AsRef<Path>, expected: &str) {
        let error = open(path).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }

    #[test]
    fn a_folder_is_read_in_order_and_lazily() {
        let folder = mixed();
        let album = open(folder.path()).unwrap();
        assert_eq!(names(&album), ["cats/a.tif", "cats/b.png", "dogs/c.webp", "one.jpg"]);
        let folders: Vec<_> = (0..3).map(|i| album.folder(i).unwrap()).collect();
        assert_eq!(folders, ["cats", "cats", "dogs"]);
        assert_eq!(album.folder(3), folder.path().file_name().unwrap().to_str());
        let sizes: Vec<_> = (0..4).map(|i| album.size(i)).collect();
        let rgb = (5, 2, Channels::Rgb);
        assert_eq!(sizes, [(3, 3, Channels::Grey), (4, 6, Channels::Grey), rgb, (16, 16, Channels::Grey)]);
        assert_eq!((album.depth(0), album.depth(1)), (Depth::Sixteen, Depth::Eight));
        assert_eq!(
            (album.left_out().to_string().as_str(), album.skipped()),
            ("1 .txt (no images by their extension)", [].as_slice())
        );
        assert_eq!(album.image(1).unwrap(), grey(4, 6).image);
        assert_eq!(album.photo(2).unwrap().format, Format::Webp);
        grey(9, 9).write(folder.path().join("one.jpg")).unwrap();
        let changed = album.image(3).unwrap_err().to_string();
        assert!(changed.contains("expected 16 rows of 16 in grey as when it was opened, got 9 rows of 9"), "{changed}");
    }

    #[test]
    fn patterns_and_single_files_are_albums() {
        let folder = mixed();
        let inside = |name: &str| folder.path().join(name).display().to_string();
        let album = open(inside("cats/*")).unwrap();
        assert_eq!(names(&album), [inside("cats/a.tif"), inside("cats/b.png")]);
        assert_eq!(album.folder(0), Some("cats"));
        assert_eq!(open(inside("**/*")).unwrap().len(), 4);
        let album = open(inside("one.jpg")).unwrap();
        assert_eq!((names(&album), album.len()), (vec!["one.jpg".to_owned()], 1));
        check_refused(inside("*.heic"), "*.heic: expected image files (.png, .apng, .jpg");
        check_refused(inside("***"), "invalid pattern");
        check_refused(inside("nothing"), "cannot read");
        check_refused(inside("dogs/notes.txt"), "first notes.txt: expected an image");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn pipes_and_names_that_are_no_text_do_no_harm() {
        use std::os::unix::ffi::OsStrExt;
        let folder = mixed();
        let odd = std::ffi::OsStr::from_bytes(b"\xff.txt");
        std::fs::write(folder.path().join(odd), "odd").unwrap();
        let made = std::process::Command::new("mkfifo").arg(folder.path().join("pipe.png")).status().unwrap();
        assert!(made.success());
        let album = open(folder.path().join("*.*")).unwrap();
        assert_eq!((album.len(), album.skipped().len()), (1, 1), "{album:?}");
        assert!(album.skipped()[0].reason.contains("expected a regular file"), "{:?}", album.skipped());
        assert_eq!(open(folder.path()).unwrap().skipped()[0].name, "pipe.png");
        check_refused(folder.path().join("pipe.png"), "expected a regular file, got a pipe");
    }

    #[test]
    fn hidden_files_need_a_dot_in_the_pattern() {
        let folder = mixed();
        let count = |pattern: &str| open(folder.path().join(pattern)).map_or(0, |album| album.len());
        assert_eq!((count(".*.png"), count("*.png"), count("**/*.png"), count("cats/.thumbs/*.png")), (1, 0, 1, 1));
    }

    #[test]
    fn broken_files_are_named_and_never_fatal() {
        let folder = mixed();
        std::fs::write(folder.path().join("cats/aa.png"), "no image").unwrap();
        let jpeg = std::fs::read(folder.path().join("one.jpg")).unwrap();
        std::fs::write(folder.path().join("half.jpg"), &jpeg[..jpeg.len() - 20]).unwrap();
        let album = open(folder.path()).unwrap();
        let skipped = |album: &Album| album.skipped().iter().map(|s| s.name.clone()).collect::<Vec<_>>();
        assert_eq!((album.len(), skipped(&album)), (5, vec!["cats/aa.png".to_owned()]));
        assert!(album.skipped()[0].reason.ends_with("got text"), "{:?}", album.skipped());
        let album = album.check().unwrap();
        assert_eq!(names(&album), ["cats/a.tif", "cats/b.png", "dogs/c.webp", "one.jpg"]);
        assert_eq!(skipped(&album), ["cats/aa.png", "half.jpg"]);
        assert!(album.skipped()[1].reason.contains("cut off"));
    }

    #[test]
    fn an_album_without_an_image_says_why() {
        let folder = tempfile::tempdir().unwrap();
        check_refused(folder.path(), ": expected image files (.png, .apng, .jpg");
        check_refused(folder.path(), "got no file");
        std::fs::write(folder.path().join("a.txt"), "a").unwrap();
        check_refused(folder.path(), "got 1 .txt (no images by their extension)");
        std::fs::write(folder.path().join("b.png"), "b").unwrap();
        std::fs::write(folder.path().join("c.png"), "c").unwrap();
        check_refused(folder.path(), "expected at least one readable image, got 2 unreadable, first b.png: expected");
        std::fs::remove_file(folder.path().join("c.png")).unwrap();
        let jpeg = folder.path().join("b.jpg");
        grey(64, 64).write(&jpeg).unwrap();
        let bytes = std::fs::read(&jpeg).unwrap();
        std::fs::write(&jpeg, &bytes[..bytes.len() - 2]).unwrap();
        let error = open(folder.path()).unwrap().check().unwrap_err().to_string();
        assert!(error.contains("got 2 unreadable, first b.png"), "{error}");
    }

    #[test]
    fn a_link_that_leads_round_in_a_circle_ends() {
        let folder = mixed();
        #[cfg(unix)]
        std::os::unix::fs::symlink(folder.path(), folder.path().join("dogs/again")).unwrap();
        let album = open(folder.path()).unwrap();
        assert_eq!(album.len(), 4);
        assert_eq!(album.skipped().len(), if cfg!(unix) { 1 } else { 0 });
    }
}
