//! Structural similarity at five scales (Wang, Simoncelli and Bovik, "Multiscale structural similarity for image quality
//! assessment", 2003), as in `tf.image.ssim_multiscale`: downsampled by 2x2 means, with the last line of an odd side
//! repeated; negative values count as zero.

use super::ssim::{WINDOW, similarity};
use super::{Plane, assert_alike};
use crate::Image;

const WEIGHTS: [f64; 5] = [0.0448, 0.2856, 0.3001, 0.2363, 0.1333];

/// Structural similarity over five scales, the mean over channels, in [0, 1]. `None` if a side has fewer than 161
/// pixels, as the window would not fit at the smallest scale.
pub fn ms_ssim(whole: &Image, restored: &Image) -> Option<f64> {
    assert_alike(whole, restored);
    if whole.height.min(whole.width) <= (WINDOW - 1) << (WEIGHTS.len() - 1) {
        return None;
    }
    let n = whole.channels.count();
    let of = |c| over_sizes(Plane::of(whole, c), Plane::of(restored, c));
    Some((0..n).map(of).sum::<f64>() / n as f64)
}

fn over_sizes(mut a: Plane, mut b: Plane) -> f64 {
    let mut product = 1.0;
    for (level, weight) in WEIGHTS.iter().enumerate() {
        let similarity = similarity(&a, &b);
        let last = level + 1 == WEIGHTS.len();
        product *= if last { similarity.whole } else { similarity.contrast }.max(0.0).powf(*weight);
        if !last {
            (a, b) = (halved(&a), halved(&b));
        }
    }
    product
}

fn halved(plane: &Plane) -> Plane {
    let (height, width) = (plane.height.div_ceil(2), plane.width.div_ceil(2));
    let at = |y: usize, x: usize| plane.values[y.min(plane.height - 1) * plane.width + x.min(plane.width - 1)];
    let mut values = Vec::with_capacity(height * width);
    for y in (0..plane.height).step_by(2) {
        for x in (0..plane.width).step_by(2) {
            values.push(0.25 * (at(y, x) + at(y, x + 1) + at(y + 1, x) + at(y + 1, x + 1)));
        }
    }
    Plane { height, width, values }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::golden::{golden, image};

    #[test]
    fn similarity_over_sizes_agrees_with_its_definition() {
        for set in golden("compared") {
            let got = ms_ssim(&image(&set, 0), &image(&set, 1));
            match (got, set["ms_ssim"].as_f64()) {
                (Some(got), Some(want)) => assert!((got - want).abs() < 1e-6, "{got} {want}"),
                (got, want) => assert_eq!(got, want),
            }
        }
    }
}
