//! A Gaussian mixture, fitted by expectation-maximisation: the density of codes when a single normal distribution is
//! too simple.
//!
//! Dempster, Laird and Rubin 1977; initialised by k-means++ (Arthur and Vassilvitskii 2007) and a few rounds of
//! k-means. In double precision with a fixed summation order. [`FLOOR`] is added to every variance, like scikit-learn's
//! `reg_covar`, which handles constant units; callers scale columns to about unit variance first.

use serde::{Deserialize, Serialize};

use super::random::Stream;
use super::rows::Rows;
use crate::error::{Error, Result};

/// Added to every variance; small compared with unit variance.
pub const FLOOR: f64 = 1e-4;
/// Convergence threshold on the gain in mean log-likelihood, in nats per row.
pub const TOLERANCE: f64 = 1e-3;
/// Maximum number of EM steps.
const STEPS: usize = 60;
/// Rounds of k-means before them.
const ROUNDS: usize = 5;
/// ln(2 pi)
const LN_TAU: f64 = 1.837_877_066_409_345_3;

/// The covariance type of all components.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Covariance {
    /// Columns are independent within a component.
    Diagonal,
    /// Full covariance.
    Full,
}

/// A fitted mixture.
#[derive(Debug, Clone, PartialEq)]
pub struct Mixture {
    /// The covariance type.
    pub covariance: Covariance,
    /// Component weights, `[m]`, adding up to 1.
    pub weights: Vec<f64>,
    /// `[m, width]`
    pub means: Vec<f64>,
    /// Square roots of the covariances: standard deviations `[m, width]`, or lower triangles `[m, width, width]`.
    pub roots: Vec<f64>,
}

impl Mixture {
    /// Fits `m` components to rows `x`, `[n, width]`, row-major; at most as many as rows.
    ///
    /// # Errors
    /// If the rows are empty, of a wrong length or not finite, or `m` is 0.
    pub fn fit(x: &[f32], n: usize, width: usize, m: usize, covariance: Covariance, seed: u64) -> Result<Mixture> {
        Mixture::fit_to(x, n, width, m, covariance, seed, (FLOOR, TOLERANCE, STEPS))
    }

    fn fit_to(
        x: &[f32],
        n: usize,
        width: usize,
        m: usize,
        covariance: Covariance,
        seed: u64,
        (floor, tolerance, steps): (f64, f64, usize),
    ) -> Result<Mixture> {
        let rows = Rows::new(x, n, width)?;
        if m == 0 {
            return Err(Error::recipe("mixture.components", "expected at least 1, got 0"));
        }
        let m = m.min(n);
        let owners = k_means(rows, m, &mut Stream::new(seed, m as u64));
        let mut shares = vec![0.0; n * m];
        owners.iter().enumerate().for_each(|(row, owner)| shares[row * m + owner] = 1.0);
        let mut mixture = Mixture::maximised(rows, &shares, m, covariance, floor);
        let mut last = f64::NEG_INFINITY;
        // All rows belong to the one component.
        let steps = if m == 1 { 0 } else { steps };
        for _ in 0..steps {
            let now = mixture.expected(rows, &mut shares);
            if now - last < tolerance {
                break;
            }
            last = now;
            mixture = Mixture::maximised(rows, &shares, m, covariance, floor);
        }
        Ok(mixture)
    }

    /// Number of components.
    pub fn n_components(&self) -> usize {
        self.weights.len()
    }

    /// Number of columns.
    pub fn width(&self) -> usize {
        self.means.len() / self.weights.len().max(1)
    }

    /// The log-density at every row of `x`, in nats, `[rows]`.
    ///
    /// # Panics
    /// If `x` is not a whole number of rows.
    pub fn log_likelihood(&self, x: &[f32]) -> Vec<f64> {
        let (width, m) = (self.width(), self.n_components());
        let constants = self.constants();
        let (mut centred, mut terms) = (vec![0.0; width], vec![0.0; m]);
        super::rows::scored(x, width).map(|row| self.row(row, &constants, &mut centred, &mut terms)).collect()
    }

    /// The mean of every column, `[width]`.
    pub fn mean(&self) -> Vec<f64> {
        let width = self.width();
        let mut mean = vec![0.0; width];
        for (weight, component) in self.weights.iter().zip(self.means.chunks_exact(width)) {
            mean.iter_mut().zip(component).for_each(|(sum, m)| *sum += weight * m);
        }
        mean
    }

    /// The standard deviation of every column over all components, `[width]`.
    pub fn spread(&self) -> Vec<f64> {
        let (width, mean) = (self.width(), self.mean());
        let mut variance = vec![0.0; width];
        for (i, weight) in self.weights.iter().enumerate() {
            for (j, sum) in variance.iter_mut().enumerate() {
                let own: f64 = match self.covariance {
                    Covariance::Diagonal => self.roots[i * width + j].powi(2),
                    Covariance::Full => {
                        self.roots[(i * width + j) * width..][..=j].iter().map(|root| root * root).sum()
                    }
                };
                *sum += weight * (own + (self.means[i * width + j] - mean[j]).powi(2));
            }
        }
        variance.into_iter().map(f64::sqrt).collect()
    }

    /// ln(weight) - ln(root's determinant) - width / 2 ln(2 pi) of every component.
    fn constants(&self) -> Vec<f64> {
        let width = self.width();
        let ln_root = |i: usize, j: usize| match self.covariance {
            Covariance::Diagonal => self.roots[i * width + j].ln(),
            Covariance::Full => self.roots[(i * width + j) * width + j].ln(),
        };
        let constant = |(i, weight): (usize, &f64)| {
            weight.ln() - (0..width).map(|j| ln_root(i, j)).sum::<f64>() - 0.5 * width as f64 * LN_TAU
        };
        self.weights.iter().enumerate().map(constant).collect()
    }

    /// A row's log-likelihood; `terms` receive each component's part of it.
    fn row(&self, row: &[f32], constants: &[f64], centred: &mut [f64], terms: &mut [f64]) -> f64 {
        let width = row.len();
        for (i, term) in terms.iter_mut().enumerate() {
            let mean = &self.means[i * width..(i + 1) * width];
            centred.iter_mut().zip(row).zip(mean).for_each(|((c, x), m)| *c = f64::from(*x) - m);
            let squared: f64 = match self.covariance {
                Covariance::Diagonal => {
                    let roots = &self.roots[i * width..(i + 1) * width];
                    centred.iter().zip(roots).map(|(c, root)| (c / root).powi(2)).sum()
                }
                Covariance::Full => solved(&self.roots[i * width * width..(i + 1) * width * width], centred),
            };
            *term = constants[i] - 0.5 * squared;
        }
        log_sum(terms)
    }

    /// E-step: writes every row's responsibilities and returns the mean log-likelihood.
    fn expected(&self, rows: Rows<'_>, shares: &mut [f64]) -> f64 {
        let m = self.n_components();
        let constants = self.constants();
        let mut centred = vec![0.0; rows.width];
        let mut sum = 0.0;
        for (row, shares) in rows.iter().zip(shares.chunks_exact_mut(m)) {
            let whole = self.row(row, &constants, &mut centred, shares);
            shares.iter_mut().for_each(|term| *term = (*term - whole).exp());
            sum += whole;
        }
        sum / rows.n as f64
    }

    /// M-step: the components with maximum likelihood for these responsibilities.
    fn maximised(rows: Rows<'_>, shares: &[f64], m: usize, covariance: Covariance, floor: f64) -> Mixture {
        let width = rows.width;
        let mut weights = vec![0.0; m];
        let mut means = vec![0.0; m * width];
        for (row, shares) in rows.iter().zip(shares.chunks_exact(m)) {
            for (i, share) in shares.iter().enumerate().filter(|(_, share)| **share > 0.0) {
                weights[i] += share;
                let mean = &mut means[i * width..(i + 1) * width];
                mean.iter_mut().zip(row).for_each(|(sum, x)| *sum += share * f64::from(*x));
            }
        }
        // An empty component is left unchanged.
        let owned: Vec<f64> = weights.iter().map(|weight| weight.max(f64::EPSILON * 10.0)).collect();
        for (mean, owned) in means.chunks_exact_mut(width).zip(&owned) {
            mean.iter_mut().for_each(|sum| *sum /= owned);
        }
        let size = if covariance == Covariance::Full { width * width } else { width };
        let mut roots = vec![0.0; m * size];
        let mut centred = vec![0.0; width];
        for (row, shares) in rows.iter().zip(shares.chunks_exact(m)) {
            for (i, share) in shares.iter().enumerate().filter(|(_, share)| **share > 0.0) {
                let mean = &means[i * width..(i + 1) * width];
                centred.iter_mut().zip(row).zip(mean).for_each(|((c, x), m)| *c = f64::from(*x) - m);
                let sums = &mut roots[i * size..(i + 1) * size];
                match covariance {
                    Covariance::Diagonal => sums.iter_mut().zip(&centred).for_each(|(sum, c)| *sum += share * c * c),
                    Covariance::Full => {
                        for (j, sums) in sums.chunks_exact_mut(width).enumerate() {
                            let weighted = share * centred[j];
                            sums[..=j].iter_mut().zip(&centred).for_each(|(sum, c)| *sum += weighted * c);
                        }
                    }
                }
            }
        }
        for (sums, owned) in roots.chunks_exact_mut(size).zip(&owned) {
            sums.iter_mut().for_each(|sum| *sum /= owned);
            match covariance {
                Covariance::Diagonal => sums.iter_mut().for_each(|variance| *variance = (*variance + floor).sqrt()),
                Covariance::Full => rooted(sums, width, floor),
            }
        }
        let all: f64 = owned.iter().sum();
        Mixture { covariance, weights: owned.iter().map(|owned| owned / all).collect(), means, roots }
    }
}

/// The Cholesky factor of a covariance with `floor` added to its diagonal, in place.
fn rooted(covariance: &mut [f64], width: usize, floor: f64) {
    for i in 0..width {
        for j in 0..=i {
            let (before, own) = covariance.split_at(i * width);
            let upper = if i == j { &own[..j] } else { &before[j * width..j * width + j] };
            let dot: f64 = own[..j].iter().zip(upper).map(|(a, b)| a * b).sum();
            let rest = covariance[i * width + j] - dot;
            covariance[i * width + j] = if i == j {
                // What rounding took of the floor is given back.
                (rest + floor).max(0.5 * floor).sqrt()
            } else {
                rest / covariance[j * width + j]
            };
        }
    }
}

/// The squared length of root^-1 centred; `centred` is overwritten.
fn solved(root: &[f64], centred: &mut [f64]) -> f64 {
    let width = centred.len();
    let mut squared = 0.0;
    for i in 0..width {
        let row = &root[i * width..=i * width + i];
        let dot: f64 = row[..i].iter().zip(&*centred).map(|(a, b)| a * b).sum();
        centred[i] = (centred[i] - dot) / row[i];
        squared += centred[i] * centred[i];
    }
    squared
}

/// ln(sum of exp)
fn log_sum(terms: &[f64]) -> f64 {
    let largest = terms.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    largest + terms.iter().map(|term| (term - largest).exp()).sum::<f64>().ln()
}

/// The cluster of every row: k-means++, then a few rounds of k-means.
fn k_means(rows: Rows<'_>, m: usize, stream: &mut Stream) -> Vec<usize> {
    let (n, width) = (rows.n, rows.width);
    let squared =
        |row: &[f32], centre: &[f64]| -> f64 { row.iter().zip(centre).map(|(x, c)| (f64::from(*x) - c).powi(2)).sum() };
    let at = |row: usize| -> Vec<f64> {
        rows.values[row * width..(row + 1) * width].iter().map(|x| f64::from(*x)).collect()
    };
    let mut centres = at(stream.below(n));
    let mut nearest: Vec<f64> = rows.iter().map(|row| squared(row, &centres)).collect();
    while centres.len() < m * width {
        let all: f64 = nearest.iter().sum();
        let mut left = stream.uniform() * all;
        let drawn = nearest.iter().position(|distance| {
            left -= distance;
            left < 0.0
        });
        // Where all rows lie on centres, any row will do.
        let centre = at(drawn.unwrap_or_else(|| stream.below(n)));
        nearest.iter_mut().zip(rows.iter()).for_each(|(d, row)| *d = d.min(squared(row, &centre)));
        centres.extend(centre);
    }
    let mut owners = vec![0; n];
    for _ in 0..ROUNDS {
        for (owner, row) in owners.iter_mut().zip(rows.iter()) {
            let mut best = f64::INFINITY;
            for (i, centre) in centres.chunks_exact(width).enumerate() {
                let distance = squared(row, centre);
                if distance < best {
                    (best, *owner) = (distance, i);
                }
            }
        }
        let mut counts = vec![0.0; m];
        let mut sums = vec![0.0; m * width];
        for (owner, row) in owners.iter().zip(rows.iter()) {
            counts[*owner] += 1.0;
            let sum = &mut sums[owner * width..(owner + 1) * width];
            sum.iter_mut().zip(row).for_each(|(sum, x)| *sum += f64::from(*x));
        }
        for (i, count) in counts.iter().enumerate().filter(|(_, count)| **count > 0.0) {
            let (centre, sum) = (&mut centres[i * width..(i + 1) * width], &sums[i * width..(i + 1) * width]);
            centre.iter_mut().zip(sum).for_each(|(centre, sum)| *centre = sum / count);
        }
    }
    owners
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::baseline::golden::{check_near, golden};

    /// Steps enough to come where scikit-learn's tolerance of 1e-9 brings it.
    const TO_THE_END: (f64, f64, usize) = (1e-6, 1e-10, 2000);

    fn form(name: &str) -> Covariance {
        if name == "full" { Covariance::Full } else { Covariance::Diagonal }
    }

    #[test]
    fn likelihoods_are_those_of_scikit_learn() {
        for golden in golden("mixture") {
            let (x, n, width, new) = (golden.rows("x"), golden.count("n"), golden.count("width"), golden.rows("new"));
            let m = golden.count("components");
            let fitted = Mixture::fit_to(&x, n, width, m, form(&golden.text("covariance")), 3, TO_THE_END).unwrap();
            let mean = fitted.log_likelihood(&x).iter().sum::<f64>() / n as f64;
            check_near(&[mean], &[golden.number("log_likelihood")], 1e-6);
            check_near(&fitted.log_likelihood(&new), &golden.numbers("of_new"), 1e-3);
            let (mut ours, mut theirs) = (fitted.weights.clone(), golden.numbers("weights"));
            [&mut ours, &mut theirs].into_iter().for_each(|weights| weights.sort_by(f64::total_cmp));
            check_near(&ours, &theirs, 1e-4);
        }
    }

    #[test]
    fn one_component_has_the_moments_of_the_rows() {
        let x: Vec<f32> = (0..200).flat_map(|i| [(i % 7) as f32, ((i % 7) + (i % 3)) as f32]).collect();
        for covariance in [Covariance::Diagonal, Covariance::Full] {
            let fitted = Mixture::fit(&x, 200, 2, 1, covariance, 0).unwrap();
            let mean = Rows::new(&x, 200, 2).unwrap().mean();
            check_near(&fitted.mean(), &mean, 1e-9);
            let variance = |j: usize| {
                x.chunks_exact(2).map(|row| (f64::from(row[j]) - mean[j]).powi(2)).sum::<f64>() / 200.0 + FLOOR
            };
            check_near(&fitted.spread(), &[variance(0).sqrt(), variance(1).sqrt()], 1e-9);
        }
    }

    #[test]
    fn rows_without_differences_and_more_components_than_rows_are_fitted_all_the_same() {
        for covariance in [Covariance::Diagonal, Covariance::Full] {
            let fitted = Mixture::fit(&[3.0, 4.0].repeat(5), 5, 2, 8, covariance, 0).unwrap();
            assert_eq!(fitted.n_components(), 5);
            check_near(&fitted.mean(), &[3.0, 4.0], 1e-9);
            assert!(fitted.log_likelihood(&[3.0, 4.0])[0].is_finite());
            assert!(fitted.roots.iter().all(|root| root.is_finite()));
        }
        assert!(Mixture::fit(&[1.0], 1, 1, 0, Covariance::Full, 0).is_err());
        assert!(Mixture::fit(&[f32::NAN], 1, 1, 1, Covariance::Full, 0).is_err());
    }

    #[test]
    fn two_heaps_are_told_apart() {
        let mut stream = Stream::new(1, 0);
        let x: Vec<f32> =
            (0..400).map(|i| (if i % 4 == 0 { 6.0 } else { -2.0 } + 0.5 * stream.normal()) as f32).collect();
        let two = Mixture::fit(&x, 400, 1, 2, Covariance::Diagonal, 0).unwrap();
        let mut found: Vec<(f64, f64)> = two.means.iter().copied().zip(two.weights.iter().copied()).collect();
        found.sort_by(|a, b| a.0.total_cmp(&b.0));
        assert!((found[0].0 + 2.0).abs() < 0.1 && (found[0].1 - 0.75).abs() < 0.01, "{found:?}");
        let one = Mixture::fit(&x, 400, 1, 1, Covariance::Diagonal, 0).unwrap();
        let mean = |mixture: &Mixture| mixture.log_likelihood(&x).iter().sum::<f64>() / 400.0;
        assert!(mean(&two) > mean(&one) + 0.5);
    }
}
