//! Counts one column of new data against its distribution in the training rows.

use arrow::array::{Array, ArrayRef};

use super::{ColumnDrift, LevelDrift, MissingDrift, counts, kolmogorov, population};
use crate::distribution::{ColumnCells, ColumnDistribution, ColumnValues, GridCounts, LevelTally, Thinned};

/// A column of new data, counted.
#[derive(Debug)]
pub(super) struct ColumnCounter {
    known: ColumnDistribution,
    rows: u64,
    missing: u64,
    new: NewValues,
}

/// The values of new rows, in cells of those of the training rows.
#[derive(Debug)]
enum NewValues {
    Numbers {
        counts: GridCounts,
        sample: Thinned,
    },
    /// Rows of the levels known by name, and of all others.
    Levels {
        counts: LevelTally,
    },
    Others,
}

impl ColumnCounter {
    pub(super) fn new(known: &ColumnDistribution) -> ColumnCounter {
        let new = match &known.values {
            ColumnValues::Numbers(grid) => {
                NewValues::Numbers { counts: GridCounts::new(grid), sample: Thinned::default() }
            }
            ColumnValues::Levels(_) => NewValues::Levels { counts: LevelTally::default() },
            ColumnValues::Dates => NewValues::Others,
        };
        ColumnCounter { known: known.clone(), rows: 0, missing: 0, new }
    }

    pub(super) fn name(&self) -> &str {
        &self.known.column
    }

    /// Missing cells so far.
    pub(super) fn n_missing(&self) -> u64 {
        self.missing
    }

    /// Counts the cells of a typed column.
    pub(super) fn add(&mut self, array: &ArrayRef) {
        let n = array.len();
        let mut present = 0;
        match (&self.known.values, &mut self.new, ColumnCells::of(array)) {
            (ColumnValues::Numbers(grid), NewValues::Numbers { counts, sample }, ColumnCells::Numbers(cell)) => {
                for x in (0..n).filter_map(cell).filter(|x| x.is_finite()) {
                    counts.add(grid, x);
                    sample.add(x);
                    present += 1;
                }
            }
            (ColumnValues::Levels(known), NewValues::Levels { counts }, ColumnCells::Levels(cell)) => {
                for level in (0..n).filter_map(cell) {
                    if known.counts.contains_key(&level) {
                        counts.add(&level);
                    } else {
                        counts.others += 1;
                    }
                    present += 1;
                }
            }
            (_, _, ColumnCells::Others(is_present)) => present = (0..n).filter(|row| is_present(*row)).count() as u64,
            // A column is read by the schema of the fit, so it has the type that it had.
            (_, _, _) => present = (n - array.null_count()) as u64,
        }
        self.rows += n as u64;
        self.missing += n as u64 - present;
    }

    /// The comparison, its p-values not yet corrected; of every row a share of `density` is independent.
    pub(super) fn compared(&self, density: f64) -> ColumnDrift {
        let independent = |n: u64| (n as f64 * density).floor() as u64;
        let drift = ColumnDrift {
            column: self.known.column.clone(),
            n: self.rows - self.missing,
            distance: None,
            psi: None,
            p_value: None,
            corrected: None,
            has_drifted: false,
            quartiles_were: None,
            quartiles: None,
            unseen: None,
            level: None,
            missing: self.missing(independent),
        };
        match (&self.known.values, &self.new) {
            (ColumnValues::Numbers(known), NewValues::Numbers { counts, sample }) if known.n() > 0 && counts.n > 0 => {
                let distance = kolmogorov::distance(known, counts);
                ColumnDrift {
                    distance: Some(distance),
                    psi: Some(population::stability_index(&population::tenths(known, counts))),
                    p_value: Some(kolmogorov::p_value(distance, independent(known.n()), independent(counts.n))),
                    quartiles_were: known.quartiles(),
                    quartiles: sample.quartiles(),
                    ..drift
                }
            }
            (ColumnValues::Levels(known), NewValues::Levels { counts }) if known.n() > 0 && counts.n() > 0 => {
                let pair = |level: &String, n: &u64| (*n as f64, counts.count(level) as f64);
                let mut cells: Vec<(f64, f64)> = known.counts.iter().map(|(level, n)| pair(level, n)).collect();
                cells.push((known.others as f64, counts.others as f64));
                let scaled: Vec<(f64, f64)> = cells.iter().map(|(a, b)| (a * density, b * density)).collect();
                cells.retain(|(a, b)| a + b > 0.0);
                ColumnDrift {
                    psi: Some(population::stability_index(&cells)),
                    p_value: counts::chi_squared(&scaled),
                    unseen: (known.others == 0).then_some(counts.others),
                    level: most_changed(known, counts),
                    ..drift
                }
            }
            _ => drift,
        }
    }

    fn missing(&self, independent: impl Fn(u64) -> u64) -> MissingDrift {
        let share = |missing: u64, rows: u64| if rows == 0 { 0.0 } else { missing as f64 / rows as f64 };
        let [known, known_rows, new, new_rows] =
            [self.known.missing, self.known.rows, self.missing, self.rows].map(&independent);
        MissingDrift {
            share_was: share(self.known.missing, self.known.rows),
            share: share(self.missing, self.rows),
            p_value: counts::fisher(known, known_rows, new, new_rows),
            corrected: None,
            has_drifted: false,
        }
    }
}

/// The level whose share has changed most.
fn most_changed(known: &LevelTally, new: &LevelTally) -> Option<LevelDrift> {
    let (n, m) = (known.n().max(1) as f64, new.n().max(1) as f64);
    let levels = known.counts.iter().map(|(level, count)| LevelDrift {
        level: level.clone(),
        share_was: *count as f64 / n,
        share: new.count(level) as f64 / m,
    });
    let change = |level: &LevelDrift| (level.share - level.share_was).abs();
    levels.max_by(|a, b| change(a).total_cmp(&change(b)))
}
