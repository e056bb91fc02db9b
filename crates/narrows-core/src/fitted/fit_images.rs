//! A fit to images, of a network with a code. It reads as the way of the data.

use narrows_images::Store;

use super::adapter::{Adapter, ImageAdapter, ImageLayout};
use super::fit::Session;
use super::image_samples::ImageSamples;
use super::images::ImageScorer;
use super::learning::{TrainedModel, TrainingData, learn, set_threshold};
use super::split::{Split, SplitPurpose};
use super::trial::TrialData;
use super::{Fitted, generation_quality, images_summary, summary};
use crate::codec::Coding;
use crate::error::{Error, Place, Result};
use crate::patches::{PatchSampler, Turning};
use crate::prep::Prepared;
use crate::recipe::{Data, ImageSettings, Recipe, View};
use crate::train::{SampleSource, TrainingEvent};

/// The largest side of images that are seen as a whole where the recipe leaves it open.
const LARGEST_WHOLE: usize = 96;
/// Side of a whole image where images differ in size.
const WHOLE_SIDE: usize = 64;
/// Side of a piece.
const PIECE_SIDE: usize = 32;
/// Pieces of an image in an epoch.
const PIECES: u32 = 16;
/// Most values of samples that are kept beside the training: for the baselines, for distances, for the report.
const KEPT_VALUES: usize = 16 << 20;
/// Most samples, too.
const KEPT_SAMPLES: usize = 10_000;
/// Most training images that are scored for the rules that ask for them.
const TRAINING_IMAGES: usize = 1_000;

/// Some must train and others calibrate.
const FEWEST_IMAGES: usize = 10;

/// Which images are normal.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ImageRoles {
    /// Names of folders whose images are normal; all images are where none is named.
    pub normal: Vec<String>,
}

impl ImageRoles {
    /// ImageSettings that may train, and those that the folders call anomalous.
    pub(super) fn parts(&self, images: &Store) -> Result<(Vec<u32>, Vec<u32>)> {
        let is_normal = |i: &u32| self.normal.is_empty() || self.normal.contains(&images.folder(*i as usize));
        let (normal, anomalous): (Vec<u32>, Vec<u32>) = (0..images.len() as u32).partition(is_normal);
        if normal.is_empty() {
            let mut folders: Vec<String> = (0..images.len()).map(|i| images.folder(i)).collect();
            folders.sort();
            folders.dedup();
            let (asked, found) = (self.normal.join("`, `"), folders.join("`, `"));
            let message = format!("expected images in a folder `{asked}`, got the folders `{found}`");
            return Err(Error::data(Place::source(images.source()), message));
        }
        Ok((normal, anomalous))
    }
}

/// Fits a model with a code to images that are normal.
///
/// # Errors
/// [`Error::Recipe`] for an impossible recipe, [`Error::Data`] for images that cannot be used, and what the training
/// says.
pub fn fit_images(recipe: &Recipe, images: &Store, roles: &ImageRoles, session: &Session<'_>) -> Result<Fitted> {
    let threads = &session.threads;
    let PreparedImages { settings, adapter, normal, anomalous } = ready(recipe, images, roles)?;
    let split = Split::aimed(&normal, recipe, SplitPurpose::Fit);
    let ready = settings.corrupt.ready()?;
    let draws = draws(settings, &adapter, images);
    let drawn = drawn(&draws, &split);
    let samples = |_| {
        let samples = ImageSamples { draws: &draws, width: adapter.width(), damages: &ready };
        Box::new(samples) as Box<dyn SampleSource>
    };
    let train = kept(&adapter, images, &split.train)?;
    let calibration = kept(&adapter, images, &split.calibration)?;
    let material = TrainingData {
        samples: recipe.corruptions().iter().map(samples).collect(),
        split: &drawn,
        references: train.clone(),
        train: train.clone(),
        calibration: calibration.clone(),
        blocks: adapter.blocks(),
        slots: adapter.slots(),
        shape: adapter.shape(),
    };
    let TrainedModel { recipe, scorer, baselines, codes, quantiser, trainings, mut warnings } =
        learn(recipe, material, session)?;

    let image_scorer = ImageScorer::new(&adapter, &scorer, threads);
    let held_out = image_scorer.scores(images, &split.calibration)?;
    let some = &split.train[..split.train.len().min(TRAINING_IMAGES)];
    let training = image_scorer.scores(images, some)?;
    let anomalous_scores = image_scorer.scores(images, &anomalous)?;
    let (calibrated, decision) = set_threshold(&recipe, held_out, None, training, &anomalous_scores)?;
    warnings.extend(decision.warning.clone());
    warnings.iter().for_each(|warning| session.observer.on_event(TrainingEvent::Warned(warning)));

    let (prepared, parts) = joined(calibration, train);
    let all: Vec<u32> = (0..prepared.n as u32).collect();
    let told = summary::ReportInputs {
        recipe: &recipe,
        scorer: &scorer,
        prepared: &prepared,
        split: &parts,
        normal: &all,
        anomalous: &[],
        anomalous_scores: &anomalous_scores,
        calibration: &calibrated,
        decision: &decision,
        pca: &baselines.pca,
    };
    let found =
        images_summary::ImageFindings { images, adapter: &adapter, split: &split, anomalous: &anomalous, roles };
    let report = images_summary::report(&told, &found, trainings, warnings, threads)?;
    let (adapter, calibration, density) = (Adapter::Images(adapter), calibrated, codes.density);
    let online = None;
    let coding = Some(Coding { quantiser, spans: Vec::new() });
    let mut fitted =
        Fitted { recipe, adapter, scorer, calibration, decision, online, baselines, density, coding, report };
    let found = (codes.report, codes.units);
    fitted.report.generation = Some(generation_quality::report(&fitted, found, &prepared, &parts, threads)?);
    Ok(fitted)
}

/// What the trials of a search are made on.
pub(crate) fn trial_data_of_images<'a>(
    recipe: &Recipe,
    images: &'a Store,
    roles: &ImageRoles,
) -> Result<TrialData<'a>> {
    let PreparedImages { settings, adapter, normal, .. } = ready(recipe, images, roles)?;
    let split = Split::aimed(&normal, recipe, SplitPurpose::Search);
    let draws = draws(settings, &adapter, images);
    let drawn = drawn(&draws, &split);
    let samples = (kept(&adapter, images, &split.train)?, kept(&adapter, images, &split.calibration)?);
    let source = (draws, settings.corrupt.ready()?);
    Ok(TrialData::of_images(source, drawn, samples, adapter.blocks().to_vec(), adapter.shape()))
}

/// ImageSettings that can be learnt from.
struct PreparedImages<'a> {
    settings: &'a ImageSettings,
    adapter: ImageAdapter,
    normal: Vec<u32>,
    anomalous: Vec<u32>,
}

fn ready<'a>(recipe: &'a Recipe, images: &Store, roles: &ImageRoles) -> Result<PreparedImages<'a>> {
    recipe.check()?;
    let Data::Images(settings) = &recipe.data else {
        return Err(Error::recipe("data", format!("expected images, got {}", recipe.data.kind().name())));
    };
    let adapter = ImageAdapter::new(layout(settings, images));
    let (normal, anomalous) = roles.parts(images)?;
    if normal.len() < FEWEST_IMAGES {
        let message = format!("expected at least {FEWEST_IMAGES} normal images to fit, got {}", normal.len());
        return Err(Error::data(Place::source(images.source()), message)
            .with_hint("a model that restores, fitted with --corrupt, asks for no more than one"));
    }
    Ok(PreparedImages { settings, adapter, normal, anomalous })
}

/// Views for training.
fn draws<'a>(settings: &ImageSettings, adapter: &ImageAdapter, images: &'a Store) -> PatchSampler<'a> {
    let turning = Turning { flips: settings.flips.or_else(|| false), turns: settings.turns.or_else(|| false) };
    let per_image = if adapter.layout.stride.is_some() { PIECES } else { 1 };
    PatchSampler { store: images, channels: adapter.layout.channels, cut: adapter.layout.cut(), turning, per_image }
}

/// A split of images as one of their views.
fn drawn(draws: &PatchSampler<'_>, split: &Split) -> Split {
    Split {
        train: draws.samples(&split.train),
        validation: draws.samples(&split.validation),
        calibration: split.calibration.clone(),
    }
}

/// What a sample is, where the recipe leaves it open.
fn layout(settings: &ImageSettings, images: &Store) -> ImageLayout {
    let channels = settings.channels.or_else(|| images.channels());
    let sizes = || (0..images.len()).map(|i| images.size(i));
    let (height, width, _) = images.size(0);
    let are_alike = sizes().all(|(h, w, _)| (h, w) == (height, width));
    let are_small = sizes().all(|(h, w, _)| h.max(w) <= LARGEST_WHOLE);
    let view = settings.view.or_else(|| if are_alike && are_small { View::Whole } else { View::Pieces });
    match view {
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

/// SampleSource of some images, as many of each as there is room for.
fn kept(adapter: &ImageAdapter, images: &Store, which: &[u32]) -> Result<Prepared> {
    let width = adapter.width();
    let most = (KEPT_VALUES / width).clamp(1, KEPT_SAMPLES);
    // Of images in many pieces, a few of each rather than all of the first ones.
    let share = (most / which.len().max(1)).max(1);
    let mut values = Vec::new();
    for image in which.iter().take(most) {
        let samples = adapter.values(&images.get(*image as usize)?);
        let n = samples.len() / width;
        let taken = n.min(share);
        (0..taken).for_each(|i| {
            let at = i * n / taken * width;
            values.extend_from_slice(&samples[at..at + width]);
        });
    }
    Ok(adapter.prepared(values))
}

/// Held-out samples and training samples as one, with the parts they play.
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
