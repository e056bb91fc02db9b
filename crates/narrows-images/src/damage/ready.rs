//! Corruptions with loaded resources.

use narrows_engine::rng::Stream;

use super::watermark::{KeptMark, Stamp};
use super::{Damage, Damages, blocks, gaussian, jpeg, pixels, registration};
use crate::smoothing::smoothed;
use crate::{Channels, Error, Filter, Image, Result};

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

    /// The corruptions with the watermarks that a model kept, in their order: no file is read.
    ///
    /// # Errors
    /// [`Error::Setting`] if there are more or fewer marks than watermarks.
    pub fn ready_with(&self, marks: &[KeptMark]) -> Result<PreparedDamages> {
        let n = self.n_watermarks();
        if n != marks.len() {
            return Err(Error::setting(format!("corruption `{self}`: expected {n} kept marks, got {}", marks.len())));
        }
        let mut marks = marks.iter();
        let stamp = |damage: &Damage| match damage {
            Damage::Watermark { .. } => marks.next().map(Stamp::of_kept),
            _ => None,
        };
        Ok(PreparedDamages { damages: self.clone(), stamps: self.as_slice().iter().map(stamp).collect() })
    }

    /// How many of the corruptions are watermarks.
    pub fn n_watermarks(&self) -> usize {
        self.as_slice().iter().filter(|damage| matches!(damage, Damage::Watermark { .. })).count()
    }
}

impl PreparedDamages {
    /// The corruptions.
    pub fn damages(&self) -> &Damages {
        &self.damages
    }

    /// The watermarks, for a model to keep.
    pub fn marks(&self) -> Vec<KeptMark> {
        self.stamps.iter().flatten().map(Stamp::kept).collect()
    }

    /// The image without its watermark, if the corruption is a watermark alone and it is found: where undoing it leaves the
    /// image smoother along the edges of the mark. Exact but for rounding, as opacity and mark are known.
    pub fn without_mark(&self, image: &Image) -> Option<Image> {
        let ([Damage::Watermark { opacity, .. }], [Some(stamp)]) = (self.damages.as_slice(), self.stamps.as_slice())
        else {
            return None;
        };
        let found = registration::find(stamp, image, *opacity)?;
        Some(registration::without(stamp, image, &found).clipped())
    }

    /// The image corrupted with random numbers from `stream`; equal streams give equal images. Grey after `grayscale`,
    /// smaller after `downscale`, which drops incomplete lines at the bottom and on the right.
    /// Noise is clipped to [0, 1] only with `clip`.
    ///
    /// # Panics
    /// If the image is empty, or a side is shorter than the factor of `downscale`.
    pub fn apply(&self, image: &Image, stream: &mut Stream) -> Image {
        self.apply_and_tell(image, stream).0
    }

    /// The image corrupted as by [`apply`](Self::apply), and which of its pixels the last corruption that loses some has lost,
    /// if there is one: `[height, width]` at that step.
    ///
    /// # Panics
    /// As [`apply`](Self::apply).
    pub fn apply_and_tell(&self, image: &Image, stream: &mut Stream) -> (Image, Option<Vec<bool>>) {
        let (mut image, mut lost) = (image.clone(), None);
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
                    lost = Some(blocks::make_holes(&mut image, rate.draw(stream), *side, *fill, stream));
                }
                Damage::Masking { rate, fill } => {
                    lost = Some(pixels::lose(&mut image, rate.draw(stream), *fill, stream));
                }
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
        (image, lost)
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
    fn a_known_mark_is_found_and_undone() {
        use crate::compare::psnr;
        let text = "watermark:\"SAMPLE\":0.4".parse::<Damages>().unwrap().ready().unwrap();
        let ready = text.damages().ready_with(&text.marks()).unwrap();
        let mut found = 0;
        for (channels, row) in (1..5).flat_map(|row| [(Channels::Grey, row), (Channels::Rgb, row)]) {
            let mut image = waves(96, 128, channels, 0);
            image.pixels.iter_mut().for_each(|x| *x = (*x * 255.0).round() / 255.0);
            let mut marked = ready.apply(&image, &mut Stream::new(1, Purpose::Corruption, 0, row));
            marked.pixels.iter_mut().for_each(|x| *x = (*x * 255.0).round() / 255.0);
            let before = psnr(&image, &marked);
            match ready.without_mark(&marked) {
                Some(without) => {
                    let after = psnr(&image, &without);
                    assert!(after > before + 10.0, "{channels:?} {row}: {before} to {after} dB");
                    found += 1;
                }
                // Small ones on a busy ground are not told from it.
                None => assert!(before > 33.0, "{channels:?} {row}: {before} dB"),
            }
            assert!(ready.without_mark(&image).is_none(), "{channels:?}: a mark where there is none");
        }
        assert!(found >= 4, "{found} of 8");
        assert!(text.damages().ready_with(&[]).is_err());
        assert!(text.damages().ready().unwrap().marks() == ready.marks());
    }

    #[test]
    fn a_missing_logo_is_named() {
        let error = "watermark:/nowhere/logo.png".parse::<Damages>().unwrap().ready().unwrap_err().to_string();
        assert!(error.contains("cannot read /nowhere/logo.png"), "{error}");
    }
}
