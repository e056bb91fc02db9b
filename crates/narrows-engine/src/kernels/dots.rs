//! Windows times very few kernels: a dot product each, along the window.
//!
//! Where a convolution has one or a few output channels, they cannot fill a vector; the window can. A
//! result is start + the sum of one partial sum a lane, each a chain over the runs of the window in
//! order; windows are only computed side by side, so each is the same wherever it stands.

use pulp::{Arch, MemMask, Simd, WithSimd};

use super::contraction::BroadcastFactor;
use super::tile::Start;

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
        Arch::new().dispatch(DotsKernel { what: self, c });
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
                            let sums = sums::<S, SIDE_BY_SIDE>(simd, &what, from, weights);
                            for (sum, to) in sums.into_iter().zip(to.iter_mut().step_by(what.to_row)) {
                                *to = start + sum;
                            }
                            row += SIDE_BY_SIDE;
                        } else {
                            let [sum] = sums::<S, 1>(simd, &what, from, weights);
                            to[0] = start + sum;
                            row += 1;
                        }
                    }
                }
            }
        }
    }
}

/// The dot products of `R` windows with one kernel.
///
/// # Safety
///
/// `from` must reach all terms of R windows.
#[inline(always)]
unsafe fn sums<S: Simd, const R: usize>(simd: S, what: &Dots<'_>, from: *const f32, weights: &[f32]) -> [f32; R] {
    let lanes = S::F32_LANES;
    let [p, q, s] = what.depth;
    let mut lane_sums = [simd.splat_f32s(0.0); R];
    let (whole, tail) = (s / lanes * lanes, s % lanes);
    let mask = MemMask::new(simd.mask_between_m32s(0, tail as u32).mask());
    for i in 0..p {
        for j in 0..q {
            let from = from.wrapping_add(i * what.windows.steps[0] + j * what.windows.steps[1]);
            let weights = &weights[(i * q + j) * s..][..s];
            let mut at = 0;
            while at < whole {
                // SAFETY: a whole vector within the run, of the weights as of the windows.
                unsafe {
                    let weight = weights.as_ptr().add(at).cast::<S::f32s>().read_unaligned();
                    for (r, sum) in lane_sums.iter_mut().enumerate() {
                        let x = from.wrapping_add(r * what.windows.row + at).cast::<S::f32s>().read_unaligned();
                        *sum = simd.mul_add_f32s(x, weight, *sum);
                    }
                }
                at += lanes;
            }
            if tail > 0 {
                // SAFETY: the mask ends with the run.
                unsafe {
                    let weight = simd.mask_load_ptr_f32s(mask, weights.as_ptr().add(whole));
                    for (r, sum) in lane_sums.iter_mut().enumerate() {
                        let from = from.wrapping_add(r * what.windows.row + whole);
                        let x = simd.mask_load_ptr_f32s(mask, from);
                        *sum = simd.mul_add_f32s(x, weight, *sum);
                    }
                }
            }
        }
    }
    let mut sums = [0.0; R];
    for (sum, lanes) in sums.iter_mut().zip(lane_sums) {
        *sum = simd.reduce_sum_f32s(lanes);
    }
    sums
}

#[cfg(test)]
mod tests {
    use super::*;

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
