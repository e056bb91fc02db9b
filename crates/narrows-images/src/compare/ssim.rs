//! Structural similarity (Wang, Bovik, Sheikh and Simoncelli, "Image quality assessment: from error visibility to
//! structural similarity", 2004): means, variances and covariance under a Gaussian window of 11x11 with a standard
//! deviation of 1.5, K1 = 0.01, K2 = 0.03, peak 1, averaged over every position where the window fits.
//!
//! Equals scikit-image's `structural_similarity(gaussian_weights=True, sigma=1.5, use_sample_covariance=False,
//! data_range=1)`, which crops to the same positions.

use super::{Plane, assert_alike};
use crate::Image;

/// Side of the window.
pub(super) const WINDOW: usize = 11;
const C1: f64 = 0.01 * 0.01;
const C2: f64 = 0.03 * 0.03;

/// Structural similarity, the mean over channels: 1 for equal images, at least -1. `None` if a side has fewer than
/// 11 pixels, as the window does not fit.
pub fn ssim(whole: &Image, restored: &Image) -> Option<f64> {
    assert_alike(whole, restored);
    if whole.height.min(whole.width) < WINDOW {
        return None;
    }
    let n = whole.channels.count();
    let of = |c| similarity(&Plane::of(whole, c), &Plane::of(restored, c)).whole;
    Some((0..n).map(of).sum::<f64>() / n as f64)
}

/// Means over the window positions.
pub(super) struct Similarity {
    /// Luminance, contrast and structure.
    pub(super) whole: f64,
    /// Contrast and structure only.
    pub(super) contrast: f64,
}

pub(super) fn similarity(a: &Plane, b: &Plane) -> Similarity {
    let product =
        |a: &Plane, b: &Plane| Plane { values: a.values.iter().zip(&b.values).map(|(a, b)| a * b).collect(), ..*a };
    let (mean_a, mean_b) = (windowed(a), windowed(b));
    let (aa, bb, ab) = (windowed(&product(a, a)), windowed(&product(b, b)), windowed(&product(a, b)));
    let mut sums = Similarity { whole: 0.0, contrast: 0.0 };
    for i in 0..mean_a.len() {
        let (ma, mb) = (mean_a[i], mean_b[i]);
        let (variances, covariance) = (aa[i] - ma * ma + bb[i] - mb * mb, ab[i] - ma * mb);
        let contrast = (2.0 * covariance + C2) / (variances + C2);
        sums.contrast += contrast;
        sums.whole += contrast * (2.0 * ma * mb + C1) / (ma * ma + mb * mb + C1);
    }
    let n = mean_a.len() as f64;
    Similarity { whole: sums.whole / n, contrast: sums.contrast / n }
}

/// The weighted mean at each position where the window fits.
fn windowed(plane: &Plane) -> Vec<f64> {
    let mut weights: [f64; WINDOW] = std::array::from_fn(|i| (-0.5 * ((i as f64 - 5.0) / 1.5).powi(2)).exp());
    let sum: f64 = weights.iter().sum();
    weights.iter_mut().for_each(|w| *w /= sum);

    let (height, width) = (plane.height + 1 - WINDOW, plane.width + 1 - WINDOW);
    let mut out = vec![0.0; height * width];
    let mut line = vec![0.0; plane.width];
    for (y, out) in out.chunks_exact_mut(width).enumerate() {
        line.fill(0.0);
        for (k, weight) in weights.iter().enumerate() {
            let row = &plane.values[(y + k) * plane.width..][..plane.width];
            line.iter_mut().zip(row).for_each(|(sum, x)| *sum += weight * x);
        }
        for (k, weight) in weights.iter().enumerate() {
            out.iter_mut().zip(&line[k..]).for_each(|(sum, x)| *sum += weight * x);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Channels;
    use crate::golden::{golden, image};

    #[test]
    fn similarity_agrees_with_scikit_image() {
        for set in golden("compared") {
            let got = ssim(&image(&set, 0), &image(&set, 1)).unwrap();
            assert!((got - set["ssim"].as_f64().unwrap()).abs() < 1e-6, "{got} {}", set["ssim"]);
        }
    }

    #[test]
    fn equal_images_have_one_and_small_ones_have_none() {
        let image = Image::filled(11, 11, Channels::Rgb, 0.5);
        assert!((ssim(&image, &image).unwrap() - 1.0).abs() < 1e-12);
        let small = Image::filled(10, 40, Channels::Grey, 0.5);
        assert_eq!(ssim(&small, &small), None);
    }
}
