//! Which rows of a file are read, as runs: so many that are passed over, then so many that are read.

use std::collections::VecDeque;

/// A run: rows that are passed over, then rows that are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct RowRun {
    skipped: u64,
    read: u64,
}

/// The runs of a file, gone through batch by batch.
#[derive(Debug)]
pub(super) struct RowRuns {
    runs: VecDeque<RowRun>,
    /// Rows passed over since this was asked last.
    skipped: u64,
}

impl RowRuns {
    /// Every row.
    pub(super) fn all() -> RowRuns {
        RowRuns::after(0)
    }

    /// All but the first rows.
    pub(super) fn after(skipped: u64) -> RowRuns {
        RowRuns { runs: VecDeque::from([RowRun { skipped, read: u64::MAX }]), skipped: 0 }
    }

    /// Parts of a file with their numbers of rows, and whether each is read.
    #[cfg(any(test, feature = "parquet"))]
    pub(super) fn of(parts: impl IntoIterator<Item = (u64, bool)>) -> RowRuns {
        let mut runs = VecDeque::from([RowRun { skipped: 0, read: 0 }]);
        for (rows, is_read) in parts {
            let last = runs.back_mut().expect("one run");
            match is_read {
                true => last.read += rows,
                false if last.read == 0 => last.skipped += rows,
                false => runs.push_back(RowRun { skipped: rows, read: 0 }),
            }
        }
        RowRuns { runs, skipped: 0 }
    }

    /// How many of the next `rows` that were decoded follow each other in the file.
    pub(super) fn first(&mut self, rows: usize) -> usize {
        while let Some(run) = self.runs.front_mut() {
            self.skipped += std::mem::take(&mut run.skipped);
            if run.read > 0 {
                return run.read.min(rows as u64) as usize;
            }
            self.runs.pop_front();
        }
        rows
    }

    /// Goes past rows that were read, of the [`first`](RowRuns::first) ones.
    pub(super) fn read(&mut self, rows: usize) {
        if let Some(run) = self.runs.front_mut().filter(|run| run.read != u64::MAX) {
            run.read = run.read.saturating_sub(rows as u64);
        }
    }

    /// Passes over what is left after the last row.
    pub(super) fn end(&mut self) {
        let left = self.runs.drain(..).filter(|run| run.read != u64::MAX);
        self.skipped += left.map(|run| run.skipped).sum::<u64>();
    }

    /// Rows passed over since this was asked last.
    pub(super) fn take_skipped(&mut self) -> u64 {
        std::mem::take(&mut self.skipped)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_on_both_sides_of_a_gap_come_apart() {
        let mut runs = RowRuns::of([(5, false), (3, true), (2, true), (7, false), (4, true), (6, false)]);
        let mut next = |rows| {
            let first = runs.first(rows);
            runs.read(first);
            (first, runs.take_skipped())
        };
        assert_eq!([next(4), next(4), next(9)], [(4, 5), (1, 0), (4, 7)]);
        runs.end();
        assert_eq!(runs.take_skipped(), 6);
    }

    #[test]
    fn without_gaps_every_row_is_read() {
        let mut runs = RowRuns::all();
        assert_eq!((runs.first(10), runs.take_skipped()), (10, 0));
        let mut runs = RowRuns::after(3);
        assert_eq!((runs.first(10), runs.take_skipped()), (10, 3));
        runs.end();
        assert_eq!(runs.take_skipped(), 0);
        let mut runs = RowRuns::of([(5, false)]);
        runs.end();
        assert_eq!(runs.take_skipped(), 5);
    }
}
