//! Scores of images: of their samples by the networks, of their local patches by what is remembered of the training images.

use narrows_images::{Image, Store};
use rayon::prelude::*;

use super::adapter::ImageAdapter;
use super::patch_memory::PatchMemory;
use crate::error::Result;
use crate::fitted::scoring::{ScoreDetail, Scorer};

/// Most values of samples processed at once.
const VALUES: usize = 8 << 20;

/// An image's score and its location.
pub(super) struct ScoredImage {
    pub(super) score: f64,
    /// Empty unless requested.
    pub(super) heat: Vec<f32>,
}

/// Scores images by their samples and their patches.
pub(super) struct ImageScorer<'a> {
    adapter: &'a ImageAdapter,
    scorer: &'a Scorer,
}

impl<'a> ImageScorer<'a> {
    pub(super) fn new(adapter: &'a ImageAdapter, scorer: &'a Scorer) -> ImageScorer<'a> {
        ImageScorer { adapter, scorer }
    }

    fn memory(&self) -> Option<&'a PatchMemory> {
        self.adapter.memory.as_deref()
    }

    /// Whether the networks have a say: beside local patches, their errors of larger ones tell nothing more.
    fn uses_networks(&self) -> bool {
        self.memory().is_none() || !self.adapter.sees_patches()
    }

    /// Scores, with heat maps if the detail is the trace.
    pub(super) fn score_with(&self, images: &[Image], detail: ScoreDetail) -> Vec<ScoredImage> {
        let mut scored = if self.uses_networks() { self.by_networks(images, detail) } else { Vec::new() };
        let Some(memory) = self.memory() else { return scored };
        let by_patches = |image: &Image| {
            let measured = memory.measure(image);
            let heat = if detail == ScoreDetail::Trace { memory.heat(&measured, image) } else { Vec::new() };
            ScoredImage { score: memory.log(measured.of_image()).exp(), heat }
        };
        let patches: Vec<ScoredImage> =
            self.scorer.ensemble.compute().install(|| images.par_iter().map(by_patches).collect());
        if scored.is_empty() {
            return patches;
        }
        for (image, patches) in scored.iter_mut().zip(patches) {
            image.score = image.score.max(patches.score);
            image.heat.iter_mut().zip(patches.heat).for_each(|(heat, patch)| *heat = heat.max(patch));
        }
        scored
    }

    fn by_networks(&self, images: &[Image], detail: ScoreDetail) -> Vec<ScoredImage> {
        let samples = self.adapter.samples(&self.scorer.ensemble, images);
        let width = self.adapter.width();
        let prepared = self.adapter.prepared(samples.concat());
        let scored = self.scorer.score_with(&prepared, detail);
        let mut first = 0;
        let mut all = Vec::with_capacity(images.len());
        for (image, samples) in images.iter().zip(&samples) {
            let n = samples.len() / width;
            let score = highest(&scored.scores[first..first + n]);
            let heat = match detail {
                ScoreDetail::Trace => self.adapter.heat(&scored.trace[first * width..(first + n) * width], image),
                ScoreDetail::Scores | ScoreDetail::Shares => Vec::new(),
            };
            all.push(ScoredImage { score, heat });
            first += n;
        }
        all
    }

    /// The scores of some images of a store, in bounded memory whatever their size.
    pub(super) fn scores(&self, images: &Store, which: &[u32]) -> Result<Vec<f64>> {
        let mut scores = if self.uses_networks() { self.network_scores(images, which)? } else { Vec::new() };
        let Some(memory) = self.memory() else { return Ok(scores) };
        let distances = memory.distances(images, which, self.scorer.ensemble.compute())?;
        scores.resize(which.len(), f64::NEG_INFINITY);
        for (score, distance) in scores.iter_mut().zip(distances) {
            *score = score.max(memory.log(distance).exp());
        }
        Ok(scores)
    }

    fn network_scores(&self, images: &Store, which: &[u32]) -> Result<Vec<f64>> {
        let width = self.adapter.width();
        let at_once = (VALUES / width).max(1);
        let mut scores = vec![f64::NEG_INFINITY; which.len()];
        let (mut values, mut owners): (Vec<f32>, Vec<usize>) = (Vec::new(), Vec::new());
        let mut flush = |values: &mut Vec<f32>, owners: &mut Vec<usize>| {
            if owners.is_empty() {
                return;
            }
            let patches = self.scorer.score(&self.adapter.prepared(std::mem::take(values)));
            // The score of an image is that of its worst patch.
            owners.drain(..).zip(patches).for_each(|(owner, score)| scores[owner] = scores[owner].max(score));
        };
        for (owner, image) in which.iter().enumerate() {
            let cutting = self.adapter.cutting(&images.get(*image as usize)?);
            let mut first = 0;
            while first < cutting.len() {
                let taken = (at_once - owners.len()).min(cutting.len() - first);
                values.extend(cutting.values(first..first + taken));
                owners.extend(std::iter::repeat_n(owner, taken));
                first += taken;
                if owners.len() == at_once {
                    flush(&mut values, &mut owners);
                }
            }
        }
        flush(&mut values, &mut owners);
        Ok(scores)
    }
}

/// The score of an image is that of its worst patch.
pub(super) fn highest(patches: &[f64]) -> f64 {
    patches.iter().copied().fold(f64::NEG_INFINITY, f64::max)
}
