//! The reconstruction quality of images.

use narrows_engine::rng::{Purpose, Stream};
use narrows_images::{Image, PreparedDamages, Store, compare};

use super::adapter::ImageAdapter;
use super::samples::{describe, like};
use crate::baseline::Pca;
use crate::error::Result;
use crate::fitted::generation;
use crate::fitted::scoring::Scorer;
use crate::recipe::{Data, Recipe};
use crate::report::{Reconstruction, Similarity};

/// Seed of the corruption, fixed so that the figures are reproducible.
const SEED: u64 = 0;
/// Images per batch.
const BATCH: usize = 256;

/// One image with its reconstruction.
pub(super) struct Reconstructed {
    pub(super) clean: Image,
    pub(super) input: Image,
    pub(super) output: Image,
}

/// Reconstructs images, corrupted first if the recipe says so.
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

    /// An image and its corrupted copy, of the same size.
    fn pair(&self, images: &Store, i: usize) -> Result<(Image, Image)> {
        let clean = images.get(i)?.to_channels(self.adapter.layout.channels);
        // Whole images are corrupted at the size of the network input, as in training.
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

    /// Reconstructs an image.
    pub(super) fn reconstructed(&self, images: &Store, i: usize) -> Result<Reconstructed> {
        let (clean, input) = self.pair(images, i)?;
        let output = self.scorer.ensemble.output(&self.adapter.values(&input));
        let output = self.adapter.image(&output, &clean);
        Ok(Reconstructed { clean, input, output })
    }

    /// The reconstruction quality of these images, sample by sample.
    pub(super) fn quality(&self, images: &Store, which: &[u32]) -> Result<Reconstruction> {
        let width = self.adapter.width();
        let (mut model, mut pca, mut input) = (Vec::new(), Vec::new(), Vec::new());
        // For corrupted images it would not bound their likelihood.
        let has_bound = generation::has_bound(&self.scorer.ensemble) && self.damages.damages().is_empty();
        let mut bounds: Vec<f64> = Vec::new();
        for batch in which.chunks(BATCH) {
            let pairs = batch.iter().map(|i| self.pair(images, *i as usize)).collect::<Result<Vec<_>>>()?;
            let values: Vec<f32> = pairs.iter().flat_map(|(_, input)| self.adapter.values(input)).collect();
            let prepared = self.adapter.prepared(values);
            let output = self.scorer.ensemble.output(&prepared.input);
            let linear = self.pca.rebuilt(&prepared.input);
            let clean: Vec<f32> = pairs.iter().flat_map(|(clean, _)| self.adapter.values(clean)).collect();
            if has_bound {
                let first = bounds.len() as u64;
                bounds.extend(generation::negative_elbo(&self.scorer.ensemble, &prepared.input, &clean, first));
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
