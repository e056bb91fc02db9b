//! Damage done to an image on purpose, so that a network can learn to undo it.
//!
//! A damage has a text form, such as `gaussian:25`, which is also its form in files; `damage/text.rs` reads and writes
//! it. A strength may be a range, `gaussian:5-50`: each image then draws its own, which trains a network that need
//! not be told how bad it is ("blind").

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

/// One way of spoiling an image.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Damage {
    /// Noise added to every value, of this standard deviation.
    Gaussian {
        /// In steps of an 8-bit file: 0 to 255.
        sigma: Span,
        /// Whether results are held in [0, 1], as a file would; else they may leave it, as in most published figures.
        clip: bool,
    },
    /// Pixels turned black or white, each as often.
    SaltPepper {
        /// The share of the pixels.
        rate: Span,
    },
    /// Square holes.
    Blocks {
        /// The share of the area.
        rate: Span,
        /// How large a hole is.
        side: Side,
        /// The value in the holes.
        fill: f32,
    },
    /// Single pixels lost.
    Masking {
        /// The share of the pixels.
        rate: Span,
        /// The value of a lost pixel.
        fill: f32,
    },
    /// Out of focus: each pixel a mean of its neighbours, weighted by a Gaussian.
    Blur {
        /// The standard deviation in pixels.
        sigma: Span,
    },
    /// Saved as JPEG and read again.
    Jpeg {
        /// 1 (bad) to 100, as libjpeg has it.
        quality: Span,
    },
    /// A logo or words laid over the image, each time at another place, in another size, at another angle.
    Watermark {
        /// What is laid over.
        mark: Mark,
        /// 1 hides what is below.
        opacity: Span,
    },
    /// Colour lost.
    Grayscale,
    /// Made smaller; to be undone by a network that makes images larger.
    Downscale {
        /// A side has so many times fewer pixels.
        factor: usize,
    },
}

/// How large a hole is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Side {
    /// So many pixels, whatever the image's size; `8px` in text.
    Pixels(usize),
    /// A share of the image's shorter side; `0.2` in text.
    Share(f32),
}

/// What a watermark shows.
#[derive(Debug, Clone, PartialEq)]
pub enum Mark {
    /// An image file; what is transparent in it stays so.
    Image(PathBuf),
    /// Words, in white or black; in double quotes in text.
    Text(String),
}

/// What a lost pixel holds unless something else is asked for: a value that no file of 8 or 16 bits can hold, so that
/// lost and merely grey can be told apart.
pub(crate) const LOST: f32 = 0.5;
