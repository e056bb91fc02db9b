//! Category columns: one-hot encoding.
//!
//! Besides frequent levels there are slots for rare levels, for missing cells if training rows have any, and for
//! levels unseen in training. The last is never 1 in training, so new levels always have a high error.

use std::collections::HashMap;

use arrow::array::{Array, StringArray};
use narrows_engine::rng::Stream;
use serde::{Deserialize, Serialize};

use super::Prep;
use super::cell::Cell;
use super::prepared::{BlockSlots, PrepTally};

/// Name of the slot shared by rare levels.
pub(crate) const RARE: &str = "(rare)";
/// Name of the slot of unseen levels.
pub(crate) const UNSEEN: &str = "(unseen)";

/// The encoding of one category column: slots for levels, rare, unseen, missing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "StoredLevels")]
pub(crate) struct Levels {
    /// Levels with their own slot, by name.
    pub(crate) levels: Vec<String>,
    /// Rare levels, which share one slot, by name.
    pub(crate) rare: Vec<String>,
    pub(crate) has_missing: bool,
    /// The slot of the most frequent level, for missing cells if training rows have none.
    pub(crate) fill: usize,
}

/// The unvalidated content of a file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredLevels {
    levels: Vec<String>,
    rare: Vec<String>,
    has_missing: bool,
    fill: usize,
}

impl TryFrom<StoredLevels> for Levels {
    type Error = String;

    fn try_from(StoredLevels { levels, rare, has_missing, fill }: StoredLevels) -> Result<Levels, String> {
        let levels = Levels { levels, rare, has_missing, fill };
        if levels.fill >= levels.width() {
            return Err(format!("expected the level of missing cells among {} slots, got {fill}", levels.width()));
        }
        Ok(levels)
    }
}

/// Slots by level, built once for many rows.
pub(crate) type Index<'a> = HashMap<&'a str, usize>;

impl Levels {
    /// Fits on the training rows; returns a description and the number of missing cells.
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
        // Small tables have a lower minimum; from 250 rows on the setting applies unchanged.
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
        let mut what = format!("one-hot, {} levels", levels.len());
        if !rare.is_empty() {
            what.push_str(&format!(
                ", {} rare ones in one slot (fewer than {least} rows, or beyond {})",
                rare.len(),
                prep.max_levels
            ));
        }
        if missing > 0 {
            what.push_str(&format!(", {missing} missing cells in one slot"));
        }
        (Levels { levels, rare, has_missing: missing > 0, fill }, what, missing)
    }

    /// Number of slots.
    pub(crate) fn width(&self) -> usize {
        self.unseen_slot() + 1 + usize::from(self.has_missing)
    }

    /// Numbers of levels with their own slot, and of rare levels.
    pub(crate) fn sizes(&self) -> (usize, usize) {
        (self.levels.len(), self.rare.len())
    }

    /// Whether all training rows have the same level.
    pub(crate) fn is_constant(&self) -> bool {
        self.levels.len() + self.rare.len() + usize::from(self.has_missing) <= 1
    }

    /// Slots by level.
    pub(crate) fn index(&self) -> Index<'_> {
        let own = self.levels.iter().enumerate().map(|(slot, level)| (level.as_str(), slot));
        own.chain(self.rare.iter().map(|level| (level.as_str(), self.levels.len()))).collect()
    }

    /// Encodes the cells of rows `first..first + n` into slots that are all 0.
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

    /// Samples from the probabilities of the levels in these inputs, in place. The result is always a level of the training
    /// rows; for the rare slot, one of the rare levels.
    pub(crate) fn draw(&self, features: &mut [f32], stream: &mut Stream) -> Cell {
        let (chance, which) = (stream.uniform(), stream.uniform());
        let features = &mut features[..self.width()];
        // Losses other than cross-entropy may not give probabilities.
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
            "one-hot, 2 levels, 1 rare ones in one slot (fewer than 1 rows, or beyond 2), 1 missing cells in one slot"
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
