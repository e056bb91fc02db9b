//! The memory layout of a tile of rows: step after step in reading order, and row after row within a step, so that the
//! products of a step are over dense matrices.
//!
//! Training keeps every step for the backward pass; inference keeps one, and alternates between two states. Both use
//! the same offsets, modulo the number of kept steps.

use std::ops::Range;

/// The layout of a tile of rows, for one direction.
#[derive(Debug, Clone, Copy)]
pub(super) struct Layout {
    /// Rows of the tile.
    pub rows: usize,
    /// Number of kept steps.
    pub kept: usize,
    pub inputs: usize,
    pub hidden: usize,
}

impl Layout {
    /// Floats per row.
    pub(super) fn row_len(&self) -> usize {
        let states = 2 * (self.kept + 1) * self.hidden;
        self.kept * (4 * self.hidden + self.inputs + 1) + states
    }

    /// Floats of the tile.
    pub(super) fn len(&self) -> usize {
        self.rows * self.row_len()
    }

    /// Block `i` of a part that starts after `before` floats per row.
    fn block(&self, before: usize, i: usize, width: usize) -> Range<usize> {
        let first = self.rows * (before + i * width);
        first..first + self.rows * width
    }

    /// The hidden state before reading position `i`; the one after it is before `i + 1`.
    pub(super) fn hidden(&self, i: usize) -> Range<usize> {
        self.block(0, i % (self.kept + 1), self.hidden)
    }

    /// The cell state before reading position `i`.
    pub(super) fn cell(&self, i: usize) -> Range<usize> {
        self.block((self.kept + 1) * self.hidden, i % (self.kept + 1), self.hidden)
    }

    /// The gates of step `i`.
    pub(super) fn gates(&self, i: usize) -> Range<usize> {
        self.block(2 * (self.kept + 1) * self.hidden, i % self.kept, 4 * self.hidden)
    }

    /// The inputs of step `i`, zeros if absent.
    pub(super) fn inputs(&self, i: usize) -> Range<usize> {
        let before = 2 * (self.kept + 1) * self.hidden + 4 * self.kept * self.hidden;
        self.block(before, i % self.kept, self.inputs)
    }

    /// Which rows have step `i`, one float per row.
    pub(super) fn present(&self, i: usize) -> Range<usize> {
        let before = self.row_len() - self.kept;
        self.block(before, i % self.kept, 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_tile_the_room() {
        for kept in [1, 4] {
            let layout = Layout { rows: 3, kept, inputs: 2, hidden: 5 };
            let mut seen = vec![0; layout.len()];
            let states = (0..=kept).flat_map(|i| [layout.hidden(i), layout.cell(i)]);
            let steps = (0..kept).flat_map(|i| [layout.gates(i), layout.inputs(i), layout.present(i)]);
            states.chain(steps).flatten().for_each(|i| seen[i] += 1);
            assert!(seen.iter().all(|&n| n == 1));
        }
    }
}
