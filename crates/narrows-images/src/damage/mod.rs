//! Image corruption, which networks learn to remove.
//!
//! A corruption has a text form, such as `gaussian:25`, which is also its serialised form; `damage/text.rs` parses and
//! formats it. A strength may be a range, `gaussian:5-50`: it is drawn per image, which trains a network for unknown
//! strengths ("blind").

mod blocks;
mod composition;
mod gaussian;
mod jpeg;
mod pixels;
mod ready;
mod span;
mod text;
mod watermark;

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

pub use composition::Damages;
pub use ready::PreparedDamages;
pub use span::Span;
pub use text::Kind;

/// An image corruption.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Damage {
    /// Additive Gaussian noise of this standard deviation.
    Gaussian {
        /// In steps of an 8-bit file: 0 to 255.
        sigma: Span,
        /// Whether results are clipped to [0, 1], as in a file; unclipped in most published results.
        clip: bool,
    },
    /// Pixels set to black or white with equal probability.
    SaltPepper {
        /// Share of the pixels.
        rate: Span,
    },
    /// Square holes.
    Blocks {
        /// Share of the area.
        rate: Span,
        /// Size of a hole.
        side: Side,
        /// The value in the holes.
        fill: f32,
    },
    /// Single missing pixels.
    Masking {
        /// Share of the pixels.
        rate: Span,
        /// The value of a missing pixel.
        fill: f32,
    },
    /// Gaussian blur.
    Blur {
        /// The standard deviation in pixels.
        sigma: Span,
    },
    /// JPEG compression.
    Jpeg {
        /// Quality from 1 (worst) to 100, as in libjpeg.
        quality: Span,
    },
    /// A logo or text blended over the image, at random position, size and angle.
    Watermark {
        /// The mark.
        mark: Mark,
        /// Opacity; 1 hides what is below.
        opacity: Span,
    },
    /// Conversion to grey.
    Grayscale,
    /// Downscaling; the network learns to upscale.
    Downscale {
        /// Factor per side.
        factor: usize,
    },
}

/// Size of a hole.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Side {
    /// Pixels; `8px` in text.
    Pixels(usize),
    /// Share of the image's shorter side; `0.2` in text.
    Share(f32),
}

/// The content of a watermark.
#[derive(Debug, Clone, PartialEq)]
pub enum Mark {
    /// An image file; its transparency is kept.
    Image(PathBuf),
    /// Text, in white or black; in double quotes in the text form.
    Text(String),
}

impl Damage {
    /// The value of lost pixels, of a corruption that loses some.
    pub fn fill(&self) -> Option<f32> {
        match self {
            Damage::Blocks { fill, .. } | Damage::Masking { fill, .. } => Some(*fill),
            _ => None,
        }
    }
}

/// Names of values of lost pixels.
pub(crate) const SHADES: [(&str, f32); 4] = [("black", 0.0), ("grey", LOST), ("gray", LOST), ("white", 1.0)];

/// The default fill value: not representable in files of 8 or 16 bits, so that
/// missing pixels can be distinguished from grey ones.
pub(crate) const LOST: f32 = 0.5;
