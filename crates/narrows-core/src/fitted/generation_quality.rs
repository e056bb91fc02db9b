//! Generated rows judged: as many as there are held-out rows, and beside them.
//!
//! All is measured in prepared units, where columns have about unit variance. Rows too wide for it, such as images, are
//! compared by their first principal components.

use narrows_engine::{Latent, Threads};
use narrows_images::{Store, gallery_sheet};

use super::active_units::active_units;
use super::adapter::Adapter;
use super::images::not_a_table;
use super::split::Split;
use super::variation::windows;
use super::{CodeDensity, Fitted, elbo};
use crate::baseline::{Components, Pca};
use crate::data::Table;
use crate::detect::Score;
use crate::error::{Error, Place, Result};
use crate::prep::{BlockKind, PrepCounts, Prepared};
use crate::report::{DensityReport, GenerationReport, UnitsReport};
use crate::sample_similarity::{self, ColumnDistance, ComparedSamples, FEWEST_ROWS, SampleSimilarity, Values};

/// Most rows of either kind.
const MOST_ROWS: usize = 2_000;
/// Most values of the rows of either kind.
const MOST_VALUES: usize = 4 << 20;
/// Wider rows are compared by their principal components.
const WIDEST: usize = 256;
/// As many of them.
const AXES: usize = 32;
/// Multiplications that finding them may cost: rows squared times width.
const AXES_WORK: usize = 1 << 30;
/// Most training rows that distances are measured to.
const TRAINING_ROWS: usize = 10_000;
/// Generated images in the report.
const IMAGES: usize = 36;

/// What was found of the codes of training rows.
#[derive(Debug, Clone)]
pub(super) struct Codes {
    pub(super) density: CodeDensity,
    pub(super) report: DensityReport,
    pub(super) units: Option<UnitsReport>,
}

impl Codes {
    /// Of codes `train` and `held_out`, `[n, k]`; of a gaussian latent these are the means.
    pub(super) fn of(latent: Latent, train: &[f32], held_out: &[f32], k: usize, seed: u64) -> Result<Codes> {
        if latent == Latent::Gaussian {
            let active = active_units(latent, train, k).into_iter().filter(|active| *active).count() as u64;
            let units = Some(UnitsReport { units: k as u64, active });
            return Ok(Codes { density: CodeDensity::Standard, report: CodeDensity::of_the_prior(), units });
        }
        let (density, report) = CodeDensity::fit(train, held_out, k, seed)?;
        Ok(Codes { density, report, units: None })
    }
}

/// The report on new rows, beside those of the split.
pub(super) fn report(
    fitted: &Fitted,
    (density, units): (DensityReport, Option<UnitsReport>),
    prepared: &Prepared,
    split: &Split,
    threads: &Threads,
) -> Result<GenerationReport> {
    let sheet = match &fitted.adapter {
        Adapter::Images(_) => {
            let images = fitted.generate_images(IMAGES, 0, fitted.recipe.seed, threads)?;
            Some(gallery_sheet(&images).to_base64())
        }
        Adapter::Table(_) | Adapter::Series(_) => None,
    };
    let held_out = some_of(prepared, &split.calibration, MOST_ROWS);
    let training =
        some_of(prepared, &split.train, TRAINING_ROWS.min((8 * MOST_VALUES / prepared.width).max(MOST_ROWS)));
    let sample_similarity = judged(fitted, held_out.n, (&held_out, Some(&training)), fitted.recipe.seed, threads)?;
    let negative_elbo = elbo::has_bound(&fitted.scorer).then(|| {
        let bounds = elbo::negative_elbo(&fitted.scorer, &held_out.input, &held_out.target, 0, threads);
        bounds.iter().sum::<f64>() / bounds.len().max(1) as f64
    });
    Ok(GenerationReport { density, units, negative_elbo, sample_similarity, sheet })
}

/// `n` generated rows beside held-out ones, as many as can be compared; none where there are too few.
pub(super) fn judged(
    fitted: &Fitted,
    n: usize,
    (held_out, training): (&Prepared, Option<&Prepared>),
    seed: u64,
    threads: &Threads,
) -> Result<Option<SampleSimilarity>> {
    let width = held_out.width;
    let most = MOST_ROWS.min((MOST_VALUES / width.max(1)).max(FEWEST_ROWS));
    if n.min(held_out.n) < FEWEST_ROWS || training.is_some_and(|training| training.n == 0) {
        return Ok(None);
    }
    let held_out = &spread_over(held_out, most);
    let generated = fitted.generated_samples(n.min(most), seed, threads);
    let columns = columns(fitted, &generated, held_out);
    threads.install(|| {
        let (g, h, t) = (generated.finite(), held_out.finite(), training.map(Prepared::finite));
        let dateless: Vec<usize> = dateless(fitted, width);
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

impl Fitted {
    /// How alike `n` generated rows, those that `seed` names, and the rows of a table are. Distances to training rows are
    /// measured where the model holds some.
    ///
    /// # Errors
    /// As for [`Fitted::encode`]; [`Error::Data`] for fewer than 20 rows of either kind.
    pub fn generation_quality(
        &self,
        table: &Table,
        n: usize,
        seed: u64,
        threads: &Threads,
    ) -> Result<SampleSimilarity> {
        let given = match &self.adapter {
            Adapter::Table(adapter) => adapter.prepare(table)?.prepared,
            Adapter::Series(adapter) => windows(adapter, table)?.0.prepared,
            Adapter::Images(_) => return Err(not_a_table()),
        };
        self.compare_generated(&given, n, table.source(), seed, threads)
    }

    /// The same of images.
    ///
    /// # Errors
    /// [`Error::Mismatch`] where the model is not of images, [`Error::Data`] for fewer than 20 of either kind.
    pub fn generation_quality_of_images(
        &self,
        images: &Store,
        n: usize,
        seed: u64,
        threads: &Threads,
    ) -> Result<SampleSimilarity> {
        let adapter = self.images()?;
        let step = images.len().div_ceil(MOST_ROWS).max(1);
        let mut values = Vec::new();
        for i in (0..images.len()).step_by(step) {
            values.extend(adapter.values(&images.get(i)?));
        }
        self.compare_generated(&adapter.prepared(values), n, images.source(), seed, threads)
    }

    fn compare_generated(
        &self,
        given: &Prepared,
        n: usize,
        source: &str,
        seed: u64,
        threads: &Threads,
    ) -> Result<SampleSimilarity> {
        // Of models that score by `mix` the rows that distances are measured to are training rows.
        let known = self.scorer.detector.neighbours.as_ref().filter(|_| self.scorer.detector.score == Score::Mix);
        let training = known.map(|proximity| Prepared {
            input: proximity.index.reference.clone(),
            target: proximity.index.reference.clone(),
            n: proximity.index.n_references(),
            width: proximity.index.width,
            counts: PrepCounts::default(),
        });
        judged(self, n, (given, training.as_ref()), seed, threads)?.ok_or_else(|| {
            let message = format!(
                "expected at least {FEWEST_ROWS} rows to scorer by and as many generated, which are not all alike, got {} and {n}",
                given.n
            );
            Error::data(Place::source(source), message)
        })
    }
}

/// The slots that are no parts of dates: generated ones lie near their circles and never on them, which would tell every
/// generated row at a glance and say nothing of the rest.
fn dateless(fitted: &Fitted, width: usize) -> Vec<usize> {
    let is_date = |slot: &usize| {
        let mut dates = fitted.adapter.blocks().iter().filter(|block| block.kind == BlockKind::Cyclic);
        dates.any(|block| block.range.contains(slot))
    };
    (0..width).filter(|slot| !is_date(slot)).collect()
}

/// At most `most` of the rows, evenly spread over them.
fn spread_over(rows: &Prepared, most: usize) -> Prepared {
    some_of(rows, &(0..rows.n as u32).collect::<Vec<u32>>(), most)
}

/// At most `most` of some of the rows, evenly spread over these.
fn some_of(rows: &Prepared, which: &[u32], most: usize) -> Prepared {
    let n = which.len().min(most);
    rows.take(&(0..n).map(|i| which[i * which.len() / n]).collect::<Vec<u32>>())
}

/// How far apart generated and held-out values are, by column: of series by channel or step, of images all pixels.
fn columns(fitted: &Fitted, generated: &Prepared, held_out: &Prepared) -> Vec<ColumnDistance> {
    match &fitted.adapter {
        Adapter::Table(adapter) => {
            let blocks = adapter.pipeline.blocks().iter().filter(|block| block.kind != BlockKind::Missing);
            let distance = |block: &crate::prep::Block| {
                let missing = |rows: &Prepared| {
                    let unseen = (0..rows.n).filter(|row| rows.target[row * rows.width + block.range.start].is_nan());
                    unseen.count() as f64 / rows.n.max(1) as f64
                };
                let missing = Some([missing(held_out), missing(generated)]);
                let slots: Vec<usize> = block.range.clone().collect();
                let values = match block.kind {
                    BlockKind::Levels | BlockKind::Flag => {
                        Values::Levels { generated: levels(generated, &slots), held_out: levels(held_out, &slots) }
                    }
                    BlockKind::Number | BlockKind::Cyclic | BlockKind::Missing => {
                        Values::Numbers { generated: numbers(generated, &slots), held_out: numbers(held_out, &slots) }
                    }
                };
                sample_similarity::distances(&block.column, values, missing)
            };
            blocks.map(distance).collect()
        }
        Adapter::Series(adapter) => {
            let slots = adapter.slots();
            let of_column = |column: usize| (0..slots.width()).filter(|slot| slots.column(*slot) == column).collect();
            let distance = |(column, name): (usize, &String)| {
                let slots: Vec<usize> = of_column(column);
                let values =
                    Values::Numbers { generated: numbers(generated, &slots), held_out: numbers(held_out, &slots) };
                sample_similarity::distances(name, values, None)
            };
            adapter.columns.channels.iter().enumerate().map(distance).collect()
        }
        Adapter::Images(_) => {
            let slots: Vec<usize> = (0..held_out.width).collect();
            let values = Values::Numbers { generated: numbers(generated, &slots), held_out: numbers(held_out, &slots) };
            vec![sample_similarity::distances("pixels", values, None)]
        }
    }
}

/// All values of some slots; what is missing is left out.
fn numbers(rows: &Prepared, slots: &[usize]) -> Vec<f32> {
    let row = |row: &[f32]| slots.iter().map(|slot| row[*slot]).filter(|x| !x.is_nan()).collect::<Vec<_>>();
    rows.target.chunks_exact(rows.width).flat_map(row).collect()
}

/// The level of each row, the greatest of its slots, or a flag as 0 and 1; rows where it is missing are left out.
fn levels(rows: &Prepared, slots: &[usize]) -> Vec<usize> {
    let level = |row: &[f32]| match slots {
        _ if row[slots[0]].is_nan() => None,
        [flag] => Some(usize::from(row[*flag] > 0.5)),
        slots => (0..slots.len()).max_by(|a, b| row[slots[*a]].total_cmp(&row[slots[*b]])),
    };
    rows.target.chunks_exact(rows.width).filter_map(level).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_that_do_not_vary_are_not_active() {
        let means: Vec<f32> = (0..100).flat_map(|i| [(i % 10) as f32, 0.05 * (i % 2) as f32, 7.0]).collect();
        let codes = Codes::of(Latent::Gaussian, &means, &means, 3, 0).unwrap();
        assert_eq!(codes.units, Some(UnitsReport { units: 3, active: 1 }));
        assert_eq!(codes.density, CodeDensity::Standard);
    }
}
