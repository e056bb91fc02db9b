//! Local contrast normalisation: what is left of an image without its lighting.

use crate::Image;
use crate::smoothing::smoothed;

/// Added to pixel values before their logarithm, so that the noise of dark pixels does not count.
pub const DARK: f32 = 0.02;
/// The contrast that is not raised any further: standard deviation of log values.
pub const LEAST_CONTRAST: f32 = 0.01;

/// Logarithms of the pixel values, less their mean around each pixel and divided by their standard deviation there: light
/// and exposure are factors, and a faint mark counts as much in the dark as in the light (Jarrett et al. 2009, "What is
/// the best multi-stage architecture for object recognition?").
///
/// Means are weighted by a Gaussian of standard deviation `sigma`, in pixels, and the standard deviation is one for all
/// channels. The result has the shape of the image, and values of either sign.
pub fn local_contrast(image: &Image, sigma: f32) -> Image {
    let mut logs = image.clone();
    logs.pixels.iter_mut().for_each(|x| *x = (x.max(0.0) + DARK).ln());
    let means = smoothed(&logs, sigma);
    logs.pixels.iter_mut().zip(&means.pixels).for_each(|(x, mean)| *x -= mean);
    let mut squares = logs.clone();
    squares.pixels.iter_mut().for_each(|x| *x *= *x);
    let squares = smoothed(&squares, sigma);
    let c = image.channels.count();
    for (pixel, squares) in logs.pixels.chunks_exact_mut(c).zip(squares.pixels.chunks_exact(c)) {
        let variance = squares.iter().sum::<f32>() / c as f32;
        let deviation = (variance + LEAST_CONTRAST * LEAST_CONTRAST).sqrt();
        pixel.iter_mut().for_each(|x| *x /= deviation);
    }
    logs
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Channels;

    fn texture(light: impl Fn(usize) -> f32) -> Image {
        let pixels = (0..40 * 40).map(|i| light(i) * (0.3 + 0.1 * ((i * 37 + i / 40) % 7) as f32)).collect();
        Image::new(40, 40, Channels::Grey, pixels)
    }

    #[test]
    fn lighting_goes_and_texture_stays() {
        let even = local_contrast(&texture(|_| 1.0), 4.0);
        let shaded = local_contrast(&texture(|i| 0.4 + 0.015 * (i % 40) as f32), 4.0);
        let (mut cross, mut square) = (0.0, 0.0);
        for (a, b) in even.pixels.iter().zip(&shaded.pixels) {
            (cross, square) = (cross + (a - b).powi(2), square + a * a);
        }
        assert!(cross < 0.02 * square, "{cross} of {square}");
        let mean_square = square / even.pixels.len() as f32;
        assert!((0.8..1.2).contains(&mean_square), "{mean_square}");
    }

    #[test]
    fn a_flat_image_has_no_contrast_whatever_its_colour() {
        for channels in [Channels::Grey, Channels::Rgb] {
            let flat = local_contrast(&Image::filled(9, 12, channels, 0.7), 3.0);
            assert!(flat.pixels.iter().all(|x| x.abs() < 1e-3));
            assert_eq!((flat.height, flat.width, flat.channels), (9, 12, channels));
        }
    }
}
