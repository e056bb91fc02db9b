//! Luminance and chroma: YCbCr of ITU-R BT.601 in full range, as in JPEG, with chroma centred at zero.
//!
//! Y = 0.299 R + 0.587 G + 0.114 B, Cb = (B - Y) / 1.772, Cr = (R - Y) / 1.402; Y in [0, 1], Cb and Cr in [-0.5, 0.5].

use crate::shape::LUMA;
use crate::{Channels, Image};

const BLUE: f32 = 2.0 * (1.0 - LUMA[2]);
const RED: f32 = 2.0 * (1.0 - LUMA[0]);

/// What a unit of Cb and of Cr adds to red, green and blue.
pub const COLOURS_OF_CHROMA: [[f32; 2]; 3] =
    [[0.0, RED], [-LUMA[2] * BLUE / LUMA[1], -LUMA[0] * RED / LUMA[1]], [BLUE, 0.0]];

/// An image's luminance (a grey image) and its chroma `[height, width, 2]`: Cb and Cr of each pixel, in [-0.5, 0.5].
/// A grey image has no chroma: zeros.
pub fn luminance_and_chroma(image: &Image) -> (Image, Vec<f32>) {
    let luma = image.to_channels(Channels::Grey);
    let chroma = match image.channels {
        Channels::Grey => vec![0.0; 2 * luma.pixels.len()],
        Channels::Rgb => {
            let pixels = image.pixels.as_chunks::<3>().0;
            pixels.iter().zip(&luma.pixels).flat_map(|(p, y)| [(p[2] - y) / BLUE, (p[0] - y) / RED]).collect()
        }
    };
    (luma, chroma)
}

/// The colour image of a luminance in [0, 1] and a chroma `[height, width, 2]`.
///
/// A colour out of gamut (a channel outside [0, 1]) is desaturated at constant luminance until it is in gamut:
/// clipping the channels would change the luminance.
///
/// # Panics
/// If `luma` is not grey or the chroma is not of its size.
pub fn recombine(luma: &Image, chroma: &[f32]) -> Image {
    assert!(luma.channels == Channels::Grey, "luminance is one channel");
    assert_eq!(chroma.len(), 2 * luma.pixels.len(), "chroma of a {}x{} image", luma.height, luma.width);
    let mut pixels = Vec::with_capacity(3 * luma.pixels.len());
    for (&y, &[cb, cr]) in luma.pixels.iter().zip(chroma.as_chunks().0) {
        let y = y.clamp(0.0, 1.0);
        let blue = BLUE * cb;
        let red = RED * cr;
        let green = -(LUMA[0] * red + LUMA[2] * blue) / LUMA[1];
        let differences = [red, green, blue];
        // A chroma that is not finite becomes grey.
        let usable = differences.iter().all(|d| d.is_finite());
        let kept = differences.iter().fold(1.0_f32, |kept, d| {
            let room = if *d > 0.0 { 1.0 - y } else { y };
            if d.abs() > room { kept.min(room / d.abs()) } else { kept }
        });
        pixels.extend(differences.map(|d| if usable { (y + kept * d).clamp(0.0, 1.0) } else { y }));
    }
    Image::new(luma.height, luma.width, Channels::Rgb, pixels)
}

/// How colourful an image looks (Hasler and Süsstrunk, "Measuring colourfulness in natural images", 2003, M3) on their
/// scale: 0 is grey, about 15 slightly, 33 moderately, 59 quite, 82 highly colourful.
pub fn colourfulness(image: &Image) -> f64 {
    if image.channels == Channels::Grey || image.pixels.is_empty() {
        return 0.0;
    }
    let pixels = image.pixels.as_chunks::<3>().0;
    let red_green = moments(pixels.iter().map(|&[r, g, _]| 255.0 * (f64::from(r) - f64::from(g))));
    let yellow_blue =
        moments(pixels.iter().map(|&[r, g, b]| 255.0 * (0.5 * (f64::from(r) + f64::from(g)) - f64::from(b))));
    let spread = (red_green.1 + yellow_blue.1).sqrt();
    spread + 0.3 * red_green.0.hypot(yellow_blue.0)
}

/// Mean and population variance.
fn moments(values: impl Iterator<Item = f64> + Clone) -> (f64, f64) {
    let n = values.clone().count() as f64;
    let mean = values.clone().sum::<f64>() / n;
    (mean, values.map(|x| (x - mean).powi(2)).sum::<f64>() / n)
}

#[cfg(test)]
mod tests {
    use super::*;
    use narrows_engine::rng::{Purpose, Stream};

    fn random(height: usize, width: usize) -> Image {
        let mut image = Image::filled(height, width, Channels::Rgb, 0.0);
        Stream::new(1, Purpose::Demo, 0, 0).fill_uniform(&mut image.pixels);
        image
    }

    #[test]
    fn luminance_and_chroma_give_the_image_back() {
        let image = random(17, 13);
        let (luma, chroma) = luminance_and_chroma(&image);
        assert!(chroma.iter().all(|c| c.abs() <= 0.5));
        for (got, want) in recombine(&luma, &chroma).pixels.iter().zip(&image.pixels) {
            assert!((got - want).abs() < 2e-6, "{got} {want}");
        }
        let grey = luma.to_channels(Channels::Rgb);
        assert_eq!(luminance_and_chroma(&grey).1, vec![0.0; 2 * 17 * 13]);
        assert_eq!(recombine(&luma, &vec![0.0; 2 * 17 * 13]), grey);
    }

    #[test]
    fn a_wild_chroma_leaves_the_luminance_alone() {
        let luma = random(9, 9).to_channels(Channels::Grey);
        let mut chroma = vec![0.0; 2 * 81];
        Stream::new(2, Purpose::Demo, 0, 0).fill_normal(&mut chroma);
        chroma[0] = f32::NAN;
        chroma[3] = f32::INFINITY;
        chroma[4] = 1e30;
        let image = recombine(&luma, &chroma);
        assert!(image.pixels.iter().all(|x| (0.0..=1.0).contains(x)));
        for (got, want) in image.to_channels(Channels::Grey).pixels.iter().zip(&luma.pixels) {
            assert!((got - want).abs() < 1e-6, "{got} {want}");
        }
    }

    #[test]
    fn colourfulness_is_that_of_the_paper() {
        assert_eq!(colourfulness(&Image::filled(4, 4, Channels::Grey, 0.3)), 0.0);
        assert_eq!(colourfulness(&Image::filled(4, 4, Channels::Rgb, 0.3)), 0.0);
        // Half red, half green: rg = ±255, yb = 127.5; 255 + 0.3 * 127.5.
        let halves = Image::new(1, 2, Channels::Rgb, vec![1.0, 0.0, 0.0, 0.0, 1.0, 0.0]);
        assert!((colourfulness(&halves) - 293.25).abs() < 1e-9);
    }
}
