//! Saved as JPEG and read again.

use image::codecs::jpeg::{JpegDecoder, JpegEncoder};
use image::{DynamicImage, ExtendedColorType};

use crate::{Channels, Picture};

/// The picture after a trip through JPEG, with colour at full resolution (4:4:4); clipped and rounded to 8 bits on the
/// way, as a file is.
///
/// # Panics
/// If a side is empty or has more than 65535 pixels, which JPEG cannot hold.
pub(super) fn compressed(picture: &Picture, quality: u8) -> Picture {
    let bytes: Vec<u8> = picture.pixels.iter().map(|x| (x.clamp(0.0, 1.0) * 255.0).round() as u8).collect();
    let colour = match picture.channels {
        Channels::Grey => ExtendedColorType::L8,
        Channels::Rgb => ExtendedColorType::Rgb8,
    };
    let mut file = Vec::new();
    let side = |n: usize| u32::try_from(n).expect("a side of a JPEG has 16 bits");
    let mut encoder = JpegEncoder::new_with_quality(&mut file, quality);
    encoder.encode(&bytes, side(picture.width), side(picture.height), colour).expect("a side of a JPEG has 16 bits");
    let decoder = JpegDecoder::new(std::io::Cursor::new(file)).expect("a file just written");
    let back = DynamicImage::from_decoder(decoder).expect("a file just written");
    let bytes = match picture.channels {
        Channels::Grey => back.into_luma8().into_raw(),
        Channels::Rgb => back.into_rgb8().into_raw(),
    };
    let pixels = bytes.iter().map(|&byte| f32::from(byte) / 255.0).collect();
    Picture::new(picture.height, picture.width, picture.channels, pixels)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compare::psnr;
    use crate::golden::waves;

    #[test]
    fn better_quality_is_closer() {
        for channels in [Channels::Grey, Channels::Rgb] {
            let picture = waves(33, 50, channels, 1);
            let at = |quality| psnr(&picture, &compressed(&picture, quality));
            assert!(at(5) < at(40) && at(40) < at(95) && at(95) > 35.0, "{} {} {}", at(5), at(40), at(95));
        }
        compressed(&Picture::filled(1, 1, Channels::Rgb, 7.0), 1);
    }
}
