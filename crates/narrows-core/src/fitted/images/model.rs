//! Operations of image models: score, locate, reconstruct, encode, decode, generate, evaluate.

use std::path::Path;

use narrows_images::{Channels, Image, Limits, Photo, Store, gallery_sheet, overlay};
use rayon::prelude::*;
use statrs::distribution::{ContinuousCDF, Normal};

use super::ImageModel;
use super::adapter::ImageAdapter;
use super::quality::ReconstructionPass;
use super::roles::ImageRoles;
use super::scorer::{ImageScorer, ScoredImage, highest};
use super::summary;
use crate::data::Table;
use crate::detect::PixelCounts;
use crate::detect::residual::Slots;
use crate::ensemble::Ensemble;
use crate::error::{Error, Hint, Place, Result};
use crate::fitted::adapter::Adapter;
use crate::fitted::core::Core;
use crate::fitted::encoder::codes_of;
use crate::fitted::evaluate::{Evaluation, EvaluationSamples};
use crate::fitted::generation::{self, interpolated, numbers, share};
use crate::fitted::new_data;
use crate::fitted::scoring::ScoreDetail;
use crate::model::Shape;
use crate::prep::{Block, Prepared};
use crate::report::{NewDataReport, Reconstruction};
use crate::sample_similarity::{self, ColumnDistance, SampleSimilarity, Values};

/// Generated images in the report.
const GALLERY: usize = 36;
/// The largest side of a latent manifold.
const WIDEST_MANIFOLD: usize = 100;
/// Most images that generated ones are compared with.
const MOST_COMPARED: usize = 2_000;

/// Multiples of the normal error at which the heat map starts and saturates.
const HEAT: [f32; 2] = [3.0, 100.0];
/// Opacity of the hottest pixel.
const OPACITY: f32 = 0.85;

/// The score of an image.
#[derive(Debug, Clone, PartialEq)]
pub struct ImageScore {
    /// 1 for a typical image; higher is more anomalous.
    pub score: f64,
    /// Conformal p-value: share of calibration images that score as high, valid for new normal images.
    pub p_value: f64,
    /// score > threshold
    pub is_anomaly: bool,
    /// What every pixel adds, `[height, width]`: its squared error in units of a typical pixel's, or how far the patches that
    /// cover it are from those of the training images, if that is more; both stand out from 3 on. Empty unless requested.
    pub heat: Vec<f32>,
}

impl Adapter for ImageAdapter {
    fn blocks(&self) -> &[Block] {
        ImageAdapter::blocks(self)
    }

    fn slots(&self) -> Slots {
        ImageAdapter::slots(self)
    }

    fn shape(&self) -> Shape {
        ImageAdapter::shape(self)
    }

    fn generated(&self, _core: &Core, outputs: &mut Vec<f32>, _seed: u64) -> Vec<f32> {
        // Rounded as in a file: a black that is not exactly black is not another distribution.
        outputs.iter_mut().for_each(|pixel| *pixel = (pixel.clamp(0.0, 1.0) * 255.0).round() / 255.0);
        outputs.clone()
    }

    fn column_distances(&self, generated: &Prepared, held_out: &Prepared) -> Vec<ColumnDistance> {
        let slots: Vec<usize> = (0..held_out.width).collect();
        let values = Values::Numbers { generated: numbers(generated, &slots), held_out: numbers(held_out, &slots) };
        vec![sample_similarity::distances("pixels", values, None)]
    }

    fn gallery(&self, core: &Core) -> Result<Option<String>> {
        let images = self.decode(core, &generation::drawn_codes(core, GALLERY, 0, core.recipe.seed));
        Ok(Some(gallery_sheet(&images).to_base64()))
    }
}

impl ImageAdapter {
    /// The codes of images: of each one for a whole image, else one per patch, in row-major order.
    pub(crate) fn encode(&self, ensemble: &Ensemble, images: &[Image]) -> Vec<Vec<Vec<f32>>> {
        let samples = self.samples(ensemble, images);
        let codes = ensemble.codes(&samples.concat());
        let mut codes = codes.chunks_exact(ensemble.code_size()).map(<[f32]>::to_vec);
        samples.iter().map(|of_image| codes.by_ref().take(of_image.len() / self.width()).collect()).collect()
    }

    /// The samples of each image.
    pub(super) fn samples(&self, ensemble: &Ensemble, images: &[Image]) -> Vec<Vec<f32>> {
        ensemble.compute().install(|| images.par_iter().map(|image| self.values(image)).collect())
    }

    /// Samples as images, from their codes `[n, code_size]`.
    fn decode(&self, core: &Core, codes: &[f32]) -> Vec<Image> {
        let outputs = core.decode(codes);
        outputs.chunks_exact(self.width()).map(|values| self.sample(values).clipped()).collect()
    }
}

impl ImageModel {
    /// Scores images; `heat` maps are computed on request.
    pub fn score(&self, images: &[Image], heat: bool) -> Vec<ImageScore> {
        let scorer = ImageScorer::new(&self.adapter, &self.core.scorer);
        let detail = if heat { ScoreDetail::Trace } else { ScoreDetail::Scores };
        let threshold = &self.core.threshold;
        let scored = |ScoredImage { score, heat }| ImageScore {
            p_value: threshold.p_value(score),
            is_anomaly: threshold.is_anomaly(score),
            score,
            heat,
        };
        scorer.score_with(images, detail).into_iter().map(scored).collect()
    }

    /// Height and width of the images of the training, if the model sees whole images and these had one size. Images of
    /// another size are resized, which is not how the model has seen images.
    pub fn training_size(&self) -> Option<(usize, usize)> {
        self.album_size().filter(|_| !self.sees_patches())
    }

    /// Height and width of the images of the training, if these had one size.
    pub(crate) fn album_size(&self) -> Option<(usize, usize)> {
        let album = &self.core.report.images.as_ref()?.album;
        let ([low, high], [narrow, wide]) = (album.heights, album.widths);
        (low == high && narrow == wide).then_some((high, wide))
    }

    /// Whether images of this size are seen as those of the training were: cut into patches, or whole at their own size.
    pub fn fits_size(&self, height: usize, width: usize) -> bool {
        let layout = &self.adapter.layout;
        self.training_size()
            .is_none_or(|size| (height, width) == size || (height, width) == (layout.height, layout.width))
    }

    /// The image overlaid with the heat map of its score.
    ///
    /// # Panics
    /// If the score is another image's, or has no heat map.
    pub fn heat_map(&self, image: &Image, score: &ImageScore) -> Image {
        heat_map(image, &score.heat)
    }

    /// Whether a sample is a patch of an image rather than the whole image.
    pub fn sees_patches(&self) -> bool {
        self.adapter.sees_patches()
    }

    /// A contact sheet of the first images: input, output, truth and difference.
    ///
    /// # Errors
    /// If an image can no longer be read.
    pub fn sheet(&self, images: &Store) -> Result<Image> {
        let all: Vec<u32> = (0..images.len() as u32).collect();
        Ok(summary::sheet(&self.reconstruction_pass()?, images, &all)?.image())
    }

    /// As [`ImageModel::sheet`], of normal and of anomalous images in turn.
    ///
    /// # Errors
    /// As [`ImageModel::evaluate`].
    pub fn sheet_by_folder(&self, images: &Store, roles: &ImageRoles) -> Result<Image> {
        let (normal, anomalous) = roles.parts(images)?;
        let longest = normal.len().max(anomalous.len());
        let pairs = (0..longest).flat_map(|i| [anomalous.get(i), normal.get(i)]);
        let all: Vec<u32> = pairs.flatten().copied().collect();
        Ok(summary::sheet(&self.reconstruction_pass()?, images, &all)?.image())
    }

    /// Channels of the images as the model sees them; others are converted.
    pub fn channels(&self) -> Channels {
        self.adapter.layout.channels
    }

    /// Reconstructs an image through the code, with its size and channels. A model fitted with a corruption removes it.
    pub fn reconstruct(&self, image: &Image) -> Image {
        self.reconstruct_batch(std::slice::from_ref(image)).pop().expect("an image for an image")
    }

    /// As [`ImageModel::reconstruct`], of many images at once, which is faster.
    pub fn reconstruct_batch(&self, images: &[Image]) -> Vec<Image> {
        let ensemble = &self.core.scorer.ensemble;
        let samples = self.adapter.samples(ensemble, images);
        let outputs = ensemble.output(&samples.concat());
        let mut rest = &outputs[..];
        let rebuilt = images.iter().zip(&samples).map(|(image, samples)| {
            let of_image = rest.split_off(..samples.len()).expect("as many outputs as inputs");
            self.adapter.image(of_image, image)
        });
        rebuilt.collect()
    }

    /// The codes of an image's samples: one code for a whole image, else one per patch, in row-major order.
    pub fn encode(&self, image: &Image) -> Vec<Vec<f32>> {
        self.encode_batch(std::slice::from_ref(image)).pop().expect("codes for an image")
    }

    /// As [`ImageModel::encode`], of many images at once, which is faster.
    pub fn encode_batch(&self, images: &[Image]) -> Vec<Vec<Vec<f32>>> {
        self.adapter.encode(&self.core.scorer.ensemble, images)
    }

    /// Decodes images, or patches of them, from codes `[n, code_size]`.
    pub fn decode(&self, codes: &[f32]) -> Vec<Image> {
        self.adapter.decode(&self.core, codes)
    }

    /// Decodes images, or patches of them, from a table with the columns `code_0`, `code_1`, ...
    ///
    /// # Errors
    /// [`Error::Mismatch`] if a code column is missing or there is one too many, [`Error::Data`] if a code is not a
    /// finite number.
    pub fn decode_table(&self, codes: &Table) -> Result<Vec<Image>> {
        Ok(self.decode(&codes_of(codes, self.code_size())?))
    }

    /// Generates images `first..first + n` of the infinite sequence given by `seed`.
    pub fn generate(&self, n: usize, first: u64, seed: u64) -> Vec<Image> {
        self.decode(&generation::drawn_codes(&self.core, n, first, seed))
    }

    /// `side` by `side` images whose codes lie on a grid, evenly spaced in the cumulative probability of both units:
    /// the first from left to right, the second from bottom to top.
    ///
    /// # Errors
    /// [`Error::Mismatch`] unless the code has exactly 2 units; [`Error::Recipe`] for a side out of range.
    pub fn manifold(&self, side: usize) -> Result<Vec<Image>> {
        if self.code_size() != 2 {
            let message = format!("expected a model with a code of 2 units for a manifold, got {}", self.code_size());
            return Err(Error::mismatch(message).with_hint(Hint::of("fit one with [backbone.code_size=2]")));
        }
        if !(1..=WIDEST_MANIFOLD).contains(&side) {
            let message = format!("expected from 1 to {WIDEST_MANIFOLD} images a side, got {side}");
            return Err(Error::recipe("manifold", message));
        }
        let normal = Normal::standard();
        let at = |i: usize| normal.inverse_cdf((i as f64 + 0.5) / side as f64) as f32;
        let (mean, deviation) = self.core.density.moments(2);
        let mut codes = Vec::with_capacity(2 * side * side);
        for (row, column) in (0..side).flat_map(|row| (0..side).map(move |column| (row, column))) {
            codes.push(mean[0] + deviation[0] * at(column));
            codes.push(mean[1] + deviation[1] * at(side - 1 - row));
        }
        codes.chunks_exact_mut(2).for_each(|code| self.core.density.hold(code));
        Ok(self.decode(&codes))
    }

    /// Variation number `i` of an image, with its size and channels: noise of `spread` standard deviations, keyed by
    /// `seed`, is added to its code. With a spread of 0 it is the reconstruction by the first member.
    pub fn vary(&self, image: &Image, spread: f32, seed: u64, i: u64) -> Image {
        let deviations = self.core.density.moments(self.code_size()).1;
        let mut codes = self.encode(image);
        // The same noise for all patches of an image, so that they still fit together.
        codes.iter_mut().for_each(|code| generation::vary(code, &deviations, spread, seed, i));
        self.adapter.image(&self.core.decode(&codes.concat()), image)
    }

    /// `steps` images that interpolate linearly in latent space from `a` to `b`, inclusive, with the size and channels
    /// of `a`.
    ///
    /// # Errors
    /// [`Error::Mismatch`] if samples are patches and the images differ in size.
    pub fn interpolate(&self, a: &Image, b: &Image, steps: usize) -> Result<Vec<Image>> {
        let (from, to) = (self.encode(a), self.encode(b));
        if self.sees_patches() && (a.height, a.width) != (b.height, b.width) {
            let message = format!(
                "expected two images of one size, as the model sees pieces of them, got {} x {} and {} x {} pixels",
                a.height, a.width, b.height, b.width
            );
            return Err(Error::mismatch(message));
        }
        let image = |step: usize| {
            let pairs = from.iter().zip(&to);
            let codes: Vec<f32> = pairs.flat_map(|(a, b)| interpolated(a, b, share(step, steps))).collect();
            self.adapter.image(&self.core.decode(&codes), a)
        };
        Ok((0..steps).map(image).collect())
    }

    /// The reconstruction quality of images, with PCA of the same size as the baseline; they are corrupted first if the
    /// model was fitted with a corruption.
    ///
    /// # Errors
    /// If an image can no longer be read.
    pub fn evaluate_reconstruction(&self, images: &Store) -> Result<Reconstruction> {
        let all: Vec<u32> = (0..images.len() as u32).collect();
        self.reconstruction_pass()?.quality(images, &all)
    }

    /// Detection metrics on images in normal and other folders, with PCA and an isolation forest as baselines; where defects
    /// have masks, also of the heat maps.
    ///
    /// # Errors
    /// [`Error::Data`] unless there are images of both classes, or if a mask is of another size than its image; if an image or
    /// a mask can no longer be read.
    pub fn evaluate(&self, images: &Store, roles: &ImageRoles) -> Result<Evaluation> {
        let (_, anomalous) = roles.parts(images)?;
        let is_anomalous = |i: usize| anomalous.binary_search(&(i as u32)).is_ok();
        let scorer = ImageScorer::new(&self.adapter, &self.core.scorer);
        let mut samples = EvaluationSamples::default();
        let has_masks = anomalous.iter().any(|i| images.album().defect_mask(*i as usize).is_some());
        let mut pixels = has_masks.then(PixelCounts::default);
        let detail = if has_masks { ScoreDetail::Trace } else { ScoreDetail::Scores };
        for i in 0..images.len() {
            let image = images.get(i)?;
            let ScoredImage { score, heat } = scorer.score_with(std::slice::from_ref(&image), detail).remove(0);
            let prepared = self.adapter.prepared(self.adapter.values(&image));
            let (pca, forest) = self.core.baselines.scores(&prepared, self.core.compute());
            samples.push(is_anomalous(i), score, highest(&pca), highest(&forest));
            let Some(pixels) = &mut pixels else { continue };
            if !is_anomalous(i) {
                pixels.add(&heat, &[], image.width);
            } else if let Some(mask) = images.album().defect_mask(i) {
                pixels.add(&heat, &defects(&mask, &image)?, image.width);
            }
        }
        let evaluation = samples.metrics(&self.core, "folder", &roles.normal.join(","), 0)?;
        Ok(Evaluation { pixels: pixels.and_then(|pixels| pixels.metrics()), ..evaluation })
    }

    /// The report on images that the model was not fitted to, with metrics if folders of normal images are named.
    ///
    /// # Errors
    /// If an image can no longer be read; with normal folders, as [`evaluate`](Self::evaluate).
    pub fn new_data_report(&self, images: &Store, roles: &ImageRoles) -> Result<NewDataReport> {
        Ok(self.found(images, roles)?.0)
    }

    /// The same, and the score of every image.
    pub(super) fn found(&self, images: &Store, roles: &ImageRoles) -> Result<(NewDataReport, Vec<f64>)> {
        let scorer = ImageScorer::new(&self.adapter, &self.core.scorer);
        let all: Vec<u32> = (0..images.len() as u32).collect();
        let scores = scorer.scores(images, &all)?;
        let mut report = new_data::scored(&self.core, images.source().to_owned(), images.len() as u64, &scores);
        (report.worst, report.worst_sheet) = summary::worst_of(&scorer, images, all, &scores, &self.core.threshold)?;
        report.notes =
            images.skipped().iter().map(|skipped| format!("skipped `{}`: {}", skipped.name, skipped.reason)).collect();
        if !roles.normal.is_empty() {
            report.metrics = Some(self.evaluate(images, roles)?.summary());
        }
        Ok((report, scores))
    }

    /// Compares `n` generated images, given by `seed`, with the images of a store. Distances to training images are
    /// measured if the model stores some.
    ///
    /// # Errors
    /// [`Error::Data`] for fewer than 20 of either kind; if an image can no longer be read.
    pub fn generation_quality(&self, images: &Store, n: usize, seed: u64) -> Result<SampleSimilarity> {
        let step = images.len().div_ceil(MOST_COMPARED).max(1);
        let mut values = Vec::new();
        for i in (0..images.len()).step_by(step) {
            values.extend(self.adapter.values(&images.get(i)?));
        }
        let given = self.adapter.prepared(values);
        generation::quality(&self.core, self.adapter.as_ref(), &given, n, images.source(), seed)
    }

    fn reconstruction_pass(&self) -> Result<ReconstructionPass<'_>> {
        let core = &self.core;
        ReconstructionPass::new(&core.recipe, &self.adapter, &core.scorer, &core.baselines.pca)
    }
}

/// Where the mask of an image says that there is a defect: where it is rather white than black, or not black at all if
/// defects have numbers.
fn defects(mask: &Path, image: &Image) -> Result<Vec<bool>> {
    let found = Photo::read(mask, &Limits::default())?.image.to_channels(Channels::Grey);
    if (found.height, found.width) != (image.height, image.width) {
        let message = format!(
            "expected a mask of {} x {} pixels, as its image is, got {} x {}",
            image.height, image.width, found.height, found.width
        );
        return Err(Error::data(Place::source(mask.display().to_string()), message));
    }
    let limit = if found.pixels.iter().any(|x| *x >= 0.5) { 0.5 } else { f32::MIN_POSITIVE };
    Ok(found.pixels.iter().map(|x| *x >= limit).collect())
}

/// An image overlaid with the heat map of its pixels' errors; transparent at a typical error.
pub(super) fn heat_map(image: &Image, heat: &[f32]) -> Image {
    // Logarithmic scale, so that a defect stands out from texture.
    let log: Vec<f32> = heat.iter().map(|heat| heat.max(1.0).ln()).collect();
    overlay(image, &log, HEAT[0].ln(), HEAT[1].ln(), OPACITY)
}
