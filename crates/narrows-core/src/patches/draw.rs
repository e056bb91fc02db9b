//! Training views of images: random patches, mirrored and turned, redrawn in every epoch.

use std::sync::Arc;

use narrows_engine::rng::{Purpose, Stream};
use narrows_images::{Channels, Filter, Image, Store};

use crate::error::Result;

/// Augmentation of views.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Turning {
    /// Random mirroring.
    pub(crate) flips: bool,
    /// Random quarter turns, for square views.
    pub(crate) turns: bool,
}

/// The part of an image that is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PatchShape {
    /// The whole image, resized to this size.
    Whole(usize, usize),
    /// A random patch of this size.
    Piece(usize, usize),
}

/// Views of the images of a store, `per_image` each per epoch: sample `p * per_image + i` is of image `p`.
pub(crate) struct PatchSampler {
    pub(crate) store: Arc<Store>,
    pub(crate) channels: Channels,
    pub(crate) cut: PatchShape,
    pub(crate) turning: Turning,
    pub(crate) per_image: u32,
}

impl PatchSampler {
    /// The samples of these images.
    pub(crate) fn samples(&self, images: &[u32]) -> Vec<u32> {
        images.iter().flat_map(|p| (0..self.per_image).map(move |i| p * self.per_image + i)).collect()
    }

    /// Reads the images of these samples ahead.
    pub(crate) fn expect(&self, samples: &[u32]) {
        self.store.expect(samples.iter().map(|sample| (sample / self.per_image) as usize));
    }

    /// The view of a sample in an epoch.
    pub(crate) fn view(&self, sample: u32, seed: u64, epoch: u64) -> Result<Image> {
        let image = (sample / self.per_image) as usize;
        let mut stream = Stream::new(seed, Purpose::View, epoch, u64::from(sample));
        let view = match self.cut {
            PatchShape::Whole(height, width) => whole(&self.store.get(image)?, self.channels, (height, width)),
            PatchShape::Piece(height, width) => self.piece(image, (height, width), &mut stream)?,
        };
        Ok(self.turned(view, &mut stream))
    }

    fn piece(&self, image: usize, (height, width): (usize, usize), stream: &mut Stream) -> Result<Image> {
        let (full_height, full_width, _) = self.store.size(image);
        let mut place = |full: usize, side: usize| stream.below((full.saturating_sub(side) + 1) as u32) as usize;
        let (top, left) = (place(full_height, height), place(full_width, width));
        let piece = self.store.crop(image, top, left, height.min(full_height), width.min(full_width))?;
        let piece = piece.to_channels(self.channels);
        let is_full = (piece.height, piece.width) == (height, width);
        Ok(if is_full { piece } else { piece.padded_reflect(0, 0, height, width) })
    }

    fn turned(&self, view: Image, stream: &mut Stream) -> Image {
        let view = if self.turning.flips && stream.below(2) == 1 { view.flipped() } else { view };
        match self.turning.turns && view.height == view.width {
            true => view.turned(stream.below(4) as usize),
            false => view,
        }
    }
}

/// The whole image as network input.
pub(crate) fn whole(image: &Image, channels: Channels, (height, width): (usize, usize)) -> Image {
    let is_smaller = image.height > height || image.width > width;
    let filter = if is_smaller { Filter::Area } else { Filter::Bicubic };
    image.to_channels(channels).resized(height, width, filter).clipped()
}
