//! Levels of windows, where the transform takes them out unasked: a drift or an offset changes no shape.
//!
//! The mean of a window is compared with those of training windows, whose range is as wide as the data made it. Half as
//! far again from its middle scores 1, and what is further the square of its distance. This holds only where levels
//! return: if held-out windows go beyond, or are too few to say, a new level says nothing, and levels have no say.

use serde::{Deserialize, Serialize};

/// The distance from the middle of the range that scores 1, in half ranges.
const AT_ONE: f64 = 1.5;
/// With fewer training windows that share no point, the range of levels is not known.
const ENOUGH: usize = 5;
/// With fewer of those held out, nobody knows whether levels return.
const ENOUGH_HELD_OUT: usize = 3;
/// The highest score of a level: a machine that was switched off is no odder than that, and its faults before are to be
/// seen beside it.
const HIGHEST: f64 = 25.0;
/// A range is no narrower than this share of the channel's spread.
const NARROWEST: f64 = 1e-3;

/// The range of window means in training, in prepared units; of a single channel.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LevelRange {
    low: f32,
    high: f32,
}

impl LevelRange {
    /// Fits on the levels of training windows; `None` if one of the `held_out` levels scores more than 1, or if there are
    /// too few windows of either that share no point: `apart` is their number in training and held out.
    pub(super) fn fit(
        train: impl Iterator<Item = f32>,
        mut held_out: impl Iterator<Item = f32>,
        apart: [usize; 2],
    ) -> Option<LevelRange> {
        let none = LevelRange { low: f32::INFINITY, high: f32::NEG_INFINITY };
        let wider =
            |range: LevelRange, level: f32| LevelRange { low: range.low.min(level), high: range.high.max(level) };
        let range = train.fold(none, wider);
        (apart[0] >= ENOUGH
            && apart[1] >= ENOUGH_HELD_OUT
            && range.is_valid()
            && held_out.all(|level| range.score(f64::from(level)) <= 1.0))
        .then_some(range)
    }

    /// Whether there is a range.
    pub(super) fn is_valid(&self) -> bool {
        self.low <= self.high
    }

    /// The lowest and the highest level.
    pub(super) fn range(&self) -> [f32; 2] {
        [self.low, self.high]
    }

    /// The score of a window by its level.
    pub(super) fn score(&self, level: f64) -> f64 {
        let (low, high) = (f64::from(self.low), f64::from(self.high));
        let half = AT_ONE * (high - low).max(NARROWEST) / 2.0;
        ((level - (low + high) / 2.0) / half).powi(2).min(HIGHEST)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fit(train: &[f32], held_out: &[f32], apart: usize) -> Option<LevelRange> {
        LevelRange::fit(train.iter().copied(), held_out.iter().copied(), [apart, held_out.len()])
    }

    #[test]
    fn a_level_scores_by_its_distance_from_the_range() {
        let range = fit(&[-1.0, 0.5, 1.0], &[1.4, -1.5, 0.0], 9).unwrap();
        let score = |level: f64| range.score(level);
        assert_eq!((range.range(), score(0.0), score(1.5), score(-3.0)), ([-1.0, 1.0], 0.0, 1.0, 4.0));
        let narrow = fit(&[2.0, 2.0], &[2.0; 3], 9).unwrap();
        assert_eq!(narrow.score(2.1), HIGHEST);
    }

    #[test]
    fn levels_that_do_not_return_and_few_of_them_have_no_say() {
        assert!(fit(&[-1.0, 1.0], &[0.5, 0.5, 1.6], 9).is_none());
        assert!(fit(&[-1.0, 1.0], &[0.5; 2], 9).is_none() && fit(&[-1.0, 1.0], &[0.5; 3], 9).is_some());
        assert!(fit(&[-1.0, 1.0], &[], 4).is_none());
        assert!(fit(&[], &[], 9).is_none());
    }
}
