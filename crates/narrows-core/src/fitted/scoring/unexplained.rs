//! The share of the variance left unexplained by a reconstruction: a unitless error, comparable between losses,
//! scalings and corruptions. 0 is perfect, 1 as bad as predicting the mean of every column.

/// Reconstruction error as a share of the variance.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Unexplained {
    /// Squared error over variance, both summed over all observed values.
    pub(crate) share: f64,
    /// Standard error of the share, for randomly drawn rows.
    pub(crate) standard_error: f64,
}

impl Unexplained {
    /// Compares `output` with `target`, both `[n, width]`; NaN in the target is unobserved. Variances are those of the
    /// target's columns.
    pub(crate) fn of(target: &[f32], output: &[f32], width: usize) -> Unexplained {
        let n = target.len() / width.max(1);
        let mut seen = vec![0_u64; width];
        let mut mean = vec![0.0_f64; width];
        for row in target.chunks_exact(width) {
            for (slot, value) in row.iter().enumerate().filter(|(_, value)| !value.is_nan()) {
                seen[slot] += 1;
                mean[slot] += f64::from(*value);
            }
        }
        mean.iter_mut().zip(&seen).for_each(|(mean, seen)| *mean /= (*seen).max(1) as f64);
        let mut variance = 0.0;
        let mut errors = Vec::with_capacity(n);
        for (target, output) in target.chunks_exact(width).zip(output.chunks_exact(width)) {
            let mut error = 0.0;
            for (slot, (t, o)) in target.iter().zip(output).enumerate().filter(|(_, (t, _))| !t.is_nan()) {
                error += f64::from(t - o).powi(2);
                variance += (f64::from(*t) - mean[slot]).powi(2);
            }
            errors.push(error);
        }
        let total: f64 = errors.iter().sum();
        if variance <= 0.0 {
            // Constant columns: a correct constant explains everything.
            return Unexplained { share: if total > 0.0 { 1.0 } else { 0.0 }, standard_error: 0.0 };
        }
        let n = n as f64;
        let spread = errors.iter().map(|error| (error - total / n).powi(2)).sum::<f64>() / (n - 1.0).max(1.0);
        Unexplained { share: total / variance, standard_error: (spread * n).sqrt() / variance }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAN: f32 = f32::NAN;

    fn check(target: &[f32], output: &[f32], share: f64) {
        let found = Unexplained::of(target, output, 2);
        assert!((found.share - share).abs() < 1e-9, "{found:?}");
        let scaled: Vec<f32> = target.iter().map(|t| 8.0 * t).collect();
        let output: Vec<f32> = output.iter().map(|o| 8.0 * o).collect();
        assert!((Unexplained::of(&scaled, &output, 2).share - share).abs() < 1e-9, "another unit is another error");
    }

    #[test]
    fn the_mean_explains_nothing_and_a_copy_everything() {
        let target = [0.0, 1.0, 2.0, 5.0, 4.0, 3.0];
        check(&target, &target, 0.0);
        check(&target, &[2.0, 3.0, 2.0, 3.0, 2.0, 3.0], 1.0);
        check(&target, &[1.0, 2.0, 2.0, 4.0, 3.0, 3.0], 0.25);
    }

    #[test]
    fn what_was_not_observed_does_not_count() {
        check(&[0.0, NAN, 2.0, NAN, 4.0, NAN], &[1.0, 99.0, 2.0, 99.0, 3.0, 99.0], 0.25);
        check(&[1.0, NAN, 1.0, NAN], &[1.0, 0.0, 1.0, 0.0], 0.0);
        check(&[1.0, NAN, 1.0, NAN], &[1.5, 0.0, 1.0, 0.0], 1.0);
    }

    #[test]
    fn the_standard_error_is_that_of_a_mean_over_rows() {
        let (n, target): (usize, Vec<f32>) = (200, (0..400).map(|i| (i as f32 * 0.7).sin()).collect());
        let output: Vec<f32> = target.iter().enumerate().map(|(i, t)| t + 0.1 * (i as f32 * 1.3).cos()).collect();
        let few = Unexplained::of(&target, &output, 2);
        let many = Unexplained::of(&target.repeat(16), &output.repeat(16), 2);
        assert!((few.share - many.share).abs() < 1e-9);
        let ratio = few.standard_error / many.standard_error;
        assert!((ratio - 4.0).abs() < 0.02, "sixteen times the rows of {n}: {ratio}");
    }
}
