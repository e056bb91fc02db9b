//! Image corruption, which networks learn to remove.
//!
//! A corruption has a text form, such as `gaussian:25`, which is also its serialised form; `damage/text.rs` parses and
//! formats it. A strength may be a range, `gaussian:5-50`: it is drawn per image, which trains a network for unknown
//! strengths ("blind").

mod blocks;
mod composition;
mod fill;
mod gaussian;
mod jpeg;
mod pixels;
mod ready;
mod registration;
mod span;
mod text;
mod watermark;

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

pub use composition::Damages;
pub use fill::Fill;
pub use ready::PreparedDamages;
pub use span::Span;
pub use text::Kind;
pub use watermark::KeptMark;

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
        /// What the holes look like; of any colour by default.
        fill: Fill,
    },
    /// Single missing pixels.
    Masking {
        /// Share of the pixels.
        rate: Span,
        /// What missing pixels look like; mid-grey by default.
        fill: Fill,
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
    /// What lost pixels look like, of a corruption that loses some.
    pub fn fill(&self) -> Option<Fill> {
        match self {
            Damage::Blocks { fill, .. } | Damage::Masking { fill, .. } => Some(*fill),
            _ => None,
        }
    }

    /// With what is not said made explicit, as a fit does: blocks are of any colour. Single pixels are mid-grey.
    #[must_use]
    pub fn settled(self) -> Damage {
        match self {
            Damage::Blocks { rate, side, fill: Fill::Unsaid } => Damage::Blocks { rate, side, fill: Fill::Any },
            other => other,
        }
    }
}
