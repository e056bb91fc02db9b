//! Baselines: common lossy image formats at equal size.

use narrows_images::classical::{Lossy, at_bytes, mosaic};
use narrows_images::{Image, Photo};
use serde::Serialize;

use super::super::fidelity::Fidelity;
use super::super::summary::shown_psnr;
use super::compressor::ImageCompressor;
use crate::error::Result;
use crate::fitted::ImageModel;

/// The same images in another format.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ImageBaseline {
    /// The format and the arrangement of the images.
    pub what: String,
    /// Number of images.
    pub images: u64,
    /// Bytes in that format.
    pub bytes: u64,
    /// Our bytes for the same images.
    pub our_bytes: u64,
    /// Peak signal-to-noise ratio in dB.
    pub psnr: f64,
    /// Our peak signal-to-noise ratio; 999 if there are no errors.
    pub our_psnr: f64,
}

impl ImageBaseline {
    /// Sufficient number of images for a comparison.
    pub const IMAGES: usize = 256;

    /// Stores images by the model and, at equal size, by each lossy format that supports them. Empty if the fidelity is
    /// lossless, and if there are no images.
    ///
    /// # Errors
    /// If the images do not fit the model.
    pub fn of_images(model: &ImageModel, fidelity: Fidelity, images: &[Image]) -> Result<Vec<ImageBaseline>> {
        if fidelity == Fidelity::Lossless || images.is_empty() {
            return Ok(Vec::new());
        }
        let mut writer = ImageCompressor::new(model, fidelity, Vec::new())?;
        images.iter().try_for_each(|image| writer.push("", Photo::from(image.clone())))?;
        let (_, ours) = writer.finish()?;
        let are_alike = images.iter().all(|image| (image.height, image.width) == (images[0].height, images[0].width));
        // Many small images on a contact sheet: single files would be mostly header.
        let (sheets, form) = if are_alike && images.len() > 1 {
            (vec![mosaic(images)], " of all images side by side")
        } else {
            (images.to_vec(), "")
        };
        let baseline = |lossy: Lossy| {
            let (mut bytes, mut squares, mut values) = (0, 0.0, 0.0);
            let pixels: usize = sheets.iter().map(|sheet| sheet.pixels.len()).sum();
            for sheet in &sheets {
                let budget = ours.bytes as usize * sheet.pixels.len() / pixels.max(1);
                let stored = at_bytes(lossy, sheet, budget);
                bytes += stored.bytes as u64;
                squares += stored.mse * sheet.pixels.len() as f64;
                values += sheet.pixels.len() as f64;
            }
            ImageBaseline {
                what: format!("{}{form}", lossy.name()),
                images: images.len() as u64,
                bytes,
                our_bytes: ours.bytes,
                psnr: -10.0 * (squares / values).log10(),
                our_psnr: shown_psnr(&ours),
            }
        };
        let able = Lossy::ALL.into_iter().filter(|lossy| sheets.iter().all(|sheet| lossy.holds(sheet)));
        Ok(model.core.compute().install(|| able.map(baseline).collect()))
    }
}
