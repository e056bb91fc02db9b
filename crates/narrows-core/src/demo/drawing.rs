//! Drawing primitives of the image demonstrations: images as functions of position, smooth noise, shading.

use narrows_engine::rng::Stream;
use narrows_images::{Channels, Image};
use rayon::prelude::*;

/// Red, green, blue.
pub(super) type Colour = [f32; 3];

/// Samples per pixel and direction, for antialiasing.
const SAMPLES: usize = 3;

/// The image of a function of the position, in pixels from the top left corner: `at(x, y)`.
pub(super) fn painted(height: usize, width: usize, at: impl Fn(f32, f32) -> Colour + Sync) -> Image {
    let place = |i: usize, sample: usize| i as f32 + (sample as f32 + 0.5) / SAMPLES as f32;
    let pixel = |y: usize, x: usize| {
        let mut sum = [0.0; 3];
        for (sy, sx) in (0..SAMPLES).flat_map(|sy| (0..SAMPLES).map(move |sx| (sy, sx))) {
            let colour = at(place(x, sx), place(y, sy));
            sum.iter_mut().zip(colour).for_each(|(sum, value)| *sum += value.clamp(0.0, 1.0));
        }
        sum.map(|sum| sum / (SAMPLES * SAMPLES) as f32)
    };
    let row = |y: usize| (0..width).flat_map(|x| pixel(y, x)).collect::<Vec<f32>>();
    let rows: Vec<Vec<f32>> = (0..height).into_par_iter().map(row).collect();
    Image::new(height, width, Channels::Rgb, rows.concat())
}

/// Interpolates two colours: `a` at 0, `b` at 1.
pub(super) fn mixed(a: Colour, b: Colour, share: f32) -> Colour {
    let share = share.clamp(0.0, 1.0);
    [0, 1, 2].map(|i| a[i] + share * (b[i] - a[i]))
}

/// Makes a colour lighter or darker.
pub(super) fn shaded(colour: Colour, light: f32) -> Colour {
    colour.map(|value| value * light)
}

/// A smooth step from 0 below `low` to 1 above `high`.
pub(super) fn step(low: f32, high: f32, x: f32) -> f32 {
    let t = ((x - low) / (high - low)).clamp(0.0, 1.0);
    t * t * (3.0 - 2.0 * t)
}

/// Interpolates two numbers.
pub(super) fn between(random: &mut Stream, low: f32, high: f32) -> f32 {
    low + (high - low) * random.uniform()
}

/// Smooth noise in [0, 1] with features of size 1, keyed by `key`.
pub(super) fn noise(key: u32, x: f32, y: f32) -> f32 {
    let (left, top) = (x.floor(), y.floor());
    let (fx, fy) = (step(0.0, 1.0, x - left), step(0.0, 1.0, y - top));
    let at = |dx: i32, dy: i32| knot(key, left as i32 + dx, top as i32 + dy);
    let upper = at(0, 0) + fx * (at(1, 0) - at(0, 0));
    let lower = at(0, 1) + fx * (at(1, 1) - at(0, 1));
    upper + fy * (lower - upper)
}

/// A hash of the position in [0, 1).
fn knot(key: u32, x: i32, y: i32) -> f32 {
    // Wellons' `lowbias32`, between the parts.
    let mixed = |mut n: u32| {
        n = (n ^ (n >> 16)).wrapping_mul(0x7feb_352d);
        n = (n ^ (n >> 15)).wrapping_mul(0x846c_a68b);
        n ^ (n >> 16)
    };
    let n = mixed(mixed(mixed(key) ^ x as u32) ^ y as u32);
    (n >> 8) as f32 / (1 << 24) as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn noise_is_smooth_and_fills_its_range() {
        let values: Vec<f32> = (0..4000).map(|i| noise(7, i as f32 * 0.1, i as f32 * 0.013)).collect();
        assert!(values.iter().all(|value| (0.0..=1.0).contains(value)));
        assert!(values.windows(2).all(|pair| (pair[1] - pair[0]).abs() < 0.25));
        let mean = values.iter().sum::<f32>() / values.len() as f32;
        assert!((mean - 0.5).abs() < 0.05, "{mean}");
    }

    #[test]
    fn an_edge_through_a_pixel_is_halfway() {
        let image = painted(1, 2, |x, _| if x < 0.5 { [0.0; 3] } else { [1.0; 3] });
        // Of three samples the middle one lies on the edge itself.
        assert!((image.pixel(0, 0)[0] - 2.0 / 3.0).abs() < 1e-6 && image.pixel(0, 1) == [1.0; 3]);
    }
}
