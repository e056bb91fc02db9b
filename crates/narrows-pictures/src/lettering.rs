//! Words in a picture, in the public-domain font of eight by eight dots that `font8x8` carries.

use font8x8::{BASIC_FONTS, GREEK_FONTS, LATIN_FONTS, MISC_FONTS, UnicodeFonts};

use crate::Picture;

/// Dots of a letter, each way.
const DOTS: usize = 8;

/// The height and width of a line of text whose dots are `scale` pixels wide.
pub(crate) fn extent(text: &str, scale: usize) -> (usize, usize) {
    (DOTS * scale, text.chars().count() * DOTS * scale)
}

/// Draws a line of text whose dots are `scale` pixels wide, from row `top` and column `left` on, with `ink` in every
/// channel. What reaches beyond the picture is cut off; a letter that the font lacks becomes a question mark.
pub(crate) fn write(picture: &mut Picture, text: &str, top: usize, left: usize, scale: usize, ink: f32) {
    let (height, width, values) = (picture.height, picture.width, picture.channels.count());
    for (i, letter) in text.chars().enumerate() {
        let fonts: [&dyn Fn() -> Option<[u8; DOTS]>; 5] = [
            &|| BASIC_FONTS.get(letter),
            &|| LATIN_FONTS.get(letter),
            &|| GREEK_FONTS.get(letter),
            &|| MISC_FONTS.get(letter),
            &|| BASIC_FONTS.get('?'),
        ];
        let rows = fonts.iter().find_map(|font| font()).unwrap_or_default();
        for y in (0..DOTS * scale).filter(|y| top + y < height) {
            let row = rows[y / scale];
            for x in (0..DOTS * scale).filter(|x| row >> (x / scale) & 1 == 1) {
                let at = left + i * DOTS * scale + x;
                if at < width {
                    picture.row_mut(top + y)[at * values..(at + 1) * values].fill(ink);
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
        let mut picture = Picture::filled(20, 40, Channels::Rgb, 1.0);
        assert_eq!(extent("I", 2), (16, 16));
        write(&mut picture, "Ié\u{4e2d}", 2, 0, 2, 0.0);
        let dark = |x: usize| (0..20).filter(|&y| picture.pixel(y, x)[0] == 0.0).count();
        assert_eq!(dark(6), 14, "the stem of the I, seven dots of two pixels");
        assert!((16..40).any(|x| dark(x) > 0), "letters beyond ASCII leave a mark");
        assert!(picture.row(0).iter().chain(picture.row(18)).all(|&x| x == 1.0));
    }
}
