//! Images into a compressed file and back: runs of images of one size, their pixels as levels of their file.

mod baseline;
mod cells;
mod coder;
mod compressor;
mod decompressor;
mod verification;

pub use baseline::ImageBaseline;
pub use compressor::ImageCompressor;
pub use decompressor::ImageDecompressor;
pub use verification::ImageVerification;

use serde::{Deserialize, Serialize};

// The sections of a chunk.
const RUN: usize = 0;
const CODES: usize = 1;
const PIXELS: usize = 2;
const BESIDE: usize = 3;
const SECTIONS: usize = 4;

/// What an image has beside its colours: its name, and what was in its file.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
struct Beside {
    /// Empty where it has none.
    name: String,
    /// Levels of the alpha channel.
    alpha: Option<Vec<u16>>,
    icc: Option<Vec<u8>>,
    exif: Option<Vec<u8>>,
}
