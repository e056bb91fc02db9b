//! Size and error statistics of a compressed file.

/// Size and error statistics of a written file.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Account {
    /// Rows, or images.
    pub rows: u64,
    /// Values of columns coded by the model, or of pixels.
    pub values: u64,
    /// Bytes of the whole file.
    pub bytes: u64,
    /// Bytes of codes and of window levels.
    pub codes: u64,
    /// Bytes of the residual of the codes: numbers, words, missing cells.
    pub residual: u64,
    /// Bytes of columns unknown to the model, and of numbers that no cell represents.
    pub kept: u64,
    /// Quantiser level: halvings (below zero) or doublings of the model's steps.
    pub level: i32,
    /// Bytes of all numeric data: codes, residual, numbers stored verbatim.
    pub numbers: u64,
    /// Bytes of the same quantised numbers compressed by zstd -19; `None` if only the code is stored.
    pub zstd_of_cells: Option<u64>,
    /// Chunks, each of which can be decoded independently.
    pub chunks: u64,
    /// Words and flags of columns coded by the model.
    pub words: u64,
    /// Those decoded incorrectly, possible only if only the code is stored.
    pub other_words: u64,
    /// Errors of numbers, as shares of their column's range in training; of pixels, as shares of white.
    pub errors: Quantiles,
}

impl Account {
    /// Bits per value coded by the model, without the data stored verbatim.
    pub fn bits_a_value(&self) -> f64 {
        8.0 * (self.codes + self.residual) as f64 / self.values.max(1) as f64
    }

    /// The number of bytes of such data from which model and file together are smaller than the data; `None` if they
    /// never are. `original` bytes became this file.
    pub fn break_even(&self, original: u64, model: u64) -> Option<u64> {
        (self.bytes < original).then(|| {
            let saved = 1.0 - self.bytes as f64 / original as f64;
            (model as f64 / saved).ceil() as u64
        })
    }
}

/// Error statistics with quantiles.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Quantiles {
    /// The first errors, for the quantiles.
    some: Vec<f32>,
    /// Number of errors.
    n: u64,
    squares: f64,
    largest: f64,
}

/// Number of errors kept for the quantiles.
const KEPT: usize = 1 << 20;

impl Quantiles {
    /// Adds an error.
    pub(super) fn push(&mut self, error: f64) {
        let error = error.abs();
        if self.some.len() < KEPT {
            self.some.push(error as f32);
        }
        self.n += 1;
        self.squares += error * error;
        self.largest = self.largest.max(error);
    }

    /// Number of errors.
    pub fn n(&self) -> u64 {
        self.n
    }

    /// The largest error.
    pub fn largest(&self) -> f64 {
        self.largest
    }

    /// The root mean square error.
    pub fn root_mean_square(&self) -> f64 {
        (self.squares / self.n.max(1) as f64).sqrt()
    }

    /// The peak signal-to-noise ratio in dB, of errors as shares of the peak; infinite without errors.
    pub fn psnr(&self) -> f64 {
        -20.0 * self.root_mean_square().log10()
    }

    /// A quantile of the errors, from the first million.
    pub fn quantile(&self, share: f64) -> f64 {
        let mut sorted = self.some.clone();
        sorted.sort_unstable_by(f32::total_cmp);
        let place = (share * sorted.len().saturating_sub(1) as f64).round() as usize;
        sorted.get(place).copied().map_or(0.0, f64::from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_have_quantiles_and_a_file_a_break_even() {
        let mut errors = Quantiles::default();
        (0..=100).for_each(|i| errors.push(-f64::from(i) / 100.0));
        assert_eq!((errors.n(), errors.largest()), (101, 1.0));
        assert!((errors.quantile(0.5) - 0.5).abs() < 1e-6);
        let account = Account { bytes: 25, values: 100, codes: 10, residual: 5, ..Account::default() };
        assert_eq!(account.break_even(100, 75), Some(100));
        assert_eq!(account.break_even(25, 75), None);
        assert!((account.bits_a_value() - 1.2).abs() < 1e-12);
    }
}
