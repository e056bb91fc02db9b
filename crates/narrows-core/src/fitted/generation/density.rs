//! The density of codes, from which the codes of new rows are drawn.
//!
//! Mixtures of normal distributions, with one or more components, diagonal and full, are fitted, and the one with the
//! highest held-out likelihood is kept; for a Gaussian latent only if it is likelier than the prior, the standard
//! normal. Units are clamped to their range in training. The units of a very wide code, such as a map, are drawn
//! independently: their covariance would be larger than the model.

use narrows_engine::rng::{Purpose, Stream};

use crate::baseline::{Covariance, Mixture};
use crate::error::Result;
use crate::report::DensityReport;

/// The density of codes.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum CodeDensity {
    /// The standard normal distribution, the prior of a gaussian latent.
    Standard,
    /// A normal distribution fitted to training codes, as in files before format 4.
    Normal {
        /// `[k]`
        mean: Vec<f32>,
        /// Cholesky factor of the covariance, lower triangular, `[k, k]`, row-major.
        factor: Vec<f32>,
        /// `[k]`
        lowest: Vec<f32>,
        /// `[k]`
        highest: Vec<f32>,
    },
    /// An independent normal distribution per unit.
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
    /// A mixture of normal distributions fitted to training codes.
    Mixture {
        /// Whether `roots` are standard deviations or Cholesky factors.
        covariance: Covariance,
        /// Weights of the components, `[m]`.
        weights: Vec<f32>,
        /// `[m, k]`
        means: Vec<f32>,
        /// Standard deviations `[m, k]`, or Cholesky factors of the covariances `[m, k, k]`.
        roots: Vec<f32>,
        /// `[k]`
        lowest: Vec<f32>,
        /// `[k]`
        highest: Vec<f32>,
    },
}

/// The widest code whose units are drawn jointly.
const WIDEST_TOGETHER: usize = 512;
/// Most codes that a mixture is fitted to, and most held-out ones that it is scored on.
const FITTED_ROWS: usize = 4_000;
const JUDGING_ROWS: usize = 2_000;
/// With fewer held-out codes, a single normal distribution is used.
const FEWEST_JUDGING: usize = 20;
/// Numbers of components tried.
const COMPONENTS: [usize; 6] = [1, 2, 4, 8, 16, 32];
/// Codes required per component; for a full covariance, per component and unit.
const ROWS_A_COMPONENT: usize = 20;
const ROWS_A_UNIT: usize = 5;
/// Multiplications per step of fitting several components, which bounds the selection to a second or two.
const MOST_WORK: usize = 10_000_000;

impl CodeDensity {
    /// Fits a density to codes `train`, `[n, k]`, selected by the likelihood of the codes `held_out`.
    pub(crate) fn fit(train: &[f32], held_out: &[f32], k: usize, seed: u64) -> Result<(CodeDensity, DensityReport)> {
        let scale = CodeScale::of(train, k);
        let (lowest, highest) = bounds(train, k);
        if k > WIDEST_TOGETHER {
            let CodeScale { mean, spread } = scale;
            let (mean, spread) = (single(&mean), single(&spread));
            let words = "a normal distribution of each unit by itself".to_owned();
            let report = DensityReport { words, components: 1, held_out: None, one_normal: None };
            return Ok((CodeDensity::Independent { mean, spread, lowest, highest }, report));
        }
        let train = scale.scaled(&spread_over(train, k, FITTED_ROWS));
        let held_out = scale.scaled(&spread_over(held_out, k, JUDGING_ROWS));
        let (mixture, likelihoods) = choose(&train, &held_out, k, seed)?;
        let (m, size) = (mixture.n_components(), mixture.roots.len() / mixture.weights.len());
        let unit = |place: usize| if mixture.covariance == Covariance::Full { place / k } else { place };
        let density = CodeDensity::Mixture {
            covariance: mixture.covariance,
            weights: single(&mixture.weights),
            means: (0..m * k).map(|i| (scale.mean[i % k] + scale.spread[i % k] * mixture.means[i]) as f32).collect(),
            roots: (0..m * size).map(|i| (scale.spread[unit(i % size)] * mixture.roots[i]) as f32).collect(),
            lowest,
            highest,
        };
        let report = DensityReport {
            words: describe(m, mixture.covariance),
            components: m,
            held_out: likelihoods.map(|[chosen, _]| chosen),
            one_normal: likelihoods.map(|[_, one]| one),
        };
        Ok((density, report))
    }

    /// The mean log-likelihood of held-out codes under the standard normal distribution, with units scaled as by
    /// [`fit`](CodeDensity::fit); `None` with too few.
    pub(crate) fn prior_likelihood(train: &[f32], held_out: &[f32], k: usize) -> Option<f64> {
        let held_out = spread_over(held_out, k, JUDGING_ROWS);
        let n = held_out.len() / k;
        let scales: f64 = CodeScale::of(train, k).spread.iter().map(|spread| spread.max(1e-12).ln()).sum();
        let squares: f64 = held_out.iter().map(|c| f64::from(*c).powi(2)).sum();
        let constant = 0.5 * k as f64 * std::f64::consts::TAU.ln();
        (n >= FEWEST_JUDGING).then(|| scales - constant - 0.5 * squares / n as f64)
    }

    /// Rejects invalid bounds, on which clamping would panic, and numbers that are not finite; for densities read from a
    /// file.
    pub(crate) fn check(&self) -> Result<(), String> {
        let (numbers, weights, lowest, highest) = match self {
            CodeDensity::Standard => return Ok(()),
            CodeDensity::Normal { mean, factor, lowest, highest } => ([mean, factor], None, lowest, highest),
            CodeDensity::Independent { mean, spread, lowest, highest } => ([mean, spread], None, lowest, highest),
            CodeDensity::Mixture { weights, means, roots, lowest, highest, .. } => {
                ([means, roots], Some(weights), lowest, highest)
            }
        };
        if !lowest.iter().zip(highest).all(|(low, high)| low <= high) {
            return Err("expected bounds of the code from lowest to highest, got others".to_owned());
        }
        if !numbers.into_iter().flatten().all(|number| number.is_finite()) {
            return Err("expected a density of codes with finite numbers, got others".to_owned());
        }
        if weights.is_some_and(|weights| !weights.iter().all(|weight| *weight >= 0.0 && weight.is_finite())) {
            return Err("expected finite weights of at least 0, got others".to_owned());
        }
        Ok(())
    }

    /// The prior, for reports.
    pub(crate) fn of_the_prior() -> DensityReport {
        let words = "the standard normal distribution, the prior".to_owned();
        DensityReport { words, components: 1, held_out: None, one_normal: None }
    }

    /// Code number `i` of the infinite sequence given by `seed`.
    pub(crate) fn code_at(&self, k: usize, seed: u64, i: u64) -> Vec<f32> {
        let (mut noise, mut code) = (vec![0.0; k], vec![0.0; k]);
        self.sample(&mut Stream::new(seed, Purpose::Sample, 0, i), &mut noise, &mut code);
        code
    }

    /// The mean and the standard deviation of every unit.
    pub(crate) fn moments(&self, k: usize) -> (Vec<f32>, Vec<f32>) {
        match self {
            CodeDensity::Standard => (vec![0.0; k], vec![1.0; k]),
            CodeDensity::Independent { mean, spread, .. } => (mean.clone(), spread.clone()),
            CodeDensity::Normal { mean, factor, .. } => moments(k, Covariance::Full, &[1.0], mean, factor),
            CodeDensity::Mixture { covariance, weights, means, roots, .. } => {
                moments(k, *covariance, weights, means, roots)
            }
        }
    }

    /// Clamps a code to the range of its units in training; the prior has none.
    pub(crate) fn hold(&self, code: &mut [f32]) {
        match self {
            CodeDensity::Standard => {}
            CodeDensity::Normal { lowest, highest, .. }
            | CodeDensity::Independent { lowest, highest, .. }
            | CodeDensity::Mixture { lowest, highest, .. } => {
                let bounds = lowest.iter().zip(highest);
                code.iter_mut().zip(bounds).for_each(|(code, (low, high))| *code = code.clamp(*low, *high));
            }
        }
    }

    /// Draws one code into `code`.
    fn sample(&self, stream: &mut Stream, noise: &mut [f32], code: &mut [f32]) {
        stream.fill_normal(noise);
        match self {
            CodeDensity::Standard => code.copy_from_slice(noise),
            CodeDensity::Independent { mean, spread, .. } => {
                code.iter_mut().enumerate().for_each(|(i, code)| *code = mean[i] + spread[i] * noise[i]);
            }
            CodeDensity::Normal { mean, factor, .. } => rooted(mean, factor, noise, code),
            CodeDensity::Mixture { covariance, weights, means, roots, .. } => {
                let (component, k) = (component(weights, stream.uniform()), code.len());
                let mean = &means[component * k..(component + 1) * k];
                match covariance {
                    Covariance::Full => rooted(mean, &roots[component * k * k..(component + 1) * k * k], noise, code),
                    Covariance::Diagonal => {
                        let roots = &roots[component * k..(component + 1) * k];
                        code.iter_mut().enumerate().for_each(|(i, code)| *code = mean[i] + roots[i] * noise[i]);
                    }
                }
            }
        }
        self.hold(code);
    }
}

/// mean + factor noise, for a lower triangular factor.
fn rooted(mean: &[f32], factor: &[f32], noise: &[f32], code: &mut [f32]) {
    let k = mean.len();
    for i in 0..k {
        let drawn: f32 = factor[i * k..=i * k + i].iter().zip(noise).map(|(f, e)| f * e).sum();
        code[i] = mean[i] + drawn;
    }
}

/// The component at the cumulative weight `drawn`, in [0, 1).
fn component(weights: &[f32], drawn: f32) -> usize {
    let mut left = drawn;
    for (i, weight) in weights.iter().enumerate() {
        left -= weight;
        if left < 0.0 {
            return i;
        }
    }
    // Rounded weights may add up to a little less than 1.
    weights.len() - 1
}

fn moments(k: usize, covariance: Covariance, weights: &[f32], means: &[f32], roots: &[f32]) -> (Vec<f32>, Vec<f32>) {
    let double = |values: &[f32]| values.iter().map(|value| f64::from(*value)).collect();
    let mut roots: Vec<f64> = double(roots);
    if covariance == Covariance::Full {
        // Entries above the diagonal do not belong to a lower triangle.
        let above = |place: usize| place % k > place / k % k;
        roots.iter_mut().enumerate().filter(|(place, _)| above(*place)).for_each(|(_, root)| *root = 0.0);
    }
    let mixture = Mixture { covariance, weights: double(weights), means: double(means), roots };
    (single(&mixture.mean()), single(&mixture.spread()))
}

/// The mixture with the highest held-out likelihood, and the mean log-likelihoods under it and under one full normal
/// distribution; the simplest one in case of a tie.
fn choose(train: &[f32], held_out: &[f32], k: usize, seed: u64) -> Result<(Mixture, Option<[f64; 2]>)> {
    let (n, n_held_out) = (train.len() / k, held_out.len() / k);
    let mean = |mixture: &Mixture| mixture.log_likelihood(held_out).iter().sum::<f64>() / n_held_out as f64;
    let one = Mixture::fit(train, n, k, 1, Covariance::Full, seed)?;
    if n_held_out < FEWEST_JUDGING {
        return Ok((one, None));
    }
    let of_one = mean(&one);
    let mut best = (one, of_one);
    for covariance in [Covariance::Diagonal, Covariance::Full] {
        let mut so_far = f64::NEG_INFINITY;
        for m in COMPONENTS.into_iter().filter(|m| is_worth_trying(n, k, *m, covariance)) {
            if (m, covariance) == (1, Covariance::Full) {
                so_far = of_one;
                continue;
            }
            let mixture = Mixture::fit(train, n, k, m, covariance, seed)?;
            let found = mean(&mixture);
            if found > best.1 {
                best = (mixture, found);
            }
            if found < so_far {
                break;
            }
            so_far = found;
        }
    }
    Ok((best.0, Some([best.1, of_one])))
}

fn is_worth_trying(n: usize, k: usize, m: usize, covariance: Covariance) -> bool {
    let (enough, work) = match covariance {
        Covariance::Diagonal => (ROWS_A_COMPONENT * m, n * m * k),
        Covariance::Full => ((ROWS_A_COMPONENT * m).max(ROWS_A_UNIT * k * m), n * m * k * k),
    };
    m == 1 || n >= enough && work <= MOST_WORK
}

fn describe(m: usize, covariance: Covariance) -> String {
    match (m, covariance) {
        (1, Covariance::Full) => "one normal distribution, full covariance".to_owned(),
        (1, Covariance::Diagonal) => "one normal distribution, diagonal covariance".to_owned(),
        (m, Covariance::Full) => format!("a mixture of {m} normal distributions, full covariances"),
        (m, Covariance::Diagonal) => format!("a mixture of {m} normal distributions, diagonal covariances"),
    }
}

/// Mean and standard deviation of every unit.
struct CodeScale {
    mean: Vec<f64>,
    spread: Vec<f64>,
}

impl CodeScale {
    fn of(codes: &[f32], k: usize) -> CodeScale {
        let n = (codes.len() / k).max(1) as f64;
        let (mut mean, mut variance) = (vec![0.0; k], vec![0.0; k]);
        for code in codes.chunks_exact(k) {
            mean.iter_mut().zip(code).for_each(|(m, c)| *m += f64::from(*c) / n);
        }
        for code in codes.chunks_exact(k) {
            let pairs = variance.iter_mut().zip(code).zip(&mean);
            pairs.for_each(|((v, c), m): ((&mut f64, _), _)| *v += (f64::from(*c) - m).powi(2) / n);
        }
        CodeScale { mean, spread: variance.into_iter().map(f64::sqrt).collect() }
    }

    /// Codes standardised to mean 0 and unit variance; a constant unit is 0.
    fn scaled(&self, codes: &[f32]) -> Vec<f32> {
        let k = self.mean.len();
        let scaled = |(i, c): (usize, &f32)| {
            let (mean, spread) = (self.mean[i % k], self.spread[i % k]);
            if spread > 1e-12 { ((f64::from(*c) - mean) / spread) as f32 } else { 0.0 }
        };
        codes.iter().enumerate().map(scaled).collect()
    }
}

/// At most `most` of the codes, evenly spaced.
fn spread_over(codes: &[f32], k: usize, most: usize) -> Vec<f32> {
    let step = (codes.len() / k).div_ceil(most).max(1);
    codes.chunks_exact(k).step_by(step).flatten().copied().collect()
}

/// The lowest and the highest value of every unit.
fn bounds(codes: &[f32], k: usize) -> (Vec<f32>, Vec<f32>) {
    let fold = |start: f32, pick: fn(f32, f32) -> f32| {
        codes.chunks_exact(k).fold(vec![start; k], |mut best, code| {
            best.iter_mut().zip(code).for_each(|(b, c)| *b = pick(*b, *c));
            best
        })
    };
    (fold(f32::INFINITY, f32::min), fold(f32::NEG_INFINITY, f32::max))
}

fn single(values: &[f64]) -> Vec<f32> {
    values.iter().map(|value| *value as f32).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draws(density: &CodeDensity, k: usize, n: u64) -> Vec<Vec<f32>> {
        (0..n).map(|i| density.code_at(k, 2, i)).collect()
    }

    #[test]
    fn drawn_codes_have_the_moments_of_the_codes_they_are_like() {
        let mut stream = Stream::new(1, Purpose::Demo, 0, 0);
        let mut codes = || -> Vec<f32> {
            let pair = |(a, b): (f32, f32)| [2.0 + a, 0.8 * a + 0.6 * b];
            (0..3000).flat_map(|_| pair((stream.normal(), stream.normal()))).collect()
        };
        let (density, report) = CodeDensity::fit(&codes(), &codes(), 2, 0).unwrap();
        assert_eq!(report.words, "one normal distribution, full covariance");
        let drawn = draws(&density, 2, 4000);
        let mean = drawn.iter().map(|c| c[0]).sum::<f32>() / 4000.0;
        let cross = drawn.iter().map(|c| (c[0] - 2.0) * c[1]).sum::<f32>() / 4000.0;
        assert!((mean - 2.0).abs() < 0.1 && (cross - 0.8).abs() < 0.1, "{mean} {cross}");
        let (mean, spread) = density.moments(2);
        assert!((mean[0] - 2.0).abs() < 0.05 && (spread[1] - 1.0).abs() < 0.05, "{mean:?} {spread:?}");
    }

    #[test]
    fn codes_in_heaps_are_drawn_from_a_mixture_which_held_out_codes_prefer() {
        let mut stream = Stream::new(5, Purpose::Demo, 0, 0);
        let mut codes = |n: usize| -> Vec<f32> {
            let heap = |i: usize| if i.is_multiple_of(2) { [30.0, 0.0] } else { [-30.0, 0.1] };
            (0..n).flat_map(|i| heap(i).map(|at| (at, stream.normal()))).map(|(at, e)| at + 0.01 * e).collect()
        };
        let (density, report) = CodeDensity::fit(&codes(600), &codes(200), 2, 0).unwrap();
        assert!(report.components >= 2, "{report:?}");
        assert!(report.held_out.unwrap() > report.one_normal.unwrap() + 1.0, "{report:?}");
        // There is no mass between the clusters, where a single normal distribution has its mode.
        let drawn = draws(&density, 2, 500);
        assert!(drawn.iter().all(|code| code[0].abs() > 29.0));
        let left = drawn.iter().filter(|code| code[0] < 0.0).count();
        assert!((200..300).contains(&left), "{left}");
        let (_, spread) = density.moments(2);
        assert!((spread[0] - 30.0).abs() < 0.1, "{spread:?}");
    }

    #[test]
    fn a_code_without_variance_is_drawn_as_it_is() {
        let (density, report) = CodeDensity::fit(&[3.0, 3.0, 3.0], &[], 1, 0).unwrap();
        assert_eq!((density.code_at(1, 1, 0), report.held_out), (vec![3.0], None));
    }

    #[test]
    fn units_of_very_wide_codes_are_drawn_each_by_itself() {
        let codes: Vec<f32> = (0..600 * 10).map(|i| (i % 13) as f32).collect();
        let (density, report) = CodeDensity::fit(&codes, &codes, 600, 0).unwrap();
        assert!(matches!(density, CodeDensity::Independent { .. }) && report.held_out.is_none());
        assert!(density.code_at(600, 1, 0).iter().all(|c| (0.0..=12.0).contains(c)));
        assert_eq!(density.moments(600).1.len(), 600);
    }
}
