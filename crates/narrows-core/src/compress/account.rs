//! What a compressed file costs and what it has lost.

/// The account of a file that was written.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Account {
    /// Rows, or images.
    pub rows: u64,
    /// Values of columns that the model rebuilds, or of pixels.
    pub values: u64,
    /// Bytes of the whole file.
    pub bytes: u64,
    /// Bytes of codes and of what was taken from windows.
    pub codes: u64,
    /// Bytes of what codes leave over: numbers, words, missing cells.
    pub residual: u64,
    /// Bytes of what the model does not know, and of numbers that no cell holds.
    pub kept: u64,
    /// Halvings (below zero) or doublings of the model's rounding.
    pub level: i32,
    /// Bytes of all that numbers take: codes, what they leave over, numbers stored by themselves.
    pub numbers: u64,
    /// Bytes that zstd -19 makes of the same numbers in the same cells; none where the code is all there is.
    pub zstd_of_cells: Option<u64>,
    /// Chunks, each of which can be read by itself.
    pub chunks: u64,
    /// Words and flags of columns that the model rebuilds.
    pub words: u64,
    /// Those that came out as others, which only the code alone may do.
    pub other_words: u64,
    /// Of numbers: how far off they are, in shares of their column's range in training. Of images: in shares of white.
    pub errors: Quantiles,
}

impl Account {
    /// Bits a value that the model rebuilds; what is kept beside it does not count.
    pub fn bits_a_value(&self) -> f64 {
        8.0 * (self.codes + self.residual) as f64 / self.values.max(1) as f64
    }

    /// How many bytes of such data there must be before model and file together are smaller than the data; none where
    /// they never are. `original` bytes became this file.
    pub fn break_even(&self, original: u64, model: u64) -> Option<u64> {
        (self.bytes < original).then(|| {
            let saved = 1.0 - self.bytes as f64 / original as f64;
            (model as f64 / saved).ceil() as u64
        })
    }
}

/// Errors, gathered.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Quantiles {
    /// The first ones, for the quantiles.
    some: Vec<f32>,
    /// All of them.
    n: u64,
    squares: f64,
    largest: f64,
}

/// Errors that are kept for the quantiles.
const KEPT: usize = 1 << 20;

impl Quantiles {
    /// One more.
    pub(super) fn push(&mut self, error: f64) {
        let error = error.abs();
        if self.some.len() < KEPT {
            self.some.push(error as f32);
        }
        self.n += 1;
        self.squares += error * error;
        self.largest = self.largest.max(error);
    }

    /// How many there are.
    pub fn n(&self) -> u64 {
        self.n
    }

    /// The largest.
    pub fn largest(&self) -> f64 {
        self.largest
    }

    /// The root of the mean square.
    pub fn root_mean_square(&self) -> f64 {
        (self.squares / self.n.max(1) as f64).sqrt()
    }

    /// The peak signal-to-noise ratio in dB, of errors in shares of the peak; infinite without errors.
    pub fn psnr(&self) -> f64 {
        -20.0 * self.root_mean_square().log10()
    }

    /// The error that this share of them does not exceed, by the first million.
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
