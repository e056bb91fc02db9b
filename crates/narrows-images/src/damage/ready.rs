//! Corruptions with loaded resources.

use narrows_engine::rng::Stream;

use super::watermark::Stamp;
use super::{Damage, Damages, blocks, gaussian, jpeg, pixels};
use crate::smoothing::smoothed;
use crate::{Channels, Filter, Image, Result};

/// Corruptions ready to be applied: watermarks are loaded and rendered.
#[derive(Debug, Clone)]
pub struct PreparedDamages {
    damages: Damages,
    /// One entry per corruption; `None` if it is not a watermark.
    stamps: Vec<Option<Stamp>>,
}

impl Damages {
    /// Loads the images and renders the text of watermarks.
    ///
    /// # Errors
    /// A file that cannot be read or is not an image; a letter that cannot be drawn.
    pub fn ready(&self) -> Result<PreparedDamages> {
        let stamp = |damage: &Damage| match damage {
            Damage::Watermark { mark, .. } => Stamp::new(mark).map(Some),
            _ => Ok(None),
        };
        Ok(PreparedDamages { damages: self.clone(), stamps: self.as_slice().iter().map(stamp).collect::<Result<_>>()? })
    }
}

impl PreparedDamages {
    /// The corruptions.
    pub fn damages(&self) -> &Damages {
        &self.damages
    }

    /// The image corrupted with random numbers from `stream`; equal streams give equal images. Grey after `grayscale`,
    /// smaller after `downscale`, which drops incomplete lines at the bottom and on the right.
    /// Noise is clipped to [0, 1] only with `clip`.
    ///
    /// # Panics
    /// If the image is empty, or a side is shorter than the factor of `downscale`.
    pub fn apply(&self, image: &Image, stream: &mut Stream) -> Image {
        let mut image = image.clone();
        for (damage, stamp) in self.damages.as_slice().iter().zip(&self.stamps) {
            match damage {
                Damage::Gaussian { sigma, clip } => {
                    gaussian::add_noise(&mut image, sigma.draw(stream), stream);
                    if *clip {
                        image = image.clipped();
                    }
                }
                Damage::SaltPepper { rate } => pixels::salt_and_pepper(&mut image, rate.draw(stream), stream),
                Damage::Blocks { rate, side, fill } => {
                    blocks::make_holes(&mut image, rate.draw(stream), *side, *fill, stream);
                }
                Damage::Masking { rate, fill } => pixels::lose(&mut image, rate.draw(stream), *fill, stream),
                Damage::Blur { sigma } => image = smoothed(&image, sigma.draw(stream)),
                Damage::Jpeg { quality } => {
                    image = jpeg::compressed(&image, quality.draw(stream).round() as u8);
                }
                Damage::Watermark { opacity, .. } => {
                    stamp.as_ref().expect("a watermark has a stamp").lay(&mut image, *opacity, stream);
                }
                Damage::Grayscale => image = image.to_channels(Channels::Grey),
                Damage::Downscale { factor } => image = downscaled(&image, *factor),
            }
        }
        image
    }
}

/// Downscaled by this factor with the bicubic filter of published results; like a file, it exceeds [0, 1]
/// only if the image did.
fn downscaled(image: &Image, factor: usize) -> Image {
    let (height, width) = (image.height / factor, image.width / factor);
    assert!(height > 0 && width > 0, "a side of an image to be made {factor} times smaller has {factor} pixels");
    let whole = image.crop(0, 0, height * factor, width * factor);
    let (low, high) = whole.pixels.iter().fold((0.0_f32, 1.0_f32), |(low, high), x| (low.min(*x), high.max(*x)));
    let mut small = whole.resized(height, width, Filter::Bicubic);
    small.pixels.iter_mut().for_each(|x| *x = x.clamp(low, high));
    small
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::golden::waves;
    use narrows_engine::rng::Purpose;

    fn damaged(text: &str, image: &Image, row: u64) -> Image {
        let ready = text.parse::<Damages>().unwrap().ready().unwrap();
        ready.apply(image, &mut Stream::new(1, Purpose::Corruption, 0, row))
    }

    #[test]
    fn every_kind_damages_and_the_same_stream_does_the_same() {
        for channels in [Channels::Grey, Channels::Rgb] {
            let image = waves(28, 33, channels, 1);
            for kind in Damage::KINDS {
                let first = damaged(kind.name, &image, 1);
                assert_eq!(first, damaged(kind.name, &image, 1), "{}", kind.name);
                let untouched = kind.name == "grayscale" && channels == Channels::Grey;
                assert_eq!(first == image, untouched, "{}", kind.name);
                let fixed = ["grayscale", "downscale", "blur", "jpeg"].contains(&kind.name);
                assert_eq!(first == damaged(kind.name, &image, 2), fixed, "{}", kind.name);
            }
        }
    }

    #[test]
    fn shapes_are_those_that_were_announced() {
        let image = waves(29, 33, Channels::Rgb, 1);
        let text = "blur:0.5-2,grayscale,watermark:\"a,b\":0.5,downscale:3,gaussian:5-50,jpeg:10-40";
        let damages: Damages = text.parse().unwrap();
        let out = damaged(text, &image, 1);
        assert_eq!((out.height, out.width, out.channels), (9, 11, damages.input_channels(Channels::Rgb)));
        assert_eq!(damaged("", &image, 1), image);
        assert_eq!(damaged("downscale:8", &waves(8, 15, Channels::Grey, 1), 1).width, 1);
    }

    #[test]
    fn noise_is_clipped_only_where_asked() {
        let white = Image::filled(20, 20, Channels::Grey, 1.0);
        assert!(damaged("gaussian:25", &white, 1).pixels.iter().any(|&x| x > 1.0));
        assert!(damaged("gaussian:25:clip", &white, 1).pixels.iter().all(|&x| x <= 1.0));
    }

    #[test]
    fn a_missing_logo_is_named() {
        let error = "watermark:/nowhere/logo.png".parse::<Damages>().unwrap().ready().unwrap_err().to_string();
        assert!(error.contains("cannot read /nowhere/logo.png"), "{error}");
    }
}
