//! How alike two samples of rows are: those that were generated, and held-out ones they should be like.
//!
//! Four questions, none of which knows a network: are columns distributed alike, do they move together alike, can a
//! classifier tell the two apart, and do new rows keep away from training rows as far as other rows do?

mod columns;
mod copies;
mod trees;

use serde::{Deserialize, Serialize};

pub use columns::{ColumnDistance, Distance};
pub use copies::Copies;

pub(crate) use columns::{Values, distances};

use crate::detect::metrics::roc_auc;
use crate::error::Result;

/// Fewer rows of either kind say nothing.
pub(crate) const FEWEST_ROWS: usize = 20;

/// How alike generated and held-out rows are.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SampleSimilarity {
    /// Generated rows that were judged.
    pub generated: u64,
    /// Held-out rows they were judged by.
    pub held_out: u64,
    /// Where rows were compared, where that is not the prepared columns, such as `the first 32 principal components`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub space: Option<String>,
    /// How far apart the distributions of each column are, the farthest first.
    pub columns: Vec<ColumnDistance>,
    /// The mean absolute difference of correlations between prepared values; none of fewer than two.
    pub correlation_difference: Option<f64>,
    /// How well a classifier that never saw these rows tells the two kinds apart, as AUC-ROC: 0.5 is not at all, 1 is
    /// always.
    pub auc: f64,
    /// The classifier, in words.
    pub classifier: String,
    /// Distances to the nearest training rows; none where these are not at hand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub copies: Option<Copies>,
}

/// Rows `[n, width]` that two samples are compared by.
pub(crate) struct ComparedSamples<'a> {
    pub(crate) generated: &'a [f32],
    pub(crate) held_out: &'a [f32],
    /// Training rows, where they are at hand.
    pub(crate) training: Option<&'a [f32]>,
    pub(crate) width: usize,
}

/// Compares samples of finite values; `columns` are the distances by column, and `space` says what the values are.
///
/// # Errors
/// Where the samples have no row.
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

/// Trains trees on every other row of both samples and judges them by the others.
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

    /// Rows of two columns that depend on each other, or do not.
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
