//! The covariance matrix of rows, in double precision, without a second copy of the data.

use faer::linalg::matmul::triangular::{self, BlockStructure};
use faer::{Accum, Mat, Par};

use super::rows::Rows;

/// Rows converted to double precision at a time: enough for an efficient matrix product, small compared with the data.
pub(super) const BLOCK: usize = 512;

/// The sample covariance (divisor `n - 1`, or 1 for a single row) around `mean`, shape `[width, width]`.
///
/// Only the lower triangle is filled, which is all that `faer`'s solvers read.
pub(super) fn lower_covariance(rows: Rows<'_>, mean: &[f64]) -> Mat<f64> {
    let mut covariance = Mat::<f64>::zeros(rows.width, rows.width);
    let scale = 1.0 / rows.n.saturating_sub(1).max(1) as f64;
    for block in rows.values.chunks(BLOCK * rows.width) {
        let x = centred(block, mean);
        triangular::matmul(
            &mut covariance,
            BlockStructure::TriangularLower,
            Accum::Add,
            x.transpose(),
            BlockStructure::Rectangular,
            &x,
            BlockStructure::Rectangular,
            scale,
            Par::Seq,
        );
    }
    covariance
}

/// A block of rows minus their mean, shape `[rows, width]`.
pub(super) fn centred(block: &[f32], mean: &[f64]) -> Mat<f64> {
    let width = mean.len();
    Mat::from_fn(block.len() / width, width, |i, j| f64::from(block[i * width + j]) - mean[j])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_add_up_to_the_textbook_formula() {
        let n = BLOCK + 7;
        let x: Vec<f32> = (0..n).flat_map(|i| [i as f32, (i * i % 17) as f32]).collect();
        let rows = Rows::new(&x, n, 2).unwrap();
        let mean = rows.mean();
        let covariance = lower_covariance(rows, &mean);
        for (i, j) in [(0, 0), (1, 0), (1, 1)] {
            let sum: f64 = rows.iter().map(|r| (f64::from(r[i]) - mean[i]) * (f64::from(r[j]) - mean[j])).sum();
            let expected = sum / (n - 1) as f64;
            assert!((covariance[(i, j)] - expected).abs() < 1e-9 * expected.abs().max(1.0));
        }
    }
}
