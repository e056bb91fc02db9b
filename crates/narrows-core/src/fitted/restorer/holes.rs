//! Holes: pixels that are lost, whatever their colour.
//!
//! The network sees a clue beside the image: which pixels are known to be lost, and which may be, as they lie in a flat square of
//! the size of the holes. Known ones it sees filled from around them. Nothing outside of the clue is ever changed.

use narrows_engine::rng::Stream;
use narrows_images::classical::fill;
use narrows_images::{Channels, Damage, Damages, Fill, Image, PreparedDamages, Side};

/// The clue of pixels that are known to be lost.
const KNOWN: f32 = 1.0;
/// The clue of pixels that may be lost.
const SUSPECTED: f32 = 0.5;
/// Side of squares that are searched for single lost pixels: all pixels may be lost.
const SINGLE: usize = 1;

/// An image with holes, and where they are.
pub(super) struct Holed {
    /// The image; known holes are filled from around them.
    pub(super) image: Image,
    /// The clue, of the image's size.
    pub(super) clue: Image,
}

/// The side of the holes, if the corruption is nothing but holes of any colour.
pub(super) fn side(damages: &Damages) -> Option<Side> {
    match damages.as_slice() {
        [Damage::Blocks { side, fill: Fill::Any, .. }] => Some(*side),
        [Damage::Masking { fill: Fill::Any, .. }] => Some(Side::Pixels(SINGLE)),
        _ => None,
    }
}

impl Holed {
    /// The image with these lost pixels.
    pub(super) fn known(image: &Image, lost: &[bool]) -> Holed {
        let clue = lost.iter().map(|lost| if *lost { KNOWN } else { 0.0 }).collect();
        Holed { image: fill(image, lost), clue: Image::new(image.height, image.width, Channels::Grey, clue) }
    }

    /// The image with pixels that may be lost: flat squares of `side`.
    pub(super) fn suspected(image: &Image, side: Side) -> Holed {
        let flat = image.flat_squares(side.pixels(image.height, image.width));
        let clue = flat.iter().map(|flat| if *flat { SUSPECTED } else { 0.0 }).collect();
        Holed { image: image.clone(), clue: Image::new(image.height, image.width, Channels::Grey, clue) }
    }

    /// A training sample: a clean image with new holes, which the network is told of every other time.
    pub(super) fn drawn(clean: &Image, ready: &PreparedDamages, side: Side, stream: &mut Stream) -> Holed {
        let (damaged, lost) = ready.apply_and_tell(clean, stream);
        match lost {
            Some(lost) if stream.below(2) == 0 => Holed::known(&damaged, &lost),
            _ => Holed::suspected(&damaged, side),
        }
    }

    pub(super) fn crop(&self, top: usize, left: usize, height: usize, width: usize) -> Holed {
        let crop = |image: &Image| image.crop(top, left, height, width);
        Holed { image: crop(&self.image), clue: crop(&self.clue) }
    }

    /// The image and the clue, pixel by pixel, as the network takes them.
    pub(super) fn joined(&self) -> Vec<f32> {
        let pixels = self.image.pixels.chunks_exact(self.image.channels.count());
        pixels
            .zip(&self.clue.pixels)
            .flat_map(|(pixel, clue)| pixel.iter().chain(std::iter::once(clue)).copied())
            .collect()
    }

    /// What is to be added where there may be a hole; unobserved elsewhere.
    pub(super) fn wanted(&self, clean: &Image, wanted: &mut [f32]) {
        let c = self.image.channels.count();
        let pixels = clean.pixels.chunks_exact(c).zip(self.image.pixels.chunks_exact(c)).zip(&self.clue.pixels);
        for (wanted, ((clean, seen), clue)) in wanted.chunks_exact_mut(c).zip(pixels) {
            let values = wanted.iter_mut().zip(clean.iter().zip(seen));
            values.for_each(|(wanted, (clean, seen))| *wanted = if *clue > 0.0 { clean - seen } else { f32::NAN });
        }
    }

    /// The image with the network's output added where there may be a hole.
    pub(super) fn restored(self, added: &[f32]) -> Image {
        let Holed { mut image, clue } = self;
        let c = image.channels.count();
        let pixels = image.pixels.chunks_exact_mut(c).zip(added.chunks_exact(c)).zip(&clue.pixels);
        for ((pixel, added), _) in pixels.filter(|(_, clue)| **clue > 0.0) {
            pixel.iter_mut().zip(added).for_each(|(pixel, added)| *pixel = (*pixel + added).clamp(0.0, 1.0));
        }
        image
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use narrows_engine::rng::Purpose;

    #[test]
    fn the_right_answer_gives_back_the_clean_image_and_nothing_else_is_touched() {
        let pixels = (0..24 * 20 * 3).map(|i| 0.2 + 0.6 * ((i * 7) % 11) as f32 / 11.0).collect();
        let clean = Image::new(24, 20, Channels::Rgb, pixels);
        for text in ["blocks:0.1:4px:any", "masking:0.2:any"] {
            let damages: Damages = text.parse().unwrap();
            let (ready, side) = (damages.ready().unwrap(), side(&damages).unwrap());
            for row in 0..20 {
                let mut stream = Stream::new(1, Purpose::Corruption, 0, row);
                let holed = Holed::drawn(&clean, &ready, side, &mut stream);
                let mut wanted = vec![0.0; clean.pixels.len()];
                holed.wanted(&clean, &mut wanted);
                assert!(wanted.iter().any(|wanted| *wanted != 0.0 && !wanted.is_nan()));
                let added: Vec<f32> = wanted.iter().map(|x| if x.is_nan() { 9.0 } else { *x }).collect();
                // Part of a hole may be hidden below another one, and is then not suspected.
                let (before, clue) = (holed.image.clone(), holed.clue.clone());
                let restored = holed.restored(&added);
                for (i, value) in restored.pixels.iter().enumerate() {
                    let expected = if clue.pixels[i / 3] > 0.0 { clean.pixels[i] } else { before.pixels[i] };
                    assert!((value - expected).abs() < 1e-6, "{text} {row}: value {i}: {value}, not {expected}");
                }
            }
        }
        assert_eq!(side(&"blocks:0.1:4px".parse().unwrap()), None);
        assert_eq!(side(&"blocks:0.1:4px:any,gaussian:5".parse().unwrap()), None);
    }
}
