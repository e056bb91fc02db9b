//! Prepared rows: what goes into the network, what should come out, and what was done to get there.

use std::borrow::Cow;

use serde::Serialize;

/// Rows as numbers.
#[derive(Debug, Clone, PartialEq)]
pub struct Prepared {
    /// `[n, width]`, row by row; missing cells are filled in. NaN only where a whole step of a series is marked absent.
    pub input: Vec<f32>,
    /// `[n, width]`, the same but NaN where the cell was missing: there is nothing to be rebuilt.
    pub target: Vec<f32>,
    /// The number of rows.
    pub n: usize,
    /// The number of inputs.
    pub width: usize,
    /// What was filled, held or unknown.
    pub counts: PrepCounts,
}

impl Prepared {
    /// Some of the rows, in the order given; the counts stay with the whole.
    pub fn take(&self, rows: &[u32]) -> Prepared {
        let gather = |values: &[f32]| {
            let mut taken = Vec::with_capacity(rows.len() * self.width);
            rows.iter().for_each(|&row| {
                taken.extend_from_slice(&values[row as usize * self.width..(row as usize + 1) * self.width])
            });
            taken
        };
        Prepared {
            input: gather(&self.input),
            target: gather(&self.target),
            n: rows.len(),
            width: self.width,
            counts: PrepCounts::default(),
        }
    }
}

impl Prepared {
    /// The inputs with zeros, the middle of prepared data, where a step is absent.
    pub fn finite(&self) -> Cow<'_, [f32]> {
        finite(&self.input)
    }
}

/// Prepared values with zeros, the middle of prepared data, in the place of NaN.
pub fn finite(values: &[f32]) -> Cow<'_, [f32]> {
    if values.iter().all(|x| !x.is_nan()) {
        return Cow::Borrowed(values);
    }
    Cow::Owned(values.iter().map(|x| if x.is_nan() { 0.0 } else { *x }).collect())
}

/// What was filled, held or unknown in some rows.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct PrepCounts {
    /// Cells that were missing.
    pub missing: u64,
    /// Cells whose scaled number was beyond the clip, or infinite.
    pub clipped: u64,
    /// Cells with a category level that no training row has.
    pub unseen_levels: u64,
    /// The same by column, columns without any left out.
    pub columns: Vec<ColumnCounts>,
}

/// What was filled, held or unknown in one column.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ColumnCounts {
    /// The column.
    pub column: String,
    /// Cells that were missing.
    pub missing: u64,
    /// Cells whose scaled number was beyond the clip, or infinite.
    pub clipped: u64,
    /// Cells with a category level that no training row has.
    pub unseen_levels: u64,
}

impl PrepCounts {
    /// The sum over columns.
    pub(crate) fn of(columns: Vec<ColumnCounts>) -> PrepCounts {
        let mut counts = PrepCounts::default();
        for column in columns {
            counts.missing += column.missing;
            counts.clipped += column.clipped;
            counts.unseen_levels += column.unseen_levels;
            if column.missing + column.clipped + column.unseen_levels > 0 {
                counts.columns.push(column);
            }
        }
        counts
    }
}

/// Counts of one column over some rows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct PrepTally {
    pub(crate) missing: u64,
    pub(crate) clipped: u64,
    pub(crate) unseen: u64,
}

impl PrepTally {
    pub(crate) fn plus(self, other: PrepTally) -> PrepTally {
        PrepTally {
            missing: self.missing + other.missing,
            clipped: self.clipped + other.clipped,
            unseen: self.unseen + other.unseen,
        }
    }

    pub(crate) fn of(self, column: &str) -> ColumnCounts {
        let PrepTally { missing, clipped, unseen } = self;
        ColumnCounts { column: column.to_owned(), missing, clipped, unseen_levels: unseen }
    }
}

/// A window on some prepared rows through which one column writes its inputs.
pub(crate) struct BlockSlots<'a> {
    pub(crate) input: &'a mut [f32],
    pub(crate) target: &'a mut [f32],
    pub(crate) width: usize,
    pub(crate) start: usize,
}

impl BlockSlots<'_> {
    /// A known value: given in, and asked back.
    pub(crate) fn put(&mut self, row: usize, slot: usize, x: f32) {
        let at = row * self.width + self.start + slot;
        self.input[at] = x;
        self.target[at] = x;
    }

    /// A value in the place of a missing one: given in, and not asked back.
    pub(crate) fn fill(&mut self, row: usize, slot: usize, x: f32) {
        let at = row * self.width + self.start + slot;
        self.input[at] = x;
        self.target[at] = f32::NAN;
    }
}
