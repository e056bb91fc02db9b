//! Median filters, robust to black and white pixels.

use crate::Image;
use crate::shape::reflected;

/// The median filter with a square window of `radius` pixels, per channel, with
/// reflection at the edges.
pub fn median(image: &Image, radius: usize) -> Image {
    if image.pixels.is_empty() {
        return image.clone();
    }
    let (c, width) = (image.channels.count(), image.width);
    let side = 2 * radius + 1;
    let padded = image.padded_reflect(radius, radius, image.height + 2 * radius, width + 2 * radius);
    let mut out = image.clone();
    let mut window = vec![0.0_f32; side * side];
    for y in 0..image.height {
        let row = out.row_mut(y);
        for (i, value) in row.iter_mut().enumerate() {
            for (k, line) in window.chunks_exact_mut(side).enumerate() {
                let from = padded.row(y + k)[i..].iter().step_by(c);
                line.iter_mut().zip(from).for_each(|(to, from)| *to = *from);
            }
            *value = *window.select_nth_unstable_by(side * side / 2, f32::total_cmp).1;
        }
    }
    out
}

/// Replaces pixels marked `spoilt` by the median of the intact pixels around them: the window grows
/// until it contains one. Without intact pixels nothing changes.
pub(super) fn median_of_whole(image: &Image, spoilt: &[bool]) -> Image {
    let (height, width) = (image.height, image.width);
    let mut out = image.clone();
    let c = image.channels.count();
    for (at, _) in spoilt.iter().enumerate().filter(|(_, spoilt)| **spoilt) {
        let (y, x) = (at / width, at % width);
        let mut whole: Vec<usize> = Vec::new();
        for radius in 1..=height.max(width) as isize {
            for dy in -radius..=radius {
                for dx in -radius..=radius {
                    let from = reflected(y as isize + dy, height) * width + reflected(x as isize + dx, width);
                    if !spoilt[from] {
                        whole.push(from);
                    }
                }
            }
            if !whole.is_empty() {
                break;
            }
        }
        for k in 0..c {
            let mut values: Vec<f32> = whole.iter().map(|from| image.pixels[from * c + k]).collect();
            if values.is_empty() {
                continue;
            }
            let middle = values.len() / 2;
            out.pixels[at * c + k] = *values.select_nth_unstable_by(middle, f32::total_cmp).1;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Channels;
    use crate::golden::{assert_pixels, golden, image};

    #[test]
    fn medians_agree_with_scipy() {
        for set in golden("smoothed") {
            assert_pixels(&median(&image(&set, 2), 1), &set["median"], 1e-6);
        }
    }

    #[test]
    fn small_images_have_medians() {
        let dot = Image::filled(1, 1, Channels::Rgb, 0.25);
        assert_eq!(median(&dot, 3), dot);
        assert_eq!(median_of_whole(&dot, &[true]), dot);
        let pair = Image::new(1, 2, Channels::Grey, vec![0.0, 0.7]);
        assert_eq!(median_of_whole(&pair, &[true, false]).pixels, [0.7, 0.7]);
    }
}
