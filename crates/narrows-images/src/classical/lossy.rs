//! Common lossy formats, for comparison at equal size.

use std::io::Cursor;

use image::codecs::jpeg::{JpegDecoder, JpegEncoder};
use image::codecs::webp::WebPDecoder;
use image::{DynamicImage, ExtendedColorType};

use crate::compare::mse;
use crate::file::ByteSource;
use crate::{Channels, Image};

/// A lossy format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lossy {
    /// Baseline JPEG with the standard's Huffman tables and colour at full resolution.
    Jpeg,
    /// WebP by libwebp, lossy.
    WebP,
}

/// An image compressed in such a format.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Stored {
    /// File size in bytes.
    pub bytes: usize,
    /// The mean squared error of pixels in [0, 1], clipped and rounded to 8 bits.
    pub mse: f64,
    /// The quality setting, from 1 to 100.
    pub quality: u8,
}

impl Lossy {
    /// All of them.
    pub const ALL: [Lossy; 2] = [Lossy::Jpeg, Lossy::WebP];

    /// The usual name.
    pub fn name(self) -> &'static str {
        match self {
            Lossy::Jpeg => "JPEG",
            Lossy::WebP => "WebP",
        }
    }

    /// Whether the format supports an image of this size.
    pub fn holds(self, image: &Image) -> bool {
        let largest = match self {
            Lossy::Jpeg => 65_535,
            Lossy::WebP => 16_383,
        };
        (1..=largest).contains(&image.height) && (1..=largest).contains(&image.width)
    }

    /// Encodes the image: the file, and the decoded image.
    ///
    /// # Panics
    /// If the format does not [hold](Lossy::holds) it.
    pub(crate) fn passed(self, image: &Image, quality: u8) -> (Vec<u8>, Image) {
        let bytes: Vec<u8> = image.pixels.iter().map(|x| (x.clamp(0.0, 1.0) * 255.0).round() as u8).collect();
        let side = |n: usize| u32::try_from(n).expect("a side that the format holds");
        let (width, height) = (side(image.width), side(image.height));
        let (file, back) = match self {
            Lossy::Jpeg => {
                let colour = match image.channels {
                    Channels::Grey => ExtendedColorType::L8,
                    Channels::Rgb => ExtendedColorType::Rgb8,
                };
                let mut file = Cursor::new(Vec::new());
                let mut encoder = JpegEncoder::new_with_quality(&mut file, quality);
                encoder.encode(&bytes, width, height, colour).expect("a side that the format holds");
                let file = file.into_inner();
                let decoder = JpegDecoder::new(ByteSource::memory(file.clone())).expect("a file just written");
                let back = DynamicImage::from_decoder(decoder).expect("a file just written");
                (file, back)
            }
            Lossy::WebP => {
                // WebP has no grey.
                let rgb: Vec<u8> = match image.channels {
                    Channels::Grey => bytes.iter().flat_map(|byte| [*byte; 3]).collect(),
                    Channels::Rgb => bytes,
                };
                let file = webp::Encoder::from_rgb(&rgb, width, height).encode(f32::from(quality)).to_vec();
                let decoder = WebPDecoder::new(ByteSource::memory(file.clone()));
                let back = DynamicImage::from_decoder(decoder.expect("a file just written"));
                (file, back.expect("a file just written"))
            }
        };
        let bytes = match image.channels {
            Channels::Grey => back.into_luma8().into_raw(),
            Channels::Rgb => back.into_rgb8().into_raw(),
        };
        let pixels = bytes.iter().map(|&byte| f32::from(byte) / 255.0).collect();
        (file, Image::new(image.height, image.width, image.channels, pixels))
    }
}

/// The image at the best quality with at most `bytes` bytes, or at the worst if none is that small.
///
/// # Panics
/// If the format does not [hold](Lossy::holds) the image.
pub fn at_bytes(lossy: Lossy, image: &Image, bytes: usize) -> Stored {
    let stored = |quality: u8| {
        let (file, back) = lossy.passed(image, quality);
        Stored { bytes: file.len(), mse: mse(image, &back), quality }
    };
    let (mut best, mut low, mut high) = (stored(1), 2, 101_u8);
    while low < high {
        let middle = low.midpoint(high);
        let at = stored(middle);
        if at.bytes <= bytes {
            best = at;
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    best
}

/// Images of one size tiled in a nearly square grid; unused tiles are black.
///
/// # Panics
/// If there are none, or their sizes or channels differ.
pub fn mosaic(images: &[Image]) -> Image {
    let Image { height, width, channels, .. } = images[0];
    let columns = (images.len() as f64).sqrt().ceil() as usize;
    let rows = images.len().div_ceil(columns);
    let mut sheet = Image::filled(rows * height, columns * width, channels, 0.0);
    let values = channels.count();
    for (i, image) in images.iter().enumerate() {
        assert_eq!((image.height, image.width, image.channels), (height, width, channels), "one size");
        let (top, left) = (i / columns * height, i % columns * width * values);
        for y in 0..height {
            sheet.row_mut(top + y)[left..left + width * values].copy_from_slice(image.row(y));
        }
    }
    sheet
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::golden::waves;

    #[test]
    fn more_bytes_are_closer_and_the_budget_holds() {
        for channels in [Channels::Grey, Channels::Rgb] {
            let image = waves(64, 48, channels, 1);
            for lossy in Lossy::ALL {
                let smallest = at_bytes(lossy, &image, 0);
                assert_eq!(smallest.quality, 1);
                let (few, many) = (smallest.bytes + 200, smallest.bytes + 2000);
                let (small, large) = (at_bytes(lossy, &image, few), at_bytes(lossy, &image, many));
                assert!(small.bytes <= few && large.bytes <= many, "{lossy:?}");
                assert!(small.mse <= smallest.mse && large.mse < small.mse, "{lossy:?} {small:?} {large:?}");
            }
        }
    }

    #[test]
    fn sides_have_an_end() {
        let of = |height, width| Image::filled(height, width, Channels::Grey, 0.0);
        let held = |image: &Image| Lossy::ALL.map(|lossy| lossy.holds(image));
        assert_eq!(held(&of(1, 16_383)), [true, true]);
        assert_eq!(held(&of(16_384, 1)), [true, false]);
        assert_eq!(held(&of(1, 65_536)), [false, false]);
        at_bytes(Lossy::WebP, &of(1, 16_383), 0);
    }

    #[test]
    fn a_mosaic_holds_every_image() {
        let images: Vec<Image> = (0..5).map(|i| waves(4, 6, Channels::Grey, i)).collect();
        let sheet = mosaic(&images);
        assert_eq!((sheet.height, sheet.width), (8, 18));
        assert_eq!(sheet.crop(4, 6, 4, 6), images[4]);
        assert_eq!(sheet.crop(4, 12, 4, 6), Image::filled(4, 6, Channels::Grey, 0.0));
    }
}
