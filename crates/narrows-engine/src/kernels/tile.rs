//! The tile in registers under both matrix kernels: a few rows times up to three vectors of the result.
//!
//! A tile loads what its sums start from, adds runs of terms, broadcasting the left factor and streaming the right
//! one, and stores the sums. An element is one chain of fused multiply-adds in the order of the terms, whatever tile
//! it falls into. The last vector of a row may be partial; it is masked.

use pulp::{MemMask, Simd};

/// The most vectors side by side in a tile.
pub(super) const MOST_VECTORS: usize = 3;

/// What the sums start from.
#[derive(Clone, Copy)]
pub(crate) enum Start<'a> {
    Zero,
    /// One value a column.
    Bias(&'a [f32]),
    /// What the destination holds: the chain goes on.
    Destination,
}

impl Start<'_> {
    /// The start of a tile whose first column is `column`.
    #[inline(always)]
    pub(super) fn tile(self, column: usize) -> TileStart {
        match self {
            Self::Zero => TileStart::Zero,
            Self::Bias(bias) => TileStart::Bias(bias[column..].as_ptr()),
            Self::Destination => TileStart::Destination,
        }
    }
}

/// What the sums of a tile start from; the address is that of the tile's first column.
#[derive(Clone, Copy)]
pub(super) enum TileStart {
    Zero,
    Bias(*const f32),
    Destination,
}

/// Where the sums of a tile go: the address of the first, and from a row to the next.
#[derive(Clone, Copy)]
pub(super) struct Destination {
    pub data: *mut f32,
    pub row: usize,
}

/// Single values of the left factor: the first, from a row of the tile to the next, from a term to the next.
#[derive(Clone, Copy)]
pub(super) struct LeftTerms {
    pub data: *const f32,
    pub row: usize,
    pub step: usize,
}

/// Rows of the right factor: the first, and from a term to the next.
#[derive(Clone, Copy)]
pub(super) struct RightTerms {
    pub data: *const f32,
    pub step: usize,
}

/// The vectors of a tile's row: full ones, and a last one masked to the columns that there are.
///
/// The sums are an array of the caller, `[[S::f32s; V]; R]`, and not a part of this: an array that is passed to and fro
/// costs a small tile more than its arithmetic.
#[derive(Clone, Copy)]
pub(super) struct TileRow<S: Simd, const V: usize> {
    simd: S,
    mask: MemMask<S::m32s>,
}

impl<S: Simd, const V: usize> TileRow<S, V> {
    /// A row of `columns` columns, which lie in (V - 1, V] vectors.
    #[inline(always)]
    pub(super) fn new(simd: S, columns: usize) -> Self {
        let last = (columns - (V - 1) * S::F32_LANES) as u32;
        Self { simd, mask: MemMask::new(simd.mask_between_m32s(0, last).mask()) }
    }

    /// Vector `v` of a row.
    ///
    /// # Safety
    ///
    /// The row must reach all columns.
    #[inline(always)]
    unsafe fn load(self, row: *const f32, v: usize) -> S::f32s {
        let from = row.wrapping_add(v * S::F32_LANES);
        // SAFETY: vectors before the last are full, the last is masked to the columns that there are.
        unsafe {
            if v + 1 < V {
                from.cast::<S::f32s>().read_unaligned()
            } else {
                self.simd.mask_load_ptr_f32s(self.mask, from)
            }
        }
    }

    /// Loads what the sums, which are zero, start from.
    ///
    /// # Safety
    ///
    /// The start must reach all columns, the destination all rows too.
    #[inline(always)]
    pub(super) unsafe fn begin<const R: usize>(
        self,
        sums: &mut [[S::f32s; V]; R],
        start: TileStart,
        destination: Destination,
    ) {
        // SAFETY: as for this function.
        unsafe {
            match start {
                TileStart::Zero => {}
                TileStart::Bias(bias) => {
                    for v in 0..V {
                        let value = self.load(bias, v);
                        for row in sums.iter_mut() {
                            row[v] = value;
                        }
                    }
                }
                TileStart::Destination => {
                    for (r, row) in sums.iter_mut().enumerate() {
                        for (v, sum) in row.iter_mut().enumerate() {
                            *sum = self.load(destination.data.wrapping_add(r * destination.row), v);
                        }
                    }
                }
            }
        }
    }

    /// Adds `n` terms to every sum, in order.
    ///
    /// # Safety
    ///
    /// The left factor must reach all rows and terms, the right one all terms and columns.
    #[inline(always)]
    pub(super) unsafe fn add<const R: usize>(
        self,
        sums: &mut [[S::f32s; V]; R],
        n: usize,
        left: LeftTerms,
        right: RightTerms,
    ) {
        let (mut a, mut b) = (left.data, right.data);
        for _ in 0..n {
            let mut vectors = [self.simd.splat_f32s(0.0); V];
            for (v, vector) in vectors.iter_mut().enumerate() {
                // SAFETY: a term of the right factor.
                *vector = unsafe { self.load(b, v) };
            }
            for (r, row) in sums.iter_mut().enumerate() {
                // SAFETY: a term of row r < R of the left factor.
                let value = self.simd.splat_f32s(unsafe { *a.wrapping_add(r * left.row) });
                for (sum, &vector) in row.iter_mut().zip(&vectors) {
                    *sum = self.simd.mul_add_f32s(value, vector, *sum);
                }
            }
            a = a.wrapping_add(left.step);
            b = b.wrapping_add(right.step);
        }
    }

    /// Writes the sums.
    ///
    /// # Safety
    ///
    /// The destination must reach all rows and columns, and be exclusively ours.
    #[inline(always)]
    pub(super) unsafe fn store<const R: usize>(self, sums: &[[S::f32s; V]; R], destination: Destination) {
        for (r, row) in sums.iter().enumerate() {
            for (v, &sum) in row.iter().enumerate() {
                let to = destination.data.wrapping_add(r * destination.row + v * S::F32_LANES);
                // SAFETY: as for the loads.
                unsafe {
                    if v + 1 < V {
                        to.cast::<S::f32s>().write_unaligned(sum);
                    } else {
                        self.simd.mask_store_ptr_f32s(self.mask, to, sum);
                    }
                }
            }
        }
    }
}

/// Numbers without a pattern, in [-1, 1).
#[cfg(test)]
pub(super) fn values(n: usize, seed: u32) -> Vec<f32> {
    (0..n as u32)
        .map(|i| {
            let word = (i + 1).wrapping_mul(2_654_435_761).wrapping_add(seed * 97) >> 8;
            word as f32 / (1 << 23) as f32 - 1.0
        })
        .collect()
}
