//! Squared error, and the same in decibels.

use super::assert_alike;
use crate::Image;

/// The mean squared error over all values.
pub fn mse(whole: &Image, restored: &Image) -> f64 {
    assert_alike(whole, restored);
    let pairs = whole.pixels.iter().zip(&restored.pixels);
    pairs.map(|(&a, &b)| (f64::from(a) - f64::from(b)).powi(2)).sum::<f64>() / whole.pixels.len() as f64
}

/// The least squared error that is told from none: far below the rounding of a file of 16 bits.
const LEAST: f64 = 1e-12;

/// The peak signal-to-noise ratio in decibels, of a peak of 1; 120 for equal images, so that a mean over images stays
/// a number, and one that JSON can hold.
pub fn psnr(whole: &Image, restored: &Image) -> f64 {
    -10.0 * mse(whole, restored).max(LEAST).log10()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Channels;
    use crate::golden::{golden, image};

    #[test]
    fn errors_agree_with_scikit_image() {
        for set in golden("compared") {
            let (a, b) = (image(&set, 0), image(&set, 1));
            assert!((mse(&a, &b) - set["mse"].as_f64().unwrap()).abs() < 1e-8);
            assert!((psnr(&a, &b) - set["psnr"].as_f64().unwrap()).abs() < 1e-5);
        }
        let image = Image::filled(2, 2, Channels::Rgb, 0.5);
        assert_eq!(psnr(&image, &image), 120.0);
    }
}
