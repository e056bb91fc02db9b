//! The images of an album's files: one for each page or frame.

use std::ops::Range;
use std::sync::Arc;

use rayon::prelude::*;

use super::Skipped;
use super::files::Found;
use crate::compact::Compact;
use crate::file::{Decoded, Header, Part, Place, Runs, contents, decode, decode_frames, header};
use crate::{Channels, Error, Image, Limits, Photo, Result};

/// An image whose header is readable.
#[derive(Debug, Clone)]
pub(super) struct Leaf {
    pub(super) found: Found,
    pub(super) part: Part,
    pub(super) header: Header,
}

/// All of them; those of one file stand together.
#[derive(Debug, Clone)]
pub(super) struct Leaves {
    pub(super) all: Vec<Leaf>,
    /// Frames read last.
    runs: Arc<Runs>,
}

impl Leaf {
    /// The name of the file, with the number of the page.
    pub(super) fn name(&self) -> String {
        name(&self.found, &self.part)
    }

    /// Memory of the image in bytes.
    pub(super) fn bytes(&self) -> u64 {
        let Header { height, width, channels, depth, .. } = self.header;
        (height * width * channels.count() * depth.bytes()) as u64
    }

    /// Rejects a file that has changed since its header was read.
    fn expect(&self, height: usize, width: usize, channels: Channels) -> Result<()> {
        let Header { height: h, width: w, channels: c, .. } = self.header;
        if (height, width, channels) != (h, w, c) {
            let expected = format!("expected {h} rows of {w} in {} as when it was opened", c.name());
            let message = format!("{expected}, got {height} rows of {width} in {}", channels.name());
            return Err(Error::image(self.found.path.display().to_string(), message));
        }
        Ok(())
    }

    fn compact(&self, decoded: Decoded) -> Result<Compact> {
        let colours = decoded.colours;
        self.expect(colours.height, colours.width, colours.channels)?;
        Ok(colours)
    }
}

fn name(found: &Found, part: &Part) -> String {
    match part.page {
        Some(page) => format!("{}#{}", found.name, page.number),
        None => found.name.clone(),
    }
}

impl Leaves {
    /// Reads the headers of files. Those that cannot be read are skipped.
    pub(super) fn open(files: Vec<Found>, skipped: &mut Vec<Skipped>, limits: &Limits) -> Leaves {
        let open = |found: &Found| -> Result<Vec<(Part, Result<Header>)>> {
            let parts = contents(&found.path)?;
            // Frames have the size of their canvas.
            if let [first @ Part { place: Place::Frame(_), .. }, ..] = parts.as_slice() {
                let header = header(&found.path, first, limits)?;
                return Ok(parts.into_iter().map(|part| (part, Ok(header))).collect());
            }
            Ok(parts.into_iter().map(|part| (part, header(&found.path, &part, limits))).collect())
        };
        let headers: Vec<_> = files.par_iter().map(open).collect();
        let mut all = Vec::with_capacity(files.len());
        for (found, parts) in files.into_iter().zip(headers) {
            match parts {
                Ok(parts) => {
                    for (part, header) in parts {
                        match header {
                            Ok(header) => all.push(Leaf { found: found.clone(), part, header }),
                            Err(error) => skipped.push(Skipped::new(name(&found, &part), &error)),
                        }
                    }
                }
                Err(error) => skipped.push(Skipped::new(found.name, &error)),
            }
        }
        Leaves { all, runs: Arc::default() }
    }

    /// Image `i`, without its metadata.
    pub(super) fn read(&self, i: usize, limits: &Limits) -> Result<Compact> {
        let leaf = &self.all[i];
        leaf.compact(decode(&leaf.found.path, &leaf.part, limits, &self.runs)?)
    }

    /// Image `i` with its metadata.
    pub(super) fn photo(&self, i: usize, limits: &Limits) -> Result<Photo> {
        let leaf = &self.all[i];
        let photo = decode(&leaf.found.path, &leaf.part, limits, &self.runs)?.photo(&leaf.part);
        let Image { height, width, channels, .. } = photo.image;
        leaf.expect(height, width, channels)?;
        Ok(photo)
    }

    /// Reads every image once, on all threads of the current rayon pool: the files at the same time, the frames of one in
    /// order. `each` is given the index.
    pub(super) fn read_all<T: Send>(
        &self,
        limits: &Limits,
        each: impl Fn(usize, Compact) -> T + Sync,
    ) -> Vec<Result<T>> {
        let files: Vec<Range<usize>> = self.files().collect();
        let read = |range: &Range<usize>| self.read_file(range.clone(), limits, &each);
        let parts: Vec<Vec<Result<T>>> = files.par_iter().map(read).collect();
        parts.into_iter().flatten().collect()
    }

    /// Ranges of images that are read together: frames of one file, else one image.
    fn files(&self) -> impl Iterator<Item = Range<usize>> {
        let is_frame = |leaf: &Leaf| matches!(leaf.part.place, Place::Frame(_));
        let mut start = 0;
        self.all.chunk_by(move |a, b| is_frame(a) && is_frame(b) && a.found.path == b.found.path).map(move |leaves| {
            start += leaves.len();
            start - leaves.len()..start
        })
    }

    fn read_file<T>(
        &self,
        range: Range<usize>,
        limits: &Limits,
        each: &(impl Fn(usize, Compact) -> T + Sync),
    ) -> Vec<Result<T>> {
        let first = &self.all[range.start];
        if range.len() == 1 {
            return vec![self.read(range.start, limits).map(|compact| each(range.start, compact))];
        }
        let mut read: Vec<Result<T>> = Vec::with_capacity(range.len());
        let path = &first.found.path;
        let outcome = decode_frames(path, &first.part, limits, &mut |number, decoded| {
            let i = range.start + read.len();
            // Of a file with frames missing, the ones that are there.
            if self.all[i].part.place == Place::Frame(number) {
                let compact = decoded.and_then(|decoded| self.all[i].compact(decoded));
                read.push(compact.map(|compact| each(i, compact)));
            }
            read.len() < range.len()
        });
        let missing = match outcome {
            Ok(()) => "expected a further frame, got a damaged one or an end before it".to_owned(),
            Err(error) => error.to_string(),
        };
        while read.len() < range.len() {
            read.push(Err(Error::image(path.display().to_string(), missing.clone())));
        }
        read
    }
}

#[cfg(test)]
mod tests {
    use crate::file::{Page, Sequence};
    use crate::{Album, Channels, Image, Limits, Photo, Store};

    fn photo(i: usize, count: u32, plays: Option<u32>) -> Photo {
        let image = Image::filled(4, 5, Channels::Rgb, i as f32 / 255.0);
        let page = Page { number: i as u32 + 1, count, plays };
        Photo { page: Some(page), delay: plays.map(|_| (50, 1)), ..Photo::from(image) }
    }

    /// A folder with an image, an animation and a file of pages.
    fn folder() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        Photo::from(Image::filled(3, 3, Channels::Grey, 1.0)).write(folder.path().join("a.png")).unwrap();
        for (name, plays) in [("b.gif", Some(0)), ("c.tif", None), ("d.apng", Some(3))] {
            let mut sequence = Sequence::new(folder.path().join(name)).unwrap();
            (0..6).for_each(|i| sequence.push(&photo(i, 6, plays)).unwrap());
            sequence.finish().unwrap();
        }
        folder
    }

    #[test]
    fn pages_and_frames_are_images_of_their_own_in_any_order() {
        let folder = folder();
        let open = || Album::open(folder.path(), &Limits::default()).unwrap();
        let album = open();
        assert_eq!(album.len(), 19);
        assert_eq!(
            (album.name(1), album.name(12), album.file_name(12)),
            ("b.gif#1".into(), "c.tif#6".into(), "c.tif".into())
        );
        for i in [6, 1, 18, 3, 2, 12, 7, 15] {
            let value = ((i - 1) % 6) as f32 / 255.0;
            assert_eq!(album.image(i).unwrap(), Image::filled(4, 5, Channels::Rgb, value), "{}", album.name(i));
            assert_eq!(album.photo(i).unwrap().page, album.page(i));
        }
        assert_eq!(album.page(13), Some(Page { number: 1, count: 6, plays: Some(3) }));
        for budget in [0, 150, u64::MAX] {
            let store = Store::take(open(), budget).unwrap();
            assert_eq!((store.len(), store.skipped().len()), (19, 0));
            assert!((0..19).rev().all(|i| store.get(i).unwrap() == album.image(i).unwrap()), "{budget}");
        }
    }

    #[test]
    fn frames_after_a_damaged_one_are_skipped_by_name() {
        let folder = folder();
        let path = folder.path().join("b.gif");
        let bytes = std::fs::read(&path).unwrap();
        std::fs::write(&path, &bytes[..bytes.len() - 30]).unwrap();
        let album = Album::open(&path, &Limits::default()).unwrap().check().unwrap();
        assert!(album.len() < 6 && album.len() + album.skipped().len() == 6, "{:?}", album.skipped());
        assert_eq!(album.skipped()[0].name, format!("b.gif#{}", album.len() + 1));
    }
}
