//! How the rows of a batch are split among the threads: by shapes only.

use crate::kernels::threads::Threads;

/// The rows of a batch and the threads that compute them.
#[derive(Clone, Copy)]
pub(crate) struct Rows<'a> {
    /// Number of rows.
    pub n: usize,
    /// The threads to split them among.
    pub threads: &'a Threads,
}

impl Rows<'_> {
    /// Rows per tile: all of them if parallelism would not pay.
    ///
    /// `cost` is the work per row in multiply-adds or elements. The result depends on shapes only.
    pub(crate) fn tile(&self, cost: usize) -> usize {
        const TILE: usize = 64;
        if self.are_worth_sharing(cost) { TILE } else { self.n.max(1) }
    }

    /// Maximum number of groups of rows: enough for the cores of most machines, with few sums to reduce.
    pub(crate) const MOST_GROUPS: usize = 16;

    /// Rows per group, if each group has scratch or sums of its own; `cost` as above.
    pub(crate) fn group(&self, cost: usize) -> usize {
        if self.are_worth_sharing(cost) { self.n.div_ceil(Self::MOST_GROUPS) } else { self.n.max(1) }
    }

    /// Whether splitting the rows among threads pays, by the same `cost`.
    pub(crate) fn are_worth_sharing(&self, cost: usize) -> bool {
        // About 20 microseconds of one core's multiply-adds, a few times the cost of a dispatch.
        const WORTH_SHARING: usize = 1 << 21;
        self.n * cost >= WORTH_SHARING
    }
}

/// Cost of one element of an elementwise pass, in multiply-adds: from about 10 (a rectifier) to 100 (a
/// cross-entropy or a random normal), measured.
pub(crate) const ELEMENT_COST: usize = 32;

/// Columns summed per task, if columns are split among threads.
pub(crate) const COLUMN_TILE: usize = 64;
