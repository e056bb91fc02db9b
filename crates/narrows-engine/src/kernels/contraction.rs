//! Sums of products over windows of a map: the inner loop of every convolution, forward and backward.
//!
//! C[b, r, j] = start + sum over (p, q, s) of A[b, r, p, q, s] B[b, p, q, s, j], where every index has
//! a stride of its own, so that overlapping windows are read in place. As in [`matmul`](super::matmul),
//! an element is one chain of fused multiply-adds, s fastest, whatever tile it falls into: how the work
//! is cut cannot change a bit.
//!
//! The kernel keeps a tile of C in registers, broadcasts A and streams B.

use pulp::{Simd, WithSimd};

use super::arch;
use super::tile::{Destination, LeftTerms, MOST_VECTORS, RightTerms, Start, TileRow, TileStart};

/// The left factor: single values, each broadcast to a vector.
#[derive(Clone, Copy)]
pub(crate) struct BroadcastFactor<'a> {
    pub data: &'a [f32],
    /// From a block to the next.
    pub block: usize,
    /// From a row of C to the next.
    pub row: usize,
    /// From a term to the next, at each level of the depth.
    pub steps: [usize; 3],
}

/// The right factor: rows of as many contiguous values as C has columns.
#[derive(Clone, Copy)]
pub(crate) struct StreamedFactor<'a> {
    pub data: &'a [f32],
    /// From a block to the next.
    pub block: usize,
    /// From a term to the next, at each level of the depth.
    pub steps: [usize; 3],
}

/// A sum of products over windows.
#[derive(Clone, Copy)]
pub(crate) struct Contraction<'a> {
    pub blocks: usize,
    /// Rows of C in a block.
    pub rows: usize,
    pub columns: usize,
    /// Terms of a sum, as three nested loops, the last the fastest.
    pub depth: [usize; 3],
    pub left: BroadcastFactor<'a>,
    pub right: StreamedFactor<'a>,
    pub start: Start<'a>,
    /// From a block of C to the next.
    pub to_block: usize,
    /// From a row of C to the next.
    pub to_row: usize,
}

/// The largest offset that nested loops reach.
fn reach<const N: usize>(counts: [usize; N], steps: [usize; N]) -> usize {
    counts.iter().zip(steps).map(|(count, step)| (count - 1) * step).sum()
}

impl Contraction<'_> {
    /// Writes the sums to `c`.
    pub(crate) fn run(self, c: &mut [f32]) {
        if self.blocks == 0 || self.rows == 0 || self.columns == 0 {
            return;
        }
        assert!(c.len() >= reach([self.blocks, self.rows], [self.to_block, self.to_row]) + self.columns);
        if let Start::Bias(bias) = self.start {
            assert_eq!(bias.len(), self.columns);
        }
        let [p, q, s] = self.depth;
        // An empty sum is its start, and reads neither factor.
        if p * q * s > 0 {
            let BroadcastFactor { data, block, row, steps } = self.left;
            let counts = [self.blocks, self.rows, p, q, s];
            assert!(data.len() > reach(counts, [block, row, steps[0], steps[1], steps[2]]));
            let StreamedFactor { data, block, steps } = self.right;
            let counts = [self.blocks, p, q, s];
            assert!(data.len() >= reach(counts, [block, steps[0], steps[1], steps[2]]) + self.columns);
        }
        arch::best().dispatch(ContractionKernel { what: self, c });
    }
}

struct ContractionKernel<'a> {
    what: Contraction<'a>,
    c: &'a mut [f32],
}

/// The most rows of a tile whose sums fit the registers, for 1, 2 and 3 vectors of `lanes`.
fn most_rows(lanes: usize, vectors: usize) -> usize {
    let rows = if lanes >= 16 { [14, 12, 8] } else { [8, 4, 4] };
    rows[vectors - 1]
}

impl WithSimd for ContractionKernel<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { what, c } = self;
        let lanes = S::F32_LANES;
        let vectors = what.columns.div_ceil(lanes);
        let side_by_side = vectors.div_ceil(vectors.div_ceil(MOST_VECTORS));
        let mut j = 0;
        while j < what.columns {
            let columns = (side_by_side * lanes).min(what.columns - j);
            let vectors = columns.div_ceil(lanes);
            let tiles = what.rows.div_ceil(most_rows(lanes, vectors));
            let rows = what.rows.div_ceil(tiles);
            for block in 0..what.blocks {
                let mut i = 0;
                while i < what.rows {
                    let rows = rows.min(what.rows - i);
                    let tile = Block {
                        a: what.left.data.as_ptr().wrapping_add(block * what.left.block + i * what.left.row),
                        a_row: what.left.row,
                        a_steps: what.left.steps,
                        b: what.right.data.as_ptr().wrapping_add(block * what.right.block + j),
                        b_steps: what.right.steps,
                        depth: what.depth,
                        start: what.start.tile(j),
                        c: Destination {
                            data: c.as_mut_ptr().wrapping_add(block * what.to_block + i * what.to_row + j),
                            row: what.to_row,
                        },
                        columns,
                    };
                    // SAFETY: `Contraction::run` checked the furthest element of each array, and the
                    // tile covers rows i .. i + rows and columns j .. j + columns of a block.
                    unsafe {
                        match vectors {
                            1 => tile.run::<S, 1>(simd, rows),
                            2 => tile.run::<S, 2>(simd, rows),
                            _ => tile.run::<S, 3>(simd, rows),
                        }
                    }
                    i += rows;
                }
            }
            j += columns;
        }
    }
}

/// A few rows and columns of one block.
#[derive(Clone, Copy)]
struct Block {
    a: *const f32,
    a_row: usize,
    a_steps: [usize; 3],
    b: *const f32,
    b_steps: [usize; 3],
    depth: [usize; 3],
    start: TileStart,
    c: Destination,
    columns: usize,
}

impl Block {
    /// Computes the tile with its number of rows known to the compiler.
    ///
    /// # Safety
    ///
    /// The addresses must reach `rows` rows, `columns` columns and all terms, `columns` must lie in
    /// (V - 1, V] vectors and `rows` must be at most [`most_rows`].
    #[inline(always)]
    unsafe fn run<S: Simd, const V: usize>(self, simd: S, rows: usize) {
        // SAFETY: as for this function.
        unsafe {
            match rows {
                1 => self.sum::<S, 1, V>(simd),
                2 => self.sum::<S, 2, V>(simd),
                3 => self.sum::<S, 3, V>(simd),
                4 => self.sum::<S, 4, V>(simd),
                _ if S::F32_LANES < 16 && V > 1 => unreachable!("narrow vectors have few registers"),
                5 => self.sum::<S, 5, V>(simd),
                6 => self.sum::<S, 6, V>(simd),
                7 => self.sum::<S, 7, V>(simd),
                8 => self.sum::<S, 8, V>(simd),
                _ if S::F32_LANES < 16 || V > 2 => unreachable!("three vectors have eight rows"),
                9 => self.sum::<S, 9, V>(simd),
                10 => self.sum::<S, 10, V>(simd),
                11 => self.sum::<S, 11, V>(simd),
                12 => self.sum::<S, 12, V>(simd),
                13 => self.sum::<S, 13, V>(simd),
                _ => self.sum::<S, 14, V>(simd),
            }
        }
    }

    /// Computes `R` rows.
    ///
    /// # Safety
    ///
    /// As for [`Block::run`].
    #[inline(always)]
    unsafe fn sum<S: Simd, const R: usize, const V: usize>(self, simd: S) {
        let Block { depth: [p, q, terms], a_steps, b_steps, .. } = self;
        let row = TileRow::<S, V>::new(simd, self.columns);
        let mut sums = [[simd.splat_f32s(0.0); V]; R];
        // SAFETY: as for this function.
        unsafe {
            row.begin(&mut sums, self.start, self.c);
            for p in 0..p {
                for q in 0..q {
                    let a = self.a.wrapping_add(p * a_steps[0] + q * a_steps[1]);
                    let b = self.b.wrapping_add(p * b_steps[0] + q * b_steps[1]);
                    let left = LeftTerms { data: a, row: self.a_row, step: a_steps[2] };
                    row.add(&mut sums, terms, left, RightTerms { data: b, step: b_steps[2] });
                }
            }
            row.store(&sums, self.c);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::arch::through_every_width;
    use crate::kernels::tile::values;

    #[test]
    fn every_shape_is_the_definition_to_the_bit() {
        let shapes = [(1, 1, 1), (2, 5, 3), (1, 14, 16), (3, 29, 9), (2, 8, 48), (1, 13, 33), (2, 3, 64), (1, 25, 100)];
        for (blocks, rows, columns) in shapes {
            let depth = [2, 3, 4];
            let (a_block, a_row, a_steps) = (7, 2, [11, 5, 1]);
            let (b_block, b_steps) = (3, [3 * 4 * columns, 4 * columns, columns]);
            let (to_row, to_block) = (columns + 1, rows * (columns + 1));
            let (a, b) = (values(200, 1), values(24 * columns + 3 * blocks, 2));
            let (bias, c) = (values(columns, 3), values(blocks * to_block, 4));
            for start in [Start::Zero, Start::Bias(&bias), Start::Destination] {
                let what = Contraction {
                    blocks,
                    rows,
                    columns,
                    depth,
                    left: BroadcastFactor { data: &a, block: a_block, row: a_row, steps: a_steps },
                    right: StreamedFactor { data: &b, block: b_block, steps: b_steps },
                    start,
                    to_block,
                    to_row,
                };
                let mut want = c.clone();
                for i in 0..blocks * rows * columns {
                    let (block, r, j) = (i / columns / rows, i / columns % rows, i % columns);
                    let to = &mut want[block * to_block + r * to_row + j];
                    let first = match start {
                        Start::Zero => 0.0,
                        Start::Bias(bias) => bias[j],
                        Start::Destination => *to,
                    };
                    *to = (0..24).fold(first, |sum, term| {
                        let at = [term / 12, term / 4 % 3, term % 4];
                        let step = |steps: [usize; 3]| (0..3).map(|i| at[i] * steps[i]).sum::<usize>();
                        a[block * a_block + r * a_row + step(a_steps)]
                            .mul_add(b[block * b_block + step(b_steps) + j], sum)
                    });
                }
                through_every_width(|| {
                    let mut ours = c.clone();
                    what.run(&mut ours);
                    assert_eq!(ours, want, "{blocks} {rows} {columns}");
                });
            }
        }
    }

    #[test]
    fn an_empty_sum_is_its_start() {
        let mut c = [9.0; 6];
        let what = Contraction {
            blocks: 1,
            rows: 2,
            columns: 3,
            depth: [1, 0, 4],
            left: BroadcastFactor { data: &[], block: 0, row: 0, steps: [1; 3] },
            right: StreamedFactor { data: &[], block: 0, steps: [1; 3] },
            start: Start::Bias(&[1.0, 2.0, 3.0]),
            to_block: 6,
            to_row: 3,
        };
        what.run(&mut c);
        assert_eq!(c, [1.0, 2.0, 3.0, 1.0, 2.0, 3.0]);
    }
}
