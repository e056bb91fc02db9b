//! Similarity of two samples of rows: generated and held-out ones.
//!
//! Four model-independent measures: distances of column distributions, differences of correlations, a
//! classifier two-sample test, and distances to training rows.

mod columns;
mod copies;
mod trees;

use serde::{Deserialize, Serialize};

pub use columns::{ColumnDistance, Distance};
pub use copies::Copies;

pub(crate) use columns::{Values, distances};

use crate::detect::metrics::roc_auc;
use crate::error::Result;

/// Minimum number of rows of either kind.
pub(crate) const FEWEST_ROWS: usize = 20;

/// Similarity of generated and held-out rows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SampleSimilarity {
    /// Generated rows evaluated.
    pub generated: u64,
    /// Held-out rows compared with.
    pub held_out: u64,
    /// The feature space, if not the prepared columns, such as `the first 32 principal components`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub space: Option<String>,
    /// Distance per column, largest first.
    pub columns: Vec<ColumnDistance>,
    /// Mean absolute difference of correlations between prepared values; `None` with fewer than two.
    pub correlation_difference: Option<f64>,
    /// AUC-ROC of a classifier between generated and held-out rows, on rows unseen in its training: 0.5 is
    /// indistinguishable, 1 perfectly separable.
    pub auc: f64,
    /// Description of the classifier.
    pub classifier: String,
    /// Distances to the nearest training rows; `None` if these are not available.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub copies: Option<Copies>,
}

/// Rows `[n, width]` of the two samples.
pub(crate) struct ComparedSamples<'a> {
    pub(crate) generated: &'a [f32],
    pub(crate) held_out: &'a [f32],
    /// Training rows, if available.
    pub(crate) training: Option<&'a [f32]>,
    pub(crate) width: usize,
}

/// Compares samples of finite values; `columns` are the distances by column, `space` describes the values.
///
/// # Errors
/// If a sample is empty.
pub(crate) fn sample_similarity(
    samples: &ComparedSamples<'_>,
    mut columns: Vec<ColumnDistance>,
    space: Option<String>,
    seed: u64,
) -> Result<SampleSimilarity> {
    let ComparedSamples { generated, held_out, training, width } = *samples;
    columns.sort_by(|a, b| b.distance.total_cmp(&a.distance));
    Ok(SampleSimilarity {
        generated: (generated.len() / width) as u64,
        held_out: (held_out.len() / width) as u64,
        space,
        columns,
        correlation_difference: columns::correlation_difference(generated, held_out, width),
        auc: told_apart(generated, held_out, width, seed)?,
        classifier: format!("{} extremely randomised trees", trees::TREES),
        copies: match training {
            Some(training) => Some(Copies::of(generated, held_out, training, width, seed)?),
            None => None,
        },
    })
}

/// Trains trees on every other row of both samples and evaluates them on the others.
fn told_apart(generated: &[f32], held_out: &[f32], width: usize, seed: u64) -> Result<f64> {
    let half = |which: usize| {
        let rows = |sample: &[f32]| -> Vec<f32> {
            sample.chunks_exact(width).skip(which).step_by(2).flatten().copied().collect()
        };
        let (mut values, others) = (rows(generated), rows(held_out));
        let n = values.len() / width;
        values.extend(&others);
        let labels: Vec<bool> = (0..values.len() / width).map(|row| row < n).collect();
        (values, labels)
    };
    let (values, labels) = half(0);
    let trees = trees::Trees::fit(&values, &labels, width, seed);
    let (values, labels) = half(1);
    roc_auc(&trees.scores(&values), &labels)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::baseline::random::Stream;

    /// Rows of two columns, dependent or not.
    fn rows(n: usize, key: u64, slope: f64, shift: f64) -> Vec<f32> {
        let mut stream = Stream::new(1, key);
        let mut row = || {
            let (a, b) = (stream.normal(), stream.normal());
            [(a + shift) as f32, (slope * a + (1.0 - slope * slope).sqrt() * b) as f32]
        };
        (0..n).flat_map(|_| row()).collect()
    }

    fn judged(generated: &[f32]) -> SampleSimilarity {
        let (held_out, training) = (rows(600, 1, 0.9, 0.0), rows(1500, 2, 0.9, 0.0));
        let samples = ComparedSamples { generated, held_out: &held_out, training: Some(&training), width: 2 };
        sample_similarity(&samples, Vec::new(), None, 0).unwrap()
    }

    #[test]
    fn rows_of_the_same_source_cannot_be_told_apart() {
        let found = judged(&rows(600, 3, 0.9, 0.0));
        assert!((found.auc - 0.5).abs() < 0.08, "{found:?}");
        assert!(found.correlation_difference.unwrap() < 0.05, "{found:?}");
        let copies = found.copies.unwrap();
        assert!((copies.ratio.unwrap() - 1.0).abs() < 0.25 && copies.exact == 0, "{copies:?}");
    }

    #[test]
    fn a_shift_and_a_lost_dependence_are_found() {
        assert!(judged(&rows(600, 3, 0.9, 2.0)).auc > 0.9);
        let independent = judged(&rows(600, 3, 0.0, 0.0));
        assert!(independent.auc > 0.7 && independent.correlation_difference.unwrap() > 0.8, "{independent:?}");
    }

    #[test]
    fn copies_of_training_rows_are_counted() {
        let copies = judged(&rows(1500, 2, 0.9, 0.0)[..1200]).copies.unwrap();
        assert_eq!((copies.exact, copies.ratio), (600, Some(0.0)));
    }
}
