//! Images judged, and the verbs of a model of images that has a code.

use narrows_engine::{Ready, Threads};
use narrows_images::{Image, Store, overlay};
use rayon::prelude::*;

use super::Fitted;
use super::adapter::{Adapter, ImageAdapter};
use super::encoder;
use super::images_quality::ReconstructionPass;
use super::images_summary;
use super::scorer::{ScoreDetail, Scorer};
use crate::error::{Error, Result};

/// Most values of samples at once.
const VALUES: usize = 8 << 20;

/// Multiples of the ordinary error at which heat begins and ends.
const HEAT: [f32; 2] = [3.0, 100.0];
/// How much the hottest pixel hides.
const OPACITY: f32 = 0.85;

/// What a model says of an image.
#[derive(Debug, Clone, PartialEq)]
pub struct ImageScore {
    /// 1 is an ordinary image; rises with anomaly.
    pub score: f64,
    /// Share of calibration images that score as high, counted so that it holds for fresh normal images.
    pub p_value: f64,
    /// score > threshold
    pub is_anomaly: bool,
    /// Squared error of every pixel, `[height, width]`, 1 being an ordinary pixel's; empty where nobody asked.
    pub heat: Vec<f32>,
}

/// An image's score, and where it comes from.
pub(super) struct ScoredImage {
    pub(super) score: f64,
    pub(super) heat: Vec<f32>,
}

/// A scorer of images, ready for many.
pub(super) struct ImageScorer<'a> {
    adapter: &'a ImageAdapter,
    scorer: &'a Scorer,
    members: Vec<Ready<'a>>,
    threads: &'a Threads,
}

impl<'a> ImageScorer<'a> {
    pub(super) fn new(adapter: &'a ImageAdapter, scorer: &'a Scorer, threads: &'a Threads) -> ImageScorer<'a> {
        ImageScorer { adapter, scorer, members: scorer.ready(threads), threads }
    }

    /// Scores, and heat maps where the detail is the trace.
    pub(super) fn score_with(&self, images: &[Image], detail: ScoreDetail) -> Vec<ScoredImage> {
        let samples: Vec<Vec<f32>> =
            self.threads.install(|| images.par_iter().map(|image| self.adapter.values(image)).collect());
        let width = self.adapter.width();
        let prepared = self.adapter.prepared(samples.concat());
        let judged = self.scorer.score_by(&self.members, &prepared, detail, self.threads);
        let mut first = 0;
        let mut all = Vec::with_capacity(images.len());
        for (image, samples) in images.iter().zip(&samples) {
            let n = samples.len() / width;
            let score = worst_piece(&judged.scores[first..first + n]);
            let heat = match detail {
                ScoreDetail::Trace => self.adapter.heat(&judged.trace[first * width..(first + n) * width], image),
                ScoreDetail::Scores | ScoreDetail::Shares => Vec::new(),
            };
            all.push(ScoredImage { score, heat });
            first += n;
        }
        all
    }

    /// The scores of some images of a store.
    pub(super) fn scores(&self, images: &Store, which: &[u32]) -> Result<Vec<f64>> {
        let mut scores = Vec::with_capacity(which.len());
        let mut waiting: Vec<Image> = Vec::new();
        let mut values = 0;
        for (i, image) in which.iter().enumerate() {
            let image = images.get(*image as usize)?;
            values += self.adapter.n_samples(&image) * self.adapter.width();
            waiting.push(image);
            if values >= VALUES || i + 1 == which.len() {
                scores.extend(self.score_with(&waiting, ScoreDetail::Scores).into_iter().map(|judged| judged.score));
                waiting.clear();
                values = 0;
            }
        }
        Ok(scores)
    }
}

/// An image is as anomalous as its worst piece.
pub(super) fn worst_piece(pieces: &[f64]) -> f64 {
    pieces.iter().copied().fold(f64::NEG_INFINITY, f64::max)
}

impl Fitted {
    /// Whether it reads images.
    pub fn reads_images(&self) -> bool {
        matches!(self.adapter, Adapter::Images(_))
    }

    /// Judges images; `heat` maps are made where asked for.
    ///
    /// # Errors
    /// [`Error::Mismatch`] where the model is not of images.
    pub fn score_images(&self, images: &[Image], heat: bool, threads: &Threads) -> Result<Vec<ImageScore>> {
        let scorer = ImageScorer::new(self.images()?, &self.scorer, threads);
        let detail = if heat { ScoreDetail::Trace } else { ScoreDetail::Scores };
        let told = |ScoredImage { score, heat }| ImageScore {
            p_value: self.calibration.p_value(score),
            is_anomaly: score > self.decision.threshold,
            score,
            heat,
        };
        Ok(scorer.score_with(images, detail).into_iter().map(told).collect())
    }

    /// The image with the heat map of a score of it laid over.
    ///
    /// # Panics
    /// If the score is another image's, or came without a heat map.
    pub fn heat_map(&self, image: &Image, score: &ImageScore) -> Image {
        heat_map(image, &score.heat)
    }

    /// Whether a sample is a piece of an image and not all of it.
    pub fn sees_pieces(&self) -> bool {
        self.adapter.sees_pieces()
    }

    /// A contact sheet of the first images: input, output, truth and difference.
    ///
    /// # Errors
    /// [`Error::Mismatch`] where the model is not of images; where an image can no longer be read.
    pub fn sheet(&self, images: &Store, threads: &Threads) -> Result<Image> {
        let passing = ReconstructionPass::new(&self.recipe, self.images()?, &self.scorer, &self.baselines.pca)?;
        let all: Vec<u32> = (0..images.len() as u32).collect();
        Ok(images_summary::sheet(&passing, images, &all, threads)?.image())
    }

    /// What the model makes of each image, through the code, in the size and channels it came in. A model fitted with a
    /// damage undoes it.
    ///
    /// # Errors
    /// [`Error::Mismatch`] where the model is not of images.
    pub fn rebuild_images(&self, images: &[Image], threads: &Threads) -> Result<Vec<Image>> {
        let adapter = self.images()?;
        let rebuild = |image: &Image| {
            let prepared = adapter.prepared(adapter.values(image));
            adapter.image(&self.scorer.output(&prepared, threads), image)
        };
        Ok(images.iter().map(rebuild).collect())
    }

    /// The codes of an image's samples: one code for a whole image, else one for each piece, row by row.
    ///
    /// # Errors
    /// [`Error::Mismatch`] where the model is not of images.
    pub fn encode_image(&self, image: &Image, threads: &Threads) -> Result<Vec<Vec<f32>>> {
        self.encoding().image(image, threads)
    }

    /// Images from codes alone, `[n, code_size]`.
    ///
    /// # Errors
    /// [`Error::Mismatch`] where the model is not of images.
    pub fn decode_images(&self, codes: &[f32], threads: &Threads) -> Result<Vec<Image>> {
        let adapter = self.images()?;
        let output = self.scorer.decode(codes, codes.len() / self.code_size(), threads);
        Ok(output.chunks_exact(adapter.width()).map(|values| adapter.sample(values).clipped()).collect())
    }

    /// How images become samples.
    ///
    /// # Errors
    /// [`Error::Mismatch`] where the model is not of images.
    pub(crate) fn images(&self) -> Result<&ImageAdapter> {
        encoder::images(&self.adapter)
    }
}

/// An image with the heat of its pixels' errors laid over it: nothing at an ordinary error.
pub(super) fn heat_map(image: &Image, heat: &[f32]) -> Image {
    // Each step of the scale is a multiple of the error, so that a fault stands out from what is merely rough.
    let log: Vec<f32> = heat.iter().map(|heat| heat.max(1.0).ln()).collect();
    overlay(image, &log, HEAT[0].ln(), HEAT[1].ln(), OPACITY)
}

pub(super) fn not_images(kind: &str) -> Error {
    Error::mismatch(format!("expected {kind}, as the model was fitted to, got images"))
}

/// What is said where a model of images is given a table.
pub(super) fn not_a_table() -> Error {
    Error::mismatch("expected images, as the model was fitted to, got a table")
        .with_hint("a folder, a pattern, an image, IDX, NPY or NPZ")
}
