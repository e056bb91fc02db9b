//! Edges made steeper: what smoothing takes away is added once more.

use crate::Picture;
use crate::smoothing::smoothed;

/// An unsharp mask: the picture, and what it differs by from itself blurred with `sigma` pixels.
pub fn unsharp(picture: &Picture, sigma: f32) -> Picture {
    let mut out = smoothed(picture, sigma);
    out.pixels.iter_mut().zip(&picture.pixels).for_each(|(blurred, x)| *blurred = 2.0 * x - *blurred);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Channels;
    use crate::compare::psnr;
    use crate::golden::waves;

    #[test]
    fn a_blurred_picture_comes_closer() {
        let whole = waves(40, 40, Channels::Grey, 0).resized(20, 20, crate::Filter::Area);
        let blurred = smoothed(&whole, 1.5);
        assert!(psnr(&whole, &unsharp(&blurred, 1.5)) > psnr(&whole, &blurred) + 1.0);
    }
}
