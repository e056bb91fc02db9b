//! Simple measures of images as they come, whatever the model sees of them: what images of another camera, another light
//! or another focus differ in.

use narrows_images::{Channels, Image, Store, colourfulness};

use crate::distribution::{ColumnDistribution, TrainingDistribution};
use crate::error::Result;

/// The measures: mean and standard deviation of the luminance, from 0 to 1; colourfulness, 0 for grey and about 80 for
/// very colourful images; sharpness, the variance of the Laplacian of the luminance from 0 to 255; size in pixels.
pub(crate) const MEASURES: [&str; 6] = ["brightness", "contrast", "colourfulness", "sharpness", "height", "width"];

/// Most training images that are measured.
const MEASURED: usize = 5_000;

/// The measures of an image, in the order of their names.
pub(crate) fn measures(image: &Image) -> [f64; MEASURES.len()] {
    let luma = image.to_channels(Channels::Grey);
    let (brightness, variance) = moments(luma.pixels.iter().map(|x| f64::from(*x)));
    let (_, sharpness) = moments(laplacian(&luma));
    let size = [image.height, image.width].map(|side| side as f64);
    [brightness, variance.sqrt(), colourfulness(image), sharpness, size[0], size[1]]
}

/// The Laplacian at the inner pixels of a grey image, from 0 to 255 (Pech-Pacheco et al. 2000: its variance is low where an
/// image is out of focus).
fn laplacian(luma: &Image) -> impl Iterator<Item = f64> + '_ {
    let (height, width) = (luma.height, luma.width);
    let at = move |y: usize, x: usize| 255.0 * f64::from(luma.pixels[y * width + x]);
    let inner = (1..height.saturating_sub(1)).flat_map(move |y| (1..width.saturating_sub(1)).map(move |x| (y, x)));
    inner.map(move |(y, x)| at(y - 1, x) + at(y + 1, x) + at(y, x - 1) + at(y, x + 1) - 4.0 * at(y, x))
}

/// Mean and variance; zeros of nothing.
fn moments(values: impl Iterator<Item = f64>) -> (f64, f64) {
    let (mut n, mut mean, mut squares) = (0.0, 0.0, 0.0);
    for x in values {
        n += 1.0;
        let step = x - mean;
        mean += step / n;
        squares += step * (x - mean);
    }
    (mean, if n > 0.0 { squares / n } else { 0.0 })
}

/// The distribution of the measures over some images of a store, at most so many, evenly chosen.
///
/// # Errors
/// If an image can no longer be read.
pub(super) fn distribution(images: &Store, which: &[u32]) -> Result<TrainingDistribution> {
    let step = which.len().div_ceil(MEASURED).max(1);
    let mut all = Vec::with_capacity(which.len() / step + 1);
    for image in which.iter().step_by(step) {
        all.push(measures(&images.get(*image as usize)?));
    }
    let of = |(m, name): (usize, &&str)| ColumnDistribution::of_numbers(name, all.iter().map(|image| Some(image[m])));
    Ok(TrainingDistribution { columns: MEASURES.iter().enumerate().map(of).collect() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(image: &Image, expected: [f64; 6]) {
        let found = measures(image);
        let pairs = found.iter().zip(expected);
        assert!(pairs.clone().all(|(a, b)| (a - b).abs() <= 1e-4 * b.abs().max(1.0)), "{found:?} {expected:?}");
    }

    #[test]
    fn measures_are_those_of_numpy() {
        check(&Image::filled(3, 5, Channels::Grey, 0.25), [0.25, 0.0, 0.0, 0.0, 3.0, 5.0]);
        // a = np.arange(20.0).reshape(4, 5) % 7 / 7; l = 255 * (a[:-2,1:-1] + a[2:,1:-1] + a[1:-1,:-2] + a[1:-1,2:] - 4 * a[1:-1,1:-1])
        // a.mean(), a.std(), l.var()
        let pixels = (0..20).map(|i| (i % 7) as f32 / 7.0).collect();
        let image = Image::new(4, 5, Channels::Grey, pixels);
        check(&image, [0.407_142_857_142_857_14, 0.275_810_949_473_254_6, 0.0, 144_500.0, 4.0, 5.0]);
        // Too small for a Laplacian.
        check(&Image::filled(1, 1, Channels::Rgb, 1.0), [1.0, 0.0, 0.0, 0.0, 1.0, 1.0]);
    }

    #[test]
    fn a_colour_image_is_colourful() {
        let image = Image::new(1, 2, Channels::Rgb, vec![1.0, 0.0, 0.0, 0.0, 0.0, 1.0]);
        let [brightness, _, colour, ..] = measures(&image);
        assert!((brightness - (0.299 + 0.114) / 2.0).abs() < 1e-6 && colour > 80.0, "{brightness} {colour}");
    }
}
