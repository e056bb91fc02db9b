//! Windows times very few kernels: a dot product each, along the window.
//!
//! Where a convolution has one or a few output channels, they cannot fill a vector; the window can. A
//! result is start + the sum of [`LANES`] partial sums, each a chain over the runs of the window in order,
//! added by halving. Lanes are a property of the algorithm and not of the processor: where vectors are
//! narrower, several of them hold the lanes. Windows are only computed side by side, so each is the same
//! wherever it stands.

use pulp::{MemMask, Simd, WithSimd};

use super::arch;
use super::contraction::BroadcastFactor;
use super::tile::Start;

/// Partial sums of a result, as many as the widest vectors have lanes.
const LANES: usize = 16;

/// Dot products of windows with kernels.
#[derive(Clone, Copy)]
pub(crate) struct Dots<'a> {
    pub blocks: usize,
    /// Windows of a block.
    pub rows: usize,
    /// Results of a window.
    pub kernels: usize,
    /// The terms of a window, as three nested loops; the last runs over neighbours.
    pub depth: [usize; 3],
    /// The windows; the last step is 1.
    pub windows: BroadcastFactor<'a>,
    /// `[kernels, terms]`.
    pub weights: &'a [f32],
    /// Zero or a bias a kernel.
    pub start: Start<'a>,
    /// From a block of results to the next.
    pub to_block: usize,
    /// From a window's results to the next window's.
    pub to_row: usize,
}

impl Dots<'_> {
    /// Writes the results to `c`.
    pub(crate) fn run(self, c: &mut [f32]) {
        let Self { blocks, rows, kernels, depth, windows, .. } = self;
        let [p, q, s] = depth;
        if blocks * rows * kernels == 0 {
            return;
        }
        assert!(p * q * s > 0 && windows.steps[2] == 1, "a window has terms, side by side");
        let furthest = (blocks - 1) * windows.block
            + (rows - 1) * windows.row
            + (p - 1) * windows.steps[0]
            + (q - 1) * windows.steps[1]
            + (s - 1);
        assert!(windows.data.len() > furthest);
        assert!(self.weights.len() >= kernels * p * q * s);
        arch::best().dispatch(DotsKernel { what: self, c });
    }
}

struct DotsKernel<'a> {
    what: Dots<'a>,
    c: &'a mut [f32],
}

impl WithSimd for DotsKernel<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        match LANES / S::F32_LANES {
            1 => self.dots::<S, 1>(simd),
            2 => self.dots::<S, 2>(simd),
            4 => self.dots::<S, 4>(simd),
            16 => self.dots::<S, 16>(simd),
            _ => unreachable!("vectors have 1, 4, 8 or 16 lanes"),
        }
    }
}

impl DotsKernel<'_> {
    /// The results, with the lanes in V vectors.
    #[inline(always)]
    fn dots<S: Simd, const V: usize>(self, simd: S) {
        const SIDE_BY_SIDE: usize = 4;
        let Self { what, c } = self;
        let [p, q, s] = what.depth;
        for kernel in 0..what.kernels {
            let start = match what.start {
                Start::Bias(bias) => bias[kernel],
                Start::Zero => 0.0,
                Start::Destination => unreachable!("dot products do not start from the destination"),
            };
            let weights = &what.weights[kernel * p * q * s..][..p * q * s];
            for block in 0..what.blocks {
                let mut row = 0;
                while row < what.rows {
                    let from = what.windows.data.as_ptr().wrapping_add(block * what.windows.block);
                    let from = from.wrapping_add(row * what.windows.row);
                    let to = &mut c[block * what.to_block + row * what.to_row + kernel..];
                    // SAFETY: `Dots::run` checked the furthest term of the last window; these are
                    // windows row .. row + R of a block.
                    unsafe {
                        if row + SIDE_BY_SIDE <= what.rows {
                            let sums = sums::<S, SIDE_BY_SIDE, V>(simd, &what, from, weights);
                            for (sum, to) in sums.into_iter().zip(to.iter_mut().step_by(what.to_row)) {
                                *to = start + sum;
                            }
                            row += SIDE_BY_SIDE;
                        } else {
                            let [sum] = sums::<S, 1, V>(simd, &what, from, weights);
                            to[0] = start + sum;
                            row += 1;
                        }
                    }
                }
            }
        }
    }
}

/// The dot products of `R` windows with one kernel, with the lanes in `V` vectors.
///
/// # Safety
///
/// `from` must reach all terms of R windows.
#[inline(always)]
unsafe fn sums<S: Simd, const R: usize, const V: usize>(
    simd: S,
    what: &Dots<'_>,
    from: *const f32,
    weights: &[f32],
) -> [f32; R] {
    let lanes = S::F32_LANES;
    let [p, q, s] = what.depth;
    let mut lane_sums = [[simd.splat_f32s(0.0); V]; R];
    let (whole, tail) = (s / LANES * LANES, s % LANES);
    let masks: [MemMask<S::m32s>; V] = std::array::from_fn(|v| {
        let there = tail.saturating_sub(v * lanes).min(lanes);
        MemMask::new(simd.mask_between_m32s(0, there as u32).mask())
    });
    for i in 0..p {
        for j in 0..q {
            let from = from.wrapping_add(i * what.windows.steps[0] + j * what.windows.steps[1]);
            let weights = &weights[(i * q + j) * s..][..s];
            let mut at = 0;
            while at < whole {
                for v in 0..V {
                    let at = at + v * lanes;
                    // SAFETY: a whole vector within the run, of the weights as of the windows.
                    unsafe {
                        let weight = weights.as_ptr().add(at).cast::<S::f32s>().read_unaligned();
                        for (r, sums) in lane_sums.iter_mut().enumerate() {
                            let x = from.wrapping_add(r * what.windows.row + at).cast::<S::f32s>().read_unaligned();
                            sums[v] = simd.mul_add_f32s(x, weight, sums[v]);
                        }
                    }
                }
                at += LANES;
            }
            if tail > 0 {
                // Lanes past the end add zero times zero, on every width, so that even the signs of zeros agree.
                for v in 0..V {
                    let at = whole + v * lanes;
                    // SAFETY: the masks end with the run.
                    unsafe {
                        let weight = simd.mask_load_ptr_f32s(masks[v], weights.as_ptr().wrapping_add(at));
                        for (r, sums) in lane_sums.iter_mut().enumerate() {
                            let from = from.wrapping_add(r * what.windows.row + at);
                            let x = simd.mask_load_ptr_f32s(masks[v], from);
                            sums[v] = simd.mul_add_f32s(x, weight, sums[v]);
                        }
                    }
                }
            }
        }
    }
    lane_sums.map(|sums| fold(simd, sums))
}

/// Adds the lanes by halving: lane i and lane i + 8, then i + 4, and so on.
#[inline(always)]
fn fold<S: Simd, const V: usize>(simd: S, mut sums: [S::f32s; V]) -> f32 {
    let mut n = V;
    while n > 1 {
        n /= 2;
        for v in 0..n {
            sums[v] = simd.add_f32s(sums[v], sums[v + n]);
        }
    }
    simd.reduce_sum_f32s(sums[0])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::arch::through_every_width;
    use crate::kernels::tile::values;

    /// The definition: lane by lane, then by halving.
    fn dot(terms: impl Iterator<Item = [(f32, f32); LANES]>) -> f32 {
        let mut lanes = [0.0_f32; LANES];
        for terms in terms {
            lanes.iter_mut().zip(terms).for_each(|(lane, (x, w))| *lane = x.mul_add(w, *lane));
        }
        let mut n = LANES;
        while n > 1 {
            n /= 2;
            (0..n).for_each(|i| lanes[i] += lanes[i + n]);
        }
        lanes[0]
    }

    #[test]
    fn every_width_gives_the_definition_to_the_bit() {
        for (rows, len) in [(1, 1), (6, 5), (5, 16), (4, 21), (7, 31), (3, 100)] {
            let (data, weights) = (values(rows * 3 + 2 * len + 100, 1), values(2 * len, 2));
            let want: Vec<f32> = (0..rows)
                .map(|row| {
                    let run = |j: usize, at: usize, l: usize| match at + l < len {
                        true => (data[row * 3 + j * 70 + at + l], weights[j * len + at + l]),
                        false => (0.0, 0.0),
                    };
                    let starts = (0..2).flat_map(|j| (0..len).step_by(LANES).map(move |at| (j, at)));
                    0.25 + dot(starts.map(|(j, at)| std::array::from_fn(|l| run(j, at, l))))
                })
                .collect();
            through_every_width(|| {
                let windows = BroadcastFactor { data: &data, block: 0, row: 3, steps: [0, 70, 1] };
                let what = Dots {
                    blocks: 1,
                    rows,
                    kernels: 1,
                    depth: [1, 2, len],
                    windows,
                    weights: &weights,
                    start: Start::Bias(&[0.25]),
                    to_block: rows,
                    to_row: 1,
                };
                let mut c = vec![0.0; rows];
                what.run(&mut c);
                assert_eq!(c, want, "{rows} rows of {len}");
            });
        }
    }

    #[test]
    fn every_length_is_summed_whole() {
        // Small whole numbers, so that every order of summation is exact.
        let data: Vec<f32> = (0..400).map(|i| (i * 7 % 11) as f32).collect();
        for (rows, kernels, len) in [(1, 1, 1), (5, 2, 16), (9, 3, 37), (4, 1, 48)] {
            let weights: Vec<f32> = (0..kernels * 6 * len).map(|i| (i * 5 % 7) as f32).collect();
            let bias = [1.0, 2.0, 3.0];
            let windows = BroadcastFactor { data: &data, block: 40, row: 3, steps: [60, 11, 1] };
            let (to_row, to_block) = (kernels + 1, rows * (kernels + 1));
            let start = Start::Bias(&bias[..kernels]);
            let what = Dots {
                blocks: 2,
                rows,
                kernels,
                depth: [2, 3, len],
                windows,
                weights: &weights,
                start,
                to_block,
                to_row,
            };
            let mut c = vec![0.0; 2 * to_block];
            what.run(&mut c);
            for (block, row, kernel) in
                (0..2 * rows * kernels).map(|i| (i / kernels / rows, i / kernels % rows, i % kernels))
            {
                let terms = (0..6 * len).map(|t| {
                    let from = block * 40 + row * 3 + t / len / 3 * 60 + t / len % 3 * 11 + t % len;
                    data[from] * weights[kernel * 6 * len + t]
                });
                let want = bias[kernel] + terms.sum::<f32>();
                assert_eq!(c[block * to_block + row * to_row + kernel], want);
            }
        }
    }
}
