//! Fit of a network with a code to images: prepare, learn, assemble.

use std::sync::Arc;

use narrows_images::{Channels, Store};

use super::ImageModel;
use super::adapter::{ImageAdapter, ImageLayout};
use super::measures;
use super::patch_memory::PatchMemory;
use super::roles::ImageRoles;
use super::samples::ImageSamples;
use super::scorer::ImageScorer;
use super::summary::{self, ImageFindings};
use super::{map_prior, photographs};
use crate::detect::Score;
use crate::error::{Error, Hint, Place, Result};
use crate::fitted::assemble::{Assembly, assemble};
use crate::fitted::invariants::Evidence;
use crate::fitted::learning::{ChosenSamples, TrainingData, learn};
use crate::fitted::scoring::{HeldOutScores, Scorer};
use crate::fitted::session::Session;
use crate::fitted::split::{Split, SplitPurpose};
use crate::fitted::trial::TrialData;
use crate::model::Backbone;
use crate::patches::{PatchSampler, Turning};
use crate::prep::Prepared;
use crate::recipe::{Data, ImageSettings, Recipe, View};
use crate::train::SampleSource;

/// The largest side of images that are used whole by default.
const LARGEST_WHOLE: usize = 96;
/// Side of a whole image if images differ in size.
const WHOLE_SIDE: usize = 64;
/// Side of a patch.
const PIECE_SIDE: usize = 32;
/// Patches per image and epoch.
const PIECES: u32 = 16;
/// Most values of samples kept in addition to the training: for the baselines, for distances, for the report.
const KEPT_VALUES: usize = 16 << 20;
/// Most samples kept.
const KEPT_SAMPLES: usize = 10_000;
/// The same of pieces for compression, which are wide and serve the report alone.
const KEPT_PIECES: usize = 256;
/// Most training images scored for the rules that need training scores.
const TRAINING_IMAGES: usize = 1_000;

/// Fewest images that can be split into training and calibration.
const FEWEST_IMAGES: usize = 10;

/// Images prepared for training.
struct PreparedImages {
    adapter: ImageAdapter,
    /// By image.
    split: Split,
    anomalous: Vec<u32>,
    sampler: PatchSampler,
    /// The split of images as a split of their views.
    views: Split,
    /// Samples kept in addition to the training.
    train: Prepared,
    calibration: Prepared,
}

fn prepare(
    recipe: &Recipe,
    settings: &ImageSettings,
    images: &Arc<Store>,
    roles: &ImageRoles,
    purpose: SplitPurpose,
) -> Result<PreparedImages> {
    let is_lapped = matches!(recipe.backbone, Backbone::Lapped(_));
    let layout = layout(settings, images);
    // Blocks fit together, so that pieces need not overlap.
    let stride = layout.stride.map(|stride| if is_lapped { layout.height } else { stride });
    let adapter = ImageAdapter::new(ImageLayout { stride, ..layout });
    let most = if is_lapped { KEPT_PIECES } else { KEPT_SAMPLES };
    let (normal, anomalous) = roles.parts(images)?;
    if normal.len() < FEWEST_IMAGES {
        let message = format!("expected at least {FEWEST_IMAGES} normal images to fit, got {}", normal.len());
        return Err(Error::data(Place::source(images.source()), message)
            .with_hint(Hint::of("a model that restores, fitted with [corrupt], needs only one")));
    }
    let split = Split::for_purpose(&normal, recipe, purpose);
    let sampler = sampler(settings, &adapter, images);
    let views = views(&sampler, &split);
    let samples = |which: &[u32]| kept(&adapter, images, which, most);
    let (train, calibration) = (samples(&split.train)?, samples(&split.calibration)?);
    Ok(PreparedImages { adapter, split, anomalous, sampler, views, train, calibration })
}

/// The samples that the trials of a search train on.
pub(in crate::fitted) fn trial_data(
    recipe: &Recipe,
    settings: &ImageSettings,
    images: &Arc<Store>,
    roles: &ImageRoles,
) -> Result<TrialData> {
    let PreparedImages { adapter, sampler, views, train, calibration, .. } =
        prepare(recipe, settings, images, roles, SplitPurpose::Search)?;
    let source = (sampler, settings.corrupt.ready()?);
    Ok(TrialData::of_images(source, views, (train, calibration), adapter.blocks().to_vec(), adapter.shape()))
}

pub(in crate::fitted) fn fit(
    recipe: &Recipe,
    settings: &ImageSettings,
    images: &Arc<Store>,
    roles: &ImageRoles,
    session: &Session<'_>,
) -> Result<ImageModel> {
    let recipe = &photographs::chosen(recipe, settings, images);
    let Data::Images(settings) = &recipe.data else { unreachable!("a recipe of images") };
    let PreparedImages { mut adapter, split, anomalous, sampler, views, train, calibration } =
        prepare(recipe, settings, images, roles, SplitPurpose::Fit)?;

    let damages = settings.corrupt.ready()?;
    let samples = |_| {
        let samples = ImageSamples { draws: &sampler, width: adapter.width(), damages: &damages };
        Box::new(samples) as Box<dyn SampleSource>
    };
    let data = TrainingData {
        samples: recipe.corruptions().iter().map(samples).collect(),
        split: &views,
        references: ChosenSamples::Drawn(train.clone()),
        train: ChosenSamples::Drawn(train.clone()),
        calibration: calibration.clone(),
        blocks: adapter.blocks(),
        slots: adapter.slots(),
        shape: adapter.shape(),
    };
    let trained = learn(recipe, data, session)?;
    adapter.memory = memory(recipe, &adapter, images, &split, &trained.scorer)?.map(Arc::new);
    let scorer = ImageScorer::new(&adapter, &trained.scorer);
    let held_out = scorer.scores(images, &split.calibration)?;
    let some = &split.train[..split.train.len().min(TRAINING_IMAGES)];
    let training = scorer.scores(images, some)?;
    let anomalous_scores = scorer.scores(images, &anomalous)?;
    let threshold = trained.threshold(HeldOutScores {
        scores: held_out,
        blocks: None,
        training,
        anomalous: &anomalous_scores,
        is_labelled: !roles.normal.is_empty(),
    })?;

    let (prepared, parts) = joined(calibration, train);
    let normal: Vec<u32> = (0..prepared.n as u32).collect();
    let assembly = Assembly {
        adapter: adapter.clone(),
        trained,
        threshold,
        stream_threshold: None,
        prepared: &prepared,
        split: &parts,
        normal: &normal,
        anomalous: &[],
        anomalous_scores: &anomalous_scores,
        evidence: &Evidence::default(),
        spans: Vec::new(),
        distribution: Some(measures::distribution(images, &split.train)?),
        not_made: Vec::new(),
    };
    let mut model = assemble(assembly, session, |inputs, _, adapter| {
        let findings = ImageFindings { images, adapter, split: &split, anomalous: &anomalous, roles };
        summary::describe(inputs, &findings)
    })?;
    if matches!(model.core.recipe.backbone, Backbone::Lapped(_)) {
        let prior = map_prior::learn(images, &split.train, adapter.layout.channels, &session.compute)?;
        if let Some(coding) = &mut Arc::make_mut(&mut model.core).coding {
            coding.maps = Some(prior);
        }
    }
    Ok(model)
}

/// What local patches are compared with, if the score is that of patches and the images are large enough.
fn memory(
    recipe: &Recipe,
    adapter: &ImageAdapter,
    images: &Store,
    split: &Split,
    scorer: &Scorer,
) -> Result<Option<PatchMemory>> {
    if recipe.detect.score != Score::Patches || !PatchMemory::suits(images, &split.train) {
        return Ok(None);
    }
    let compute = scorer.ensemble.compute();
    let kept = (recipe.detect.references.max(1), recipe.seed);
    let memory = PatchMemory::fit(images, &split.train, adapter.layout.channels, kept, compute)?;
    let distances = memory.distances(images, &split.calibration, compute)?;
    if adapter.sees_patches() {
        return memory.calibrated(&distances, None).map(Some);
    }
    let residuals = ImageScorer::new(adapter, scorer).scores(images, &split.calibration)?;
    let logs: Vec<f64> = residuals.iter().map(|score| score.ln()).collect();
    memory.calibrated(&distances, Some(&logs)).map(Some)
}

/// The sampler of training views.
fn sampler(settings: &ImageSettings, adapter: &ImageAdapter, images: &Arc<Store>) -> PatchSampler {
    let turning = Turning { flips: settings.flips.or_else(|| false), turns: settings.turns.or_else(|| false) };
    let per_image = if adapter.layout.stride.is_some() { PIECES } else { 1 };
    PatchSampler {
        store: Arc::clone(images),
        channels: adapter.layout.channels,
        cut: adapter.layout.cut(),
        turning,
        per_image,
    }
}

/// The split of images as a split of their views.
fn views(sampler: &PatchSampler, split: &Split) -> Split {
    Split {
        train: sampler.samples(&split.train),
        validation: sampler.samples(&split.validation),
        calibration: split.calibration.clone(),
    }
}

/// The view of an image, by default the whole one if all have the same small size.
pub(super) fn view(settings: &ImageSettings, images: &Store) -> View {
    let first = images.size(0);
    let fits = |(h, w, _): (usize, usize, Channels)| (h, w) == (first.0, first.1) && h.max(w) <= LARGEST_WHOLE;
    let are_small_and_alike = || (0..images.len()).all(|i| fits(images.size(i)));
    settings.view.or_else(|| if are_small_and_alike() { View::Whole } else { View::Pieces })
}

/// The sample layout, by default rules if the recipe does not set it.
fn layout(settings: &ImageSettings, images: &Store) -> ImageLayout {
    let channels = settings.channels.or_else(|| images.channels());
    let sizes = || (0..images.len()).map(|i| images.size(i));
    let (height, width, _) = images.size(0);
    let are_alike = sizes().all(|(h, w, _)| (h, w) == (height, width));
    let are_small = sizes().all(|(h, w, _)| h.max(w) <= LARGEST_WHOLE);
    match view(settings, images) {
        View::Whole => {
            let side = |own: usize| settings.side.or_else(|| if are_alike && are_small { own } else { WHOLE_SIDE });
            ImageLayout { channels, height: side(height), width: side(width), stride: None }
        }
        View::Pieces => {
            let side = settings.side.or_else(|| PIECE_SIDE);
            ImageLayout { channels, height: side, width: side, stride: Some((side / 2).max(1)) }
        }
    }
}

/// Samples of the images `which`, as many of each as fit the limits.
fn kept(adapter: &ImageAdapter, images: &Store, which: &[u32], most: usize) -> Result<Prepared> {
    let width = adapter.width();
    let most = (KEPT_VALUES / width).clamp(1, most);
    // A few patches of each image rather than all of the first ones.
    let share = (most / which.len().max(1)).max(1);
    let mut values = Vec::new();
    for image in which.iter().take(most) {
        let cutting = adapter.cutting(&images.get(*image as usize)?);
        let n = cutting.len();
        let taken = n.min(share);
        for i in 0..taken {
            let at = i * n / taken;
            values.extend(cutting.values(at..at + 1));
        }
    }
    Ok(adapter.prepared(values))
}

/// Held-out samples and training samples concatenated, with their split.
fn joined(calibration: Prepared, train: Prepared) -> (Prepared, Split) {
    let (n, width) = (calibration.n + train.n, calibration.width);
    let split = Split {
        train: (calibration.n as u32..n as u32).collect(),
        validation: Vec::new(),
        calibration: (0..calibration.n as u32).collect(),
    };
    let counts = calibration.counts.clone();
    let input = [calibration.input, train.input].concat();
    let target = [calibration.target, train.target].concat();
    (Prepared { input, target, n, width, counts }, split)
}
