//! Matrix product of f32, in which every element of the result is one chain of fused multiply-adds.
//!
//! C[i, j] = start + sum over k of A[i, k] B[k, j], with k ascending and one accumulator. Tiles,
//! blocks and vector widths decide only which elements are computed together, never in which order an
//! element is summed. So a row's result depends on no other row, on no batch size and on no thread
//! count, down to the bit; and nothing is allocated. A general library promises neither: it picks other
//! kernels, with other orders, for thin shapes, and allocates its packing buffers on every call.
//!
//! The kernel keeps a tile of C in registers, broadcasts A and streams B by rows. Where B is a transposed weight matrix it is first packed into panels of [`PANEL`] columns.
//! Where A is read by columns and does not fit into the first cache, blocks of it are packed on the
//! stack: its rows lie a power of two apart as often as not, and would push each other out.

use std::mem::MaybeUninit;

use pulp::{Simd, WithSimd};

use super::arch;
use super::threads::Threads;
use super::tile::{Destination, LeftTerms, MOST_VECTORS, RightTerms, TileRow, TileStart};

pub(crate) use super::tile::Start;

/// Columns in a packed panel: three AVX-512 vectors, and a whole number of any narrower tile.
pub(crate) const PANEL: usize = 48;

/// Rows of B that one pass goes through; C is stored and read back in between, which is exact.
const DEPTH: usize = 512;

/// Rows of B that one pass goes through where A is packed, and rows of A packed at once.
const PACKED_DEPTH: usize = 128;
const PACKED_ROWS: usize = 32;

/// Floats of A that stay in the first cache as they lie.
const FITS_FIRST_CACHE: usize = 1 << 12;

/// The left factor `[m, k]`.
#[derive(Clone, Copy)]
pub(crate) enum Left<'a> {
    /// Row-major, rows of `k`.
    Rows(&'a [f32]),
    /// The transpose of a row-major matrix `[k, width]`: row i is its column `first + i`.
    Columns { data: &'a [f32], width: usize, first: usize },
}

/// The right factor `[k, n]`.
#[derive(Clone, Copy)]
pub(crate) enum Right<'a> {
    /// Row-major, rows of `n`.
    Rows(&'a [f32]),
    /// Packed by [`pack_transposed`].
    Panels(&'a [f32]),
}

/// The shape of a product: `[m, k] x [k, n] -> [m, n]`.
#[derive(Clone, Copy)]
pub(crate) struct Shape {
    pub m: usize,
    pub n: usize,
    pub k: usize,
}

/// Floats that [`pack_transposed`] writes for a weight `[n, k]`.
pub(crate) fn packed_len(n: usize, k: usize) -> usize {
    n.div_ceil(PANEL) * PANEL * k
}

/// Packs the transpose of `weight`, row-major `[n, k]`, into panels `[k, PANEL]`, the last one filled
/// up with zeros.
pub(crate) fn pack_transposed(weight: &[f32], k: usize, packed: &mut [f32], threads: &Threads) {
    // A block of k keeps the part of the panel being scattered to within the first cache.
    const BLOCK: usize = 64;
    let n = weight.len() / k;
    assert_eq!(packed.len(), packed_len(n, k));
    let panels_per_task = if weight.len() < 1 << 15 { n.div_ceil(PANEL) } else { 1 };
    threads.chunks(packed, panels_per_task * PANEL * k, |task, panels| {
        for (p, panel) in panels.chunks_exact_mut(PANEL * k).enumerate() {
            let first = (task * panels_per_task + p) * PANEL;
            let columns = PANEL.min(n - first);
            if columns < PANEL {
                panel.fill(0.0);
            }
            for (b, block) in panel.chunks_mut(PANEL * BLOCK).enumerate() {
                for j in 0..columns {
                    let from = (first + j) * k + b * BLOCK;
                    let row = &weight[from..from + block.len() / PANEL];
                    for (to, &w) in block.iter_mut().skip(j).step_by(PANEL).zip(row) {
                        *to = w;
                    }
                }
            }
        }
    });
}

/// Writes the product of `a` and `b` to `c`, row-major `[m, n]`.
pub(crate) fn multiply(shape: Shape, a: Left<'_>, b: Right<'_>, start: Start<'_>, c: &mut [f32]) {
    let Shape { m, n, k } = shape;
    assert_eq!(c.len(), m * n);
    match a {
        Left::Rows(data) => assert!(data.len() >= m * k),
        Left::Columns { data, width, first } => {
            assert!(first + m <= width && data.len() >= k * width);
        }
    }
    match b {
        Right::Rows(data) => assert!(data.len() >= k * n),
        Right::Panels(data) => assert_eq!(data.len(), packed_len(n, k)),
    }
    if let Start::Bias(bias) = start {
        assert_eq!(bias.len(), n);
    }
    arch::best().dispatch(Product { shape, a, b, start, c });
}

struct Product<'a> {
    shape: Shape,
    a: Left<'a>,
    b: Right<'a>,
    start: Start<'a>,
    c: &'a mut [f32],
}

/// A matrix in memory: the address of its first element and two strides.
#[derive(Clone, Copy)]
struct View {
    data: *const f32,
    row: usize,
    column: usize,
}

impl WithSimd for Product<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Shape { m, n, k } = self.shape;
        let tile_columns = MOST_VECTORS * S::F32_LANES;
        let tile_rows = tile_rows::<S>();
        let c = self.c.as_mut_ptr();
        if k == 0 {
            // An empty sum is its start; no layer has zero inputs, so the bias is never asked for.
            if let Start::Zero = self.start {
                self.c.fill(0.0);
            }
            return;
        }
        let is_packed = matches!(self.a, Left::Columns { width, .. } if width * k > FITS_FIRST_CACHE);
        let (max_depth, max_rows) = if is_packed { (PACKED_DEPTH, PACKED_ROWS) } else { (DEPTH, m) };
        let mut room = [MaybeUninit::<f32>::uninit(); PACKED_DEPTH * PACKED_ROWS];
        for depth in (0..k).step_by(max_depth) {
            let block = max_depth.min(k - depth);
            for i in (0..m).step_by(max_rows) {
                let rows = max_rows.min(m - i);
                let (a, a_next) = match self.a {
                    Left::Rows(data) => (View { data: data[i * k + depth..].as_ptr(), row: k, column: 1 }, k),
                    Left::Columns { data, width, first } => {
                        let data = &data[depth * width + first + i..];
                        if is_packed {
                            let room = &mut room[..block * rows.next_multiple_of(tile_rows)];
                            pack_columns(data, width, rows, tile_rows, room);
                            (View { data: room.as_ptr().cast(), row: 1, column: tile_rows }, block)
                        } else {
                            (View { data: data.as_ptr(), row: 1, column: width }, 1)
                        }
                    }
                };
                for j in (0..n).step_by(tile_columns) {
                    let columns = tile_columns.min(n - j);
                    let b = match self.b {
                        Right::Rows(data) => View { data: data[depth * n + j..].as_ptr(), row: n, column: 1 },
                        Right::Panels(data) => View {
                            data: data[j / PANEL * PANEL * k + depth * PANEL + j % PANEL..].as_ptr(),
                            row: PANEL,
                            column: 1,
                        },
                    };
                    let start = match self.start {
                        _ if depth > 0 => TileStart::Destination,
                        start => start.tile(j),
                    };
                    // SAFETY: `multiply` checked that A holds m x k, B k x n and C m x n elements; the strip
                    // covers rows i .. i + rows <= m, columns j .. j + columns <= n and k-rows
                    // depth .. depth + block <= k.
                    unsafe {
                        let c = c.add(i * n + j);
                        let strip = Strip { a, a_next, b, start, c, c_row: n, rows, columns, depth: block };
                        match columns.div_ceil(S::F32_LANES) {
                            1 => strip.run::<S, 1>(simd),
                            2 => strip.run::<S, 2>(simd),
                            _ => strip.run::<S, 3>(simd),
                        }
                    }
                }
            }
        }
    }
}

/// Rows of C that a tile holds in registers.
#[inline(always)]
const fn tile_rows<S: Simd>() -> usize {
    if S::F32_LANES >= 16 { 8 } else { 4 }
}

/// Copies the first `columns` columns of a row-major matrix to `room`, tile by tile of `tile` columns,
/// each `[depth, tile]`.
#[inline(always)]
fn pack_columns(data: &[f32], width: usize, columns: usize, tile: usize, room: &mut [MaybeUninit<f32>]) {
    let depth = room.len() / columns.next_multiple_of(tile);
    for l in 0..depth {
        let tiles = data[l * width..][..columns].chunks_exact(tile);
        let last = tiles.remainder();
        for (t, from) in tiles.enumerate() {
            room[(t * depth + l) * tile..][..tile].write_copy_of_slice(from);
        }
        if !last.is_empty() {
            room[(columns / tile * depth + l) * tile..][..last.len()].write_copy_of_slice(last);
        }
    }
}

/// All rows of C, a few columns wide.
#[derive(Clone, Copy)]
struct Strip {
    a: View,
    /// Distance of the tiles' first rows in A, a row.
    a_next: usize,
    b: View,
    start: TileStart,
    c: *mut f32,
    c_row: usize,
    rows: usize,
    columns: usize,
    depth: usize,
}

impl Strip {
    /// Goes down the rows, as many at once as the registers hold.
    ///
    /// # Safety
    ///
    /// A must hold `rows x depth`, B `depth x columns` and C `rows x columns` elements, and `columns`
    /// must lie in (V - 1, V] vectors.
    #[inline(always)]
    unsafe fn run<S: Simd, const V: usize>(self, simd: S) {
        let mut i = 0;
        while i < self.rows {
            let rows = tile_rows::<S>().min(self.rows - i);
            let tile = Strip {
                a: View { data: self.a.data.wrapping_add(i * self.a_next), ..self.a },
                c: self.c.wrapping_add(i * self.c_row),
                ..self
            };
            // SAFETY: rows i .. i + rows lie within the strip.
            unsafe {
                match rows {
                    1 => tile.tile::<S, 1, V>(simd),
                    2 => tile.tile::<S, 2, V>(simd),
                    3 => tile.tile::<S, 3, V>(simd),
                    4 => tile.tile::<S, 4, V>(simd),
                    5 => tile.tile::<S, 5, V>(simd),
                    6 => tile.tile::<S, 6, V>(simd),
                    7 => tile.tile::<S, 7, V>(simd),
                    _ => tile.tile::<S, 8, V>(simd),
                }
            }
            i += rows;
        }
    }

    /// Computes the first `R` rows.
    ///
    /// # Safety
    ///
    /// As for [`Strip::run`], with R rows.
    #[inline(always)]
    unsafe fn tile<S: Simd, const R: usize, const V: usize>(self, simd: S) {
        let Strip { a, b, start, depth, columns, .. } = self;
        let destination = Destination { data: self.c, row: self.c_row };
        let row = TileRow::<S, V>::new(simd, columns);
        let mut sums = [[simd.splat_f32s(0.0); V]; R];
        // SAFETY: as for this function.
        unsafe {
            row.begin(&mut sums, start, destination);
            let left = LeftTerms { data: a.data, row: a.row, step: a.column };
            row.add(&mut sums, depth, left, RightTerms { data: b.data, step: b.row });
            row.store(&sums, destination);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::arch::through_every_width;
    use crate::kernels::tile::values;

    /// The definition: one chain of fused multiply-adds an element.
    fn reference(shape: Shape, a: &[f32], b: &[f32], bias: &[f32]) -> Vec<f32> {
        let Shape { m, n, k } = shape;
        let mut c = vec![0.0; m * n];
        for i in 0..m {
            for j in 0..n {
                c[i * n + j] = (0..k).fold(bias[j], |sum, l| a[i * k + l].mul_add(b[l * n + j], sum));
            }
        }
        c
    }

    fn transpose(x: &[f32], columns: usize) -> Vec<f32> {
        let rows = x.len() / columns;
        (0..x.len()).map(|i| x[i % rows * columns + i / rows]).collect()
    }

    #[test]
    fn every_form_of_product_is_the_definition_to_the_bit() {
        let shapes = [
            (1, 1, 1),
            (3, 5, 2),
            (8, 48, 7),
            (9, 49, 64),
            (17, 100, 513),
            (2, 16, 1555),
            (33, 1, 1100),
            (70, 52, 300),
        ];
        for (m, n, k) in shapes {
            let shape = Shape { m, n, k };
            let (a, b, bias) = (values(m * k, 1), values(k * n, 2), values(n, 3));
            let want = reference(shape, &a, &b, &bias);
            let mut c = vec![f32::NAN; m * n];
            through_every_width(|| {
                c.fill(f32::NAN);
                multiply(shape, Left::Rows(&a), Right::Rows(&b), Start::Bias(&bias), &mut c);
                assert_eq!(c, want, "rows by rows {m} {n} {k}");
            });

            let mut packed = vec![f32::NAN; packed_len(n, k)];
            pack_transposed(&transpose(&b, n), k, &mut packed, &Threads::serial());
            through_every_width(|| {
                c.fill(f32::NAN);
                multiply(shape, Left::Rows(&a), Right::Panels(&packed), Start::Bias(&bias), &mut c);
                assert_eq!(c, want, "rows by panels {m} {n} {k}");
            });

            let a_columns = transpose(&a, k);
            let left = Left::Columns { data: &a_columns, width: m, first: 0 };
            let want = reference(shape, &a, &b, &vec![0.0; n]);
            through_every_width(|| {
                multiply(shape, left, Right::Rows(&b), Start::Zero, &mut c);
                assert_eq!(c, want, "columns by rows {m} {n} {k}");
            });

            // The chain may be parted anywhere.
            let (before, after) = (k / 3, k - k / 3);
            let part =
                |first: usize, k: usize| Left::Columns { data: &a_columns[first * m..][..k * m], width: m, first: 0 };
            multiply(Shape { m, n, k: before }, part(0, before), Right::Rows(&b), Start::Zero, &mut c);
            let rest = Right::Rows(&b[before * n..]);
            multiply(Shape { m, n, k: after }, part(before, after), rest, Start::Destination, &mut c);
            assert_eq!(c, want, "in two parts {m} {n} {k}");
        }
    }
}
