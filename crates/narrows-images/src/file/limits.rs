//! Limits on image sizes, checked before memory is allocated.

use crate::{Error, Result};

/// Limits on images.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Maximum height and width.
    pub max_side: usize,
    /// Maximum number of pixels.
    pub max_pixels: u64,
    /// Maximum memory of an image in its file's type; an array of images counts as one.
    pub max_bytes: u64,
    /// How many times its own size a compressed array may unfold to; up to 256 MiB are always allowed.
    pub max_ratio: u64,
}

/// Bytes that any file may unfold to, however small.
const FREE: u64 = 256 << 20;
/// Memory that a decoder may take beside the pixels, for tables and text.
const WORKSPACE: u64 = 64 << 20;

impl Default for Limits {
    /// 32,768 pixels a side, 2^27 (134 million) pixels, 4 GiB, 250 times a compressed array's size.
    fn default() -> Limits {
        Limits { max_side: 32_768, max_pixels: 1 << 27, max_bytes: 1 << 32, max_ratio: 250 }
    }
}

impl Limits {
    /// The limits of an array compressed to this number of bytes.
    pub(crate) fn unfolding(&self, packed: u64) -> Limits {
        let most = packed.saturating_mul(self.max_ratio).max(FREE);
        Limits { max_bytes: self.max_bytes.min(most), ..*self }
    }

    /// Memory that a decoder may take for an image of this many bytes: the pixels, as much again for a frame or a strip
    /// of them, and a workspace.
    pub(crate) fn decoding(&self, pixels: u64) -> u64 {
        pixels.saturating_mul(2).saturating_add(WORKSPACE).min(self.max_bytes)
    }

    /// Memory that a decoder may take before the size of the image is known.
    pub(crate) fn opening(&self, file: u64) -> u64 {
        file.saturating_mul(2).saturating_add(WORKSPACE).min(self.max_bytes)
    }

    /// Checks an image of `height` rows and `width` columns that takes `bytes` bytes.
    pub(crate) fn check(&self, place: &str, height: usize, width: usize, bytes: u64) -> Result<()> {
        let refused = |message: String| Err(Error::image(place, message));
        if height == 0 || width == 0 {
            return refused(format!("expected at least one pixel, got {height} rows of {width}"));
        }
        if height.max(width) > self.max_side {
            let most = self.max_side;
            return refused(format!("expected at most {most} pixels a side, got {height} rows of {width}"));
        }
        let pixels = (height as u64).saturating_mul(width as u64);
        if pixels > self.max_pixels {
            let most = self.max_pixels;
            return refused(format!("expected at most {most} pixels, got {height} rows of {width}, {pixels} pixels"));
        }
        self.check_bytes(place, bytes)
    }

    /// Checks a size in bytes.
    pub(crate) fn check_bytes(&self, place: &str, bytes: u64) -> Result<()> {
        if bytes > self.max_bytes {
            let message = format!("expected at most {} bytes in memory, got {bytes}", self.max_bytes);
            return Err(Error::image(place, message));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(height: usize, width: usize, bytes: u64, expected: &str) {
        let limits = Limits { max_side: 100, max_pixels: 1_000, max_bytes: 2_000, max_ratio: 250 };
        let message = limits.check("a.png", height, width, bytes).map_or_else(|e| e.to_string(), |()| "fine".into());
        assert_eq!(message, expected);
    }

    #[test]
    fn each_limit_says_what_it_expected_and_got() {
        check(10, 100, 2_000, "fine");
        check(0, 3, 0, "a.png: expected at least one pixel, got 0 rows of 3");
        check(1, 101, 0, "a.png: expected at most 100 pixels a side, got 1 rows of 101");
        check(40, 40, 0, "a.png: expected at most 1000 pixels, got 40 rows of 40, 1600 pixels");
        check(10, 10, 2_001, "a.png: expected at most 2000 bytes in memory, got 2001");
    }
}
