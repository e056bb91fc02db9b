//! The effect of the bottleneck: the share of the variance of held-out samples that passes through the code, the same
//! for PCA of that size, and the same for pure noise.

use narrows_engine::rng::{Purpose, Stream};

use super::active_units::active_units;
use crate::baseline::Pca;
use crate::ensemble::Ensemble;
use crate::fitted::scoring::Unexplained;
use crate::fitted::summary::{ReportInputs, spread};
use crate::prep::{Block, BlockKind, PrepCounts, Prepared, finite};
use crate::report::Bottleneck;

/// Most held-out samples that are measured.
const HELD_OUT: usize = 2_000;
/// Noise samples.
const NOISE: usize = 1_000;
const NOISE_VALUES: usize = 4 << 20;
/// The epoch that keys the noise; not used in training.
const EPOCH: u64 = (1 << 44) - 2;

/// Measures the bottleneck; `same_size` is PCA with as many components as the code has units, `None` if that is no
/// narrower than a sample.
pub(crate) fn bottleneck(inputs: &ReportInputs<'_>, blocks: &[Block], same_size: Option<&Pca>) -> Bottleneck {
    let ensemble = &inputs.scorer.ensemble;
    let rows = inputs.prepared.take(&spread(&inputs.split.calibration, HELD_OUT));
    let width = rows.width;
    let output = ensemble.output(&rows.input);
    let codes = ensemble.codes(&rows.input);
    let code_size = ensemble.network.code_size();
    let active = active_units(ensemble.network.latent, &codes, code_size);
    let pca = same_size.map(|pca| Unexplained::of(&rows.target, &pca.rebuilt(&rows.finite()), width).share);
    let noise = noise(inputs, blocks);
    Bottleneck {
        code_size,
        active_units: active.into_iter().filter(|active| *active).count(),
        unexplained: Unexplained::of(&rows.target, &output, width).share,
        pca_unexplained: pca,
        noise_passed: passed(ensemble, &noise),
    }
}

/// The share of the variance of `rows` that is reconstructed.
fn passed(ensemble: &Ensemble, rows: &Prepared) -> f64 {
    let output = ensemble.output(&rows.input);
    (1.0 - Unexplained::of(&rows.target, &output, rows.width).share).max(0.0)
}

/// Samples with independent columns: each block is drawn from a training sample of its own.
fn noise(inputs: &ReportInputs<'_>, blocks: &[Block]) -> Prepared {
    let (rows, train) = (inputs.prepared, &inputs.split.train);
    let width = rows.width;
    let n = NOISE.min(NOISE_VALUES / width.max(1)).max(1);
    let mut input = vec![0.0; n * width];
    for (number, sample) in input.chunks_exact_mut(width).enumerate() {
        let mut stream = Stream::new(inputs.recipe.seed, Purpose::Corruption, EPOCH, number as u64);
        let mut donor = || train[stream.below(train.len() as u32) as usize] as usize * width;
        for block in blocks {
            match block.kind {
                // The slots of a category, and a sine and its cosine, stay together.
                BlockKind::Levels | BlockKind::Cyclic => {
                    let from = donor();
                    sample[block.range.clone()]
                        .copy_from_slice(&rows.input[from + block.range.start..from + block.range.end]);
                }
                BlockKind::Number | BlockKind::Flag | BlockKind::Missing => {
                    block.range.clone().for_each(|slot| sample[slot] = rows.input[donor() + slot]);
                }
            }
        }
    }
    // An absent step carries no information for a network, and noise has no absent steps.
    let input = finite(&input).into_owned();
    Prepared { target: input.clone(), input, n, width, counts: PrepCounts::default() }
}
