//! Flat squares: where holes of an unknown colour may be.

use crate::Image;

/// How much the values of a flat square may differ: two steps of an 8-bit file, so that weak compression does not hide it.
const TOLERANCE: f32 = 2.5 / 255.0;

impl Image {
    /// Which pixels lie in a square of `side` pixels in which no channel changes, `[height, width]`. A square is cut to the
    /// image's size.
    pub fn flat_squares(&self, side: usize) -> Vec<bool> {
        let (height, width) = (self.height, self.width);
        if height == 0 || width == 0 {
            return Vec::new();
        }
        let (tall, wide) = (side.clamp(1, height), side.clamp(1, width));
        let (rows, columns) = (height - tall + 1, width - wide + 1);
        let mut is_flat = vec![true; rows * columns];
        for channel in 0..self.channels.count() {
            let plane: Vec<f32> = self.pixels.iter().skip(channel).step_by(self.channels.count()).copied().collect();
            let highest = extremes(&plane, (height, width), (tall, wide), f32::max);
            let lowest = extremes(&plane, (height, width), (tall, wide), f32::min);
            let ranges = highest.iter().zip(&lowest).map(|(high, low)| high - low);
            is_flat.iter_mut().zip(ranges).for_each(|(flat, range)| *flat &= range <= TOLERANCE);
        }
        covered(&is_flat, (rows, columns), (tall, wide))
    }
}

/// The extremes over all windows of `tall` by `wide`.
fn extremes(
    plane: &[f32],
    (height, width): (usize, usize),
    (tall, wide): (usize, usize),
    of: impl Fn(f32, f32) -> f32,
) -> Vec<f32> {
    let columns = width - wide + 1;
    let mut across = Vec::with_capacity(height * columns);
    plane.chunks_exact(width).for_each(|row| across.extend(of_runs(row, wide, 1, &of)));
    // Whole rows are compared, so that memory is read as it lies.
    of_runs(&across, tall, columns, &of)
}

/// The extremes of `values` with the next `n - 1` at distances of `stride`, where there are as many: by runs that double, as an
/// extreme of two runs that overlap is that of both.
fn of_runs(values: &[f32], n: usize, stride: usize, of: &impl Fn(f32, f32) -> f32) -> Vec<f32> {
    let (mut found, mut length) = (values.to_vec(), 1);
    while length < n {
        let step = length.min(n - length);
        found = found.iter().zip(&found[step * stride..]).map(|(a, b)| of(*a, *b)).collect();
        length += step;
    }
    found
}

/// Which pixels are in one of the squares of `tall` by `wide` whose top left corners are marked.
fn covered(corners: &[bool], (rows, columns): (usize, usize), (tall, wide): (usize, usize)) -> Vec<bool> {
    let (height, width) = (rows + tall - 1, columns + wide - 1);
    // The latest row, of each column of corners, that has one.
    let mut latest = vec![None::<usize>; columns];
    let mut covered = vec![false; height * width];
    for (y, line) in covered.chunks_exact_mut(width).enumerate() {
        if y < rows {
            let corners = &corners[y * columns..][..columns];
            latest.iter_mut().zip(corners).filter(|(_, corner)| **corner).for_each(|(latest, _)| *latest = Some(y));
        }
        let mut until = 0;
        for (x, covered) in line.iter_mut().enumerate() {
            if latest.get(x).is_some_and(|latest| latest.is_some_and(|top| y < top + tall)) {
                until = x + wide;
            }
            *covered = x < until;
        }
    }
    covered
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Channels;
    use crate::golden::waves;

    #[test]
    fn squares_are_found_wherever_they_lie_and_nothing_else() {
        for side in [1, 3, 5, 8] {
            let mut image = waves(20, 31, Channels::Rgb, 1);
            image.pixels.iter_mut().enumerate().for_each(|(at, x)| *x += 0.05 * ((at / 3) % 2) as f32);
            let none = image.flat_squares(side);
            assert_eq!(none.iter().any(|flat| *flat), side == 1);
            let inside = |y: usize, x: usize, (top, left): (usize, usize)| {
                (top..top + side).contains(&y) && (left..left + side).contains(&x)
            };
            let is_hole = |at: usize| {
                let (y, x) = (at / 31, at % 31);
                inside(y, x, (0, 0)) || inside(y, x, (20 - side, 31 - side)) || inside(y, x, (7, 12))
            };
            for at in (0..20 * 31).filter(|at| is_hole(*at)) {
                image.pixels[at * 3..][..3].copy_from_slice(&[0.0, 1.0, 0.5]);
            }
            let found = image.flat_squares(side);
            assert!(side == 1 || (0..20 * 31).all(|at| found[at] == is_hole(at)), "{side}");
        }
    }

    #[test]
    fn a_square_larger_than_the_image_is_the_image() {
        assert_eq!(Image::filled(3, 4, Channels::Grey, 0.2).flat_squares(99), [true; 12]);
        assert!(!waves(3, 4, Channels::Grey, 1).flat_squares(99).contains(&true));
        assert!(Image::filled(0, 4, Channels::Grey, 0.2).flat_squares(2).is_empty());
    }
}
