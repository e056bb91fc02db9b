//! Summary of a compressed file: account, ratios, and baselines.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;

use serde::Serialize;

use super::account::{Account, AlteredColumn, CodeTrial};
use super::images::ImageBaseline;
use crate::data::size_of;

/// Largest input file that is compressed by zstd for comparison.
const COMPARED_BYTES: u64 = 64 << 20;
/// Replaces an infinite signal-to-noise ratio, in dB.
const NO_NOISE: f64 = 999.0;

/// The size of the original, as far as known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct OriginalSize {
    /// Bytes of the input as stored.
    pub bytes: Option<u64>,
    /// Bytes of the input compressed by zstd -19.
    pub zstd: Option<u64>,
}

impl OriginalSize {
    /// The size of files, each compressed by zstd unless one is larger than 64 MiB. Unreadable files have no size.
    pub fn of_files(files: &[impl AsRef<Path>]) -> OriginalSize {
        let size = |file: &Path| size_of(file).ok().flatten();
        OriginalSize { bytes: files.iter().map(|file| size(file.as_ref())).sum(), zstd: zstd_of(files).ok().flatten() }
    }
}

/// The summary of a compressed file.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CompressionSummary {
    /// Rows, or images.
    pub rows: u64,
    /// Values coded by the model.
    pub values: u64,
    /// Bytes of the file.
    pub bytes: u64,
    /// Bytes of the original.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub original_bytes: Option<u64>,
    /// Compression ratio.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ratio: Option<f64>,
    /// Bytes of the model file, which is required for decompression.
    pub model_bytes: u64,
    /// Compression ratio including the model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ratio_with_model: Option<f64>,
    /// Bytes of such data from which model and file are smaller; `None` if they never are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub break_even_bytes: Option<u64>,
    /// Bits per value coded by the model.
    pub bits_a_value: f64,
    /// Bytes of codes.
    pub code_bytes: u64,
    /// What the code is worth, tried on the first rows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code_trial: Option<CodeTrial>,
    /// Bytes of residuals.
    pub residual_bytes: u64,
    /// Bytes of verbatim data.
    pub kept_bytes: u64,
    /// Independently readable chunks.
    pub chunks: u64,
    /// Quantiser level: halvings (below zero) or doublings of the model's steps.
    pub level: i32,
    /// The largest error, as a share of a column's range in training, or of white.
    pub largest_error: f64,
    /// The median error, in the same unit.
    pub median_error: f64,
    /// The 99 % quantile of the errors, in the same unit.
    pub error_99: f64,
    /// Peak signal-to-noise ratio in dB; 999 if there are no errors.
    pub psnr: f64,
    /// Bytes of the same quantised numbers compressed by zstd -19.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub zstd_of_cells: Option<u64>,
    /// Bytes of all numeric data.
    pub number_bytes: u64,
    /// Bytes of the original compressed by zstd -19.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub zstd_of_file: Option<u64>,
    /// Words and flags of columns coded by the model.
    pub words: u64,
    /// Those decoded incorrectly.
    pub other_words: u64,
    /// Columns some of whose cells come back otherwise than they were written, apart from the error of numbers.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub altered: Vec<AlteredColumn>,
    /// The same images in other formats.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub baselines: Vec<ImageBaseline>,
}

impl CompressionSummary {
    /// The summary of a file; `model_bytes` is the size of the model file.
    pub fn new(account: &Account, original: OriginalSize, model_bytes: u64) -> CompressionSummary {
        let ratio = |bytes: u64| original.bytes.map(|original| original as f64 / bytes.max(1) as f64);
        CompressionSummary {
            rows: account.rows,
            values: account.values,
            bytes: account.bytes,
            original_bytes: original.bytes,
            ratio: ratio(account.bytes),
            model_bytes,
            ratio_with_model: ratio(account.bytes + model_bytes),
            break_even_bytes: original.bytes.and_then(|original| account.break_even(original, model_bytes)),
            bits_a_value: account.bits_a_value(),
            code_bytes: account.codes,
            code_trial: account.code_trial,
            residual_bytes: account.residual,
            kept_bytes: account.kept,
            chunks: account.chunks,
            level: account.level,
            largest_error: account.errors.largest(),
            median_error: account.errors.quantile(0.5),
            error_99: account.errors.quantile(0.99),
            psnr: shown_psnr(account),
            zstd_of_cells: account.zstd_of_cells,
            number_bytes: account.numbers,
            zstd_of_file: original.zstd,
            words: account.words,
            other_words: account.other_words,
            altered: account.altered.clone(),
            baselines: Vec::new(),
        }
    }

    /// Bytes of the same quantised numbers by zstd, relative to ours.
    pub fn cells_by_zstd(&self) -> Option<f64> {
        self.zstd_of_cells.map(|cells| cells as f64 / self.number_bytes.max(1) as f64)
    }

    /// Bytes of the original by zstd, relative to ours.
    pub fn original_by_zstd(&self) -> Option<f64> {
        self.zstd_of_file.map(|file| file as f64 / self.bytes as f64)
    }
}

/// The peak signal-to-noise ratio as a finite number for JSON.
pub(super) fn shown_psnr(account: &Account) -> f64 {
    account.errors.psnr().min(NO_NOISE)
}

/// Bytes of some files by zstd -19; `None` if one is too large.
fn zstd_of(files: &[impl AsRef<Path>]) -> io::Result<Option<u64>> {
    let mut total = 0;
    for file in files {
        let mut bytes = Vec::new();
        File::open(file)?.take(COMPARED_BYTES + 1).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > COMPARED_BYTES {
            return Ok(None);
        }
        let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), 19)?;
        encoder.write_all(&bytes)?;
        total += encoder.finish()?.len() as u64;
    }
    Ok(Some(total))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ratios_are_of_the_original_where_its_size_is_known() {
        let account = Account {
            bytes: 25,
            values: 100,
            codes: 10,
            residual: 5,
            numbers: 20,
            zstd_of_cells: Some(30),
            ..Account::default()
        };
        let original = OriginalSize { bytes: Some(100), zstd: Some(50) };
        let summary = CompressionSummary::new(&account, original, 75);
        assert_eq!((summary.ratio, summary.ratio_with_model), (Some(4.0), Some(1.0)));
        assert_eq!((summary.cells_by_zstd(), summary.original_by_zstd()), (Some(1.5), Some(2.0)));
        assert_eq!((summary.break_even_bytes, summary.psnr), (Some(100), 999.0));
        let unknown = CompressionSummary::new(&account, OriginalSize::default(), 75);
        assert_eq!((unknown.ratio, unknown.break_even_bytes, unknown.original_by_zstd()), (None, None, None));
        let json = serde_json::to_value(&unknown).unwrap();
        assert!(json.get("ratio").is_none() && json.get("baselines").is_none(), "{json}");
    }

    #[test]
    fn files_have_a_size_and_what_is_not_there_has_none() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.csv");
        std::fs::write(&path, "1,2,3\n".repeat(100)).unwrap();
        let size = OriginalSize::of_files(&[&path, &path]);
        assert_eq!(size.bytes, Some(1200));
        assert!(size.zstd.unwrap() < 100);
        assert_eq!(OriginalSize::of_files(&[folder.path().join("none")]), OriginalSize::default());
    }
}
