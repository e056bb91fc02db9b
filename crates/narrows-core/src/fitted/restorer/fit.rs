//! A fit of a restorer to images.

use std::sync::Arc;

use narrows_engine::rng::{Purpose, Stream};
use narrows_images::{Channels, Damage, Damages, Store};

use super::base::Base;
use super::samples::{RestoreSamples, view_side};
use super::{Restorer, evaluate};
use crate::error::{Error, Place, Result};
use crate::fitted::session::Session;
use crate::model::{Backbone, Restore};
use crate::patches::{PatchSampler, PatchShape, Turning};
use crate::recipe::{Data, ImageSettings, Recipe};
use crate::report::{AlbumReport, RestorerReport};
use crate::train::{self, Task, TrainingEvent};

/// Patches per image and epoch.
const PIECES: u32 = 16;
/// Most validation patches.
const CHECKED_PIECES: usize = 128;
/// Most held-out images measured for the report.
const MEASURED: usize = 12;

/// Fits a restorer: a network trained on clean images to remove the corruption of the recipe's `data.corrupt`.
pub(in crate::fitted) fn fit(recipe: &Recipe, images: &Arc<Store>, session: &Session<'_>) -> Result<Restorer> {
    let (settings, backbone) = parts(recipe)?;
    let damages = &settings.corrupt;
    let channels = settings.channels.or_else(|| images.channels());
    check_colours(damages, channels, images)?;
    let base = Base::of(damages, channels);
    let ready = damages.ready()?;
    let (train, validation) = split(images.len() as u32, recipe);

    let longest = (0..images.len()).map(|i| images.size(i)).map(|(height, width, _)| height.max(width)).max();
    let side = view_side(damages, backbone.patch, longest.unwrap_or(0));
    let turning = Turning { flips: settings.flips.or_else(|| true), turns: settings.turns.or_else(|| true) };
    let cut = PatchShape::Piece(side, side);
    let draws = PatchSampler { store: Arc::clone(images), channels, cut, turning, per_image: PIECES };
    let (rows, mut checked) = (draws.samples(&train), draws.samples(&validation));
    // A few patches of each image rather than all of a few.
    checked.sort_by_key(|sample| (sample % PIECES, sample / PIECES));
    checked.truncate(CHECKED_PIECES);
    let samples = RestoreSamples { draws, damages, ready: &ready, base, patch: backbone.patch };
    let network = backbone.build(base.ends(), (backbone.patch, backbone.patch), &recipe.loss)?;
    let steps = recipe.train.planned_steps(rows.len());
    session.observer.on_event(TrainingEvent::Started { members: 1, steps });
    let task = Task {
        member: 0,
        seed: recipe.seed,
        network: &network,
        samples: &samples,
        rows: &rows,
        validation: &checked,
        latent: &recipe.latent,
        sparsity: &recipe.sparsity,
        config: &recipe.train,
    };
    let trained = train::run(&task, session.checkpoints, session.observer, &session.compute)?;

    let mut recipe = recipe.clone();
    if let Data::Images(images) = &mut recipe.data {
        images.channels = crate::Choice::Given(channels);
    }
    let report = RestorerReport::begun(
        &recipe,
        AlbumReport::of(images, channels, train.len() as u64, validation.len() as u64),
        &network,
        trained.training,
    );
    let (backbone, compute) = (backbone.clone(), session.compute.clone());
    let mut restorer =
        Restorer { recipe, backbone, channels, params: trained.params, marks: ready.marks(), report, compute };
    let held_out = if validation.is_empty() { &train } else { &validation };
    let measured: Vec<usize> = held_out.iter().take(MEASURED).map(|p| *p as usize).collect();
    let (quality, sheet) = evaluate::with_sheet(&restorer, images, &measured)?;
    restorer.report.finish(quality, sheet, !validation.is_empty());
    let usual = Recipe::preset_for(restorer.recipe.preset, restorer.recipe.data.kind()).train;
    restorer.report.warnings.extend(restorer.recipe.train.contradiction(&usual, rows.len()));
    restorer.report.warnings.iter().for_each(|warning| session.observer.on_event(TrainingEvent::Warned(warning)));
    Ok(restorer)
}

fn parts(recipe: &Recipe) -> Result<(&ImageSettings, &Restore)> {
    match (&recipe.data, &recipe.backbone) {
        (Data::Images(images), Backbone::Restore(backbone)) => Ok((images, backbone)),
        _ => Err(Error::recipe("backbone", "expected restore for a restorer, got another backbone")),
    }
}

/// Rejects colour restoration for images without colours.
fn check_colours(damages: &Damages, channels: Channels, images: &Store) -> Result<()> {
    if !damages.as_slice().contains(&Damage::Grayscale) || channels == Channels::Rgb && images.channels() == channels {
        return Ok(());
    }
    let message = "expected images in colour to learn colours from, got grey ones";
    Err(Error::data(Place::source(images.source()), message))
}

/// Training images and validation images.
fn split(n: u32, recipe: &Recipe) -> (Vec<u32>, Vec<u32>) {
    let mut train: Vec<u32> = (0..n).collect();
    Stream::new(recipe.seed, Purpose::Split, 0, 0).shuffle(&mut train);
    let share = (f64::from(n) * recipe.train.validation.get()).round() as usize;
    let kept_back = if n < 2 || recipe.train.validation.get() == 0.0 { 0 } else { share.max(1) };
    let mut validation = train.split_off(train.len() - kept_back);
    train.sort_unstable();
    validation.sort_unstable();
    (train, validation)
}
