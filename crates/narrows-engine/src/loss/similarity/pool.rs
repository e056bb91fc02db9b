//! Downsampling by two: means of 2 by 2 pixels, and the adjoint.
//!
//! If a side is odd, a line of zeros is prepended, as in `pytorch-msssim`.

use crate::layer::Map;

/// Calls `each(fine, coarse)` with the offsets of every pixel and of its mean.
#[inline(always)]
fn pairs(map: Map, mut each: impl FnMut(usize, usize)) {
    let Map { height, width, channels } = map;
    let (above, before) = (height % 2, width % 2);
    let mut fine = 0;
    for y in 0..height {
        let line = (y + above) / 2 * width.div_ceil(2);
        for x in 0..width {
            each(fine, (line + (x + before) / 2) * channels);
            fine += channels;
        }
    }
}

/// Writes the means of 2 by 2 pixels of `map`.
pub(super) fn halve(map: Map, fine: &[f32], coarse: &mut [f32]) {
    coarse.fill(0.0);
    pairs(map, |from, to| {
        let to = &mut coarse[to..to + map.channels];
        to.iter_mut().zip(&fine[from..]).for_each(|(to, from)| *to += 0.25 * from);
    });
}

/// Adds the derivatives for the pixels of `map`, from those for the means.
pub(super) fn add_back(map: Map, coarse: &[f32], fine: &mut [f32]) {
    pairs(map, |to, from| {
        let to = &mut fine[to..to + map.channels];
        to.iter_mut().zip(&coarse[from..]).for_each(|(to, from)| *to += 0.25 * from);
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_odd_side_begins_with_zeros() {
        let map = Map::new(2, 3, 1);
        let mut coarse = [9.0; 2];
        halve(map, &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], &mut coarse);
        assert_eq!(coarse, [1.25, 4.0]);
        let mut fine = [1.0; 6];
        add_back(map, &[4.0, 8.0], &mut fine);
        assert_eq!(fine, [2.0, 3.0, 3.0, 2.0, 3.0, 3.0]);
    }
}
