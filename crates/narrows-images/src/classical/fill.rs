//! Inpainting by normalised convolution (Knutsson and Westin 1993) with a Gaussian.

use crate::smoothing::smoothed;
use crate::{Channels, Image};

/// Minimum known weight in a window: about one pixel in fifty.
const ENOUGH: f32 = 0.02;

/// The image with the pixels that are `missing`, `[height, width]`, replaced by a Gaussian-weighted mean of known
/// pixels, with the smallest window that contains enough of them. Unchanged if no pixel is known.
///
/// # Panics
/// If `missing` does not have the image's size.
pub fn fill(image: &Image, missing: &[bool]) -> Image {
    let c = image.channels.count();
    assert_eq!(missing.len() * c, image.pixels.len(), "missing pixels of a {}x{} image", image.height, image.width);
    let mut out = image.clone();
    let mut left: Vec<usize> = (0..missing.len()).filter(|&at| missing[at]).collect();
    if left.len() == missing.len() {
        return out;
    }
    let mut known = image.clone();
    left.iter().for_each(|at| known.pixels[at * c..(at + 1) * c].fill(0.0));
    let shares = missing.iter().map(|&missing| if missing { 0.0 } else { 1.0 }).collect();
    let shares = Image::new(image.height, image.width, Channels::Grey, shares);
    let mut sigma = 0.7;
    let widest = 2.0 * image.height.max(image.width) as f32;
    while !left.is_empty() {
        let (sums, weights) = (smoothed(&known, sigma), smoothed(&shares, sigma));
        let last = sigma > widest;
        left.retain(|&at| {
            let weight = weights.pixels[at];
            if weight < ENOUGH && !(last && weight > 0.0) {
                return true;
            }
            for i in at * c..(at + 1) * c {
                out.pixels[i] = sums.pixels[i] / weight;
            }
            false
        });
        if last {
            break;
        }
        sigma *= 1.5;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compare::psnr;
    use crate::golden::waves;

    #[test]
    fn holes_are_filled_and_the_rest_is_left_alone() {
        let whole = waves(40, 50, Channels::Rgb, 0);
        let missing: Vec<bool> =
            (0..2000).map(|at| (10..22).contains(&(at / 50)) && (20..35).contains(&(at % 50))).collect();
        let mut holed = whole.clone();
        (0..2000).filter(|&at| missing[at]).for_each(|at| holed.pixels[3 * at..3 * at + 3].fill(0.5));
        let filled = fill(&holed, &missing);
        assert!(
            psnr(&whole, &filled) > psnr(&whole, &holed) + 3.0,
            "{} {}",
            psnr(&whole, &filled),
            psnr(&whole, &holed)
        );
        for at in (0..2000).filter(|&at| !missing[at]) {
            assert_eq!(filled.pixels[3 * at], whole.pixels[3 * at]);
        }
    }

    #[test]
    fn one_known_pixel_is_enough_and_none_changes_nothing() {
        let mut image = Image::filled(64, 3, Channels::Grey, 0.5);
        assert_eq!(fill(&image, &[true; 192]), image);
        image.pixels[0] = 0.8;
        let missing: Vec<bool> = (0..192).map(|at| at > 0).collect();
        assert!(fill(&image, &missing).pixels.iter().all(|x| (x - 0.8).abs() < 1e-4));
        assert_eq!(fill(&image, &[false; 192]), image);
    }
}
