//! Images: a sample is a whole image or a patch of one.

use std::ops::Range;
use std::sync::Arc;

use narrows_engine::Map;
use narrows_images::{Channels, Filter, Image};
use serde::{Deserialize, Serialize};

use super::patch_memory::PatchMemory;
use crate::detect::residual::Slots;
use crate::model::Shape;
use crate::patches::{PatchShape, TileGrid, whole};
use crate::prep::{Block, BlockKind, PrepCounts, Prepared};

/// How images become samples.
#[derive(Debug, Clone, PartialEq)]
pub struct ImageAdapter {
    pub(crate) layout: ImageLayout,
    /// What local patches are compared with, if the score is that of patches.
    pub(crate) memory: Option<Arc<PatchMemory>>,
    blocks: Vec<Block>,
}

/// The layout of a sample within an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ImageLayout {
    pub(crate) channels: Channels,
    /// Rows of pixels of a sample.
    pub(crate) height: usize,
    /// Pixels in a row of a sample.
    pub(crate) width: usize,
    /// Maximum stride between patches, in pixels; `None` if a sample is a whole image.
    pub(crate) stride: Option<usize>,
}

impl ImageLayout {
    fn map(&self) -> Map {
        Map::new(self.height, self.width, self.channels.count())
    }

    /// The shape of training patches.
    pub(crate) fn cut(&self) -> PatchShape {
        match self.stride {
            None => PatchShape::Whole(self.height, self.width),
            Some(_) => PatchShape::Piece(self.height, self.width),
        }
    }

    /// Rejects invalid sizes.
    pub(crate) fn check(&self) -> Result<(), String> {
        let fits = |side: usize| (1..=1024).contains(&side);
        if fits(self.height) && fits(self.width) && self.stride.is_none_or(fits) {
            return Ok(());
        }
        Err(format!("expected samples of 1 to 1024 pixels a side, got {} x {}", self.height, self.width))
    }

    /// The layout as text.
    pub(crate) fn describe(&self) -> String {
        let Self { channels, height, width, stride } = self;
        match stride {
            None => format!("whole images at {height} x {width} pixels, {}", channels.name()),
            Some(stride) => {
                format!("pieces of {height} x {width} pixels, {stride} apart, {}", channels.name())
            }
        }
    }
}

/// An image in the form that its samples are cut from: those of a large image take many times its memory.
pub(crate) struct Cutting {
    image: Image,
    /// `None` if the image is the only sample.
    grid: Option<TileGrid>,
}

impl Cutting {
    /// Number of samples.
    pub(crate) fn len(&self) -> usize {
        self.grid.as_ref().map_or(1, TileGrid::len)
    }

    /// Some consecutive samples.
    pub(crate) fn values(&self, samples: Range<usize>) -> Vec<f32> {
        match &self.grid {
            None if samples.is_empty() => Vec::new(),
            None => self.image.pixels.clone(),
            Some(grid) => grid.cut_some(&self.image, samples),
        }
    }
}

impl ImageAdapter {
    pub(crate) fn new(layout: ImageLayout) -> ImageAdapter {
        let block = Block {
            column: "pixels".to_owned(),
            kind: BlockKind::Number,
            range: 0..layout.map().size(),
            unit_interval: true,
        };
        ImageAdapter { layout, memory: None, blocks: vec![block] }
    }

    pub(crate) fn blocks(&self) -> &[Block] {
        &self.blocks
    }

    /// All values belong to one column, as pixels have no names.
    pub(crate) fn slots(&self) -> Slots {
        Slots::new(vec![0; self.layout.map().size()])
    }

    pub(crate) fn shape(&self) -> Shape {
        Shape::Map(self.layout.map())
    }

    /// Whether a sample is a patch of an image rather than the whole image.
    pub(crate) fn sees_patches(&self) -> bool {
        self.layout.stride.is_some()
    }

    /// Values per sample.
    pub(crate) fn width(&self) -> usize {
        self.layout.map().size()
    }

    /// The grid of patches of an image; `None` if the image is a single sample.
    pub(crate) fn grid(&self, image: &Image) -> Option<TileGrid> {
        let ImageLayout { height, width, stride, .. } = self.layout;
        stride.map(|stride| TileGrid::new((height, width), stride, (image.height, image.width)))
    }

    /// Number of samples of an image.
    pub(crate) fn n_samples(&self, image: &Image) -> usize {
        self.grid(image).map_or(1, |grid| grid.len())
    }

    /// The consecutive samples of an image.
    pub(crate) fn values(&self, image: &Image) -> Vec<f32> {
        let ImageLayout { channels, height, width, .. } = self.layout;
        match self.grid(image) {
            None => whole(image, channels, (height, width)).pixels,
            Some(grid) => grid.cut(&image.to_channels(channels)),
        }
    }

    /// An image whose samples are cut as they are needed.
    pub(crate) fn cutting(&self, image: &Image) -> Cutting {
        let ImageLayout { channels, height, width, .. } = self.layout;
        match self.grid(image) {
            None => Cutting { image: whole(image, channels, (height, width)), grid: None },
            Some(grid) => {
                let image = image.to_channels(channels);
                Cutting { image: grid.padded(&image).into_owned(), grid: Some(grid) }
            }
        }
    }

    /// Assembles an image from its samples' `values`, with the size and channels of `like`.
    pub(crate) fn image(&self, values: &[f32], like: &Image) -> Image {
        let ImageLayout { channels, height, width, .. } = self.layout;
        let size = (like.height, like.width);
        let rebuilt = match self.grid(like) {
            None => {
                let filter = if height > size.0 || width > size.1 { Filter::Area } else { Filter::Bicubic };
                self.sample(values).resized(size.0, size.1, filter)
            }
            Some(grid) => {
                let c = channels.count();
                let mut pixels = vec![0.0; size.0 * size.1 * c];
                for channel in 0..c {
                    let plane: Vec<f32> = values[channel..].iter().step_by(c).copied().collect();
                    let merged = grid.merge(&plane, size);
                    pixels[channel..].iter_mut().step_by(c).zip(merged).for_each(|(pixel, value)| *pixel = value);
                }
                Image::new(size.0, size.1, channels, pixels)
            }
        };
        rebuilt.clipped().to_channels(like.channels)
    }

    /// One sample as an image.
    pub(crate) fn sample(&self, values: &[f32]) -> Image {
        Image::new(self.layout.height, self.layout.width, self.layout.channels, values.to_vec())
    }

    /// Assembles a heat map of `like` from the values of its samples: the mean over channels and patches.
    pub(crate) fn heat(&self, values: &[f32], like: &Image) -> Vec<f32> {
        let c = self.layout.channels.count();
        let plane: Vec<f32> = values.chunks_exact(c).map(|pixel| pixel.iter().sum::<f32>() / c as f32).collect();
        let size = (like.height, like.width);
        match self.grid(like) {
            Some(grid) => grid.merge(&plane, size),
            None => {
                let map = Image::new(self.layout.height, self.layout.width, Channels::Grey, plane);
                map.resized(size.0, size.1, Filter::Bicubic).pixels
            }
        }
    }

    /// Samples in the form of network inputs.
    pub(crate) fn prepared(&self, values: Vec<f32>) -> Prepared {
        let width = self.width();
        Prepared {
            target: values.clone(),
            n: values.len() / width,
            width,
            input: values,
            counts: PrepCounts::default(),
        }
    }
}
