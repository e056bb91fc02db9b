//! New rows like the old: codes drawn from what codes look like, decoded.
//!
//! A gaussian latent has its prior, the standard normal. For a point latent a normal distribution is fitted to the
//! codes of training rows, and each unit stays within the range it had there. The units of a very wide code, such as a
//! map, are drawn each by itself: their covariance would be larger than the model.

use narrows_engine::Threads;
use narrows_engine::rng::{Purpose, Stream};

use super::Fitted;
use crate::data::Table;
use crate::error::Result;

/// What codes look like.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum CodeDensity {
    /// The standard normal distribution, the prior of a gaussian latent.
    Standard,
    /// A normal distribution fitted to training codes.
    Normal {
        /// `[k]`
        mean: Vec<f32>,
        /// Lower triangle of the covariance's root, `[k, k]`, row-major.
        factor: Vec<f32>,
        /// `[k]`
        lowest: Vec<f32>,
        /// `[k]`
        highest: Vec<f32>,
    },
    /// A normal distribution of each unit by itself.
    Independent {
        /// `[k]`
        mean: Vec<f32>,
        /// Standard deviations, `[k]`.
        spread: Vec<f32>,
        /// `[k]`
        lowest: Vec<f32>,
        /// `[k]`
        highest: Vec<f32>,
    },
}

/// The widest code whose units are drawn together.
const WIDEST_TOGETHER: usize = 512;

impl CodeDensity {
    /// Fits a normal distribution to codes `[n, k]`.
    pub(super) fn normal(codes: &[f32], k: usize) -> CodeDensity {
        let n = (codes.len() / k).max(1) as f64;
        let rows = || codes.chunks_exact(k);
        let mut mean = vec![0.0_f64; k];
        rows().for_each(|code| mean.iter_mut().zip(code).for_each(|(m, c)| *m += f64::from(*c) / n));
        let fold = |start: f32, pick: fn(f32, f32) -> f32| {
            rows().fold(vec![start; k], |mut best, code| {
                best.iter_mut().zip(code).for_each(|(b, c)| *b = pick(*b, *c));
                best
            })
        };
        let (lowest, highest) = (fold(f32::INFINITY, f32::min), fold(f32::NEG_INFINITY, f32::max));
        let single = |mean: &[f64]| mean.iter().map(|m| *m as f32).collect();
        if k > WIDEST_TOGETHER {
            let mut variance = vec![0.0_f64; k];
            let deviations = |code: &[f32], variance: &mut [f64]| {
                let pairs = variance.iter_mut().zip(code).zip(&mean);
                pairs.for_each(|((v, c), m)| *v += (f64::from(*c) - m).powi(2) / n);
            };
            rows().for_each(|code| deviations(code, &mut variance));
            let spread = variance.iter().map(|v| v.sqrt() as f32).collect();
            return CodeDensity::Independent { mean: single(&mean), spread, lowest, highest };
        }
        let mut covariance = vec![0.0_f64; k * k];
        let mut centred = vec![0.0_f64; k];
        for code in rows() {
            centred.iter_mut().zip(code).zip(&mean).for_each(|((d, c), m)| *d = f64::from(*c) - m);
            for i in 0..k {
                let di = centred[i] / n;
                covariance[i * k..=i * k + i].iter_mut().zip(&centred).for_each(|(v, d)| *v += di * d);
            }
        }
        CodeDensity::Normal { mean: single(&mean), factor: root(&covariance, k), lowest, highest }
    }

    /// One code, written over `code`.
    fn sample(&self, stream: &mut Stream, noise: &mut [f32], code: &mut [f32]) {
        stream.fill_normal(noise);
        match self {
            CodeDensity::Standard => code.copy_from_slice(noise),
            CodeDensity::Independent { mean, spread, lowest, highest } => {
                for (i, code) in code.iter_mut().enumerate() {
                    *code = (mean[i] + spread[i] * noise[i]).clamp(lowest[i], highest[i]);
                }
            }
            CodeDensity::Normal { mean, factor, lowest, highest } => {
                let k = mean.len();
                for i in 0..k {
                    let drawn: f32 = factor[i * k..=i * k + i].iter().zip(&*noise).map(|(f, e)| f * e).sum();
                    code[i] = (mean[i] + drawn).clamp(lowest[i], highest[i]);
                }
            }
        }
    }
}

/// The Cholesky factor of a covariance that may be singular: a unit without variance of its own adds none.
fn root(covariance: &[f64], k: usize) -> Vec<f32> {
    let mut factor = vec![0.0_f64; k * k];
    for i in 0..k {
        for j in 0..=i {
            let dot: f64 = (0..j).map(|m| factor[i * k + m] * factor[j * k + m]).sum();
            let rest = covariance[i * k + j] - dot;
            factor[i * k + j] = if i == j {
                rest.max(0.0).sqrt()
            } else if factor[j * k + j] > 1e-9 {
                rest / factor[j * k + j]
            } else {
                0.0
            };
        }
    }
    factor.iter().map(|f| *f as f32).collect()
}

/// Code number `i` of the endless sequence that `seed` names.
pub(super) fn code_at(density: &CodeDensity, k: usize, seed: u64, i: u64) -> Vec<f32> {
    let (mut noise, mut code) = (vec![0.0; k], vec![0.0; k]);
    density.sample(&mut Stream::new(seed, Purpose::Sample, 0, i), &mut noise, &mut code);
    code
}

impl Fitted {
    /// Rows `first..first + n` of an endless sequence of new rows that `seed` names; so a million rows stream, and
    /// come out the same in one piece or in many.
    ///
    /// # Errors
    /// Where the decoded values cannot be brought back to columns.
    pub fn generate(&self, n: usize, first: u64, seed: u64, threads: &Threads) -> Result<Table> {
        let k = self.code_size();
        let codes: Vec<f32> = (0..n as u64).flat_map(|i| code_at(&self.density, k, seed, first + i)).collect();
        self.rows_from_codes(&codes, n, threads)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drawn_codes_have_the_moments_of_the_codes_they_are_like() {
        let mut stream = Stream::new(1, Purpose::Demo, 0, 0);
        let codes: Vec<f32> = (0..4000)
            .flat_map(|_| {
                let (a, b) = (stream.normal(), stream.normal());
                [2.0 + a, 0.8 * a + 0.6 * b]
            })
            .collect();
        let density = CodeDensity::normal(&codes, 2);
        let mut drawn = vec![[0.0_f32; 2]; 4000];
        for (i, code) in drawn.iter_mut().enumerate() {
            density.sample(&mut Stream::new(2, Purpose::Sample, 0, i as u64), &mut [0.0; 2], code);
        }
        let mean = drawn.iter().map(|c| c[0]).sum::<f32>() / 4000.0;
        let cross = drawn.iter().map(|c| (c[0] - 2.0) * c[1]).sum::<f32>() / 4000.0;
        assert!((mean - 2.0).abs() < 0.1 && (cross - 0.8).abs() < 0.1, "{mean} {cross}");
    }

    #[test]
    fn a_code_without_variance_is_drawn_as_it_is() {
        let density = CodeDensity::normal(&[3.0, 3.0, 3.0], 1);
        let mut code = [0.0];
        density.sample(&mut Stream::new(1, Purpose::Sample, 0, 0), &mut [0.0], &mut code);
        assert_eq!(code, [3.0]);
    }
}
