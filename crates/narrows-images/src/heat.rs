//! Heat maps of anomaly scores.
//!
//! The colour map is inferno, which is perceptually uniform, also in grey and for the
//! colour-blind. It is computed by the polynomials of degree 6 that Matt Zucker fitted to matplotlib's table
//! (<https://www.shadertoy.com/view/WlfXRN>; fit and table are both CC0, in the public domain).

use crate::shape::LUMA;
use crate::{Channels, Image};

/// Coefficients of red, green and blue, the constant first.
const INFERNO: [[f32; 7]; 3] = [
    [0.000_218_940_37, 0.106_513_42, 11.602_493, -41.703_995, 77.162_94, -71.319_43, 25.131_126],
    [0.001_651_004_6, 0.563_956_44, -3.972_854, 17.436_4, -33.402_36, 32.626_064, -12.242_669],
    [-0.019_480_899, 3.932_712_3, -15.942_394, 44.354_145, -81.807_31, 73.209_52, -23.070_326],
];

/// The colour of NaN.
const UNKNOWN: [f32; 3] = [0.5; 3];

/// An image of `values`, `[height, width]`: black at `low` and below, through red, to pale yellow at `high` and above;
/// NaN is grey.
///
/// # Panics
/// If the number of values is not height * width.
pub fn heat(values: &[f32], height: usize, width: usize, low: f32, high: f32) -> Image {
    let pixels = values.iter().flat_map(|&value| colour(level(value, low, high))).collect();
    Image::new(height, width, Channels::Rgb, pixels)
}

/// The image in grey with the heat map of `values`, `[height, width]`, blended over it: transparent at `low`, with
/// `opacity` (0 to 1) at `high`, linear in between.
///
/// # Panics
/// If the number of values is not height * width of the image.
pub fn overlay(image: &Image, values: &[f32], low: f32, high: f32, opacity: f32) -> Image {
    let (height, width) = (image.height, image.width);
    assert_eq!(values.len(), height * width, "heat over a {height}x{width} image");
    let mut pixels = Vec::with_capacity(3 * values.len());
    for (pixel, &value) in image.pixels.chunks_exact(image.channels.count()).zip(values) {
        let grey = match pixel {
            [red, green, blue] => LUMA[0] * red + LUMA[1] * green + LUMA[2] * blue,
            _ => pixel[0],
        };
        let level = level(value, low, high);
        let share = opacity.clamp(0.0, 1.0) * level.unwrap_or(1.0);
        pixels.extend(colour(level).map(|hot| grey.clamp(0.0, 1.0) * (1.0 - share) + hot * share));
    }
    Image::new(height, width, Channels::Rgb, pixels)
}

/// The position of a value between low and high, 0 to 1; `None` for NaN.
fn level(value: f32, low: f32, high: f32) -> Option<f32> {
    if value.is_nan() {
        None
    } else if high > low {
        Some(((value - low) / (high - low)).clamp(0.0, 1.0))
    } else {
        Some(if value > low { 1.0 } else { 0.0 })
    }
}

fn colour(level: Option<f32>) -> [f32; 3] {
    let Some(level) = level else { return UNKNOWN };
    INFERNO.map(|c| c.iter().rev().fold(0.0, |sum, c| sum * level + c).clamp(0.0, 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Maximum error of the polynomials; six levels of 255 in the blue of dark purple.
    const FIT: f32 = 0.025;

    #[test]
    fn colours_are_those_of_the_table() {
        // matplotlib 3, cm.inferno at 0, 64, 128, 192 and 255 of 255.
        let table = [
            [0.001462, 0.000466, 0.013866],
            [0.341500, 0.062325, 0.429425],
            [0.735683, 0.215906, 0.330245],
            [0.978422, 0.557937, 0.034931],
            [0.988362, 0.998364, 0.644924],
        ];
        for (i, expected) in [0.0f32, 64.0, 128.0, 192.0, 255.0].into_iter().zip(table) {
            let got = heat(&[i], 1, 1, 0.0, 255.0).pixels;
            assert!(got.iter().zip(expected).all(|(got, expected)| (got - expected).abs() < FIT), "{i}: {got:?}");
        }
    }

    #[test]
    fn brightness_rises_and_ends_are_held() {
        let values: Vec<f32> = (-10..=110).map(|x| x as f32).collect();
        let image = heat(&values, 1, values.len(), 0.0, 100.0);
        let bright = |x: usize| image.pixel(0, x).iter().zip(LUMA).map(|(a, b)| a * b).sum::<f32>();
        assert!((11..110).all(|x| bright(x) < bright(x + 1)));
        assert_eq!((image.pixel(0, 0), image.pixel(0, 120)), (image.pixel(0, 10), image.pixel(0, 110)));
        assert_eq!(heat(&[f32::NAN], 1, 1, 0.0, 1.0).pixels, UNKNOWN);
        assert_eq!(heat(&[3.0], 1, 1, 2.0, 2.0), heat(&[1.0], 1, 1, 0.0, 1.0), "no range at all");
    }

    #[test]
    fn what_is_ordinary_stays_visible_under_the_heat() {
        let image = Image::new(1, 3, Channels::Grey, vec![0.25, 0.5, 0.75]);
        let over = overlay(&image, &[0.0, 0.0, 1.0], 0.0, 1.0, 1.0);
        assert_eq!(over.pixels[..6], [0.25, 0.25, 0.25, 0.5, 0.5, 0.5]);
        assert_eq!(over.pixel(0, 2), heat(&[1.0], 1, 1, 0.0, 1.0).pixels);
        let half = overlay(&image, &[1.0; 3], 0.0, 1.0, 0.5);
        assert!((half.pixel(0, 1)[0] - (0.25 + over.pixel(0, 2)[0] / 2.0)).abs() < 1e-6);
    }
}
