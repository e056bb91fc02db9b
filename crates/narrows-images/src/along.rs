//! Filters along one side of an image as matrices, for whoever computes them elsewhere. All are linear, and each works on
//! rows and columns in turn, so that two matrices are the whole filter.

use crate::shape::reflected;
use crate::smoothing::gaussian_weights;
use crate::{Channels, Filter, Image};

/// What [`Image::resized`] does to a line of `from` pixels: `[to, from]`, the weights of the old pixels in each new one.
///
/// # Panics
/// If a number of pixels is 0.
pub fn resizing_along(from: usize, to: usize, filter: Filter) -> Vec<f32> {
    let mut unit = Image::filled(from, from, Channels::Grey, 0.0);
    unit.pixels.iter_mut().step_by(from + 1).for_each(|pixel| *pixel = 1.0);
    unit.resized(to, from, filter).pixels
}

/// What [`local_contrast`](crate::local_contrast()) takes means by in a line of `n` pixels: `[n, n]`, the weights of the
/// pixels around each.
pub fn smoothing_along(n: usize, sigma: f32) -> Vec<f32> {
    let radius = (4.0 * sigma + 0.5) as usize;
    let mut weights = vec![0.0; n * n];
    for (k, weight) in gaussian_weights(sigma, radius).into_iter().enumerate() {
        for at in 0..n {
            weights[at * n + reflected((at + k) as isize - radius as isize, n)] += weight;
        }
    }
    weights
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::smoothing::smoothed;

    fn texture(height: usize, width: usize) -> Image {
        let pixels = (0..height * width).map(|i| ((i * 37 + i / 7) % 23) as f32 / 23.0).collect();
        Image::new(height, width, Channels::Grey, pixels)
    }

    /// down image across^T
    fn filtered(image: &Image, down: &[f32], across: &[f32]) -> Vec<f32> {
        let (h, w) = (image.height, image.width);
        let (height, width) = (down.len() / h, across.len() / w);
        let pixel = |y: usize, x: usize| -> f32 {
            let row = |i: usize| (0..w).map(|j| image.pixels[i * w + j] * across[x * w + j]).sum::<f32>();
            (0..h).map(|i| down[y * h + i] * row(i)).sum()
        };
        (0..height * width).map(|i| pixel(i / width, i % width)).collect()
    }

    fn check(found: &[f32], expected: &Image) {
        assert_eq!(found.len(), expected.pixels.len());
        let worst = found.iter().zip(&expected.pixels).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(worst < 2e-6, "{worst}");
    }

    #[test]
    fn two_matrices_are_the_whole_filter() {
        let image = texture(13, 18);
        for (height, width, filter) in [(5, 7, Filter::Area), (13, 40, Filter::Bicubic), (29, 6, Filter::Bicubic)] {
            let (down, across) = (resizing_along(13, height, filter), resizing_along(18, width, filter));
            check(&filtered(&image, &down, &across), &image.resized(height, width, filter));
        }
        // Also where the radius is longer than the image, and reflects more than once.
        for sigma in [1.3, 9.0] {
            check(
                &filtered(&image, &smoothing_along(13, sigma), &smoothing_along(18, sigma)),
                &smoothed(&image, sigma),
            );
        }
    }
}
