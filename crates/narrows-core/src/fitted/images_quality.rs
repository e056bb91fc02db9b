//! How a model of images fares: how well images come through the code, and how well it tells folders apart.

use narrows_engine::Threads;
use narrows_engine::rng::{Purpose, Stream};
use narrows_images::{Image, PreparedDamages, Store, compare};

use super::adapter::ImageAdapter;
use super::elbo;
use super::evaluate::{Evaluation, Evaluator};
use super::fit_images::ImageRoles;
use super::image_samples::{describe, like};
use super::images::{ImageScorer, worst_piece};
use super::scorer::{ScoreDetail, Scorer};
use super::{Baselines, Fitted};
use crate::baseline::Pca;
use crate::error::Result;
use crate::recipe::{Data, Recipe};
use crate::report::{Reconstruction, Similarity};

/// The seed of the damage: the figures are part of the answer, so they do not change from run to run.
const SEED: u64 = 0;
/// Images at once.
const BATCH: usize = 256;

/// One image on its way through a model.
pub(super) struct Reconstructed {
    pub(super) clean: Image,
    pub(super) input: Image,
    pub(super) output: Image,
}

/// Sends images through the code, damaged first where the recipe says so.
pub(super) struct ReconstructionPass<'a> {
    pub(super) adapter: &'a ImageAdapter,
    pub(super) scorer: &'a Scorer,
    pub(super) pca: &'a Pca,
    pub(super) damages: PreparedDamages,
}

impl<'a> ReconstructionPass<'a> {
    pub(super) fn new(
        recipe: &Recipe,
        adapter: &'a ImageAdapter,
        scorer: &'a Scorer,
        pca: &'a Pca,
    ) -> Result<ReconstructionPass<'a>> {
        let damages = match &recipe.data {
            Data::Images(images) => images.corrupt.ready()?,
            Data::Table | Data::Series(_) => unreachable!("a model of images"),
        };
        Ok(ReconstructionPass { adapter, scorer, pca, damages })
    }

    /// An image and its damaged copy, of the same size.
    fn pair(&self, images: &Store, i: usize) -> Result<(Image, Image)> {
        let clean = images.get(i)?.to_channels(self.adapter.layout.channels);
        // Whole images are damaged in the size that the network sees, as in training.
        let clean = if self.adapter.layout.stride.is_none() {
            self.adapter.sample(&self.adapter.values(&clean))
        } else {
            clean
        };
        if self.damages.damages().is_empty() {
            return Ok((clean.clone(), clean));
        }
        let damaged = self.damages.apply(&clean, &mut Stream::new(SEED, Purpose::Corruption, 0, i as u64));
        let input = like(&damaged, &clean);
        Ok((clean, input))
    }

    /// An image through the code.
    pub(super) fn coder(&self, images: &Store, i: usize, threads: &Threads) -> Result<Reconstructed> {
        let (clean, input) = self.pair(images, i)?;
        let output = self.scorer.output(&self.adapter.prepared(self.adapter.values(&input)), threads);
        let output = self.adapter.image(&output, &clean);
        Ok(Reconstructed { clean, input, output })
    }

    /// How well these images come through, sample by sample.
    pub(super) fn quality(&self, images: &Store, which: &[u32], threads: &Threads) -> Result<Reconstruction> {
        let width = self.adapter.width();
        let (mut model, mut pca, mut input) = (Vec::new(), Vec::new(), Vec::new());
        // Of damaged images it would be no bound on what they are.
        let has_bound = elbo::has_bound(self.scorer) && self.damages.damages().is_empty();
        let mut bounds: Vec<f64> = Vec::new();
        for batch in which.chunks(BATCH) {
            let pairs = batch.iter().map(|i| self.pair(images, *i as usize)).collect::<Result<Vec<_>>>()?;
            let values: Vec<f32> = pairs.iter().flat_map(|(_, input)| self.adapter.values(input)).collect();
            let prepared = self.adapter.prepared(values);
            let output = self.scorer.output(&prepared, threads);
            let linear = self.pca.rebuilt(&prepared.input);
            let clean: Vec<f32> = pairs.iter().flat_map(|(clean, _)| self.adapter.values(clean)).collect();
            if has_bound {
                let first = bounds.len() as u64;
                bounds.extend(elbo::negative_elbo(self.scorer, &prepared.input, &clean, first, threads));
            }
            let sample = |values: &[f32], i: usize| self.adapter.sample(&values[i * width..(i + 1) * width]);
            for i in 0..prepared.n {
                let clean = sample(&clean, i);
                let output = sample(&output, i);
                model.push(Similarity { bce: Some(compare::bce(&clean, &output)), ..Similarity::of(&clean, &output) });
                pca.push(Similarity::of(&clean, &sample(&linear, i)));
                input.push(Similarity::of(&clean, &sample(&prepared.input, i)));
            }
        }
        let mean = |all: &[Similarity]| Similarity::mean(all.iter().copied());
        Ok(Reconstruction {
            n: which.len() as u64,
            damage: describe(self.damages.damages()),
            model: mean(&model),
            pca: mean(&pca),
            input: (!self.damages.damages().is_empty()).then(|| mean(&input)),
            negative_elbo: (!bounds.is_empty()).then(|| bounds.iter().sum::<f64>() / bounds.len() as f64),
        })
    }
}

impl Fitted {
    /// How well images come through the code, PCA at the same size beside it; damaged first where the model was fitted
    /// with a damage.
    ///
    /// # Errors
    /// [`crate::Error::Mismatch`] where the model is not of images; where an image can no longer be read.
    pub fn evaluate_images(&self, images: &Store, threads: &Threads) -> Result<Reconstruction> {
        let adapter = self.images()?;
        let passing = ReconstructionPass::new(&self.recipe, adapter, &self.scorer, &self.baselines.pca)?;
        let all: Vec<u32> = (0..images.len() as u32).collect();
        passing.quality(images, &all, threads)
    }

    /// How well the model tells images of normal folders from others, PCA and an isolation forest beside it.
    ///
    /// # Errors
    /// [`crate::Error::Mismatch`] where the model is not of images, [`crate::Error::Data`] where not both kinds are there.
    pub fn evaluate_folders(&self, images: &Store, roles: &ImageRoles, threads: &Threads) -> Result<Evaluation> {
        let adapter = self.images()?;
        let (_, anomalous) = roles.parts(images)?;
        let scorer = ImageScorer::new(adapter, &self.scorer, threads);
        let mut evaluator: Evaluator<'_> = self.evaluator("folder", &roles.normal.join(","));
        for i in 0..images.len() {
            let image = images.get(i)?;
            let score = scorer.score_with(std::slice::from_ref(&image), ScoreDetail::Scores)[0].score;
            let (pca, forest) = self.baselines.of_image(adapter, &image, threads);
            evaluator.push(anomalous.binary_search(&(i as u32)).is_ok(), score, pca, forest);
        }
        evaluator.finish()
    }
}

impl Baselines {
    /// What the baselines say of an image: the worst of its samples, as the model has it.
    fn of_image(&self, adapter: &ImageAdapter, image: &Image, threads: &Threads) -> (f64, f64) {
        let (pca, forest) = self.scores(&adapter.prepared(adapter.values(image)), threads);
        (worst_piece(&pca), worst_piece(&forest))
    }
}
