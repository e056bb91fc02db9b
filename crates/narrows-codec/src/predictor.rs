//! Predictions: how far a value will lie off its guess, judged by its neighbours.
//!
//! Features are the neighbours' own deviations from their guesses, and how the guess differs from theirs: together they
//! are the neighbours' values beside the guess. A constant feature learns what guesses are off by. Each column (or
//! channel) has weights of its own, which borrow from what all columns have in common while little is known of one.

use crate::{
    fit::{FEATURE_LIMIT, MOST, Moments, weighted},
    plane::Shape,
};

/// What is known of a value before it is coded.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Prediction {
    /// How far off its guess the value is expected, with the fractional bits of a guess.
    pub shift: i64,
    /// The size of misses nearby, farther off, and of the same column; logarithms by [`log`].
    pub energies: [i32; 3],
    /// The last two misses, signed; the latest first.
    pub last: [i64; 2],
    /// The column or channel.
    pub group: usize,
}

/// Eight times the binary logarithm of a size, linear between powers of two.
#[inline]
pub(crate) fn log(size: u64) -> i32 {
    let size = size | 1;
    let octave = size.ilog2();
    let part = if octave >= 3 { size >> (octave - 3) } else { size << (3 - octave) };
    (8 * octave) as i32 + (part as i32 & 7)
}

/// A size whose `log` is about this.
#[inline]
pub(crate) fn size(log: i32) -> i64 {
    let log = log.clamp(0, 62 * 8 - 1);
    (8 + i64::from(log & 7)) << (log >> 3) >> 3
}

/// The size that stands for a miss before any was seen: a few steps.
const FIRST_SIZE: u64 = 4 << 8;
/// A ratio of one, and the largest.
const ORDINARY: u64 = 1 << 8;
const MOST_RATIO: u64 = 1 << 20;
/// No column is quieter than a sixteenth of a step.
const LEAST_SIZE: u64 = 16;
/// Misses are cut off here, so that averages do not overflow.
const MOST_SIZE: i64 = 1 << 50;
/// The feature that is always there. As large as large deviations, so that its weight stays small.
const CONSTANT: i32 = 1 << 14;
/// Samples that all columns together lend to one.
const LENT: i64 = 8;
/// Columns with weights of their own; of a wider table all columns share theirs.
const MOST_GROUPS: usize = 4096;

/// Lags of a row that are features of their own; what lies before is averaged over widths that double.
const LAGS: usize = 8;
const AVERAGES: [(usize, usize); 4] = [(9, 10), (11, 14), (15, 22), (23, 38)];

struct Group {
    moments: Moments,
    weights: [i32; MOST],
    seen: u64,
    next: u64,
    size: u64,
    /// What deviations are counted from: zero, until they are too large to be a feature.
    base: i64,
}

pub(crate) struct Predictor<'a> {
    shape: Shape,
    guesses: &'a [i64],
    scale: u32,
    features: usize,
    deviations: Vec<i32>,
    misses: Vec<i64>,
    /// Sizes of misses beside the ordinary size of their column, which is 2^8.
    ratios: Vec<u32>,
    groups: Vec<Group>,
    common: Group,
    /// Sums of the deviations of the row so far, from nothing to all.
    sums: Vec<i64>,
    current: [i32; MOST],
    prediction: Prediction,
    wide: u64,
}

impl<'a> Predictor<'a> {
    pub(crate) fn new(shape: Shape, guesses: &'a [i64], scale: u32) -> Self {
        let (features, groups) = match shape {
            Shape::Rows { columns, .. } => (LAGS + AVERAGES.len() + 2, columns),
            Shape::Series { channels, .. } => (10, channels),
            Shape::Picture { channels, .. } | Shape::Pictures { channels, .. } => {
                (if channels > 1 { 16 } else { 10 }, channels)
            }
        };
        let group = || Group {
            moments: Moments::new(features),
            weights: [0; MOST],
            seen: 0,
            next: 2,
            size: FIRST_SIZE,
            base: 0,
        };
        let own = if groups > MOST_GROUPS { 1 } else { groups.max(1) };
        Predictor {
            shape,
            guesses,
            scale,
            features,
            deviations: Vec::with_capacity(guesses.len()),
            misses: Vec::with_capacity(guesses.len()),
            ratios: Vec::with_capacity(guesses.len()),
            groups: (0..own).map(|_| group()).collect(),
            common: Group { next: 8, ..group() },
            sums: vec![0],
            current: [0; MOST],
            prediction: Prediction::default(),
            wide: ORDINARY,
        }
    }

    /// How many columns or channels are told apart.
    pub(crate) fn groups(&self) -> usize {
        self.groups.len()
    }

    fn deviation(&self, at: Option<usize>) -> i32 {
        at.map_or(0, |at| self.deviations[at])
    }

    /// How far the guess of a neighbour lies above the guess of this place.
    fn step(&self, at: Option<usize>) -> i32 {
        let here = self.guesses[self.deviations.len()];
        let there = at.map_or(here, |at| self.guesses[at]);
        (there.saturating_sub(here) >> self.scale).clamp(-FEATURE_LIMIT, FEATURE_LIMIT) as i32
    }

    fn miss(&self, at: Option<usize>) -> u64 {
        at.map_or(self.wide, |at| u64::from(self.ratios[at]))
    }

    /// What is known of the next value.
    pub(crate) fn predict(&mut self) -> Prediction {
        let at = self.deviations.len();
        let mut f = [0i32; MOST];
        f[0] = CONSTANT;
        let (group, near, last);
        match self.shape {
            Shape::Rows { columns, .. } => {
                let column = at % columns;
                group = column;
                let lag = |back: usize| (column >= back).then(|| at - back);
                for back in 1..=LAGS {
                    f[back] = self.deviation(lag(back));
                }
                for (place, (from, to)) in AVERAGES.into_iter().enumerate() {
                    // Columns from..=to back, as far as there are such.
                    let (start, end) = (column.saturating_sub(to), (column + 1).saturating_sub(from));
                    if end > start {
                        f[LAGS + 1 + place] = ((self.sums[end] - self.sums[start]) / (end - start) as i64) as i32;
                    }
                }
                f[LAGS + AVERAGES.len() + 1] = self.step(lag(1));
                let sizes = [1, 2, 3, 4].map(|back| self.miss(lag(back)));
                near = (4 * sizes[0] + 2 * sizes[1] + sizes[2] + sizes[3]) / 8;
                last = [lag(1), lag(2)];
            }
            Shape::Series { channels, .. } => {
                let channel = at % channels;
                group = channel;
                let lag = |back: usize| (at >= back * channels).then(|| at - back * channels);
                let beside = |back: usize| (channel >= back).then(|| at - back);
                for back in 1..=4 {
                    f[back] = self.deviation(lag(back));
                }
                f[5] = self.deviation(beside(1));
                f[6] = self.deviation(beside(2));
                f[7] = self.deviation(beside(1).and_then(|at| at.checked_sub(channels)));
                f[8] = self.step(lag(1));
                f[9] = self.step(beside(1));
                let sizes = [lag(1), lag(2), lag(3), beside(1).or(lag(1))].map(|at| self.miss(at));
                near = (3 * sizes[0] + 2 * sizes[1] + sizes[2] + 2 * sizes[3]) / 8;
                last = [lag(1), lag(2)];
            }
            Shape::Picture { height, width, channels } | Shape::Pictures { height, width, channels, .. } => {
                let (channel, pixel) = (at % channels, at / channels);
                group = channel;
                let (x, y) = (pixel % width, pixel / width % height);
                let line = width * channels;
                let beside = |left: usize, up: usize| (x >= left && y >= up).then(|| at - left * channels - up * line);
                let right =
                    |right: usize, up: usize| (x + right < width && y >= up).then(|| at + right * channels - up * line);
                let (west, north) = (beside(1, 0).or(beside(0, 1)), beside(0, 1).or(beside(1, 0)));
                let places = [
                    west,
                    north,
                    beside(1, 1).or(north),
                    right(1, 1).or(north),
                    beside(2, 0).or(west),
                    beside(0, 2).or(north),
                    right(2, 1).or(right(1, 1)).or(north),
                ];
                for (feature, place) in f[1..8].iter_mut().zip(places) {
                    *feature = self.deviation(place);
                }
                f[8] = self.step(west);
                f[9] = self.step(north);
                let before = |back: usize| (channel >= back).then(|| at - back);
                if channels > 1 {
                    f[10] = self.deviation(before(1));
                    f[11] = self.deviation(before(1).and_then(|_| west).map(|at| at - 1));
                    f[12] = self.deviation(before(1).and_then(|_| north).map(|at| at - 1));
                    f[13] = self.deviation(before(2));
                    f[14] = self.deviation(before(2).and_then(|_| west).map(|at| at - 2));
                    f[15] = self.deviation(before(2).and_then(|_| north).map(|at| at - 2));
                }
                let sizes = [west, north, places[2], places[3], before(1).or(west)].map(|at| self.miss(at));
                near = (2 * sizes[0] + 2 * sizes[1] + sizes[2] + sizes[3] + 2 * sizes[4]) / 8;
                last = [west, north];
            }
        }
        let group = if self.groups.len() == 1 { 0 } else { group };
        self.current = f;
        let own = &self.groups[group];
        let weights = if own.seen >= 2 { &own.weights } else { &self.common.weights };
        let shift = (weighted(weights, &f[..self.features]) << self.scale).saturating_add(own.base);
        let sized = |ratio: u64| own.size.saturating_mul(ratio) >> 8;
        self.prediction = Prediction {
            shift,
            energies: [log(sized(near)), log(sized(self.wide)), log(own.size)],
            last: last.map(|at| at.map_or(0, |at| self.misses[at])),
            group,
        };
        self.prediction
    }

    /// Learns how far off its guess the value was, and how far off its prediction.
    pub(crate) fn learn(&mut self, deviation: i64, miss: i64) {
        let at = self.deviations.len();
        let own = &mut self.groups[self.prediction.group];
        let scaled = |base: i64| deviation.saturating_sub(base) >> self.scale;
        if scaled(own.base).unsigned_abs() > FEATURE_LIMIT as u64 {
            own.base = deviation;
        }
        let deviation = scaled(own.base);
        self.deviations.push(deviation as i32);
        self.misses.push(miss.clamp(-MOST_SIZE, MOST_SIZE));
        let size = miss.unsigned_abs().min(MOST_SIZE as u64);
        let ratio = ((size << 8) / own.size.max(LEAST_SIZE)).min(MOST_RATIO);
        self.ratios.push(ratio as u32);
        self.wide = (self.wide * 15 + ratio) / 16;
        if let Shape::Rows { columns, .. } = self.shape {
            self.sums.push(self.sums[self.sums.len() - 1] + deviation);
            if (at + 1) % columns == 0 {
                self.sums.truncate(1);
                self.wide = ORDINARY;
            }
        }
        let lightness = ((self.prediction.energies[0] - 56) >> 3) - self.scale as i32;
        let lightness = lightness.clamp(0, 20) as u32;
        let features = &self.current[..self.features];
        self.common.moments.add(features, deviation, lightness);
        self.common.seen += 1;
        if self.common.seen >= self.common.next {
            self.common.weights = self.common.moments.solve(None);
            self.common.next += (self.common.seen / 8).clamp(8, 4096);
        }
        own.moments.add(features, deviation, lightness);
        own.seen += 1;
        let pace = own.seen.min(100);
        own.size = (own.size * pace + size) / (pace + 1);
        if own.seen >= own.next {
            own.weights = own.moments.solve(Some((&self.common.moments, LENT)));
            let (memory, pause) = match self.shape {
                Shape::Rows { .. } => (1 << 14, own.seen / 8),
                Shape::Series { .. } => (1 << 11, 16),
                Shape::Picture { .. } | Shape::Pictures { .. } => (1 << 11, 32),
            };
            own.next += pause.clamp(2, 256);
            if own.moments.samples() > memory {
                own.moments.fade();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_logarithms_agree() {
        for at in 0..60 * 8 {
            assert!((log(size(at) as u64) - at).abs() <= if at < 32 { 8 } else { 0 }, "{at}");
        }
        assert_eq!(log(1 << 20), 160);
    }
}
