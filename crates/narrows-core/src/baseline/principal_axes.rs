//! Principal axes of rows, by the cheapest method for their shape.
//!
//! - few columns: eigenvectors of the covariance matrix, `[width, width]`;
//! - few rows: eigenvectors of the Gram matrix, `[n, n]`, mapped to the columns;
//! - many of both: subspace iteration on the implicit covariance (Halko, Martinsson and Tropp 2011,
//!   "Finding structure with randomness", algorithms 4.4 and 5.3), with a seeded start.
//!
//! All sums are in double precision and in a fixed order, on one thread: the same bits for any number of threads.

use faer::linalg::matmul::matmul;
use faer::linalg::matmul::triangular::{self, BlockStructure};
use faer::{Accum, Mat, MatRef, Par, Side};

use super::covariance::{BLOCK, centred, lower_covariance};
use super::pca::Components;
use super::random::Stream;
use super::rows::Rows;
use crate::error::{Error, Place, Result};

/// The widest matrix that is decomposed directly: some seconds of work, 32 MB.
const WHOLE: usize = 2000;
/// Oversampling: directions iterated in addition to those wanted, for faster convergence.
const SPARE: usize = 10;
/// Rounds of subspace iteration; each reduces an unwanted direction by the square of the ratio of the variances.
const ROUNDS: usize = 5;
/// Maximum number of directions in subspace iteration when a share of the variance is requested.
const MOST: usize = 1024;

/// Orthonormal directions, by descending variance.
pub(super) struct PrincipalAxes {
    /// Unit vectors, row-major, shape `[k, width]`; in each, the entry of largest size is positive.
    pub(super) vectors: Vec<f64>,
    /// The variance along each.
    pub(super) variances: Vec<f64>,
    /// Total variance of all columns.
    pub(super) total: f64,
}

/// The wanted principal axes; fewer if the rows have a lower rank.
pub(super) fn principal_axes(rows: Rows<'_>, mean: &[f64], wanted: Components, seed: u64) -> Result<PrincipalAxes> {
    let total = total_variance(rows, mean);
    let (variances, vectors) = if rows.width <= rows.n && rows.width <= WHOLE {
        from_covariance(rows, mean)?
    } else if rows.n <= WHOLE {
        from_gram(rows, mean, wanted, total)?
    } else {
        from_subspace(rows, mean, wanted, total, seed)?
    };
    let k = enough(&variances, wanted, total);
    let mut axes = Vec::with_capacity(k * rows.width);
    for j in 0..k {
        let largest = vectors.col(j).iter().fold(0.0_f64, |best, &v| if v.abs() > best.abs() { v } else { best });
        let sign = if largest < 0.0 { -1.0 } else { 1.0 };
        axes.extend(vectors.col(j).iter().map(|v| sign * v));
    }
    Ok(PrincipalAxes { vectors: axes, variances: variances[..k].to_vec(), total })
}

/// How many of the descending `variances` are wanted.
fn enough(variances: &[f64], wanted: Components, total: f64) -> usize {
    match wanted {
        Components::Count(k) => k.min(variances.len()),
        Components::Variance(share) => {
            let mut sum = 0.0;
            let short = variances.iter().take_while(|&&variance| {
                let is_short = sum < share.get() * total;
                sum += variance;
                is_short
            });
            short.count()
        }
    }
}

fn total_variance(rows: Rows<'_>, mean: &[f64]) -> f64 {
    let squares: f64 =
        rows.iter().map(|row| row.iter().zip(mean).map(|(&x, m)| (f64::from(x) - m).powi(2)).sum::<f64>()).sum();
    squares / divisor(rows)
}

fn divisor(rows: Rows<'_>) -> f64 {
    rows.n.saturating_sub(1).max(1) as f64
}

/// Descending eigenvalues and their vectors as columns, without those within rounding error.
fn eigen(lower: MatRef<'_, f64>, size: usize) -> Result<(Vec<f64>, Mat<f64>)> {
    let failed =
        || Error::data(Place::default(), "principal components: the eigenvalue decomposition did not converge");
    let decomposition = lower.self_adjoint_eigen(Side::Lower).map_err(|_| failed())?;
    let (values, vectors) = (decomposition.S().column_vector(), decomposition.U());
    let n = values.nrows();
    let floor = values.iter().copied().fold(0.0, f64::max) * f64::EPSILON * size as f64;
    let falling: Vec<f64> = values.iter().rev().copied().take_while(|&value| value > floor).collect();
    let kept = Mat::from_fn(n, falling.len(), |i, j| vectors[(i, n - 1 - j)]);
    Ok((falling, kept))
}

fn from_covariance(rows: Rows<'_>, mean: &[f64]) -> Result<(Vec<f64>, Mat<f64>)> {
    eigen(lower_covariance(rows, mean).as_ref(), rows.n.max(rows.width))
}

fn from_gram(rows: Rows<'_>, mean: &[f64], wanted: Components, total: f64) -> Result<(Vec<f64>, Mat<f64>)> {
    let (n, width) = (rows.n, rows.width);
    let mut gram = Mat::<f64>::zeros(n, n);
    for from in (0..width).step_by(BLOCK) {
        let columns = BLOCK.min(width - from);
        let at = |i: usize, j: usize| f64::from(rows.values[i * width + from + j]) - mean[from + j];
        let x = Mat::from_fn(n, columns, at);
        triangular::matmul(
            &mut gram,
            BlockStructure::TriangularLower,
            Accum::Add,
            &x,
            BlockStructure::Rectangular,
            x.transpose(),
            BlockStructure::Rectangular,
            1.0 / divisor(rows),
            Par::Seq,
        );
    }
    let (mut variances, left) = eigen(gram.as_ref(), n.max(width))?;
    variances.truncate(enough(&variances, wanted, total));
    let k = variances.len();
    let mut vectors = Mat::<f64>::zeros(width, k);
    for (b, block) in rows.values.chunks(BLOCK * width).enumerate() {
        let x = centred(block, mean);
        let u = left.as_ref().get(b * BLOCK..b * BLOCK + x.nrows(), ..k);
        matmul(&mut vectors, Accum::Add, x.transpose(), u, 1.0, Par::Seq);
    }
    for (j, variance) in variances.iter().enumerate() {
        let length = (variance * divisor(rows)).sqrt();
        vectors.col_mut(j).iter_mut().for_each(|v| *v /= length);
    }
    Ok((variances, vectors))
}

fn from_subspace(
    rows: Rows<'_>,
    mean: &[f64],
    wanted: Components,
    total: f64,
    seed: u64,
) -> Result<(Vec<f64>, Mat<f64>)> {
    let share = match wanted {
        Components::Count(k) => return subspace(rows, mean, k, seed),
        Components::Variance(share) => share,
    };
    let mut k = 64;
    loop {
        let (variances, vectors) = subspace(rows, mean, k, seed)?;
        if variances.len() < k || variances.iter().sum::<f64>() >= share.get() * total {
            return Ok((variances, vectors));
        }
        if k >= MOST {
            let reached = 100.0 * variances.iter().sum::<f64>() / total;
            let message = format!("expected {share} of the variance within {MOST} components, got {reached:.1} %");
            return Err(Error::recipe("components", message).with_hint("ask for a number of components"));
        }
        k *= 2;
    }
}

fn subspace(rows: Rows<'_>, mean: &[f64], k: usize, seed: u64) -> Result<(Vec<f64>, Mat<f64>)> {
    let width = rows.width;
    let size = (k + SPARE).min(width).min(rows.n);
    let mut stream = Stream::new(seed, 0);
    let mut basis = Mat::from_fn(width, size, |_, _| stream.normal()).qr().compute_thin_Q();
    for _ in 0..ROUNDS {
        let mut next = Mat::<f64>::zeros(width, size);
        for block in rows.values.chunks(BLOCK * width) {
            let x = centred(block, mean);
            let codes = &x * &basis;
            matmul(&mut next, Accum::Add, x.transpose(), &codes, 1.0, Par::Seq);
        }
        basis = next.qr().compute_thin_Q();
    }
    let mut inner = Mat::<f64>::zeros(size, size);
    for block in rows.values.chunks(BLOCK * width) {
        let codes = centred(block, mean) * &basis;
        matmul(&mut inner, Accum::Add, codes.transpose(), &codes, 1.0 / divisor(rows), Par::Seq);
    }
    let (mut variances, turn) = eigen(inner.as_ref(), rows.n.max(width))?;
    variances.truncate(k);
    let vectors = &basis * turn.as_ref().get(.., ..variances.len());
    Ok((variances, vectors))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::range::lit;

    /// Five strong directions of descending variance and faint noise.
    fn low_rank(n: usize, width: usize) -> Vec<f32> {
        let mut stream = Stream::new(11, 0);
        let loadings: Vec<f64> = (0..5 * width).map(|_| stream.normal()).collect();
        let mut x = Vec::with_capacity(n * width);
        for _ in 0..n {
            let z: Vec<f64> = (0..5).map(|j| stream.normal() * 2.0_f64.powi(-j)).collect();
            for c in 0..width {
                let signal: f64 = (0..5).map(|j| z[j as usize] * loadings[j as usize * width + c]).sum();
                x.push((signal + 0.01 * stream.normal()) as f32);
            }
        }
        x
    }

    fn check_same(a: &PrincipalAxes, b: &PrincipalAxes, tolerance: f64) {
        assert_eq!(a.variances.len(), b.variances.len());
        for (v, w) in a.variances.iter().zip(&b.variances) {
            assert!((v - w).abs() < tolerance * w, "{v} {w}");
        }
        for (v, w) in a.vectors.iter().zip(&b.vectors) {
            assert!((v - w).abs() < tolerance, "{v} {w}");
        }
    }

    fn by(way: &str, rows: Rows<'_>) -> PrincipalAxes {
        let mean = rows.mean();
        let wanted = Components::Count(5);
        let total = total_variance(rows, &mean);
        let (variances, vectors) = match way {
            "covariance" => from_covariance(rows, &mean),
            "gram" => from_gram(rows, &mean, wanted, total),
            _ => from_subspace(rows, &mean, wanted, total, 1),
        }
        .unwrap();
        let vectors = (0..5).flat_map(|j| {
            let sign = vectors[(0, j)].signum();
            vectors.col(j).iter().map(|v| sign * v).collect::<Vec<f64>>()
        });
        PrincipalAxes { vectors: vectors.collect(), variances: variances[..5].to_vec(), total }
    }

    #[test]
    fn three_ways_find_the_same_axes() {
        let (n, width) = (600, 40);
        let x = low_rank(n, width);
        let rows = Rows::new(&x, n, width).unwrap();
        let reference = by("covariance", rows);
        check_same(&by("gram", rows), &reference, 1e-8);
        check_same(&by("subspace", rows), &reference, 1e-8);
    }

    #[test]
    fn a_share_of_the_variance_takes_the_fewest_axes_that_reach_it() {
        let (n, width) = (300, 12);
        let x = low_rank(n, width);
        let rows = Rows::new(&x, n, width).unwrap();
        let axes = principal_axes(rows, &rows.mean(), Components::Variance(lit!(Rate, 0.9)), 0).unwrap();
        let sum: f64 = axes.variances.iter().sum();
        assert!(sum >= 0.9 * axes.total && sum - axes.variances.last().unwrap() < 0.9 * axes.total);
    }

    #[test]
    fn rank_is_not_exceeded() {
        let x = [1.0, 2.0, 3.0, 2.0, 4.0, 6.0_f32];
        let rows = Rows::new(&x, 2, 3).unwrap();
        let axes = principal_axes(rows, &rows.mean(), Components::Count(3), 0).unwrap();
        assert_eq!(axes.variances.len(), 1);
        assert!((axes.variances[0] - axes.total).abs() < 1e-12);
    }
}
