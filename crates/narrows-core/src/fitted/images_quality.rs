//! How a model of images fares: how well images come through the code, and how well it tells folders apart.

use narrows_engine::Threads;
use narrows_engine::rng::{Purpose, Stream};
use narrows_images::{Image, ReadyDamages, Store, compare};

use super::elbo;
use super::evaluate::{Evaluation, Evaluator};
use super::fit_images::ImageRoles;
use super::image_samples::{in_words, like};
use super::images::{ImageScorer, worst_piece};
use super::intake::ImagesIntake;
use super::judge::{Detail, Judge};
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
pub(super) struct Passage {
    pub(super) clean: Image,
    pub(super) input: Image,
    pub(super) output: Image,
}

/// Sends images through the code, damaged first where the recipe says so.
pub(super) struct Passing<'a> {
    pub(super) intake: &'a ImagesIntake,
    pub(super) judge: &'a Judge,
    pub(super) pca: &'a Pca,
    pub(super) damages: ReadyDamages,
}

impl<'a> Passing<'a> {
    pub(super) fn new(
        recipe: &Recipe,
        intake: &'a ImagesIntake,
        judge: &'a Judge,
        pca: &'a Pca,
    ) -> Result<Passing<'a>> {
        let damages = match &recipe.data {
            Data::Images(images) => images.corrupt.ready()?,
            Data::Table | Data::Series(_) => unreachable!("a model of images"),
        };
        Ok(Passing { intake, judge, pca, damages })
    }

    /// An image and its damaged copy, of the same size.
    fn pair(&self, images: &Store, i: usize) -> Result<(Image, Image)> {
        let clean = images.get(i)?.to_channels(self.intake.layout.channels);
        // Whole images are damaged in the size that the network sees, as in training.
        let clean =
            if self.intake.layout.stride.is_none() { self.intake.sample(&self.intake.values(&clean)) } else { clean };
        if self.damages.damages().is_empty() {
            return Ok((clean.clone(), clean));
        }
        let damaged = self.damages.apply(&clean, &mut Stream::new(SEED, Purpose::Corruption, 0, i as u64));
        let input = like(&damaged, &clean);
        Ok((clean, input))
    }

    /// An image through the code.
    pub(super) fn passage(&self, images: &Store, i: usize, threads: &Threads) -> Result<Passage> {
        let (clean, input) = self.pair(images, i)?;
        let output = self.judge.output(&self.intake.prepared(self.intake.values(&input)), threads);
        let output = self.intake.image(&output, &clean);
        Ok(Passage { clean, input, output })
    }

    /// How well these images come through, sample by sample.
    pub(super) fn quality(&self, images: &Store, which: &[u32], threads: &Threads) -> Result<Reconstruction> {
        let width = self.intake.width();
        let (mut model, mut pca, mut input) = (Vec::new(), Vec::new(), Vec::new());
        // Of damaged images it would be no bound on what they are.
        let has_bound = elbo::has_bound(self.judge) && self.damages.damages().is_empty();
        let mut bounds: Vec<f64> = Vec::new();
        for batch in which.chunks(BATCH) {
            let pairs = batch.iter().map(|i| self.pair(images, *i as usize)).collect::<Result<Vec<_>>>()?;
            let values: Vec<f32> = pairs.iter().flat_map(|(_, input)| self.intake.values(input)).collect();
            let prepared = self.intake.prepared(values);
            let output = self.judge.output(&prepared, threads);
            let linear = self.pca.rebuilt(&prepared.input);
            let clean: Vec<f32> = pairs.iter().flat_map(|(clean, _)| self.intake.values(clean)).collect();
            if has_bound {
                let first = bounds.len() as u64;
                bounds.extend(elbo::negative_elbo(self.judge, &prepared.input, &clean, first, threads));
            }
            let sample = |values: &[f32], i: usize| self.intake.sample(&values[i * width..(i + 1) * width]);
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
            damage: in_words(self.damages.damages()),
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
        let intake = self.images()?;
        let passing = Passing::new(&self.recipe, intake, &self.judge, &self.baselines.pca)?;
        let all: Vec<u32> = (0..images.len() as u32).collect();
        passing.quality(images, &all, threads)
    }

    /// How well the model tells images of normal folders from others, PCA and an isolation forest beside it.
    ///
    /// # Errors
    /// [`crate::Error::Mismatch`] where the model is not of images, [`crate::Error::Data`] where not both kinds are there.
    pub fn evaluate_folders(&self, images: &Store, roles: &ImageRoles, threads: &Threads) -> Result<Evaluation> {
        let intake = self.images()?;
        let (_, anomalous) = roles.parts(images)?;
        let judge = ImageScorer::new(intake, &self.judge, threads);
        let mut evaluator: Evaluator<'_> = self.evaluator("folder", &roles.normal.join(","));
        for i in 0..images.len() {
            let image = images.get(i)?;
            let score = judge.judge(std::slice::from_ref(&image), Detail::Scores)[0].score;
            let (pca, forest) = self.baselines.of_image(intake, &image, threads);
            evaluator.push(anomalous.binary_search(&(i as u32)).is_ok(), score, pca, forest);
        }
        evaluator.finish()
    }
}

impl Baselines {
    /// What the baselines say of an image: the worst of its samples, as the model has it.
    fn of_image(&self, intake: &ImagesIntake, image: &Image, threads: &Threads) -> (f64, f64) {
        let (pca, forest) = self.scores(&intake.prepared(intake.values(image)), threads);
        (worst_piece(&pca), worst_piece(&forest))
    }
}
