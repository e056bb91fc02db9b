//! An image in the integers of its file: one or two bytes per value, where [`Image`] takes four.

use std::ops::Range;

use crate::{Channels, Image};

/// The largest 8-bit value, which maps to 1.
const BYTE: f32 = 255.0;
/// The largest 16-bit value, which maps to 1.
const WORD: f32 = 65_535.0;

/// Values in the type of the file.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Values {
    Bytes(Vec<u8>),
    Words(Vec<u16>),
    /// Already in [0, 1].
    Floats(Vec<f32>),
}

impl Values {
    pub(crate) fn len(&self) -> usize {
        match self {
            Values::Bytes(values) => values.len(),
            Values::Words(values) => values.len(),
            Values::Floats(values) => values.len(),
        }
    }

    /// A range of them, in [0, 1].
    pub(crate) fn part(&self, range: Range<usize>) -> Vec<f32> {
        match self {
            Values::Bytes(values) => values[range].iter().map(|&x| f32::from(x) / BYTE).collect(),
            Values::Words(values) => values[range].iter().map(|&x| f32::from(x) / WORD).collect(),
            Values::Floats(values) => values[range].to_vec(),
        }
    }

    /// All of them, in [0, 1].
    pub(crate) fn in_unit(&self) -> Vec<f32> {
        self.part(0..self.len())
    }
}

/// An image in the values of its file.
#[derive(Debug, Clone)]
pub(crate) struct Compact {
    pub(crate) height: usize,
    pub(crate) width: usize,
    pub(crate) channels: Channels,
    /// `[height, width, channels]`
    pub(crate) values: Values,
}

impl Compact {
    pub(crate) fn image(&self) -> Image {
        Image::new(self.height, self.width, self.channels, self.values.in_unit())
    }

    /// The crop starting at row `top` and column `left`.
    pub(crate) fn crop(&self, top: usize, left: usize, height: usize, width: usize) -> Image {
        let c = self.channels.count();
        let row = |y: usize| self.values.part((y * self.width + left) * c..(y * self.width + left + width) * c);
        Image::new(height, width, self.channels, (top..top + height).flat_map(row).collect())
    }
}

/// The nearest 8-bit value after clipping to [0, 1].
pub(crate) fn to_byte(value: f32) -> u8 {
    (value.clamp(0.0, 1.0) * BYTE).round() as u8
}

/// The nearest 16-bit value after clipping to [0, 1].
pub(crate) fn to_word(value: f32) -> u16 {
    (value.clamp(0.0, 1.0) * WORD).round() as u16
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_and_word_comes_back_from_its_fraction() {
        let bytes = Values::Bytes((0..=255).collect()).in_unit();
        assert!(bytes.iter().enumerate().all(|(i, &x)| usize::from(to_byte(x)) == i));
        let words = Values::Words((0..=65_535).collect()).in_unit();
        assert!(words.iter().enumerate().all(|(i, &x)| usize::from(to_word(x)) == i));
        assert_eq!((to_byte(-1.0), to_byte(7.0), to_word(2.0)), (0, 255, 65_535));
    }
}
