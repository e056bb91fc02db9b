//! Prepared rows: network input, target, and counts of replaced values.

use std::borrow::Cow;

use serde::Serialize;

/// Rows as network input and target.
#[derive(Debug, Clone, PartialEq)]
pub struct Prepared {
    /// `[n, width]`, row-major; missing cells are filled. NaN only where a whole step of a series is marked absent.
    pub input: Vec<f32>,
    /// `[n, width]`, the same but NaN for missing cells, which do not count as targets.
    pub target: Vec<f32>,
    /// Number of rows.
    pub n: usize,
    /// Number of inputs.
    pub width: usize,
    /// Counts of filled, clipped and unknown cells.
    pub counts: PrepCounts,
}

impl Prepared {
    /// Some of the rows, in the given order, with the counts of all rows.
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
    /// The inputs with 0, the centre of prepared data, for absent steps.
    pub fn finite(&self) -> Cow<'_, [f32]> {
        finite(&self.input)
    }

    /// The same as numbers of one's own, without a copy.
    pub(crate) fn into_finite(self) -> Vec<f32> {
        let Prepared { mut input, target, .. } = self;
        drop(target);
        input.iter_mut().filter(|x| x.is_nan()).for_each(|x| *x = 0.0);
        input
    }
}

/// Prepared values with 0, the centre of prepared data, for NaN.
pub fn finite(values: &[f32]) -> Cow<'_, [f32]> {
    if values.iter().all(|x| !x.is_nan()) {
        return Cow::Borrowed(values);
    }
    Cow::Owned(values.iter().map(|x| if x.is_nan() { 0.0 } else { *x }).collect())
}

/// What an input is if it was not observed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct GapFill {
    pub(crate) value: f32,
    /// It is 0 instead where the input so many places farther was observed.
    pub(crate) unless: Option<usize>,
}

impl GapFill {
    /// 1 or 0.
    pub(crate) fn of(is_one: bool) -> GapFill {
        GapFill { value: f32::from(u8::from(is_one)), unless: None }
    }
}

/// Counts of filled, clipped and unknown cells.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct PrepCounts {
    /// Missing cells.
    pub missing: u64,
    /// Cells beyond the clip, or infinite.
    pub clipped: u64,
    /// Cells with a category level unseen in training.
    pub unseen_levels: u64,
    /// The same by column, columns without any left out.
    pub columns: Vec<ColumnCounts>,
}

/// Counts of filled, clipped and unknown cells of one column.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ColumnCounts {
    /// The column.
    pub column: String,
    /// Missing cells.
    pub missing: u64,
    /// Cells beyond the clip, or infinite.
    pub clipped: u64,
    /// Cells with a category level unseen in training.
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

/// Counts of one column.
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

/// The input and target slots of one column.
pub(crate) struct BlockSlots<'a> {
    pub(crate) input: &'a mut [f32],
    pub(crate) target: &'a mut [f32],
    pub(crate) width: usize,
    pub(crate) start: usize,
}

impl BlockSlots<'_> {
    /// Writes a known value to input and target.
    pub(crate) fn put(&mut self, row: usize, slot: usize, x: f32) {
        let at = row * self.width + self.start + slot;
        self.input[at] = x;
        self.target[at] = x;
    }

    /// Writes a fill value to the input only.
    pub(crate) fn fill(&mut self, row: usize, slot: usize, x: f32) {
        let at = row * self.width + self.start + slot;
        self.input[at] = x;
        self.target[at] = f32::NAN;
    }
}
