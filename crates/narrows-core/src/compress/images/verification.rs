//! Compressed images read again, beside those that they were made from.

use std::io::Read;
use std::vec;

use narrows_images::Photo;

use super::super::fidelity::Fidelity;
use super::decompressor::ImageDecompressor;
use crate::error::{Error, Result};
use crate::fitted::ImageModel;

/// What a division by the levels of a file rounds off, in shares of white.
const ROUNDING: f64 = 1e-6;

/// Reads a compressed file as the images that went in come by once more.
pub struct ImageVerification<R> {
    reader: ImageDecompressor<R>,
    bound: f64,
    back: vec::IntoIter<(String, Photo)>,
}

impl<R: Read> ImageVerification<R> {
    /// Begins at the head of a file of which `fidelity` was asked.
    ///
    /// # Errors
    /// As [`ImageDecompressor::new`].
    pub fn new(model: &ImageModel, fidelity: Fidelity, source: R) -> Result<Self> {
        let reader = ImageDecompressor::new(model, source)?;
        Ok(ImageVerification { reader, bound: fidelity.image_bound(), back: Vec::new().into_iter() })
    }

    /// Compares the next image that went in; `name` is what errors call it by.
    ///
    /// # Errors
    /// [`Error::Mismatch`] where it is not within the bound, is transparent elsewhere, or is not there.
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
        match is_alike {
            true => Ok(()),
            false => Err(Error::mismatch(format!("{name}: not within the bound when read again"))),
        }
    }
}
