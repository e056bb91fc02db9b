//! A grid of patches that covers an image, and the recombination of patch values.

use std::borrow::Cow;
use std::ops::Range;

use narrows_images::Image;

/// Positions of patches of `height` by `width` on an image; neighbours overlap, the last ones end with the image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TileGrid {
    /// Patch height.
    pub(crate) height: usize,
    /// Patch width.
    pub(crate) width: usize,
    /// The image's size, at least that of a patch.
    size: (usize, usize),
    tops: Vec<usize>,
    lefts: Vec<usize>,
}

impl TileGrid {
    /// Patches of `height` by `width`, at most `stride` apart, over an image of `size`; a smaller image is one patch.
    pub(crate) fn new((height, width): (usize, usize), stride: usize, size: (usize, usize)) -> TileGrid {
        let size = (size.0.max(height), size.1.max(width));
        TileGrid { height, width, size, tops: starts(size.0, height, stride), lefts: starts(size.1, width, stride) }
    }

    /// Number of patches.
    pub(crate) fn len(&self) -> usize {
        self.tops.len() * self.lefts.len()
    }

    /// Top left corner of every patch, row by row.
    fn places(&self) -> impl Iterator<Item = (usize, usize)> + '_ {
        self.tops.iter().flat_map(|top| self.lefts.iter().map(|left| (*top, *left)))
    }

    /// The values of every patch of `image`, patch by patch; an image smaller than a patch is padded by
    /// reflection.
    pub(crate) fn cut(&self, image: &Image) -> Vec<f32> {
        self.cut_some(&self.padded(image), 0..self.len())
    }

    /// The image, padded by reflection if it is smaller than a patch.
    pub(crate) fn padded<'a>(&self, image: &'a Image) -> Cow<'a, Image> {
        let (height, width) = self.size;
        match (image.height, image.width) == self.size {
            true => Cow::Borrowed(image),
            false => Cow::Owned(image.padded_reflect(0, 0, height, width)),
        }
    }

    /// The values of some patches of a padded image.
    pub(crate) fn cut_some(&self, padded: &Image, patches: Range<usize>) -> Vec<f32> {
        let mut values = Vec::with_capacity(patches.len() * self.height * self.width * padded.channels.count());
        for patch in patches {
            let (top, left) = (self.tops[patch / self.lefts.len()], self.lefts[patch % self.lefts.len()]);
            values.extend(padded.crop(top, left, self.height, self.width).pixels);
        }
        values
    }

    /// For each pixel of an image of `size`, the mean of the values over the patches that cover it;
    /// `values` is `[patches, height, width]`.
    pub(crate) fn merge(&self, values: &[f32], (height, width): (usize, usize)) -> Vec<f32> {
        let mut sums = vec![0.0_f32; self.size.0 * self.size.1];
        let mut covers = vec![0.0_f32; sums.len()];
        for ((top, left), piece) in self.places().zip(values.chunks_exact(self.height * self.width)) {
            for (y, row) in piece.chunks_exact(self.width).enumerate() {
                let at = (top + y) * self.size.1 + left;
                sums[at..at + self.width].iter_mut().zip(row).for_each(|(sum, value)| *sum += value);
                covers[at..at + self.width].iter_mut().for_each(|cover| *cover += 1.0);
            }
        }
        sums.iter_mut().zip(covers).for_each(|(sum, cover)| *sum /= cover);
        sums.chunks_exact(self.size.1).take(height).flat_map(|row| row[..width].iter().copied()).collect()
    }
}

/// Starts of patches of `side` along `length`: evenly spaced, at most `stride` apart, the last one ending with it.
fn starts(length: usize, side: usize, stride: usize) -> Vec<usize> {
    let room = length - side;
    let steps = room.div_ceil(stride.max(1));
    // If it fits once only, there is one patch and no step.
    (0..=steps).map(|i| (i * room).checked_div(steps).unwrap_or(0)).collect()
}

#[cfg(test)]
mod tests {
    use narrows_images::Channels;

    use super::*;

    fn check_starts(length: usize, side: usize, stride: usize, expected: &[usize]) {
        assert_eq!(starts(length, side, stride), expected);
    }

    #[test]
    fn pieces_reach_from_edge_to_edge() {
        check_starts(10, 10, 5, &[0]);
        check_starts(11, 10, 5, &[0, 1]);
        check_starts(30, 10, 5, &[0, 5, 10, 15, 20]);
        check_starts(32, 10, 5, &[0, 4, 8, 13, 17, 22]);
    }

    #[test]
    fn what_is_cut_comes_together_again() {
        for (height, width) in [(1, 1), (5, 9), (8, 8), (21, 13)] {
            let pixels: Vec<f32> = (0..height * width).map(|i| i as f32).collect();
            let image = Image::new(height, width, Channels::Grey, pixels.clone());
            let grid = TileGrid::new((8, 8), 4, (height, width));
            let pieces = grid.cut(&image);
            assert_eq!(pieces.len(), grid.len() * 64);
            let last = grid.cut_some(&grid.padded(&image), grid.len() - 1..grid.len());
            assert_eq!(last, pieces[pieces.len() - 64..]);
            assert_eq!(grid.merge(&pieces, (height, width)), pixels, "{height}x{width}");
        }
    }
}
