//! How rarely normal rows break a constant by chance.
//!
//! A column of which one training row alone differs would have been constant without that row, and the row would have
//! broken it. So the training rows, each against all others, show how many constants normal rows break (leave-one-out;
//! for the whole of the columns it is the estimate of Good and Turing). In a table of images, whose margins are nearly
//! always empty, that is no rare thing; in one of machine states it is. A break that is known to happen is worth the
//! score that is as rare among held-out rows, and no more.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

/// Bounds of the inverse tail exponent of scores, by which a rarity beyond all held-out rows becomes a score.
const TAILS: (f64, f64) = (0.05, 1.0);

/// The scores that breaks are worth, as far as training rows show them by chance.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct ChanceLevels {
    /// Of 1, 2, ... broken constants, as many as a training row alone broke.
    pub(super) constants: Vec<f64>,
    /// Likewise of cells missing in complete columns.
    pub(super) missing: Vec<f64>,
}

impl ChanceLevels {
    pub(super) fn is_sound(&self) -> bool {
        self.constants.iter().chain(&self.missing).all(|level| level.is_finite() && *level >= 1.0)
    }
}

/// The invariants that single training rows alone would have broken: one entry, the row, for each.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Strays {
    pub(super) constants: Vec<u32>,
    pub(super) missing: Vec<u32>,
}

impl Strays {
    /// The scores that are as rare among `ordinary` ones, of held-out rows, as breaks are among `n` training rows.
    pub(super) fn levels(&self, n: usize, ordinary: &[f64]) -> ChanceLevels {
        let mut rising: Vec<f64> = ordinary.iter().copied().filter(|score| score.is_finite()).collect();
        rising.sort_unstable_by(f64::total_cmp);
        let of = |rows: &[u32]| {
            let of_share = |share: f64| as_rare(&rising, share).max(1.0);
            shares(rows, n).into_iter().map(of_share).collect()
        };
        ChanceLevels { constants: of(&self.constants), missing: of(&self.missing) }
    }
}

/// The share of rows that break at least 1, 2, ... invariants; each counts itself, as in a conformal p-value.
fn shares(strays: &[u32], n: usize) -> Vec<f64> {
    let mut breaks: HashMap<u32, usize> = HashMap::new();
    strays.iter().for_each(|row| *breaks.entry(*row).or_default() += 1);
    let most = breaks.values().copied().max().unwrap_or(0);
    let at_least = |k: usize| breaks.values().filter(|breaks| **breaks >= k).count();
    (1..=most).map(|k| (1 + at_least(k)) as f64 / (n + 1) as f64).collect()
}

/// The score that this share of new rows reaches. Beyond the highest held-out score the tail is that of a Pareto
/// distribution, by Hill's estimate over the upper half.
fn as_rare(rising: &[f64], share: f64) -> f64 {
    let Some(highest) = rising.last() else { return 1.0 };
    let n = rising.len();
    let rank = ((n + 1) as f64 * (1.0 - share)).ceil() as usize;
    if rank <= n {
        return rising[rank.max(1) - 1];
    }
    let median = rising[n / 2].max(f64::MIN_POSITIVE);
    let upper = &rising[n / 2..];
    let tail = upper.iter().map(|score| (score / median).ln()).sum::<f64>() / upper.len() as f64;
    let beyond = 1.0 / (share * (n + 1) as f64);
    highest * beyond.powf(tail.clamp(TAILS.0, TAILS.1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_that_alone_broke_constants_are_counted_from_the_most() {
        assert!(shares(&[], 99).is_empty());
        assert_eq!(shares(&[7, 3, 7, 7], 99), [0.03, 0.02, 0.02]);
    }

    #[test]
    fn a_break_is_worth_the_score_that_is_as_rare() {
        let ordinary: Vec<f64> = (1..=99).map(|i| 0.1 * f64::from(i)).collect();
        let strays = Strays { constants: vec![1, 2, 3, 4, 4], missing: Vec::new() };
        let levels = strays.levels(99, &ordinary);
        // Five in a hundred and two in a hundred.
        assert_eq!(levels.constants, [9.5, 9.8].map(|x: f64| 0.1 * (10.0 * x).round()));
        assert!(levels.missing.is_empty() && levels.is_sound());
        // Rarer than any held-out row.
        let rare = strays.levels(99_999, &ordinary).constants;
        assert!(rare[0] > 9.9 && rare[1] > rare[0], "{rare:?}");
        assert_eq!(strays.levels(99, &[]).constants, [1.0, 1.0]);
    }

    #[test]
    fn scores_that_are_all_equal_still_leave_room_above() {
        let rare = Strays { constants: vec![1], missing: Vec::new() }.levels(5000, &[1.0; 50]).constants[0];
        assert!(rare > 1.0, "{rare}");
    }
}
