//! Sharpening by unsharp masking.

use crate::Image;
use crate::smoothing::smoothed;

/// Unsharp mask: the image plus its difference from the image blurred with `sigma` pixels.
pub fn unsharp(image: &Image, sigma: f32) -> Image {
    let mut out = smoothed(image, sigma);
    out.pixels.iter_mut().zip(&image.pixels).for_each(|(blurred, x)| *blurred = 2.0 * x - *blurred);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Channels;
    use crate::compare::psnr;
    use crate::golden::waves;

    #[test]
    fn a_blurred_image_comes_closer() {
        let whole = waves(40, 40, Channels::Grey, 0).resized(20, 20, crate::Filter::Area);
        let blurred = smoothed(&whole, 1.5);
        assert!(psnr(&whole, &unsharp(&blurred, 1.5)) > psnr(&whole, &blurred) + 1.0);
    }
}
