//! Size and error statistics of a compressed file.

use arrow::array::{Array, AsArray};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use serde::Serialize;

use super::coder::ChunkCoder;
use super::fidelity::Fidelity;
use super::manifest::TableManifest;
use super::restore::is_text;
use crate::data::{ColumnKind, Table, is_missing};
use crate::error::Result;

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
    /// Columns some of whose cells come back otherwise than as a number near the one that was written.
    pub altered: Vec<AlteredColumn>,
    /// What the code is worth, tried on the first rows; `None` if only the code is stored, and of images.
    pub code_trial: Option<CodeTrial>,
}

/// The first rows of a file compressed with the code and without it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct CodeTrial {
    /// Rows that were tried.
    pub rows: u64,
    /// Their bytes with the code, as fine as is best.
    pub bytes_with_code: u64,
    /// Their bytes if the model predicts the same for all rows. The file has no code if these are not more.
    pub bytes_without_code: u64,
}

/// A column of text that is stored as numbers, some of whose cells are more than a number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AlteredColumn {
    /// Its name.
    pub column: String,
    /// Numbers written with leading zeros or a plus, which come back without.
    pub respelled: u64,
    /// Words that are no numbers, which come back as missing cells.
    pub lost: u64,
    /// The first such cell.
    pub example: String,
}

impl AlteredColumn {
    /// Counts the altered cells of rows; lossless columns have none.
    pub(super) fn count(
        manifest: &TableManifest,
        coder: &ChunkCoder,
        table: &Table,
        typed: &Table,
        altered: &mut Vec<AlteredColumn>,
    ) -> Result<()> {
        let features = coder.features();
        for place in &manifest.columns {
            let fidelity = place.number(manifest.fidelity).map_or(manifest.fidelity, |(_, fidelity)| fidelity);
            let Some(feature) = place.feature().filter(|_| fidelity != Fidelity::Lossless) else { continue };
            let column = features[feature as usize].column;
            let raw = table.expect_column(&column.name)?;
            if column.kind != ColumnKind::Numeric || !is_text(raw.data_type()) {
                continue;
            }
            let Ok(texts) = cast(raw, &DataType::Utf8) else { continue };
            let numbers = typed.expect_column(&column.name)?;
            let (mut respelled, mut lost, mut example) = (0, 0, None);
            for (row, text) in texts.as_string::<i32>().iter().enumerate() {
                let text = text.unwrap_or_default().trim();
                if numbers.is_valid(row) {
                    if !is_respelled(text) {
                        continue;
                    }
                    respelled += 1;
                } else {
                    if is_missing(text) {
                        continue;
                    }
                    lost += 1;
                }
                example.get_or_insert_with(|| text.chars().take(40).collect());
            }
            let Some(example) = example else { continue };
            match altered.iter_mut().find(|altered| altered.column == column.name) {
                Some(altered) => {
                    (altered.respelled, altered.lost) = (altered.respelled + respelled, altered.lost + lost)
                }
                None => altered.push(AlteredColumn { column: column.name.clone(), respelled, lost, example }),
            }
        }
        Ok(())
    }
}

/// Whether a number says something by its spelling: `007`, `+3`.
fn is_respelled(text: &str) -> bool {
    let digits = text.trim_start_matches(['+', '-']);
    let is_digit = |at: usize| digits.as_bytes().get(at).is_some_and(u8::is_ascii_digit);
    text.starts_with('+') || (digits.starts_with('0') && is_digit(1))
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
    fn leading_zeros_and_signs_are_more_than_a_number() {
        assert!(["007", "-04.5", "+3", "00"].iter().all(|text| is_respelled(text)));
        assert!(["7", "0", "0.5", "-0.25", "1e3", "1.50", "-3", ""].iter().all(|text| !is_respelled(text)));
    }

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
