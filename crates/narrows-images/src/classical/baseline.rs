//! The classical baseline of an image corruption.

use super::median::median_of_whole;
use super::{fill, median, noise_level, non_local_means, unsharp};
use crate::damage::{Damage, Damages, Fill, Side};
use crate::{Channels, Filter, Image};

/// An image restored by classical methods.
#[derive(Debug, Clone, PartialEq)]
pub struct Baseline {
    /// The methods, such as `non-local means`; joined by `, then`, or `unchanged` without any.
    pub name: String,
    /// The result, with the size and channels of the clean image.
    pub image: Image,
}

/// Restores an image corrupted by `damages` whose clean version has `channels`: each step by its classical
/// method, in reverse order.
///
/// | damage | method |
/// |---|---|
/// | gaussian | non-local means; for a range the noise level is estimated |
/// | salt_pepper | median of the intact neighbours, for pixels that are black or white |
/// | blocks, masking | normalised convolution, for pixels with exactly the fill value; of holes of any colour, for flat squares of their size |
/// | blur | unsharp mask |
/// | grayscale | grey in all channels |
/// | downscale | bicubic |
/// | jpeg, watermark | none |
pub fn baseline(damages: &Damages, damaged: &Image, channels: Channels) -> Baseline {
    let mut image = damaged.clone();
    let mut names = Vec::new();
    for damage in damages.as_slice().iter().rev() {
        let (name, undone) = match damage {
            Damage::Gaussian { sigma, .. } => {
                let sigma = if sigma.low == sigma.high {
                    sigma.low / 255.0
                } else {
                    noise_level(&image).clamp(sigma.low / 255.0, sigma.high / 255.0)
                };
                // A range may include zero noise.
                let undone = if sigma > 0.0 { non_local_means(&image, sigma) } else { image.clone() };
                ("non-local means", undone)
            }
            Damage::SaltPepper { rate } => ("median", median_of_whole(&image, &salted(&image, rate.high))),
            Damage::Blocks { fill: look, side, .. } => ("fill", fill(&image, &lost(&image, *look, *side))),
            Damage::Masking { fill: look, .. } => ("fill", fill(&image, &lost(&image, *look, Side::Pixels(1)))),
            Damage::Blur { sigma } => ("unsharp mask", unsharp(&image, sigma.middle())),
            Damage::Grayscale if channels == Channels::Rgb => ("grey", image.to_channels(channels)),
            Damage::Downscale { factor } => {
                ("bicubic", image.resized(image.height * factor, image.width * factor, Filter::Bicubic))
            }
            Damage::Grayscale | Damage::Jpeg { .. } | Damage::Watermark { .. } => continue,
        };
        names.push(name);
        image = undone;
    }
    let name = if names.is_empty() { "unchanged".into() } else { names.join(", then ") };
    Baseline { name, image: image.clipped() }
}

/// The pixels that look lost; none of single ones of any colour.
fn lost(image: &Image, look: Fill, side: Side) -> Vec<bool> {
    match (look.value(), side.pixels(image.height, image.width)) {
        (Some(value), _) => marked(image, |pixel| pixel.iter().all(|x| *x == value)),
        (None, 1) => vec![false; image.height * image.width],
        (None, side) => image.flat_squares(side),
    }
}

/// The noisy pixels: those black or white; if these are more than the noise rate allows, only those that
/// differ from their neighbours.
fn salted(image: &Image, rate: f32) -> Vec<bool> {
    let mut salted = marked(image, |pixel| pixel.iter().all(|&x| x == 0.0) || pixel.iter().all(|&x| x == 1.0));
    let n = salted.iter().filter(|&&salted| salted).count() as f32;
    let expected = rate * salted.len() as f32;
    if n > expected + 4.0 * expected.sqrt() {
        let around = median(image, 1);
        let c = image.channels.count();
        for (at, salted) in salted.iter_mut().enumerate() {
            *salted &= image.pixels[at * c..][..c] != around.pixels[at * c..][..c];
        }
    }
    salted
}

fn marked(image: &Image, spoilt: impl Fn(&[f32]) -> bool) -> Vec<bool> {
    image.pixels.chunks_exact(image.channels.count()).map(spoilt).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compare::psnr;
    use crate::golden::waves;
    use narrows_engine::rng::{Purpose, Stream};

    /// The baseline's name, and its gain in decibels over the minimal treatment.
    fn check(text: &str, name: &str, gain: f64) {
        let whole = waves(48, 60, Channels::Rgb, 0);
        let damages: Damages = text.parse().unwrap();
        let damaged = damages.ready().unwrap().apply(&whole, &mut Stream::new(1, Purpose::Demo, 0, 0));
        let baseline = baseline(&damages, &damaged, Channels::Rgb);
        assert_eq!(baseline.name, name);
        let least = damaged.resized(whole.height, whole.width, Filter::Nearest).to_channels(Channels::Rgb);
        assert_eq!((baseline.image.height, baseline.image.width), (whole.height, whole.width));
        let got = psnr(&whole, &baseline.image) - psnr(&whole, &least);
        assert!(got >= gain, "{text}: {got} dB");
    }

    #[test]
    fn each_damage_has_its_rival() {
        check("gaussian:25", "non-local means", 8.0);
        check("gaussian:0-50", "non-local means", 5.0);
        check("salt_pepper:0.2", "median", 20.0);
        check("salt_pepper:0.9", "median", 10.0);
        check("masking:0.4", "fill", 15.0);
        check("blocks:0.2", "fill", 5.0);
        check("blocks:0.1:8px:any", "fill", 5.0);
        check("blur:1.5", "unsharp mask", 1.0);
        check("downscale:3", "bicubic", 5.0);
        check("grayscale", "grey", 0.0);
        check("jpeg:10", "unchanged", 0.0);
        check("watermark", "unchanged", 0.0);
        check("grayscale,downscale:2,gaussian:15", "non-local means, then bicubic, then grey", -0.1);
    }

    #[test]
    fn an_image_with_black_of_its_own_keeps_it() {
        let mut whole = waves(40, 40, Channels::Grey, 0);
        whole.pixels.iter_mut().enumerate().for_each(|(at, x)| *x *= if at % 40 < 25 { 0.0 } else { 1.0 });
        let damages: Damages = "salt_pepper:0.05".parse().unwrap();
        let damaged = damages.ready().unwrap().apply(&whole, &mut Stream::new(1, Purpose::Demo, 0, 0));
        let restored = baseline(&damages, &damaged, Channels::Grey).image;
        assert!(psnr(&whole, &restored) > psnr(&whole, &damaged) + 10.0);
        let none = baseline(&Damages::default(), &whole, Channels::Grey);
        assert_eq!((none.name.as_str(), none.image), ("unchanged", whole));
    }
}
