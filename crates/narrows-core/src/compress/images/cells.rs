//! Pixel levels as cells, within a bound.

use narrows_images::Image;

use super::super::manifest::Start;
use super::coder::levels;
use crate::codec::Lattice;

/// Pixel levels as cells.
pub(super) struct Counting {
    step: i64,
    /// The origin of each pixel's cells.
    pub(super) starts: Vec<i64>,
    /// Predicted cells, in fixed point.
    pub(super) guesses: Vec<i64>,
}

/// The checksum of levels that a code alone decodes to: it tells of a machine that decodes to others.
pub(super) fn checksum(decoded: &[Image], white: u32) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    for image in decoded {
        levels(image, white).for_each(|level| hasher.update(&(level as u16).to_le_bytes()));
    }
    hasher.finalize()
}

impl Counting {
    pub(super) fn new(expected: &[Image], step: u32, start: Start, white: u32) -> Counting {
        let lattice = Lattice::levels(step);
        let pixels = || expected.iter().flat_map(|image| image.pixels.iter().map(|p| f64::from(*p) * f64::from(white)));
        let starts: Vec<i64> = match start {
            Start::Black => vec![0; pixels().count()],
            Start::Expected => pixels().map(|level| level.round() as i64).collect(),
        };
        let guesses = pixels().zip(&starts).map(|(level, start)| lattice.guess(level - *start as f64)).collect();
        Counting { step: step.into(), starts, guesses }
    }

    pub(super) fn place(&self, level: f64, start: i64) -> i64 {
        ((level - start as f64) / self.step as f64).round() as i64
    }

    /// Detects a machine with deviating predictions.
    pub(super) fn checksum(&self) -> u32 {
        let mut hasher = crc32fast::Hasher::new();
        self.starts.iter().for_each(|start| hasher.update(&start.to_le_bytes()));
        hasher.finalize()
    }

    pub(super) fn images(&self, places: &[i64], form: &Image, white: u32) -> Vec<Image> {
        let level = |(place, start): (&i64, &i64)| {
            let level = place.saturating_mul(self.step).saturating_add(*start).clamp(0, white.into());
            (level as f64 / f64::from(white)) as f32
        };
        let pixels: Vec<f32> = places.iter().zip(&self.starts).map(level).collect();
        let image = |pixels: &[f32]| Image::new(form.height, form.width, form.channels, pixels.to_vec());
        pixels.chunks_exact(form.pixels.len()).map(image).collect()
    }
}

#[cfg(test)]
mod tests {
    use narrows_images::Channels;

    use super::*;

    #[test]
    fn another_level_is_another_checksum() {
        let image = |level: f32| Image::new(1, 2, Channels::Grey, vec![0.5, level / 255.0]);
        assert_eq!(checksum(&[image(7.0)], 255), checksum(&[image(7.2)], 255));
        assert_ne!(checksum(&[image(7.0)], 255), checksum(&[image(8.0)], 255));
    }
}
