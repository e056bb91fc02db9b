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
/// Values of samples measured at once: a large image is measured in parts, small ones together.
const VALUES: usize = 1 << 21;

/// Measurements so far, by sample.
#[derive(Default)]
struct Measured {
    has_bound: bool,
    model: Vec<Similarity>,
    pca: Vec<Similarity>,
    input: Vec<Similarity>,
    bounds: Vec<f64>,
}

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
        // For corrupted images it would not bound their likelihood.
        let has_bound = generation::has_bound(&self.scorer.ensemble) && self.damages.damages().is_empty();
        let mut measured = Measured { has_bound, ..Measured::default() };
        let at_once = (VALUES / self.adapter.width()).max(1);
        let (mut clean, mut input): (Vec<f32>, Vec<f32>) = (Vec::new(), Vec::new());
        let mut n = 0;
        for i in which {
            let (whole, damaged) = self.pair(images, *i as usize)?;
            let (whole, damaged) = (self.adapter.cutting(&whole), self.adapter.cutting(&damaged));
            let mut first = 0;
            while first < whole.len() {
                let taken = (at_once - n).min(whole.len() - first);
                clean.extend(whole.values(first..first + taken));
                input.extend(damaged.values(first..first + taken));
                (first, n) = (first + taken, n + taken);
                if n == at_once {
                    self.measure(&clean, &input, &mut measured);
                    clean.clear();
                    input.clear();
                    n = 0;
                }
            }
        }
        self.measure(&clean, &input, &mut measured);
        let Measured { model, pca, input, bounds, .. } = measured;
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

    /// Measures some samples.
    fn measure(&self, clean: &[f32], input: &[f32], measured: &mut Measured) {
        if clean.is_empty() {
            return;
        }
        let width = self.adapter.width();
        let output = self.scorer.ensemble.output(input);
        let linear = self.pca.rebuilt(input);
        if measured.has_bound {
            let first = measured.bounds.len() as u64;
            measured.bounds.extend(generation::negative_elbo(&self.scorer.ensemble, input, clean, first));
        }
        let sample = |values: &[f32], i: usize| self.adapter.sample(&values[i * width..(i + 1) * width]);
        for i in 0..clean.len() / width {
            let clean = sample(clean, i);
            let output = sample(&output, i);
            let bce = Some(compare::bce(&clean, &output));
            measured.model.push(Similarity { bce, ..Similarity::of(&clean, &output) });
            measured.pca.push(Similarity::of(&clean, &sample(&linear, i)));
            measured.input.push(Similarity::of(&clean, &sample(input, i)));
        }
    }
}
