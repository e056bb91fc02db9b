//! The values of a map by channel, with a margin of zeros, so that every place has neighbours.

use super::MapShape;
use super::layout::{MAGNITUDES, MOST, MagnitudeWeights, MapLayout};

/// Width of the margin.
const MARGIN: usize = 2;
/// What a value counts at most in the activity of its place.
const ACTIVE: i32 = 2;

/// Values, and what they miss their prediction by.
pub(super) struct Planes {
    shape: MapShape,
    stride: usize,
    area: usize,
    levels: Vec<i32>,
    misses: Vec<i32>,
    /// Of each place, over the channels so far.
    activity: Vec<i32>,
}

impl Planes {
    pub(super) fn new(shape: MapShape) -> Planes {
        let stride = shape.width + 2 * MARGIN;
        let area = stride * (shape.height + 2 * MARGIN);
        let values = || vec![0; area * shape.channels];
        Planes { shape, stride, area, levels: values(), misses: values(), activity: vec![0; area] }
    }

    /// With values `[height, width, channels]`.
    pub(super) fn filled(levels: &[i32], shape: MapShape, layout: &MapLayout) -> Planes {
        let mut planes = Planes::new(shape);
        for (c, &channel) in layout.order.iter().enumerate() {
            for (position, at) in planes.places().enumerate() {
                let level = levels[position * shape.channels + usize::from(channel)];
                let mean = layout.mean(c, &planes, at);
                planes.set(c, at, level, level.saturating_sub(rounded(mean)));
            }
        }
        planes
    }

    /// The places in rows.
    pub(super) fn places(&self) -> impl Iterator<Item = usize> + use<> {
        let MapShape { height, width, .. } = self.shape;
        let stride = self.stride;
        (0..height).flat_map(move |y| (0..width).map(move |x| (y + MARGIN) * stride + x + MARGIN))
    }

    #[inline]
    pub(super) fn set(&mut self, c: usize, at: usize, level: i32, miss: i32) {
        self.levels[c * self.area + at] = level;
        self.misses[c * self.area + at] = miss;
    }

    pub(super) fn level(&self, c: usize, at: usize) -> i32 {
        self.levels[c * self.area + at]
    }

    #[inline]
    pub(super) fn miss(&self, c: usize, at: usize) -> i32 {
        self.misses[c * self.area + at]
    }

    /// The miss of the place above.
    #[inline]
    pub(super) fn above(&self, c: usize, at: usize) -> i32 {
        self.miss(c, at - self.stride)
    }

    /// The size of the miss.
    #[inline]
    pub(super) fn size(&self, c: usize, at: usize) -> i32 {
        self.miss(c, at).saturating_abs()
    }

    /// The values around a place that are known before it, each with its number.
    #[inline]
    pub(super) fn neighbours(&self, c: usize, at: usize, mut each: impl FnMut(usize, i32)) {
        let (x, y) = (at % self.stride - MARGIN, at / self.stride - MARGIN);
        let own = &self.levels[c * self.area..][..self.area];
        // At an edge the nearest known value stands for one that is not there.
        let above = |at: usize, instead: i32| if y > 0 { own[at - self.stride] } else { instead };
        let left = if x > 0 { own[at - 1] } else { above(at, 0) };
        let top = above(at, left);
        let top_left = if x > 0 { above(at - 1, left) } else { top };
        let top_right = if x + 1 < self.shape.width { above(at + 1, left) } else { top };
        [left, top, top_left, top_right].into_iter().enumerate().for_each(|(i, value)| each(i, value));
        for earlier in 0..c {
            let plane = &self.levels[earlier * self.area..][..self.area];
            let around = [plane[at], plane[at - 1], plane[at - self.stride], plane[at + 1], plane[at + self.stride]];
            around.into_iter().enumerate().for_each(|(i, value)| each(4 + 5 * earlier + i, value));
        }
    }

    /// The magnitudes around a place that are known before it, and a one.
    #[inline]
    pub(super) fn magnitudes(&self, c: usize, at: usize, related: &[u16; 3]) -> MagnitudeWeights {
        let own = &self.misses[c * self.area..][..self.area];
        let size = |place: usize| own[place].saturating_abs().min(MOST);
        let stride = self.stride;
        let mut all = [0; MAGNITUDES];
        all[..6].copy_from_slice(&[
            size(at - 1),
            size(at - stride),
            size(at - stride - 1),
            size(at - stride + 1),
            size(at - 2),
            size(at - 2 * stride),
        ]);
        for (i, &other) in related.iter().enumerate() {
            let other = usize::from(other);
            if other < c {
                all[6 + i] = self.size(other, at).min(MOST);
                if i == 0 {
                    let near = [at - 1, at - stride, at + 1, at + stride];
                    all[9] = near.into_iter().map(|place| self.size(other, place).min(MOST)).sum();
                }
            }
        }
        all[10] = self.activity[at];
        all[11] =
            self.activity[at - 1] + self.activity[at - stride] + self.activity[at + 1] + self.activity[at + stride];
        all[12] = 1;
        all
    }

    /// Counts a channel, which is complete, in the activity.
    pub(super) fn close(&mut self, c: usize) {
        if c > 0 {
            let misses = &self.misses[c * self.area..][..self.area];
            self.activity.iter_mut().zip(misses).for_each(|(sum, miss)| *sum += miss.saturating_abs().min(ACTIVE));
        }
    }

    /// The values as `[height, width, channels]`.
    pub(super) fn levels(&self, layout: &MapLayout) -> Vec<i32> {
        let channels = self.shape.channels;
        let mut levels = vec![0; self.shape.len()];
        for (c, &channel) in layout.order.iter().enumerate() {
            for (position, at) in self.places().enumerate() {
                levels[position * channels + usize::from(channel)] = self.level(c, at);
            }
        }
        levels
    }
}

/// The integer nearest to a value with fractional bits.
#[inline]
pub(super) fn rounded(value: i32) -> i32 {
    (value + (1 << (super::MAP_FRACTION - 1))) >> super::MAP_FRACTION
}
