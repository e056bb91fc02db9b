//! Corruption of single pixels: black or white, or missing. All channels of a pixel are affected together.

use narrows_engine::rng::Stream;

use super::fill::Fill;
use crate::Image;

/// Sets a share of the pixels to black or white with equal probability.
pub(super) fn salt_and_pepper(image: &mut Image, rate: f32, stream: &mut Stream) {
    each_pixel(image, stream, |pixel, chance| {
        if chance < rate {
            pixel.fill(if chance < 0.5 * rate { 0.0 } else { 1.0 });
        }
    });
}

/// Replaces a share of the pixels; returns which.
pub(super) fn lose(image: &mut Image, rate: f32, fill: Fill, stream: &mut Stream) -> Vec<bool> {
    let palette = fill.palette(image, stream);
    let mut colours = stream.clone();
    let mut lost = Vec::with_capacity(image.height * image.width);
    each_pixel(image, stream, |pixel, chance| {
        lost.push(chance < rate);
        if chance < rate {
            let colour = palette.next(&mut colours);
            pixel.copy_from_slice(&colour[..pixel.len()]);
        }
    });
    lost
}

/// A random number in [0, 1) per pixel.
fn each_pixel(image: &mut Image, stream: &mut Stream, mut change: impl FnMut(&mut [f32], f32)) {
    let c = image.channels.count();
    let mut chances = [0.0; 1024];
    for pixels in image.pixels.chunks_mut(chances.len() * c) {
        let chances = &mut chances[..pixels.len() / c];
        stream.fill_uniform(chances);
        pixels.chunks_exact_mut(c).zip(chances).for_each(|(pixel, chance)| change(pixel, *chance));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Channels;
    use narrows_engine::rng::Purpose;

    #[test]
    fn the_shares_are_right_and_pixels_change_whole() {
        let stream = || Stream::new(1, Purpose::Demo, 0, 0);
        let mut image = Image::filled(100, 100, Channels::Rgb, 0.3);
        salt_and_pepper(&mut image, 0.2, &mut stream());
        let share = |image: &Image, value: f32| {
            image.pixels.as_chunks::<3>().0.iter().filter(|&&pixel| pixel == [value; 3]).count() as f64 / 1e4
        };
        assert!((share(&image, 0.0) - 0.1).abs() < 0.01 && (share(&image, 1.0) - 0.1).abs() < 0.01);
        assert_eq!(share(&image, 0.0) + share(&image, 1.0) + share(&image, 0.3), 1.0);

        let mut image = Image::filled(100, 100, Channels::Rgb, 0.3);
        lose(&mut image, 0.4, Fill::Value(0.5), &mut stream());
        assert!((share(&image, 0.5) - 0.4).abs() < 0.015);
        lose(&mut image, 1.0, Fill::Value(0.0), &mut stream());
        assert_eq!(share(&image, 0.0), 1.0);
    }
}
