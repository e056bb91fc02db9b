//! Categories as counts of their levels; the rarest of very many are counted together.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Most levels that are kept by name.
const LEVELS: usize = 200;
/// Longest name that is kept, in bytes.
const NAME: usize = 200;

/// Number of rows of each level.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LevelTally {
    /// The levels by name.
    pub counts: BTreeMap<String, u64>,
    /// Rows of levels that are not kept by name: the rarest of more than two hundred.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub others: u64,
}

fn is_zero(n: &u64) -> bool {
    *n == 0
}

impl LevelTally {
    pub(crate) fn add(&mut self, level: &str) {
        match self.counts.get_mut(level) {
            Some(count) => *count += 1,
            None => {
                self.counts.insert(level.to_owned(), 1);
            }
        }
    }

    /// The same with the most frequent levels by name and the rest together.
    pub(crate) fn bounded(mut self) -> LevelTally {
        let mut by_count: Vec<(String, u64)> = self.counts.into_iter().collect();
        by_count.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        let (kept, rest): (Vec<_>, Vec<_>) = by_count.into_iter().partition(|(level, _)| level.len() <= NAME);
        let others = kept.iter().skip(LEVELS).chain(&rest).map(|(_, n)| n).sum::<u64>() + self.others;
        self.counts = kept.into_iter().take(LEVELS).collect();
        LevelTally { counts: self.counts, others }
    }

    /// Rows of this level; 0 if it is not kept by name.
    pub fn count(&self, level: &str) -> u64 {
        self.counts.get(level).copied().unwrap_or(0)
    }

    /// Rows of all levels.
    pub fn n(&self) -> u64 {
        self.counts.values().fold(self.others, |sum, n| sum.saturating_add(*n))
    }

    pub(super) fn check(&self, present: u64) -> Result<(), String> {
        if self.counts.len() > LEVELS {
            return Err(format!("expected at most {LEVELS} levels, got {}", self.counts.len()));
        }
        if self.counts.values().any(|n| *n == 0) || self.n() != present {
            return Err(format!("expected levels of {present} rows, got {}", self.n()));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rarest_of_many_levels_are_counted_together() {
        let mut tally = LevelTally::default();
        for i in 0..300 {
            (0..=u32::from(i < 150)).for_each(|_| tally.add(&format!("level {i:03}")));
        }
        tally.add(&"x".repeat(500));
        let n = tally.n();
        let bounded = tally.bounded();
        assert_eq!((bounded.counts.len(), bounded.n()), (LEVELS, n));
        assert_eq!((bounded.count("level 149"), bounded.count("level 199"), bounded.count("level 200")), (2, 1, 0));
        assert_eq!(bounded.others, 101);
        assert!(bounded.check(n).is_ok() && bounded.check(n + 1).is_err());
        assert_eq!(bounded.clone().bounded(), bounded);
    }
}
