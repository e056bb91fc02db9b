//! Category columns: one slot a level.
//!
//! Beside the frequent levels there is a slot for rare ones, a slot for missing cells where training rows have some, and
//! a slot for levels that no training row has. The last is never 1 in training, so a new level always stands out.

use std::collections::HashMap;

use arrow::array::{Array, StringArray};
use narrows_engine::rng::Stream;
use serde::{Deserialize, Serialize};

use super::Prep;
use super::cell::Cell;
use super::prepared::{BlockSlots, PrepTally};

/// The name of the slot that rare levels share.
pub(crate) const RARE: &str = "(rare)";
/// The name of the slot of levels that no training row has.
pub(crate) const UNSEEN: &str = "(unseen)";

/// How one category column is written: slots are levels, rare, unseen, missing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Levels {
    /// Levels with a slot of their own, by name.
    levels: Vec<String>,
    /// Levels that share one slot, by name.
    rare: Vec<String>,
    has_missing: bool,
    /// The slot of the most frequent level, for missing cells where training rows have none.
    fill: usize,
}

/// BlockSlots by level, made once for many rows.
pub(crate) type Index<'a> = HashMap<&'a str, usize>;

impl Levels {
    /// Looks at the cells of the training rows; returns what was done in words and the missing cells.
    pub(crate) fn fit(array: &StringArray, rows: &[u32], prep: &Prep) -> (Levels, String, u64) {
        let mut counts: HashMap<&str, usize> = HashMap::new();
        let mut missing = 0u64;
        for row in rows.iter().map(|row| *row as usize) {
            if array.is_valid(row) {
                *counts.entry(array.value(row)).or_default() += 1;
            } else {
                missing += 1;
            }
        }
        // In a small table few rows are many: from 250 rows on the setting counts as it is.
        let least = prep.min_level_count.min((rows.len() / 50).max(1));
        let mut by_count: Vec<(&str, usize)> = counts.into_iter().collect();
        by_count.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
        let frequent = by_count.iter().take(prep.max_levels).take_while(|(_, count)| *count >= least).count();
        let names = |part: &[(&str, usize)]| {
            let mut names: Vec<String> = part.iter().map(|(name, _)| (*name).to_owned()).collect();
            names.sort();
            names
        };
        let (levels, rare) = (names(&by_count[..frequent]), names(&by_count[frequent..]));
        let top = by_count.first().map_or("", |(name, _)| *name);
        let fill = levels.binary_search_by(|level| level.as_str().cmp(top)).unwrap_or(levels.len());
        let mut what = format!("one slot for each of {} levels", levels.len());
        if !rare.is_empty() {
            what.push_str(&format!(
                ", one for {} rare ones (fewer than {least} rows, or beyond {})",
                rare.len(),
                prep.max_levels
            ));
        }
        if missing > 0 {
            what.push_str(&format!(", one for {missing} missing cells"));
        }
        (Levels { levels, rare, has_missing: missing > 0, fill }, what, missing)
    }

    /// The number of slots.
    pub(crate) fn width(&self) -> usize {
        self.unseen_slot() + 1 + usize::from(self.has_missing)
    }

    /// The numbers of levels with a slot of their own, and of rare ones.
    pub(crate) fn sizes(&self) -> (usize, usize) {
        (self.levels.len(), self.rare.len())
    }

    /// Whether every training row has the same level.
    pub(crate) fn is_constant(&self) -> bool {
        self.levels.len() + self.rare.len() + usize::from(self.has_missing) <= 1
    }

    /// BlockSlots by level.
    pub(crate) fn index(&self) -> Index<'_> {
        let own = self.levels.iter().enumerate().map(|(slot, level)| (level.as_str(), slot));
        own.chain(self.rare.iter().map(|level| (level.as_str(), self.levels.len()))).collect()
    }

    /// Writes the cells of rows `first..first + n` into slots that are all 0.
    pub(crate) fn write(
        &self,
        array: &StringArray,
        index: &Index<'_>,
        first: usize,
        n: usize,
        slots: &mut BlockSlots<'_>,
    ) -> PrepTally {
        let mut tally = PrepTally::default();
        for i in 0..n {
            if array.is_valid(first + i) {
                let slot = index.get(array.value(first + i)).copied();
                tally.unseen += u64::from(slot.is_none());
                slots.put(i, slot.unwrap_or_else(|| self.unseen_slot()), 1.0);
                continue;
            }
            tally.missing += 1;
            if self.has_missing {
                slots.put(i, self.unseen_slot() + 1, 1.0);
            } else {
                (0..self.width()).for_each(|slot| slots.fill(i, slot, f32::from(u8::from(slot == self.fill))));
            }
        }
        tally
    }

    /// The most probable level.
    pub(crate) fn read(&self, features: &[f32]) -> Cell {
        let first = features[..self.width()].iter().copied();
        let best =
            first.enumerate().fold((0, f32::NEG_INFINITY), |best, (slot, p)| if p > best.1 { (slot, p) } else { best });
        match best.0 {
            slot if slot < self.levels.len() => Cell::Level(self.levels[slot].clone()),
            slot if slot < self.unseen_slot() => Cell::Level(RARE.to_owned()),
            slot if slot == self.unseen_slot() => Cell::Level(UNSEEN.to_owned()),
            _ => Cell::Missing,
        }
    }

    /// A fresh draw where these inputs are the levels' probabilities, written over them. It is always a level that training
    /// rows have; a rare one is any of the rare ones.
    pub(crate) fn draw(&self, features: &mut [f32], stream: &mut Stream) -> Cell {
        let (chance, which) = (stream.uniform(), stream.uniform());
        let features = &mut features[..self.width()];
        // Other losses than cross-entropy may leave what is no probability.
        features.iter_mut().for_each(|p| *p = if p.is_finite() { p.max(0.0) } else { 0.0 });
        features[self.unseen_slot()] = 0.0;
        let mut left = chance * features.iter().sum::<f32>();
        let possible = |slot: &usize| features[*slot] > 0.0;
        let drawn = (0..features.len()).filter(possible).find(|slot| {
            left -= features[*slot];
            left < 0.0
        });
        let slot = drawn.or_else(|| (0..features.len()).rev().find(possible)).unwrap_or(self.fill);
        features.fill(0.0);
        features[slot] = 1.0;
        if slot < self.levels.len() {
            Cell::Level(self.levels[slot].clone())
        } else if slot < self.unseen_slot() {
            let which = ((which * self.rare.len() as f32) as usize).min(self.rare.len() - 1);
            Cell::Level(self.rare[which].clone())
        } else {
            Cell::Missing
        }
    }

    fn unseen_slot(&self) -> usize {
        self.levels.len() + usize::from(!self.rare.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn array(cells: &[&str]) -> StringArray {
        cells.iter().map(|cell| (!cell.is_empty()).then_some(*cell)).collect()
    }

    fn fit(cells: &[&str], prep: &Prep) -> (Levels, String) {
        let rows: Vec<u32> = (0..cells.len() as u32).collect();
        let (levels, what, _) = Levels::fit(&array(cells), &rows, prep);
        (levels, what)
    }

    fn check(levels: &Levels, cell: &str, expected: &[f32], back: &str) {
        let (mut input, mut target) = (vec![0.0; levels.width()], vec![0.0; levels.width()]);
        let mut slots = BlockSlots { input: &mut input, target: &mut target, width: levels.width(), start: 0 };
        levels.write(&array(&[cell]), &levels.index(), 0, 1, &mut slots);
        assert_eq!(input, expected, "{cell}");
        assert_eq!(levels.read(&input).to_string(), back);
    }

    #[test]
    fn levels_have_slots_and_new_ones_stand_out() {
        let prep = Prep { max_levels: 2, ..Prep::default() };
        let (levels, what) = fit(&["b", "a", "b", "c", "", "a"], &prep);
        assert_eq!(
            what,
            "one slot for each of 2 levels, one for 1 rare ones (fewer than 1 rows, or beyond 2), one for 1 missing cells"
        );
        check(&levels, "a", &[1.0, 0.0, 0.0, 0.0, 0.0], "a");
        check(&levels, "b", &[0.0, 1.0, 0.0, 0.0, 0.0], "b");
        check(&levels, "c", &[0.0, 0.0, 1.0, 0.0, 0.0], "(rare)");
        check(&levels, "new", &[0.0, 0.0, 0.0, 1.0, 0.0], "(unseen)");
        check(&levels, "", &[0.0, 0.0, 0.0, 0.0, 1.0], "missing");
    }

    #[test]
    fn a_cell_missing_for_the_first_time_is_filled_and_not_asked_back() {
        let (levels, _) = fit(&["b", "a", "b"], &Prep::default());
        check(&levels, "", &[0.0, 1.0, 0.0], "b");
        let mut target = vec![0.0; 3];
        let mut slots = BlockSlots { input: &mut [0.0; 3], target: &mut target, width: 3, start: 0 };
        assert_eq!(levels.write(&array(&[""]), &levels.index(), 0, 1, &mut slots).missing, 1);
        assert!(target.iter().all(|x| x.is_nan()));
    }

    #[test]
    fn rare_levels_share_a_slot_in_large_tables_only() {
        let cells: Vec<&str> = (0..300).map(|i| if i < 3 { "odd" } else { "even" }).collect();
        assert_eq!(fit(&cells, &Prep::default()).0.sizes(), (1, 1));
        assert_eq!(fit(&cells[..60], &Prep::default()).0.sizes(), (2, 0));
        assert!(fit(&["a", "a"], &Prep::default()).0.is_constant());
    }
}
