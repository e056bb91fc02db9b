//! Sums over a slice in a stated order: 64 lanes, then a tree over the lanes.
//!
//! Element i goes to lane i mod 64. The order is a property of the length alone, so the bits are the
//! same on every instruction set, and the lanes are what the compiler vectorises.

/// Number of partial sums.
pub(crate) const LANES: usize = 64;

/// Adds the lanes by halving: lane i and lane i + 32, then i + 16, and so on.
#[inline(always)]
pub(crate) fn fold(mut lanes: [f32; LANES]) -> f32 {
    let mut width = LANES / 2;
    while width > 0 {
        for i in 0..width {
            lanes[i] += lanes[i + width];
        }
        width /= 2;
    }
    lanes[0]
}

/// Sum of `each(x)`; call it inside [`vectorised`](super::vectorised).
#[inline(always)]
pub(crate) fn sum(values: &[f32], each: impl Fn(f32) -> f32) -> f32 {
    let mut lanes = [0.0; LANES];
    let (chunks, tail) = values.as_chunks::<LANES>();
    for chunk in chunks {
        for i in 0..LANES {
            lanes[i] += each(chunk[i]);
        }
    }
    for (lane, &x) in lanes.iter_mut().zip(tail) {
        *lane += each(x);
    }
    fold(lanes)
}

/// Sum of `each(x, y)` over two slices of one length.
#[inline(always)]
pub(crate) fn sum_of_pairs(a: &[f32], b: &[f32], each: impl Fn(f32, f32) -> f32) -> f32 {
    let mut lanes = [0.0; LANES];
    let (a_chunks, a_tail) = a.as_chunks::<LANES>();
    let (b_chunks, b_tail) = b.as_chunks::<LANES>();
    for (a, b) in a_chunks.iter().zip(b_chunks) {
        for i in 0..LANES {
            lanes[i] += each(a[i], b[i]);
        }
    }
    for (lane, (&a, &b)) in lanes.iter_mut().zip(a_tail.iter().zip(b_tail)) {
        *lane += each(a, b);
    }
    fold(lanes)
}

/// Writes `each(a, b).1` to `out` and returns the sum of `each(a, b).0`, in one pass.
#[inline(always)]
pub(crate) fn sum_and_map(a: &[f32], b: &[f32], out: &mut [f32], each: impl Fn(f32, f32) -> (f32, f32)) -> f32 {
    let mut lanes = [0.0; LANES];
    let (a_chunks, a_tail) = a.as_chunks::<LANES>();
    let (b_chunks, b_tail) = b.as_chunks::<LANES>();
    let (out_chunks, out_tail) = out.as_chunks_mut::<LANES>();
    for ((a, b), out) in a_chunks.iter().zip(b_chunks).zip(out_chunks) {
        for i in 0..LANES {
            let (value, mapped) = each(a[i], b[i]);
            lanes[i] += value;
            out[i] = mapped;
        }
    }
    for (lane, ((&a, &b), out)) in lanes.iter_mut().zip(a_tail.iter().zip(b_tail).zip(out_tail)) {
        let (value, mapped) = each(a, b);
        *lane += value;
        *out = mapped;
    }
    fold(lanes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_element_counts_once() {
        for n in [0, 1, 63, 64, 65, 200] {
            let values: Vec<f32> = (0..n).map(|i| i as f32).collect();
            let want = values.iter().sum::<f32>();
            assert_eq!(sum(&values, |x| x), want);
            assert_eq!(sum_of_pairs(&values, &values, |a, b| 2.0 * a - b), want);
            let mut doubled = vec![0.0; n];
            assert_eq!(sum_and_map(&values, &values, &mut doubled, |a, b| (a, a + b)), want);
            assert!(doubled.iter().zip(&values).all(|(d, v)| *d == 2.0 * v));
        }
    }
}
