//! Text in images, in Noto Sans Mono from `noto-sans-mono-bitmap`: basic Latin and Latin-1.

use noto_sans_mono_bitmap::{FontWeight, RasterHeight, get_raster, get_raster_width};

use crate::Image;

const WEIGHT: FontWeight = FontWeight::Bold;
const HEIGHT: RasterHeight = RasterHeight::Size16;

/// The height and width of a line of text.
pub(crate) fn extent(text: &str) -> (usize, usize) {
    (HEIGHT.val(), text.chars().count() * get_raster_width(WEIGHT, HEIGHT))
}

/// Draws a line of text starting at row `top` and column `left`, with `ink` in every channel. Text beyond the image
/// is clipped; letters missing in the font become question marks.
pub(crate) fn write(image: &mut Image, text: &str, top: usize, left: usize, ink: f32) {
    let (height, width, values) = (image.height, image.width, image.channels.count());
    let step = get_raster_width(WEIGHT, HEIGHT);
    for (i, letter) in text.chars().enumerate() {
        let known = get_raster(letter, WEIGHT, HEIGHT).or_else(|| get_raster('?', WEIGHT, HEIGHT));
        let Some(letter) = known else { continue };
        for (y, row) in letter.rows().enumerate().filter(|(y, _)| top + y < height) {
            for (x, &covered) in row.iter().enumerate() {
                let at = left + i * step + x;
                if at < width {
                    let share = f32::from(covered) / 255.0;
                    let pixel = &mut image.row_mut(top + y)[at * values..(at + 1) * values];
                    pixel.iter_mut().for_each(|value| *value += share * (ink - *value));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Channels;

    #[test]
    fn letters_are_drawn_and_cut_at_the_edge() {
        let (height, step) = extent("I");
        let mut image = Image::filled(height + 4, 2 * step + step / 2, Channels::Rgb, 1.0);
        write(&mut image, "Ié\u{4e2d}", 2, 0, 0.0);
        let dark = |columns: std::ops::Range<usize>| {
            columns
                .flat_map(|x| (0..height + 4).map(move |y| (y, x)))
                .filter(|&(y, x)| image.pixel(y, x)[0] < 0.3)
                .count()
        };
        assert!(dark(0..step) > 10, "the stem of the I");
        assert!(dark(step..2 * step) > 5, "letters beyond ASCII leave a mark");
        assert!(image.row(0).iter().chain(image.row(height + 3)).all(|&x| x == 1.0));
    }
}
