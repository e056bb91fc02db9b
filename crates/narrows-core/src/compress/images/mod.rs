//! Compression of images: runs of images of one size, with pixels as integer levels.

mod baseline;
mod blocks;
mod cells;
mod coder;
mod compressor;
mod decompressor;
mod further;
mod verification;

pub use baseline::ImageBaseline;
pub use compressor::ImageCompressor;
pub use decompressor::ImageDecompressor;
pub use verification::ImageVerification;

use serde::{Deserialize, Serialize};

use further::Further;

// The sections of a chunk.
const RUN: usize = 0;
const CODES: usize = 1;
const PIXELS: usize = 2;
const BESIDE: usize = 3;
const SECTIONS: usize = 4;
/// Only in a chunk that needs it.
const FURTHER: usize = 4;

/// The metadata of an image: its name and alpha channel.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
struct Beside {
    /// Empty if it has none.
    name: String,
    /// Levels of the alpha channel.
    alpha: Option<Vec<u16>>,
    icc: Option<Vec<u8>>,
    exif: Option<Vec<u8>>,
}
