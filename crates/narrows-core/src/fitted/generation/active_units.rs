//! Active units of a code: those whose value varies between samples.

use narrows_engine::Latent;

/// A unit of a Gaussian code is active if the variance of its mean over samples exceeds this, in units of the prior's
/// variance (Burda, Grosse and Salakhutdinov 2016, "Importance weighted autoencoders", section 5.2).
const OF_PRIOR: f64 = 0.01;
/// In a code rounded to integers, a unit whose variance is below that of the rounding error is lost.
const OF_ROUNDING: f64 = 1.0 / 12.0;
/// A point code has no scale of its own: a unit is active if its variance exceeds this share of the largest.
const OF_STRONGEST: f64 = 0.01;

/// Whether each of the `k` units of `codes` `[n, k]` is active; for a Gaussian latent, codes are means.
pub(super) fn active_units(latent: Latent, codes: &[f32], k: usize) -> Vec<bool> {
    let variances: Vec<f64> = (0..k).map(|unit| variance(codes.iter().skip(unit).step_by(k))).collect();
    let limit = match latent {
        Latent::Gaussian => OF_PRIOR,
        Latent::Quantised => OF_ROUNDING,
        Latent::Point => OF_STRONGEST * variances.iter().copied().fold(0.0, f64::max),
    };
    variances.into_iter().map(|variance| variance > limit).collect()
}

fn variance<'a>(values: impl Iterator<Item = &'a f32> + Clone) -> f64 {
    let n = values.clone().count().max(1) as f64;
    let mean = values.clone().map(|x| f64::from(*x)).sum::<f64>() / n;
    values.map(|x| (f64::from(*x) - mean).powi(2)).sum::<f64>() / n
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_that_never_change_are_not_active() {
        // Units of variance 1, 0.005 and 0.
        let codes: Vec<f32> =
            (0..100).flat_map(|i| [if i % 2 == 0 { 1.0 } else { -1.0 }, 0.0707 * (-1.0_f32).powi(i), 3.0]).collect();
        assert_eq!(active_units(Latent::Point, &codes, 3), [true, false, false]);
        assert_eq!(active_units(Latent::Gaussian, &codes, 3), [true, false, false]);
        // Activity in a point code is scale-invariant; a Gaussian one is compared with its prior.
        let small: Vec<f32> = codes.iter().map(|x| 0.05 * x).collect();
        assert_eq!(active_units(Latent::Point, &small, 3), [true, false, false]);
        assert_eq!(active_units(Latent::Gaussian, &small, 3), [false; 3]);
    }

    #[test]
    fn a_code_that_says_nothing_has_no_active_unit() {
        assert_eq!(active_units(Latent::Point, &[2.0; 12], 3), [false; 3]);
        assert_eq!(active_units(Latent::Point, &[], 3), [false; 3]);
    }
}
