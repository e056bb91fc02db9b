//! Weighted means over the places around a value: the Gaussian window of Wang et al. (2004), 11 values wide.
//!
//! A window of 11 by 11 is a pass down and a pass across. Either is a pass over a flat array, whose terms lie
//! a step apart: a line in the first, a pixel in the second. Where a line ends, the pass across runs on into the
//! next one; such means belong to no window, and the caller gives them no weight. In return a loop never
//! stops at the end of a line, however short. A mean is one chain of fused multiply-adds over ascending places.

use super::vectorised;

/// Values of a window, down or across.
pub(crate) const TAPS: usize = 11;

/// Steps from the first value of a window to its last.
pub(crate) const REACH: usize = TAPS - 1;

/// exp(-d^2 / (2 1.5^2)) for d = -5 ..= 5, brought to a sum of one.
const WEIGHTS: [f32; TAPS] = {
    const HALF: [f32; 6] = [0.001_028_380_1, 0.007_598_758, 0.036_000_773, 0.109_360_69, 0.213_005_54, 0.266_011_72];
    let [a, b, c, d, e, f] = HALF;
    [a, b, c, d, e, f, e, d, c, b, a]
};

/// Calls `body::<W>(at, ...)` for runs of W values that together are all; the compiler knows W.
macro_rules! by_runs {
    ($len:expr, $body:ident($($argument:expr),*)) => {
        let mut at = 0;
        while at < $len {
            at += match $len - at {
                32.. => { $body::<32>(at, $($argument),*); 32 }
                16.. => { $body::<16>(at, $($argument),*); 16 }
                8.. => { $body::<8>(at, $($argument),*); 8 }
                4.. => { $body::<4>(at, $($argument),*); 4 }
                _ => { $body::<1>(at, $($argument),*); 1 }
            };
        }
    };
}

/// W values from `at` on.
#[inline(always)]
fn run<const W: usize>(values: &[f32], at: usize) -> &[f32; W] {
    values[at..at + W].try_into().expect("W values")
}

#[inline(always)]
fn run_mut<const W: usize>(values: &mut [f32], at: usize) -> &mut [f32; W] {
    (&mut values[at..at + W]).try_into().expect("W values")
}

/// sum[i] += weight * values[i].
#[inline(always)]
fn add<const W: usize>(sum: &mut [f32; W], weight: f32, values: &[f32; W]) {
    for i in 0..W {
        sum[i] = weight.mul_add(values[i], sum[i]);
    }
}

#[inline(always)]
fn mean<const W: usize>(values: &[f32], at: usize, step: usize) -> [f32; W] {
    let mut sum = [0.0; W];
    for (k, &weight) in WEIGHTS.iter().enumerate() {
        add(&mut sum, weight, run(values, at + k * step));
    }
    sum
}

/// The means of `values`, whose terms lie `step` apart: means[i] of values[i], values[i + step], ...
pub(crate) fn means(values: &[f32], step: usize, means: &mut [f32]) {
    #[inline(always)]
    fn each<const W: usize>(at: usize, values: &[f32], step: usize, means: &mut [f32]) {
        *run_mut(means, at) = mean::<W>(values, at, step);
    }
    vectorised!({
        by_runs!(means.len(), each(values, step, means));
    });
}

/// The means of p, q, p^2 and q^2.
pub(crate) fn moments(p: &[f32], q: &[f32], step: usize, [p1, q1, p2, q2]: [&mut [f32]; 4]) {
    #[inline(always)]
    fn each<const W: usize>(at: usize, [p, q]: [&[f32]; 2], step: usize, means: [&mut [f32]; 4]) {
        let mut sums = [[0.0; W]; 4];
        for (k, &weight) in WEIGHTS.iter().enumerate() {
            let (p, q) = (run::<W>(p, at + k * step), run::<W>(q, at + k * step));
            let (mut p_squares, mut q_squares) = ([0.0; W], [0.0; W]);
            for i in 0..W {
                p_squares[i] = p[i] * p[i];
                q_squares[i] = q[i] * q[i];
            }
            add(&mut sums[0], weight, p);
            add(&mut sums[1], weight, q);
            add(&mut sums[2], weight, &p_squares);
            add(&mut sums[3], weight, &q_squares);
        }
        for (means, sums) in means.into_iter().zip(sums) {
            *run_mut(means, at) = sums;
        }
    }
    vectorised!({
        by_runs!(p1.len(), each([p, q], step, [&mut *p1, &mut *q1, &mut *p2, &mut *q2]));
    });
}

/// p = the mean of a + 2 p (the mean of b) + 2 q (the mean of c): how moments bring slopes back.
pub(crate) fn mix_means([a, b, c]: [&[f32]; 3], step: usize, p: &mut [f32], q: &[f32]) {
    #[inline(always)]
    fn each<const W: usize>(at: usize, [a, b, c]: [&[f32]; 3], step: usize, p: &mut [f32], q: &[f32]) {
        let (a, b, c) = (mean::<W>(a, at, step), mean::<W>(b, at, step), mean::<W>(c, at, step));
        let (p, q) = (run_mut::<W>(p, at), run::<W>(q, at));
        for i in 0..W {
            p[i] = 2.0_f32.mul_add(p[i].mul_add(b[i], q[i] * c[i]), a[i]);
        }
    }
    vectorised!({
        by_runs!(p.len(), each([a, b, c], step, p, q));
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exact(values: &[f32], step: usize) -> f64 {
        let weight = |k: usize| (-(k as f64 - 5.0).powi(2) / 4.5).exp();
        let total: f64 = (0..TAPS).map(weight).sum();
        (0..TAPS).map(|k| weight(k) / total * f64::from(values[k * step])).sum()
    }

    #[test]
    fn means_are_the_definition_for_any_length_and_step() {
        let near = |got: f32, want: f64| assert!((f64::from(got) - want).abs() < 1e-6, "{got} {want}");
        for (len, step) in [(1, 1), (7, 3), (67, 2), (130, 31)] {
            let value = |i: usize| ((i * i) % 19) as f32 / 19.0;
            let p: Vec<f32> = (0..len + REACH * step).map(value).collect();
            let q: Vec<f32> = p.iter().map(|x| 0.7 - x).collect();
            let squares: Vec<f32> = q.iter().map(|x| x * x).collect();
            let mut out = vec![9.0; 4 * len];
            means(&p, step, &mut out[..len]);
            (0..len).for_each(|i| near(out[i], exact(&p[i..], step)));
            let mut parts = out.chunks_exact_mut(len);
            moments(&p, &q, step, std::array::from_fn(|_| parts.next().unwrap()));
            for i in 0..len {
                near(out[i], exact(&p[i..], step));
                near(out[len + i], exact(&q[i..], step));
                near(out[3 * len + i], exact(&squares[i..], step));
            }
            let mut mixed = p[..len].to_vec();
            mix_means([&p, &q, &squares], step, &mut mixed, &q[..len]);
            for i in 0..len {
                let [a, b, c] = [&p, &q, &squares].map(|values| exact(&values[i..], step));
                near(mixed[i], a + 2.0 * (f64::from(p[i]) * b + f64::from(q[i]) * c));
            }
        }
    }
}
