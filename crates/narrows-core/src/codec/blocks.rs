//! Images as maps of coefficients: overlapping blocks of 8 by 8 pixels, transformed, and rounded in steps of some size.
//!
//! Steps are the base step times 2^(level / 8). Everything here that decides a pixel is additions and products in a fixed
//! order, so that every machine agrees.

use narrows_codec::{MAP_FARTHEST, MAP_FRACTION, MapShape};
use narrows_engine::{Lapped, LappedWay, Map};
use narrows_images::Image;

/// The side of a block.
pub(crate) const SIDE: usize = 8;
/// The base step of coefficients, of an orthonormal transform of pixels in [0, 1].
const STEP: f32 = 40.0 / 255.0;
/// Levels to a doubling of the step.
pub(crate) const LEVELS_A_DOUBLING: i32 = 8;
/// The finest level, of steps an eighth of a level of 255, and one at which every coefficient is zero.
pub(crate) const FINEST: i32 = -64;
pub(crate) const EVERYTHING_ZERO: i32 = 120;
/// 2^(i / 8)
static EIGHTHS: [f32; 8] =
    [1.0, 1.090_507_7, 1.189_207_1, 1.296_839_6, std::f32::consts::SQRT_2, 1.542_210_8, 1.681_792_9, 1.834_008_1];

/// The transform of pixels of this size.
pub(crate) fn transform(pixels: Map) -> Lapped {
    Lapped { pixels, way: LappedWay::Analysis, centre: 0.5, step: STEP }
}

/// The step of a level, in base steps.
pub(crate) fn step(level: i32) -> f32 {
    EIGHTHS[level.rem_euclid(LEVELS_A_DOUBLING) as usize] * 2.0_f32.powi(level.div_euclid(LEVELS_A_DOUBLING))
}

/// The coefficients of an image, whose last pixels are repeated up to whole blocks.
pub(crate) fn coefficients(image: &Image) -> (MapShape, Vec<f32>) {
    let (pixels, shape) = sizes(image);
    let mut padded = Vec::with_capacity(pixels.size());
    for y in 0..pixels.height {
        let row = image.row(y.min(image.height - 1));
        padded.extend_from_slice(row);
        let last = &row[row.len() - pixels.channels..];
        (image.width..pixels.width).for_each(|_| padded.extend_from_slice(last));
    }
    let mut coefficients = vec![0.0; pixels.size()];
    transform(pixels).analyse(&padded, &mut coefficients);
    (shape, coefficients)
}

/// The image of the size of `form` whose coefficients these are; values may lie outside of [0, 1].
pub(crate) fn image(coefficients: &[f32], form: &Image) -> Image {
    let (size, _) = sizes(form);
    let mut pixels = vec![0.0; size.size()];
    transform(size).synthesise(coefficients, &mut pixels);
    Image::new(size.height, size.width, form.channels, pixels).crop(0, 0, form.height, form.width)
}

/// The shape of the coefficients of an image.
pub(crate) fn shape(form: &Image) -> MapShape {
    sizes(form).1
}

fn sizes(image: &Image) -> (Map, MapShape) {
    let channels = image.channels.count();
    let pixels = Map::new(image.height.next_multiple_of(SIDE), image.width.next_multiple_of(SIDE), channels);
    let blocks = transform(pixels).blocks();
    (pixels, MapShape { height: blocks.height, width: blocks.width, channels: blocks.channels })
}

/// Coefficients in steps of a level, in fixed point, for an encoder to round.
pub(crate) fn in_steps(coefficients: &[f32], level: i32) -> Vec<i32> {
    let scale = f32::from(1_u16 << MAP_FRACTION) / step(level);
    let farthest = MAP_FARTHEST as f32 * f32::from(1_u16 << MAP_FRACTION);
    coefficients.iter().map(|value| (value * scale).round().clamp(-farthest, farthest) as i32).collect()
}

/// The coefficients of whole numbers of steps.
pub(crate) fn of_steps(steps: &[i32], level: i32) -> Vec<f32> {
    let step = step(level);
    steps.iter().map(|value| *value as f32 * step).collect()
}

#[cfg(test)]
mod tests {
    use narrows_images::Channels;

    use super::*;

    #[test]
    fn images_of_any_size_come_back_from_fine_steps() {
        for (height, width, channels) in [(8, 8, Channels::Rgb), (1, 1, Channels::Grey), (13, 30, Channels::Rgb)] {
            let values = height * width * channels.count();
            let pixels = (0..values).map(|i| (i * 37 % 256) as f32 / 255.0).collect();
            let image = Image::new(height, width, channels, pixels);
            let (shape, coefficients) = coefficients(&image);
            assert_eq!(coefficients.len(), shape.len());
            let steps: Vec<i32> = in_steps(&coefficients, FINEST).iter().map(|value| (value + 128) >> 8).collect();
            let back = super::image(&of_steps(&steps, FINEST), &image);
            assert!(back.pixels.iter().zip(&image.pixels).all(|(a, b)| (a - b).abs() < 1.0 / 255.0));
        }
    }

    #[test]
    fn eight_levels_double_the_step() {
        assert_eq!([step(-8), step(0), step(8), step(16)], [0.5, 1.0, 2.0, 4.0]);
        assert!((-64..120).all(|level| step(level) < step(level + 1)));
    }
}
