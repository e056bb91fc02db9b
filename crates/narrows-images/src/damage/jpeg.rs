//! JPEG artefacts.

use crate::Image;
use crate::classical::Lossy;

/// The image compressed as JPEG and decoded, with colour at full resolution (4:4:4); clipped and rounded to 8 bits,
/// as in a file.
///
/// # Panics
/// If a side is empty or has more than 65535 pixels, the maximum of JPEG.
pub(super) fn compressed(image: &Image, quality: u8) -> Image {
    Lossy::Jpeg.passed(image, quality).1
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Channels;
    use crate::compare::psnr;
    use crate::golden::waves;

    #[test]
    fn better_quality_is_closer() {
        for channels in [Channels::Grey, Channels::Rgb] {
            let image = waves(33, 50, channels, 1);
            let at = |quality| psnr(&image, &compressed(&image, quality));
            assert!(at(5) < at(40) && at(40) < at(95) && at(95) > 35.0, "{} {} {}", at(5), at(40), at(95));
        }
        compressed(&Image::filled(1, 1, Channels::Rgb, 7.0), 1);
    }
}
