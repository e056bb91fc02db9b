//! What lost pixels look like.

use std::fmt;

use narrows_engine::rng::Stream;

use super::span::share;
use crate::{Channels, Image};

/// The values of lost pixels.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum Fill {
    /// Not said: of the default of the corruption, which a fit makes explicit. In files of older versions it is mid-grey.
    #[default]
    Unsaid,
    /// Drawn for each image: black, white, grey, a colour, a colour for each hole, or the mean of the image; `any` in text.
    Any,
    /// This value in every channel; `black`, `grey`, `white` or a number in text.
    Value(f32),
}

/// Names of values.
const SHADES: [(&str, f32); 4] = [("black", 0.0), ("grey", LOST), ("gray", LOST), ("white", 1.0)];

/// Mid-grey: not representable in files of 8 or 16 bits, so that missing pixels can be distinguished from grey ones.
pub(crate) const LOST: f32 = 0.5;

impl Fill {
    /// The values that are accepted, in words.
    pub(super) const EXPECTED: &'static str = "any, black, grey, white or a number from 0 to 1";

    /// The one value, if it is one.
    pub fn value(self) -> Option<f32> {
        match self {
            Fill::Unsaid => Some(LOST),
            Fill::Any => None,
            Fill::Value(value) => Some(value),
        }
    }

    /// Parses the text form.
    pub(super) fn read(text: &str) -> Option<Fill> {
        if text == "any" {
            return Some(Fill::Any);
        }
        let named = SHADES.iter().find(|(name, _)| *name == text).map(|(_, value)| *value);
        named.or_else(|| share(text)).map(Fill::Value)
    }

    /// Whether a value is in range.
    pub(super) fn is_in_range(self) -> bool {
        self.value().is_none_or(|value| (0.0..=1.0).contains(&value))
    }

    /// How the lost pixels of an image look; a value draws no random numbers.
    pub(super) fn palette(self, image: &Image, stream: &mut Stream) -> Palette {
        let Some(value) = self.value() else { return Palette::drawn(image, stream) };
        Palette::One([value; 3])
    }
}

/// How the lost pixels of one image look.
pub(super) enum Palette {
    /// All alike.
    One([f32; 3]),
    /// A colour for each hole.
    Each,
}

impl Palette {
    fn drawn(image: &Image, stream: &mut Stream) -> Palette {
        let grey = |value: f32| Palette::One([value; 3]);
        match stream.below(20) {
            0..=2 => grey(0.0),
            3..=5 => grey(1.0),
            6..=7 => grey(level(0.5)),
            8..=9 => Palette::One(mean(image)),
            10..=12 => grey(level(stream.uniform())),
            13..=16 => Palette::One(colour(stream)),
            _ => Palette::Each,
        }
    }

    /// The colour of the next hole.
    pub(super) fn next(&self, stream: &mut Stream) -> [f32; 3] {
        match self {
            Palette::One(colour) => *colour,
            Palette::Each => colour(stream),
        }
    }
}

fn colour(stream: &mut Stream) -> [f32; 3] {
    [0; 3].map(|_| level(stream.uniform()))
}

/// The nearest value of a file of 8 bits.
fn level(value: f32) -> f32 {
    (value.clamp(0.0, 1.0) * 255.0).round() / 255.0
}

fn mean(image: &Image) -> [f32; 3] {
    let c = image.channels.count();
    let n = (image.pixels.len() / c).max(1) as f64;
    let of = |channel: usize| image.pixels.iter().skip(channel).step_by(c).map(|x| f64::from(*x)).sum::<f64>() / n;
    match image.channels {
        Channels::Grey => [level(of(0) as f32); 3],
        Channels::Rgb => [0, 1, 2].map(|channel| level(of(channel) as f32)),
    }
}

impl fmt::Display for Fill {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fill::Unsaid => Ok(()),
            Fill::Any => f.write_str("any"),
            Fill::Value(value) => write!(f, "{value}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use narrows_engine::rng::Purpose;

    #[test]
    fn any_is_black_white_and_everything_else() {
        let image = Image::filled(4, 4, Channels::Rgb, 0.3);
        let mut stream = Stream::new(1, Purpose::Demo, 0, 0);
        let drawn: Vec<[f32; 3]> = (0..400).map(|_| Fill::Any.palette(&image, &mut stream).next(&mut stream)).collect();
        for wanted in [[0.0; 3], [1.0; 3], [level(0.3); 3]] {
            assert!(drawn.iter().filter(|colour| **colour == wanted).count() > 20, "{wanted:?}");
        }
        assert!(drawn.iter().filter(|colour| colour[0] != colour[1]).count() > 80);
        let before = stream.clone().next_u32();
        assert_eq!(Fill::Unsaid.palette(&image, &mut stream).next(&mut stream), [LOST; 3]);
        assert_eq!(stream.next_u32(), before);
    }
}
