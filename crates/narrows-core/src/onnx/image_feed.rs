//! The inputs of the graph of a model of images for given images.

use narrows_images::{Channels, Image};

use super::feed::{OnnxFeed, OnnxValues};
use super::images::{sample_size, size};
use super::pixels::Size;
use crate::error::{Error, Result};
use crate::fitted::{ImageAdapter, ImageModel, Restorer};

/// Those of a model, of images of the graph's size; where it reads samples, of any size.
pub(super) fn of_model(model: &ImageModel, images: &[Image]) -> Result<OnnxFeed> {
    let size = size(model)?;
    if model.album_size().is_none() {
        return Ok(samples(&model.adapter, images));
    }
    same_size(images, Some(size))?;
    Ok(planes(images, size, model.channels()))
}

/// Those of an encoder: the samples of images of any size, one after the other.
pub(super) fn samples(adapter: &ImageAdapter, images: &[Image]) -> OnnxFeed {
    let cut: Vec<Image> = images
        .iter()
        .flat_map(|image| {
            let values = adapter.values(image);
            values.chunks_exact(adapter.width()).map(|values| adapter.sample(values)).collect::<Vec<_>>()
        })
        .collect();
    planes(&cut, sample_size(adapter), adapter.layout.channels)
}

/// Those of a restorer: images of one size, whatever it is.
pub(super) fn of_restorer(restorer: &Restorer, images: &[Image]) -> Result<OnnxFeed> {
    let size = images.first().map_or((1, 1), |image| (image.height, image.width));
    same_size(images, None)?;
    Ok(planes(images, size, restorer.input_channels()))
}

/// Refuses images of several sizes, or of another than this.
fn same_size(images: &[Image], size: Option<Size>) -> Result<()> {
    let Some((height, width)) = size.or_else(|| images.first().map(|image| (image.height, image.width))) else {
        return Ok(());
    };
    match images.iter().position(|image| (image.height, image.width) != (height, width)) {
        None => Ok(()),
        Some(at) => {
            let (h, w) = (images[at].height, images[at].width);
            let message = format!("expected images of {height} x {width} pixels, got image {at} of {h} x {w}");
            Err(Error::mismatch(message).with_hint("a graph takes images of one size at a time"))
        }
    }
}

/// `[N, C, height, width]`
fn planes(images: &[Image], (height, width): Size, channels: Channels) -> OnnxFeed {
    let c = channels.count();
    let values = images.iter().flat_map(|image| {
        let pixels = image.to_channels(channels).pixels;
        (0..c)
            .flat_map(|channel| pixels[channel..].iter().step_by(c).copied().collect::<Vec<f32>>())
            .collect::<Vec<_>>()
    });
    OnnxFeed {
        name: "images".to_owned(),
        shape: vec![images.len(), c, height, width],
        values: OnnxValues::Floats(values.collect()),
    }
}
