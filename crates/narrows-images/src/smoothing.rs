//! Gaussian smoothing.

use crate::Image;
use crate::shape::reflected;

/// The weights of a Gaussian with this standard deviation from the centre to `radius` on either side, normalised to 1.
pub(crate) fn gaussian_weights(sigma: f32, radius: usize) -> Vec<f32> {
    let weight = |i: usize| (-0.5 * ((i as f64 - radius as f64) / f64::from(sigma)).powi(2)).exp();
    let weights: Vec<f64> = (0..=2 * radius).map(weight).collect();
    let sum: f64 = weights.iter().sum();
    weights.iter().map(|w| (w / sum) as f32).collect()
}

/// The image convolved with a Gaussian of this standard deviation in pixels, truncated at four of them, with
/// reflection at the edges.
pub(crate) fn smoothed(image: &Image, sigma: f32) -> Image {
    let radius = (4.0 * sigma + 0.5) as usize;
    if radius == 0 || image.pixels.is_empty() {
        return image.clone();
    }
    let weights = gaussian_weights(sigma, radius);
    let (c, width) = (image.channels.count(), image.width);
    let mut out = Image::filled(image.height, width, image.channels, 0.0);
    let mut line = vec![0.0_f32; (width + 2 * radius) * c];
    let mut blurred = image.clone();
    for y in 0..image.height {
        for i in 0..width + 2 * radius {
            let x = reflected(i as isize - radius as isize, width);
            line[i * c..(i + 1) * c].copy_from_slice(image.pixel(y, x));
        }
        weighted_sum(&weights, blurred.row_mut(y), |k| &line[k * c..]);
    }
    for y in 0..image.height {
        let from = |k: usize| blurred.row(reflected((y + k) as isize - radius as isize, image.height));
        weighted_sum(&weights, out.row_mut(y), from);
    }
    out
}

/// `out` = sum over k of `weights[k]` times the values starting at `source(k)`, in the order of k.
fn weighted_sum<'a>(weights: &[f32], out: &mut [f32], source: impl Fn(usize) -> &'a [f32]) {
    out.fill(0.0);
    for (k, weight) in weights.iter().enumerate() {
        out.iter_mut().zip(source(k)).for_each(|(out, x)| *out += weight * x);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Channels;
    use crate::golden::{assert_pixels, golden, image};

    #[test]
    fn smoothing_agrees_with_scipy() {
        for set in golden("smoothed") {
            assert_pixels(&smoothed(&image(&set, 2), 1.3), &set["blur"], 2e-6);
        }
    }

    #[test]
    fn one_pixel_stays_and_little_sigma_does_nothing() {
        let dot = Image::filled(1, 1, Channels::Rgb, 0.25);
        assert!((smoothed(&dot, 9.0).pixels[0] - 0.25).abs() < 1e-6);
        assert_eq!(smoothed(&dot, 0.05), dot);
    }
}
