//! Prediction of a value's deviation from its guess, from its neighbours.
//!
//! Features are the neighbours' deviations from their guesses, and the differences between guesses: together they
//! give the neighbours' values relative to the guess. A constant feature estimates bias. Each column (or
//! channel) has its own weights, regularised towards those of all columns together.

mod neighbours;

use neighbours::{Around, features};

use crate::{
    fit::{FEATURE_LIMIT, MOST, Moments, weighted},
    plane::Shape,
};

/// The prediction of a value before it is coded.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Prediction {
    /// Expected deviation from the guess, with the fractional bits of a guess.
    pub shift: i64,
    /// Sizes of residuals nearby, farther away, and in the same column; logarithms by [`log`].
    pub energies: [i32; 3],
    /// The last two residuals, signed; latest first.
    pub last: [i64; 2],
    /// Difference to the prediction with the weights of all columns together.
    pub other: i64,
    /// Which of six neighbours lie above the prediction, one bit each.
    pub pattern: usize,
    /// Positions of the two values of `last`.
    pub places: [Option<usize>; 2],
    /// The column or channel.
    pub group: usize,
}

/// Number of patterns of neighbours above and below the prediction.
pub(crate) const PATTERNS: usize = 64;

/// Undoes the scaling of features, clipped so that the difference of two does not overflow.
fn full(scaled: i64, scale: u32) -> i64 {
    let most = (1 << 60) >> scale;
    scaled.clamp(-most, most) << scale
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

/// The initial residual size: a few steps.
const FIRST_SIZE: u64 = 4 << 8;
/// Number of values in the moving mean of a column.
const MEAN_MEMORY: u64 = 4096;
/// A ratio of one, and the largest.
const ORDINARY: u64 = 1 << 8;
const MOST_RATIO: u64 = 1 << 20;
/// Minimum residual size of a column: a sixteenth of a step.
const LEAST_SIZE: u64 = 16;
/// Residuals are clipped to this, so that averages do not overflow.
const MOST_SIZE: i64 = 1 << 50;
/// Weight of the prior from all columns, in samples.
const LENT: i64 = 12;
/// Number of columns with their own weights; in wider tables all columns share theirs.
const MOST_GROUPS: usize = 4096;

struct Group {
    moments: Moments,
    weights: [i32; MOST],
    seen: u64,
    next: u64,
    size: u64,
    /// The reference of deviations: zero, until they are too large for a feature.
    base: i64,
}

pub(crate) struct Predictor<'a> {
    shape: Shape,
    guesses: &'a [i64],
    scale: u32,
    features: usize,
    deviations: Vec<i32>,
    misses: Vec<i64>,
    /// Residual sizes relative to the typical size of their column, which is 2^8.
    ratios: Vec<u32>,
    groups: Vec<Group>,
    common: Group,
    /// Cumulative sums of the deviations of the current row.
    sums: Vec<i64>,
    current: [i32; MOST],
    prediction: Prediction,
    wide: u64,
}

impl<'a> Predictor<'a> {
    pub(crate) fn new(shape: Shape, guesses: &'a [i64], scale: u32) -> Self {
        let (features, groups) = (features(shape), shape.columns());
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

    /// Number of columns or channels with separate statistics.
    pub(crate) fn groups(&self) -> usize {
        self.groups.len()
    }

    /// Predicts the next value.
    pub(crate) fn predict(&mut self) -> Prediction {
        let Around { group, near, last, features: f } = self.around();
        let group = if self.groups.len() == 1 { 0 } else { group };
        self.current = f;
        let own = &mut self.groups[group];
        if own.seen == 0 {
            own.base = self.common.base;
        }
        let weights = if own.seen >= 2 { &own.weights } else { &self.common.weights };
        let above = weighted(weights, &f[..self.features]);
        let pattern = f[1..7].iter().fold(0, |bits, &deviation| bits << 1 | usize::from(i64::from(deviation) > above));
        let other = full(weighted(&self.common.weights, &f[..self.features]) - above, self.scale);
        let shift = full(above, self.scale).saturating_add(own.base);
        let sized = |ratio: u64| own.size.saturating_mul(ratio) >> 8;
        self.prediction = Prediction {
            shift,
            pattern,
            other,
            energies: [log(sized(near)), log(sized(self.wide)), log(own.size)],
            places: last,
            last: last.map(|at| at.map_or(0, |at| self.misses[at])),
            group,
        };
        self.prediction
    }

    /// Updates with the deviations of the value from its guess and from its prediction.
    pub(crate) fn learn(&mut self, deviation: i64, miss: i64) {
        let at = self.deviations.len();
        let own = &mut self.groups[self.prediction.group];
        let mut size = miss.unsigned_abs().min(MOST_SIZE as u64);
        let scaled = |base: i64| deviation.saturating_sub(base) >> self.scale;
        if scaled(own.base).unsigned_abs() > FEATURE_LIMIT as u64 {
            own.base = deviation;
            self.common.base = deviation;
            // Earlier residuals are not informative from here on.
            size = own.size;
        }
        let (whole, deviation) = (deviation, scaled(own.base));
        self.deviations.push(deviation as i32);
        self.misses.push(miss.clamp(-MOST_SIZE, MOST_SIZE));
        let ratio = ((size << 8) / own.size.max(LEAST_SIZE)).min(MOST_RATIO);
        self.ratios.push(ratio as u32);
        self.wide = (self.wide * 15 + ratio) / 16;
        if let Shape::Rows { columns, .. } = self.shape {
            self.sums.push(self.sums[self.sums.len() - 1] + deviation);
            if (at + 1).is_multiple_of(columns) {
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
        if matches!(self.shape, Shape::Rows { .. }) {
            own.base = own.base.saturating_add((whole.saturating_sub(own.base)) / own.seen.min(MEAN_MEMORY) as i64);
        }
        let pace = own.seen.min(100);
        // A single outlier must not dominate the next hundred.
        own.size = (own.size * pace + size.min(16 * own.size.max(LEAST_SIZE))) / (pace + 1);
        if own.seen >= own.next {
            own.weights = own.moments.solve(Some((&self.common.moments, LENT)));
            let (memory, pause) = match self.shape {
                Shape::Rows { .. } => (1 << 14, own.seen / 8),
                Shape::Series { .. } => (1 << 11, 16),
                Shape::Image { .. } | Shape::Images { .. } => (1 << 12, 32),
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
