//! Verification of compressed images against the originals.

use std::io::Read;
use std::vec;

use narrows_images::Photo;

use super::super::fidelity::Fidelity;
use super::decompressor::ImageDecompressor;
use crate::error::{Error, Result};
use crate::fitted::ImageModel;

/// Tolerance for the rounding of a division by the number of levels, as a share of white.
const ROUNDING: f64 = 1e-6;

/// Reads a compressed file while the original images are passed again.
pub struct ImageVerification<R> {
    reader: ImageDecompressor<R>,
    bound: f64,
    back: vec::IntoIter<(String, Photo)>,
}

impl<R: Read> ImageVerification<R> {
    /// Starts at the header of a file written with `fidelity`.
    ///
    /// # Errors
    /// As [`ImageDecompressor::new`].
    pub fn new(model: &ImageModel, fidelity: Fidelity, source: R) -> Result<Self> {
        let reader = ImageDecompressor::new(model, source)?;
        Ok(ImageVerification { reader, bound: fidelity.image_bound(), back: Vec::new().into_iter() })
    }

    /// Compares the next original image; `name` is used in errors.
    ///
    /// # Errors
    /// [`Error::Mismatch`] if it is outside the bound, differs in transparency or metadata, or is missing.
    pub fn push(&mut self, name: &str, was: &Photo) -> Result<()> {
        let (_, is) = match self.back.next() {
            Some(photo) => photo,
            None => {
                self.back = self.reader.next_images()?.unwrap_or_default().into_iter();
                let next = self.back.next();
                next.ok_or_else(|| Error::mismatch("the compressed file has fewer images than the input"))?
            }
        };
        let (before, after) = (&was.image.pixels, &is.image.pixels);
        let is_near = |(a, b): (&f32, &f32)| f64::from(a - b).abs() <= self.bound + ROUNDING;
        let is_alike = before.len() == after.len() && before.iter().zip(after).all(is_near) && was.alpha == is.alpha;
        if !is_alike {
            return Err(Error::mismatch(format!("{name}: not within the bound when read again")));
        }
        let beside = |photo: &Photo| {
            let Photo { icc, exif, xmp, own, density, page, delay, .. } = photo.clone();
            (icc, exif, xmp, own, density, page, delay)
        };
        match beside(was) == beside(&is) {
            true => Ok(()),
            false => Err(Error::mismatch(format!("{name}: other metadata when read again"))),
        }
    }
}
