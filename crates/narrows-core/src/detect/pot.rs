//! Peaks over threshold: in the limit, excesses over a high level follow a generalised Pareto distribution.
//!
//! Siffer, Fouque, Termier and Largouet 2017, "Anomaly detection in streams with extreme value theory"; the limit is
//! Pickands 1975 and Balkema and de Haan 1974. With shape `gamma` and scale `sigma`, an excess `y` over the level has
//! `P(Y > y) = (1 + gamma y / sigma)^(-1 / gamma)`.
//!
//! The likelihood is maximised by the method of Grimshaw 1993: with `x = gamma / sigma` the two equations become one,
//! `u(x) v(x) = 1` with `u` the mean of `1 / (1 + x y)` and `v` one plus the mean of `log(1 + x y)`. All its roots are
//! found by a scan over both signs of `x` and bisection; the exponential tail, `x = 0`, is always a candidate; the
//! greatest likelihood wins. If the scan finds no root, the method-of-moments estimate competes with the exponential
//! instead.

/// A generalised Pareto distribution.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Pareto {
    /// Shape: heavy tail above 0, exponential at 0, bounded below 0.
    pub(super) shape: f64,
    /// Scale, in the units of the scores.
    pub(super) scale: f64,
}

/// Scan points in each part of each side.
const SCAN: usize = 200;

impl Pareto {
    /// Fits to non-negative `excesses`; `None` with fewer than two distinct ones, or on overflow.
    pub(super) fn fit(excesses: &[f64]) -> Option<Pareto> {
        let n = excesses.len() as f64;
        let mean = excesses.iter().sum::<f64>() / n;
        let least = excesses.iter().copied().fold(f64::INFINITY, f64::min);
        let greatest = excesses.iter().copied().fold(0.0, f64::max);
        if !(mean > 0.0 && mean.is_finite() && least < greatest) {
            return None;
        }
        // In units of the mean, so that the scan is scale-invariant.
        let excesses: Vec<f64> = excesses.iter().map(|y| y / mean).collect();
        let exponential = Pareto { shape: 0.0, scale: 1.0 };
        let mut candidates = roots(&excesses, greatest / mean);
        if candidates.is_empty() {
            candidates.extend(moments(&excesses));
        }
        let likely = |pareto: &Pareto| pareto.log_likelihood(&excesses);
        let best = candidates
            .into_iter()
            .fold(exponential, |best, next| if likely(&next) > likely(&best) { next } else { best });
        Some(Pareto { shape: best.shape, scale: best.scale * mean })
    }

    /// The excess exceeded with probability `p`.
    pub(super) fn exceeded_with(&self, p: f64) -> f64 {
        // expm1 is accurate for shapes near 0.
        if self.shape == 0.0 { -self.scale * p.ln() } else { self.scale * (-self.shape * p.ln()).exp_m1() / self.shape }
    }

    fn log_likelihood(&self, excesses: &[f64]) -> f64 {
        let n = excesses.len() as f64;
        let (shape, scale) = (self.shape, self.scale);
        if shape == 0.0 {
            return -n * scale.ln() - excesses.iter().sum::<f64>() / scale;
        }
        let logs: f64 = excesses.iter().map(|y| (shape * y / scale).ln_1p()).sum();
        let likelihood = -n * scale.ln() - (1.0 + 1.0 / shape) * logs;
        if likelihood.is_nan() { f64::NEG_INFINITY } else { likelihood }
    }
}

/// The fits at the roots of Grimshaw's equation, for excesses of mean 1.
fn roots(excesses: &[f64], greatest: f64) -> Vec<Pareto> {
    let n = excesses.len() as f64;
    let shape_at = |x: f64| excesses.iter().map(|y| (x * y).ln_1p()).sum::<f64>() / n;
    let equation = |x: f64| {
        let u = excesses.iter().map(|y| 1.0 / (1.0 + x * y)).sum::<f64>() / n;
        u * (1.0 + shape_at(x)) - 1.0
    };
    // From 1e-4 to 1 as shares of the end of the side: near 0 the equation vanishes for every x, so closer roots are the
    // exponential tail.
    let rising = |from: f64, to: f64| (0..=SCAN).map(move |i| from * (to / from).powf(i as f64 / SCAN as f64));
    let below: Vec<f64> = rising(1e-4, 0.5)
        .map(|share| -share / greatest)
        .chain(rising(1e-9, 0.5).collect::<Vec<_>>().into_iter().rev().map(|rest| -(1.0 - rest) / greatest))
        .collect();
    let above: Vec<f64> = rising(1e-4, 1e6).collect();
    let mut found = Vec::new();
    for side in [below, above] {
        for pair in side.windows(2) {
            let (mut a, mut b) = (pair[0], pair[1]);
            let at_a = equation(a);
            if at_a * equation(b) >= 0.0 {
                continue;
            }
            for _ in 0..80 {
                let middle = 0.5 * (a + b);
                if equation(middle) * at_a > 0.0 { a = middle } else { b = middle }
            }
            let x = 0.5 * (a + b);
            let shape = shape_at(x);
            // Below -1 the likelihood is unbounded towards the greatest excess.
            if shape > -1.0 && shape != 0.0 {
                found.push(Pareto { shape, scale: shape / x });
            }
        }
    }
    found
}

/// The method-of-moments estimate for excesses of mean 1, if its support contains all of them.
fn moments(excesses: &[f64]) -> Option<Pareto> {
    let n = excesses.len() as f64;
    let variance = excesses.iter().map(|y| (y - 1.0).powi(2)).sum::<f64>() / (n - 1.0);
    let pareto = Pareto { shape: 0.5 * (1.0 - 1.0 / variance), scale: 0.5 * (1.0 / variance + 1.0) };
    let allowed = excesses.iter().all(|y| 1.0 + pareto.shape * y / pareto.scale > 0.0);
    (allowed && pareto.shape != 0.0).then_some(pareto)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::baseline::golden::{check_near, golden};
    use crate::baseline::random::Stream;

    #[test]
    fn fits_are_those_of_scipy_or_likelier() {
        for golden in golden("paretos") {
            let excesses = golden.numbers("excesses");
            let pareto = Pareto::fit(&excesses).unwrap();
            let likelihood = pareto.log_likelihood(&excesses);
            assert!(likelihood > golden.number("log_likelihood") - 1e-6, "{pareto:?} {likelihood}");
            // SciPy's optimiser stops at about 1e-4.
            check_near(&[pareto.shape], &[golden.number("shape")], 1e-3);
            check_near(&[pareto.scale / golden.number("scale")], &[1.0], 1e-3);
            check_near(&[pareto.exceeded_with(0.001) / golden.number("exceeded_with_0.001")], &[1.0], 5e-3);
        }
    }

    #[test]
    fn the_tail_is_found_again_in_many_drawn_rows() {
        for (key, shape) in [-0.4, -0.1, 0.0, 0.2, 0.7].into_iter().enumerate() {
            let drawn = Pareto { shape, scale: 3.0 };
            let mut stream = Stream::new(5, key as u64);
            let excesses: Vec<f64> = (0..20_000).map(|_| drawn.exceeded_with(1.0 - stream.uniform())).collect();
            let fitted = Pareto::fit(&excesses).unwrap();
            // Four standard errors: (1 + shape) / sqrt(n).
            assert!((fitted.shape - shape).abs() < 4.0 * (1.0 + shape) / 20_000_f64.sqrt(), "{fitted:?}");
        }
    }

    #[test]
    fn the_unit_of_the_scores_does_not_matter() {
        let excesses = golden("paretos")[0].numbers("excesses");
        let one = Pareto::fit(&excesses).unwrap();
        for unit in [1e-12, 1e12] {
            let scaled = Pareto::fit(&excesses.iter().map(|y| y * unit).collect::<Vec<_>>()).unwrap();
            check_near(&[scaled.shape, scaled.scale / unit], &[one.shape, one.scale], 1e-9);
        }
    }

    #[test]
    fn an_exponential_tail_is_the_limit_of_the_others() {
        let at = |shape| Pareto { shape, scale: 2.0 }.exceeded_with(1e-3);
        check_near(&[at(1e-9), at(-1e-9)], &[at(0.0), at(0.0)], 1e-7);
    }

    #[test]
    fn excesses_without_spread_have_no_tail() {
        for excesses in [&[][..], &[1.0], &[2.0, 2.0], &[0.0, 0.0], &[f64::INFINITY, 1.0]] {
            assert_eq!(Pareto::fit(excesses), None);
        }
        assert!(Pareto::fit(&[1.0, 1.0, 1.0, 2.0]).is_some());
    }

    #[test]
    fn moments_are_used_only_where_they_allow_for_all_excesses() {
        let fit = moments(&[0.2, 0.5, 1.0, 2.3]).unwrap();
        let mean = fit.scale / (1.0 - fit.shape);
        check_near(&[mean], &[1.0], 1e-12);
        assert_eq!(moments(&[0.8, 0.9, 0.95, 1.35]), None);
    }
}
