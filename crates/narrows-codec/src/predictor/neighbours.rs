//! Neighbourhoods: the features of a prediction, for each shape of a plane.
//!
//! Features have a fixed order: the constant, deviations of neighbours from the nearest on (the first six form the
//! pattern of a prediction), then differences of guesses.

use super::Predictor;
use crate::{
    fit::{FEATURE_LIMIT, MOST},
    plane::Shape,
};

/// The constant feature. As large as large deviations, so that its weight stays small.
const CONSTANT: i32 = 1 << 14;
/// Lags of a row with their own features; earlier values are averaged over widths that double.
const LAGS: usize = 8;
const AVERAGES: [(usize, usize); 4] = [(9, 11), (12, 18), (19, 34), (35, 70)];

/// The neighbourhood of a position.
pub(super) struct Around {
    /// The column or channel.
    pub group: usize,
    /// Mean residual size nearby, relative to the typical size of their columns.
    pub near: u64,
    /// Positions of the last two residuals, nearest first.
    pub last: [Option<usize>; 2],
    pub features: [i32; MOST],
}

/// Number of features of a shape.
pub(super) fn features(shape: Shape) -> usize {
    match shape {
        Shape::Rows { .. } => LAGS + AVERAGES.len() + 2,
        Shape::Series { .. } => 10,
        Shape::Image { channels, .. } | Shape::Images { channels, .. } => {
            if channels > 1 {
                22
            } else {
                16
            }
        }
    }
}

impl Predictor<'_> {
    /// The neighbourhood of the next position.
    pub(super) fn around(&self) -> Around {
        match self.shape {
            Shape::Rows { columns, .. } => self.in_row(columns),
            Shape::Series { channels, .. } => self.in_series(channels),
            Shape::Image { height, width, channels } | Shape::Images { height, width, channels, .. } => {
                self.in_image(height, width, channels)
            }
        }
    }

    fn in_row(&self, columns: usize) -> Around {
        let at = self.deviations.len();
        let mut f = FIRST;
        let column = at % columns;
        let lag = |back: usize| (column >= back).then(|| at - back);
        for (back, feature) in (1..=LAGS).zip(&mut f[1..]) {
            *feature = self.deviation(lag(back));
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
        let near = (4 * sizes[0] + 2 * sizes[1] + sizes[2] + sizes[3]) / 8;
        Around { group: column, near, last: [lag(1), lag(2)], features: f }
    }

    fn in_series(&self, channels: usize) -> Around {
        let at = self.deviations.len();
        let mut f = FIRST;
        let channel = at % channels;
        let lag = |back: usize| (at >= back * channels).then(|| at - back * channels);
        let beside = |back: usize| (channel >= back).then(|| at - back);
        for (back, feature) in (1..=4).zip(&mut f[1..]) {
            *feature = self.deviation(lag(back));
        }
        f[5] = self.deviation(beside(1));
        f[6] = self.deviation(beside(2));
        f[7] = self.deviation(beside(1).and_then(|at| at.checked_sub(channels)));
        f[8] = self.step(lag(1));
        f[9] = self.step(beside(1));
        let sizes = [lag(1), lag(2), lag(3), beside(1).or(lag(1))].map(|at| self.miss(at));
        let near = (3 * sizes[0] + 2 * sizes[1] + sizes[2] + 2 * sizes[3]) / 8;
        Around { group: channel, near, last: [lag(1), lag(2)], features: f }
    }

    fn in_image(&self, height: usize, width: usize, channels: usize) -> Around {
        let at = self.deviations.len();
        let mut f = FIRST;
        let (channel, pixel) = (at % channels, at / channels);
        let (x, y) = (pixel % width, pixel / width % height);
        let line = width * channels;
        let beside = |left: usize, up: usize| (x >= left && y >= up).then(|| at - left * channels - up * line);
        let right = |right: usize, up: usize| (x + right < width && y >= up).then(|| at + right * channels - up * line);
        let (west, north) = (beside(1, 0).or(beside(0, 1)), beside(0, 1).or(beside(1, 0)));
        let places = [
            west,
            north,
            beside(1, 1).or(north),
            right(1, 1).or(north),
            beside(2, 0).or(west),
            beside(0, 2).or(north),
            right(2, 1).or(right(1, 1)).or(north),
            beside(2, 1).or(beside(1, 1)).or(north),
            beside(1, 2).or(north),
            right(1, 2).or(north),
            beside(3, 0).or(west),
            beside(2, 2).or(beside(1, 1)).or(north),
            right(2, 2).or(north),
        ];
        for (feature, place) in f[1..14].iter_mut().zip(places) {
            *feature = self.deviation(place);
        }
        f[14] = self.step(west);
        f[15] = self.step(north);
        let before = |back: usize| (channel >= back).then(|| at - back);
        if channels > 1 {
            f[16] = self.deviation(before(1));
            f[17] = self.deviation(before(1).and(west).map(|at| at - 1));
            f[18] = self.deviation(before(1).and(north).map(|at| at - 1));
            f[19] = self.deviation(before(2));
            f[20] = self.deviation(before(2).and(west).map(|at| at - 2));
            f[21] = self.deviation(before(2).and(north).map(|at| at - 2));
        }
        let sizes = [west, north, places[2], places[3], before(1).or(west)].map(|at| self.miss(at));
        let near = (2 * sizes[0] + 2 * sizes[1] + sizes[2] + sizes[3] + 2 * sizes[4]) / 8;
        Around { group: channel, near, last: [west, north], features: f }
    }

    fn deviation(&self, at: Option<usize>) -> i32 {
        at.map_or(0, |at| self.deviations[at])
    }

    /// Difference between a neighbour's guess and the guess of this position.
    fn step(&self, at: Option<usize>) -> i32 {
        let here = self.guesses[self.deviations.len()];
        let there = at.map_or(here, |at| self.guesses[at]);
        (there.saturating_sub(here) >> self.scale).clamp(-FEATURE_LIMIT, FEATURE_LIMIT) as i32
    }

    fn miss(&self, at: Option<usize>) -> u64 {
        at.map_or(self.wide, |at| u64::from(self.ratios[at]))
    }
}

/// Number of features before those of neighbours.
const FIRST: [i32; MOST] = {
    let mut features = [0; MOST];
    features[0] = CONSTANT;
    features
};
