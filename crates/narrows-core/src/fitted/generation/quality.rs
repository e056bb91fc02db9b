//! The quality of generated samples, compared with as many held-out ones.
//!
//! Everything is measured in prepared units, where columns have about unit variance. Rows that are too wide, such as
//! images, are compared by their first principal components.

use narrows_engine::Latent;

use super::active_units::active_units;
use super::density::CodeDensity;
use super::elbo;
use super::generate::decoded_draws;
use crate::baseline::{Components, Pca};
use crate::detect::Score;
use crate::ensemble::Ensemble;
use crate::error::{Error, Place, Result};
use crate::fitted::adapter::Adapter;
use crate::fitted::core::Core;
use crate::fitted::split::Split;
use crate::prep::{BlockKind, PrepCounts, Prepared};
use crate::report::{DensityReport, GenerationReport, UnitsReport};
use crate::sample_similarity::{self, ComparedSamples, FEWEST_ROWS, SampleSimilarity};

/// Most rows of either kind.
const MOST_ROWS: usize = 2_000;
/// Most values of the rows of either kind.
const MOST_VALUES: usize = 4 << 20;
/// Wider rows are compared by their principal components.
const WIDEST: usize = 256;
/// Number of principal components.
const AXES: usize = 32;
/// Multiplications allowed for computing them: rows squared times width.
const AXES_WORK: usize = 1 << 30;
/// Most training rows used as distance references.
const TRAINING_ROWS: usize = 10_000;

/// A density fitted to the codes of a Gaussian latent is used where held-out codes are likelier under it than under the
/// prior by this many nats a code.
const WORTH_A_FIT: f64 = 0.02;

/// What the encoder says of training and held-out samples.
#[derive(Debug, Clone)]
pub(crate) struct DensityCodes {
    latent: Latent,
    /// Codes of training samples, `[n, k]`; of a Gaussian latent the means.
    means: Vec<f32>,
    /// Codes as the decoder gets them in training; of a Gaussian latent drawn.
    train: Vec<f32>,
    held_out: Vec<f32>,
}

/// The density fitted to training codes, with its report.
#[derive(Debug, Clone)]
pub(crate) struct FittedCodes {
    pub(crate) density: CodeDensity,
    pub(crate) report: DensityReport,
    pub(crate) units: Option<UnitsReport>,
}

impl FittedCodes {
    /// From what the encoder says of training and held-out samples.
    pub(crate) fn of(encoded: &DensityCodes, k: usize, seed: u64) -> Result<FittedCodes> {
        let DensityCodes { latent, means, train, held_out } = encoded;
        let (density, report) = CodeDensity::fit(train, held_out, k, seed)?;
        if *latent != Latent::Gaussian {
            return Ok(FittedCodes { density, report, units: None });
        }
        let active = active_units(*latent, means, k).into_iter().filter(|active| *active).count() as u64;
        let units = Some(UnitsReport { units: k as u64, active });
        let prior = CodeDensity::prior_likelihood(train, held_out, k);
        let (density, report) = match (report.held_out, prior) {
            (Some(fitted), Some(prior)) if fitted > prior + WORTH_A_FIT => (density, report),
            _ => (CodeDensity::Standard, CodeDensity::of_the_prior()),
        };
        Ok(FittedCodes { density, report, units })
    }
}

impl DensityCodes {
    /// Encodes prepared samples, `[n, width]`.
    pub(crate) fn of(ensemble: &Ensemble, train: &[f32], held_out: &[f32]) -> DensityCodes {
        let latent = ensemble.network.latent;
        let means = ensemble.codes(train);
        let drawn = |input: &[f32], purpose: u64| match latent {
            Latent::Gaussian => elbo::drawn_codes(&ensemble.code_distributions(input), ensemble.code_size(), purpose),
            Latent::Point | Latent::Quantised => ensemble.codes(input),
        };
        DensityCodes { latent, train: drawn(train, 1), held_out: drawn(held_out, 2), means }
    }
}

/// The report on generated samples, compared with those of the split.
pub(crate) fn report(
    core: &Core,
    adapter: &dyn Adapter,
    (density, units): (DensityReport, Option<UnitsReport>),
    prepared: &Prepared,
    split: &Split,
) -> Result<GenerationReport> {
    let sheet = adapter.gallery(core)?;
    let held_out = some_of(prepared, &split.calibration, MOST_ROWS);
    let training =
        some_of(prepared, &split.train, TRAINING_ROWS.min((8 * MOST_VALUES / prepared.width).max(MOST_ROWS)));
    let sample_similarity = compared(core, adapter, held_out.n, (&held_out, Some(&training)), core.recipe.seed)?;
    let ensemble = &core.scorer.ensemble;
    let negative_elbo = elbo::has_bound(ensemble).then(|| {
        let bounds = elbo::negative_elbo(ensemble, &held_out.input, &held_out.target, 0);
        bounds.iter().sum::<f64>() / bounds.len().max(1) as f64
    });
    Ok(GenerationReport { density, units, negative_elbo, sample_similarity, sheet, not_made: Vec::new() })
}

/// Compares `n` generated samples with given ones.
///
/// # Errors
/// [`Error::Data`] for fewer than 20 samples of either kind; `source` names the given ones.
pub(crate) fn quality(
    core: &Core,
    adapter: &dyn Adapter,
    given: &Prepared,
    n: usize,
    source: &str,
    seed: u64,
) -> Result<SampleSimilarity> {
    // For models that score by `mix`, the distance references are training rows.
    let detector = &core.scorer.detector;
    let known = detector.neighbours.as_ref().filter(|_| detector.score == Score::Mix);
    let training = known.map(|proximity| Prepared {
        input: proximity.index.rows().to_vec(),
        target: proximity.index.rows().to_vec(),
        n: proximity.index.rows().len() / proximity.index.width(),
        width: proximity.index.width(),
        counts: PrepCounts::default(),
    });
    compared(core, adapter, n, (given, training.as_ref()), seed)?.ok_or_else(|| {
        let message = format!(
            "expected at least {FEWEST_ROWS} rows to compare with and as many generated, which are not all alike, got {} \
             and {n}",
            given.n
        );
        Error::data(Place::source(source), message)
    })
}

/// `n` generated samples compared with held-out ones, as many as possible; `None` if there are too few.
fn compared(
    core: &Core,
    adapter: &dyn Adapter,
    n: usize,
    (held_out, training): (&Prepared, Option<&Prepared>),
    seed: u64,
) -> Result<Option<SampleSimilarity>> {
    let width = held_out.width;
    let most = MOST_ROWS.min((MOST_VALUES / width.max(1)).max(FEWEST_ROWS));
    if n.min(held_out.n) < FEWEST_ROWS || training.is_some_and(|training| training.n == 0) {
        return Ok(None);
    }
    let held_out = &spread_over(held_out, most);
    let generated = generated(core, adapter, n.min(most), seed);
    let columns = adapter.column_distances(&generated, held_out);
    core.compute().install(|| {
        let (g, h, t) = (generated.finite(), held_out.finite(), training.map(Prepared::finite));
        let dateless: Vec<usize> = dateless(adapter, width);
        if width <= WIDEST && dateless.len() < width && !dateless.is_empty() {
            let only = |rows: &[f32]| -> Vec<f32> {
                rows.chunks_exact(width).flat_map(|row| dateless.iter().map(|slot| row[*slot])).collect()
            };
            let (g, h, t) = (only(&g), only(&h), t.map(|t| only(&t)));
            let samples =
                ComparedSamples { generated: &g, held_out: &h, training: t.as_deref(), width: dateless.len() };
            let space = "all columns but dates".to_owned();
            return sample_similarity::sample_similarity(&samples, columns, Some(space), seed).map(Some);
        }
        if width <= WIDEST {
            let samples = ComparedSamples { generated: &g, held_out: &h, training: t.as_deref(), width };
            return sample_similarity::sample_similarity(&samples, columns, None, seed).map(Some);
        }
        let rows = (AXES_WORK / width).isqrt().clamp(2 * AXES, 1_000);
        let some = spread_over(training.unwrap_or(held_out), rows);
        let pca = Pca::fit(&some.finite(), some.n, width, Components::Count(AXES), seed)?;
        let k = pca.n_components();
        if k == 0 {
            return Ok(None);
        }
        let (g, h, t) = (pca.encode(&g), pca.encode(&h), t.map(|t| pca.encode(&t)));
        let samples = ComparedSamples { generated: &g, held_out: &h, training: t.as_deref(), width: k };
        let space = format!("the first {k} principal components");
        sample_similarity::sample_similarity(&samples, columns, Some(space), seed).map(Some)
    })
}

/// Generated samples in prepared units, in the form of held-out ones: NaN in the target for missing cells.
fn generated(core: &Core, adapter: &dyn Adapter, n: usize, seed: u64) -> Prepared {
    let mut input = decoded_draws(core, n, 0, seed);
    let width = core.scorer.ensemble.network.outputs();
    let target = adapter.generated(core, &mut input, seed);
    Prepared { input, target, n, width, counts: PrepCounts::default() }
}

/// The slots that are not parts of dates: generated ones lie near their circles but never on them, which would make
/// every generated row trivially distinguishable.
fn dateless(adapter: &dyn Adapter, width: usize) -> Vec<usize> {
    let is_date = |slot: &usize| {
        let mut dates = adapter.blocks().iter().filter(|block| block.kind == BlockKind::Cyclic);
        dates.any(|block| block.range.contains(slot))
    };
    (0..width).filter(|slot| !is_date(slot)).collect()
}

/// At most `most` of the rows, evenly spaced.
fn spread_over(rows: &Prepared, most: usize) -> Prepared {
    some_of(rows, &(0..rows.n as u32).collect::<Vec<u32>>(), most)
}

/// At most `most` of the rows `which`, evenly spaced.
fn some_of(rows: &Prepared, which: &[u32], most: usize) -> Prepared {
    let n = which.len().min(most);
    rows.take(&(0..n).map(|i| which[i * which.len() / n]).collect::<Vec<u32>>())
}

/// All observed values of some slots.
pub(crate) fn numbers(rows: &Prepared, slots: &[usize]) -> Vec<f32> {
    let row = |row: &[f32]| slots.iter().map(|slot| row[*slot]).filter(|x| !x.is_nan()).collect::<Vec<_>>();
    rows.target.chunks_exact(rows.width).flat_map(row).collect()
}

/// The level of each row, the argmax of its slots, or a flag as 0 and 1; rows where it is missing are left out.
pub(crate) fn levels(rows: &Prepared, slots: &[usize]) -> Vec<usize> {
    let level = |row: &[f32]| match slots {
        _ if row[slots[0]].is_nan() => None,
        [flag] => Some(usize::from(row[*flag] > 0.5)),
        slots => (0..slots.len()).max_by(|a, b| row[slots[*a]].total_cmp(&row[slots[*b]])),
    };
    rows.target.chunks_exact(rows.width).filter_map(level).collect()
}

#[cfg(test)]
mod tests {
    use narrows_engine::rng::{Purpose, Stream};

    use super::*;

    #[test]
    fn units_that_do_not_vary_are_not_active() {
        let means: Vec<f32> = (0..100).flat_map(|i| [(i % 10) as f32, 0.05 * (i % 2) as f32, 7.0]).collect();
        let of = |train: &[f32], held_out: &[f32]| {
            let (train, held_out) = (train.to_vec(), held_out.to_vec());
            let encoded = DensityCodes { latent: Latent::Gaussian, means: means.clone(), train, held_out };
            FittedCodes::of(&encoded, 3, 0).unwrap()
        };
        let codes = of(&means, &means);
        assert_eq!(codes.units, Some(UnitsReport { units: 3, active: 1 }));
        assert!(matches!(codes.density, CodeDensity::Mixture { .. }), "far from the prior");
        // Codes as the prior has them need no other density.
        let mut stream = Stream::new(1, Purpose::Sample, 0, 0);
        let drawn: Vec<f32> = (0..12_000).map(|_| stream.normal()).collect();
        assert_eq!(of(&drawn[..6_000], &drawn[6_000..]).density, CodeDensity::Standard);
    }
}
