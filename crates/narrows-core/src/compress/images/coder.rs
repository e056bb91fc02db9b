//! Encoding of images and their reconstruction from codes.
//!
//! An image is one sample if the model takes whole images; else it is cut into non-overlapping patches, so that no
//! pixel is coded twice.

use std::sync::Arc;

use narrows_codec::Shape;
use narrows_images::{Channels, Depth, Image};

use super::super::identity;
use crate::codec::Coding;
use crate::error::{Error, Hint, Place, Result};
use crate::fitted::{Core, ImageAdapter, ImageLayout, ImageModel};

/// Values processed together by the network.
const TOGETHER: usize = 1 << 20;

/// An image model as a coder of images.
pub(super) struct ImageChunkCoder {
    pub(super) core: Arc<Core>,
    /// The model's own layout.
    layout: ImageLayout,
    /// The layout with adjacent patches.
    pub(super) adapter: ImageAdapter,
}

impl ImageChunkCoder {
    pub(super) fn new(model: &ImageModel) -> Result<ImageChunkCoder> {
        let core = Arc::clone(&model.core);
        core.coding()?;
        let layout = model.adapter.layout;
        // Adjacent patches.
        let stride = layout.stride.map(|_| layout.height.min(layout.width));
        let adapter = ImageAdapter::new(ImageLayout { stride, ..layout });
        Ok(ImageChunkCoder { core, layout, adapter })
    }

    pub(super) fn coding(&self) -> &Coding {
        self.core.coding.as_ref().expect("checked when the coder was made")
    }

    /// The model identity.
    pub(super) fn identity(&self) -> u64 {
        identity::of_images(&self.core, self.coding(), self.layout)
    }

    /// Rejects an image whose size or colours the model would change. A grey image is one of equal channels to a model of
    /// colours, and stored as one channel.
    pub(super) fn check(&self, name: &str, image: &Image) -> Result<()> {
        let ImageLayout { height, width, channels, stride } = self.adapter.layout;
        let place = || Place::source(name);
        if channels == Channels::Grey && image.channels == Channels::Rgb {
            let message = "expected a grey image, as the model was fitted to, got an RGB one";
            return Err(Error::data(place(), message).with_hint(Hint::of(
                "a model fitted to images of which some are RGB, or with [data.channels=rgb], takes both",
            )));
        }
        if stride.is_none() && (image.height, image.width) != (height, width) {
            let message = format!(
                "expected {height} x {width} pixels, as the model sees whole, got {} x {}",
                image.height, image.width
            );
            let hint = Hint::of("for images of any size fit with [data.view=pieces]");
            return Err(Error::data(place(), message).with_hint(hint));
        }
        Ok(())
    }

    pub(super) fn codes(&self, images: &[Image]) -> Vec<f32> {
        let mut codes = Vec::new();
        for some in together(images) {
            let values: Vec<f32> = some.iter().flat_map(|image| self.adapter.values(image)).collect();
            codes.extend(self.core.scorer.ensemble.codes(&values));
        }
        codes
    }

    /// The reconstruction of images of this form from codes.
    pub(super) fn expected(&self, codes: &[f32], form: &Image, n: usize) -> Vec<Image> {
        let (k, samples) = (self.core.code_size(), self.adapter.n_samples(form));
        let at_once = (TOGETHER / (samples * self.adapter.width())).max(1);
        let mut images = Vec::with_capacity(n);
        for codes in codes.chunks(at_once * samples * k) {
            let output = self.core.decode(codes);
            images.extend(
                output.chunks_exact(samples * self.adapter.width()).map(|values| self.adapter.image(values, form)),
            );
        }
        images
    }
}

fn together(images: &[Image]) -> impl Iterator<Item = &[Image]> {
    let values = images.first().map_or(1, |image| image.pixels.len());
    images.chunks((TOGETHER / values.max(1)).max(1))
}

/// Pixels as integer levels up to `white`.
pub(super) fn levels(image: &Image, white: u32) -> impl Iterator<Item = f64> + '_ {
    image.pixels.iter().map(move |pixel| (f64::from(*pixel) * f64::from(white)).round().clamp(0.0, f64::from(white)))
}

pub(super) fn white(depth: Depth) -> u32 {
    match depth {
        Depth::Eight => 255,
        Depth::Sixteen => 65_535,
    }
}

pub(super) fn shape(form: &Image, count: usize) -> Shape {
    Shape::Images { count, height: form.height, width: form.width, channels: form.channels.count() }
}
