//! Mean squared error and peak signal-to-noise ratio.

use super::assert_alike;
use crate::Image;

/// The mean squared error over all values.
pub fn mse(whole: &Image, restored: &Image) -> f64 {
    assert_alike(whole, restored);
    let pairs = whole.pixels.iter().zip(&restored.pixels);
    pairs.map(|(&a, &b)| (f64::from(a) - f64::from(b)).powi(2)).sum::<f64>() / whole.pixels.len() as f64
}

/// The smallest squared error distinguished from 0: far below the rounding of a 16-bit file.
const LEAST: f64 = 1e-12;

/// The peak signal-to-noise ratio in decibels, peak 1; 120 for equal images, so that means over images are
/// finite and valid JSON.
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
