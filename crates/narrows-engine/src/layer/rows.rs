//! How the rows of a batch are cut among the threads: by shapes alone.

use crate::kernels::threads::Threads;

/// The rows of a batch and who computes them.
#[derive(Clone, Copy)]
pub(crate) struct Rows<'a> {
    /// Number of rows.
    pub n: usize,
    /// The threads to share them among.
    pub threads: &'a Threads,
}

impl Rows<'_> {
    /// Rows of a tile: all of them where sharing would cost more than it saves.
    ///
    /// `cost` is the work on one row in multiply-adds or elements. The answer depends on shapes alone.
    pub(crate) fn tile(&self, cost: usize) -> usize {
        const TILE: usize = 64;
        if self.are_worth_sharing(cost) { TILE } else { self.n.max(1) }
    }

    /// The most groups of rows: enough for the cores of most machines, few enough sums to add up.
    pub(crate) const MOST_GROUPS: usize = 16;

    /// Rows of a group, where each group has scratch or sums of its own; `cost` as above.
    pub(crate) fn group(&self, cost: usize) -> usize {
        if self.are_worth_sharing(cost) { self.n.div_ceil(Self::MOST_GROUPS) } else { self.n.max(1) }
    }

    /// Whether threads should share the rows, by the same `cost`.
    pub(crate) fn are_worth_sharing(&self, cost: usize) -> bool {
        // About 20 microseconds of one core's multiply-adds, a few times what a dispatch costs.
        const WORTH_SHARING: usize = 1 << 21;
        self.n * cost >= WORTH_SHARING
    }
}

/// Cost of one element of an elementwise pass, in multiply-adds: from about 10 (a rectifier) to 100 (a
/// cross-entropy or a random normal), measured.
pub(crate) const ELEMENT_COST: usize = 32;

/// Columns that a task sums down, where columns are shared among threads.
pub(crate) const COLUMN_TILE: usize = 64;
