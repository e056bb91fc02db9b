//! What a restoring network's residual is added to: the corrupted image with the size and channels of the restored one.

use narrows_images::{Channels, Damage, Damages, Filter, Image, luminance_and_chroma, recombine};

use super::holes;
use crate::model::restore::Ends;

/// The base of the network's output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Base {
    /// The corrupted image, enlarged and converted to the channels of the target.
    Lifted {
        /// Channels of the corrupted image.
        input: Channels,
        /// Channels of the restored image.
        target: Channels,
        /// Scale factor of the restored image.
        scale: usize,
    },
    /// The network predicts the chrominance; the luminance of the input is kept.
    Luminance,
    /// Holes of any colour: the network also sees where they are or may be, and nothing else is changed.
    Holes {
        /// Channels of the image.
        channels: Channels,
    },
}

impl Base {
    /// The base of images with the `target` channels under these corruptions.
    pub(super) fn of(damages: &Damages, target: Channels) -> Base {
        if damages.as_slice() == [Damage::Grayscale] {
            return Base::Luminance;
        }
        if holes::side(damages).is_some() {
            return Base::Holes { channels: target };
        }
        Base::Lifted { input: damages.input_channels(target), target, scale: damages.scale() }
    }

    /// Input and output channels of the network.
    pub(crate) fn ends(self) -> Ends {
        match self {
            Base::Lifted { input, target, scale } => Ends { input: input.count(), output: target.count(), scale },
            Base::Luminance => Ends { input: 1, output: 2, scale: 1 },
            Base::Holes { channels } => Ends { input: channels.count() + 1, output: channels.count(), scale: 1 },
        }
    }

    /// Channels of the corrupted image.
    pub(crate) fn input(self) -> Channels {
        match self {
            Base::Lifted { input, .. } => input,
            Base::Luminance => Channels::Grey,
            Base::Holes { channels } => channels,
        }
    }

    /// Channels of the restored image.
    pub(crate) fn target(self) -> Channels {
        match self {
            Base::Lifted { target, .. } => target,
            Base::Luminance => Channels::Rgb,
            Base::Holes { channels } => channels,
        }
    }

    /// The restoration without a network: bicubic enlargement, grey if there are no colours.
    pub(super) fn lifted(self, damaged: &Image) -> Image {
        let coloured = damaged.to_channels(self.target());
        match self.ends().scale {
            1 => coloured,
            scale => coloured.resized(damaged.height * scale, damaged.width * scale, Filter::Bicubic),
        }
    }

    /// The target of the network.
    pub(super) fn wanted(self, clean: &Image, damaged: &Image, wanted: &mut [f32]) {
        match self {
            Base::Lifted { .. } | Base::Holes { .. } => {
                let lifted = self.lifted(damaged);
                let pairs = clean.pixels.iter().zip(&lifted.pixels);
                wanted.iter_mut().zip(pairs).for_each(|(wanted, (clean, lifted))| *wanted = clean - lifted);
            }
            Base::Luminance => wanted.copy_from_slice(&luminance_and_chroma(clean).1),
        }
    }

    /// The restored image from the network's output.
    pub(super) fn joined(self, damaged: &Image, added: &[f32]) -> Image {
        match self {
            Base::Lifted { .. } | Base::Holes { .. } => {
                let mut restored = self.lifted(damaged);
                restored.pixels.iter_mut().zip(added).for_each(|(pixel, added)| *pixel += added);
                restored.clipped()
            }
            Base::Luminance => recombine(&damaged.clone().clipped(), added),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn colours(height: usize, width: usize) -> Image {
        let pixels = (0..height * width * 3).map(|i| 0.2 + 0.6 * ((i * 7) % 11) as f32 / 11.0).collect();
        Image::new(height, width, Channels::Rgb, pixels)
    }

    /// Checks that the target, as output, gives the clean image.
    fn check(damages: &str, clean: &Image, damaged: &Image) {
        let base = Base::of(&damages.parse().unwrap(), clean.channels);
        let ends = base.ends();
        let mut wanted = vec![f32::NAN; damaged.height * damaged.width * ends.scale * ends.scale * ends.output];
        base.wanted(clean, damaged, &mut wanted);
        let joined = base.joined(damaged, &wanted);
        assert_eq!((joined.height, joined.width, joined.channels), (clean.height, clean.width, clean.channels));
        let worst = joined.pixels.iter().zip(&clean.pixels).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(worst < 1e-5, "{damages}: {worst}");
    }

    #[test]
    fn the_right_answer_gives_back_the_clean_image() {
        let clean = colours(8, 12);
        let grey = clean.to_channels(Channels::Grey);
        check("gaussian:25", &clean, &colours(8, 12));
        check("grayscale", &clean, &grey);
        check("gaussian:10,grayscale", &clean, &grey);
        check("downscale:2", &clean, &colours(4, 6));
        check("grayscale,downscale:4", &clean, &grey.resized(2, 3, Filter::Area));
    }
}
