//! An image store: images are decoded once and kept in memory as far as they fit.

use std::sync::Arc;

use super::ahead::{Ahead, reader};
use super::leaf::Leaf;
use super::{Album, Images, Skipped};
use crate::compact::Compact;
use crate::{Channels, Image, Result};

/// Minimum cache size: one image in use and one being read.
const FEWEST: u64 = 2;

/// An album's images, the first of them in memory in their file's type, the others read on request
/// or ahead if announced. Thread-safe.
#[derive(Debug)]
pub struct Store {
    album: Album,
    /// The first images of the album.
    kept: Vec<Compact>,
    /// The others, if any.
    ahead: Option<Ahead>,
}

impl Store {
    /// Reads every image once, on all threads of the current rayon pool, removes unreadable ones, and
    /// keeps all if they fit into `budget` bytes; else the first that fit into half of it, with the other half for
    /// the cache. Arrays are in memory already and do not count.
    ///
    /// The choice depends on headers and order only, not on threads.
    ///
    /// # Errors
    /// [`Error::Image`](crate::Error::Image) if no image is left.
    pub fn take(mut album: Album, budget: u64) -> Result<Store> {
        let Images::Files(leaves) = &album.images else {
            return Ok(Store { album, kept: Vec::new(), ahead: None });
        };
        let sizes: Vec<u64> = leaves.all.iter().map(Leaf::bytes).collect();
        let total = sizes.iter().fold(0_u64, |sum, size| sum.saturating_add(*size));
        let room = if total <= budget { budget } else { budget / 2 };
        let mut bytes = 0_u64;
        let fits = sizes.iter().take_while(|size| {
            bytes = bytes.saturating_add(**size);
            bytes <= room
        });
        let fits = fits.count();
        let largest = sizes[fits..].iter().max().copied();
        let read = leaves.read_all(&album.limits, |i, compact| (i < fits).then_some(compact));
        let mut kept = Vec::with_capacity(fits);
        let outcomes = read.into_iter().map(|outcome| outcome.map(|compact| kept.extend(compact))).collect();
        album.retain(outcomes)?;
        let ahead = match (&album.images, largest) {
            (Images::Files(leaves), Some(largest)) => {
                let most = (room / largest.max(1)).clamp(FEWEST, leaves.all.len() as u64) as usize;
                Some(Ahead::new(most, reader(leaves, album.limits)))
            }
            _ => None,
        };
        Ok(Store { album, kept, ahead })
    }

    /// If not all images are in memory: how many can be used together without reading one twice.
    pub fn at_once(&self) -> Option<usize> {
        self.ahead.as_ref().map(|ahead| (ahead.most() / 2).max(1))
    }

    /// Announces images, so that they are read ahead.
    pub fn expect(&self, images: impl Iterator<Item = usize>) {
        if let Some(ahead) = &self.ahead {
            ahead.expect(images.filter(|i| *i >= self.kept.len()));
        }
    }

    fn read(&self, i: usize) -> Result<Option<Arc<Compact>>> {
        self.ahead.as_ref().map(|ahead| ahead.get(i)).transpose()
    }

    /// The album without unreadable images.
    pub fn album(&self) -> &Album {
        &self.album
    }

    /// Number of images; at least one.
    #[expect(clippy::len_without_is_empty, reason = "an album is never empty")]
    pub fn len(&self) -> usize {
        self.album.len()
    }

    /// Number of images in memory: all for an array.
    pub fn held(&self) -> usize {
        match &self.album.images {
            Images::Files(_) => self.kept.len(),
            Images::Array(_) | Images::Made(_) => self.album.len(),
        }
    }

    /// The source, as given.
    pub fn source(&self) -> &str {
        self.album.source()
    }

    /// The name of image `i` as in [`Album::name`].
    pub fn name(&self, i: usize) -> String {
        self.album.name(i)
    }

    /// The folder of image `i`; `None` for images of an array.
    pub fn folder(&self, i: usize) -> String {
        self.album.folder(i).unwrap_or_default().to_owned()
    }

    /// Height, width and channels of image `i`.
    pub fn size(&self, i: usize) -> (usize, usize, Channels) {
        self.album.size(i)
    }

    /// Grey if all images are grey.
    pub fn channels(&self) -> Channels {
        let has_colour = (0..self.len()).any(|i| self.size(i).2 == Channels::Rgb);
        if has_colour { Channels::Rgb } else { Channels::Grey }
    }

    /// The unreadable images.
    pub fn skipped(&self) -> &[Skipped] {
        self.album.skipped()
    }

    /// The crop of image `i` starting at row `top` and column `left`.
    ///
    /// # Errors
    /// As [`Store::get`].
    ///
    /// # Panics
    /// If it exceeds the image.
    pub fn crop(&self, i: usize, top: usize, left: usize, height: usize, width: usize) -> Result<Image> {
        match self.kept.get(i) {
            Some(compact) => Ok(compact.crop(top, left, height, width)),
            None => Ok(match self.read(i)? {
                Some(compact) => compact.crop(top, left, height, width),
                None => self.album.image(i)?.crop(top, left, height, width),
            }),
        }
    }

    /// Image `i`, identical from memory and from file.
    ///
    /// # Errors
    /// As [`Album::image`], for one not in memory.
    ///
    /// # Panics
    /// If there is no such image.
    pub fn get(&self, i: usize) -> Result<Image> {
        match self.kept.get(i) {
            Some(compact) => Ok(compact.image()),
            None => match self.read(i)? {
                Some(compact) => Ok(compact.image()),
                None => self.album.image(i),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use rayon::prelude::*;

    use super::*;
    use crate::{Channels, Depth, Limits, Photo};

    #[test]
    fn a_small_budget_gives_the_same_images_as_a_large_one() {
        let folder = tempfile::tempdir().unwrap();
        for i in 0..6usize {
            let (height, width) = (4 + i, 9 - i);
            let channels = if i % 2 == 0 { Channels::Grey } else { Channels::Rgb };
            let n = height * width * channels.count();
            let pixels = (0..n).map(|k| ((k * 7_919 + i * 13) % 65_536) as f32 / 65_535.0).collect();
            let depth = if i < 3 { Depth::Eight } else { Depth::Sixteen };
            let photo = Photo { depth, ..Photo::from(Image::new(height, width, channels, pixels)) };
            photo.write(folder.path().join(format!("{i}.png"))).unwrap();
        }
        let broken = folder.path().join("1b.png");
        let whole = std::fs::read(folder.path().join("1.png")).unwrap();
        std::fs::write(broken, &whole[..whole.len() / 2]).unwrap();
        let album = || Album::open(folder.path(), &Limits::default()).unwrap();
        let large = Store::take(album(), u64::MAX).unwrap();
        assert_eq!((large.held(), large.len(), large.album().skipped().len()), (6, 6, 1));
        // The first takes 36 bytes, the second 120.
        for (budget, held) in [(0, 0), (71, 0), (72, 1), (312, 2)] {
            let small = Store::take(album(), budget).unwrap();
            assert_eq!((small.held(), small.len()), (held, 6), "a budget of {budget}");
            let same = (0..6).into_par_iter().all(|i| small.get(i).unwrap() == large.get(i).unwrap());
            assert!(same, "a budget of {budget}");
            assert_eq!(small.get(5).unwrap(), small.album().image(5).unwrap());
        }
    }
}
