//! `narrows fit` on images: a model with a code, or a restorer.

use std::path::Path;

use narrows_core::file::{self, Whole};
use narrows_core::report::html;
use narrows_core::{Error, ImageRoles, Recipe, Session, fit_images, fit_restorer};

use super::super::fit::{Targets, tell_files};
use super::super::summary;
use crate::args::Common;
use crate::failure::{Failure, Outcome};
use crate::progress::Progress;
use crate::{images, interrupt, output};

/// Fits images and writes what was asked for.
pub(in crate::verbs) fn fit(
    recipe: &Recipe,
    inputs: &[String],
    normal: Vec<String>,
    targets: Targets<'_>,
    common: &Common,
) -> Result<Outcome, Failure> {
    let talk = common.talk();
    let threads = common.threads()?;
    talk.line(format_args!("reading {}", inputs.join(", ")));
    let store = images::store(inputs, &threads, talk)?;
    let kept = targets.checkpoints(recipe, file::images_fingerprint(&store))?;
    let progress = Progress::new(talk);
    let session = Session { threads, observer: &progress, checkpoints: targets.of(&kept) };
    let grace = interrupt::grace("stopping: the best so far is kept; press Ctrl-C again to quit without it");
    let roles = ImageRoles { normal };
    targets.check(recipe)?;
    let fitted: narrows_core::Result<Whole> = if recipe.restores() {
        match roles.normal.is_empty() {
            true => fit_restorer(recipe, &store, &session).map(|restorer| Whole::Restorer(Box::new(restorer))),
            false => {
                Err(Error::recipe("--normal", "expected a model that scores, got a restorer, to which all are clean"))
            }
        }
    } else {
        fit_images(recipe, &store, &roles, &session).map(|fitted| Whole::Fitted(Box::new(fitted)))
    };
    progress.finish();
    let model = fitted?;
    match &model {
        Whole::Fitted(fitted) => targets.save(fitted)?,
        Whole::Restorer(restorer) => file::save_restorer(restorer, targets.model)?,
    }
    drop(grace);

    if let Some(path) = targets.report {
        output::write_text(path, &page(&model)?)?;
    }
    match &model {
        Whole::Fitted(fitted) => {
            if common.json {
                output::print_json(fitted.report())?;
            }
            summary::tell(fitted.report(), talk);
        }
        Whole::Restorer(restorer) => {
            if common.json {
                output::print_json(restorer.report())?;
            }
            summary::tell_restorer(restorer.report(), talk);
        }
    }
    tell_files(talk, targets.model, targets.report);
    if interrupt::asked() {
        return Ok(Outcome::Interrupted);
    }
    kept.map_or(Ok(()), file::FileCheckpoints::clear)?;
    Ok(images::outcome(store.skipped().len()))
}

/// The report of a model as one page.
pub(in crate::verbs) fn page(model: &Whole) -> Result<String, Failure> {
    Ok(match model {
        Whole::Fitted(fitted) => html::render(fitted.report())?,
        Whole::Restorer(restorer) => html::render_restorer(restorer.report())?,
    })
}

/// Whether a path can hold an image.
pub(in crate::verbs) fn is_image(path: &Path) -> bool {
    narrows_core::images::Format::of_path(path).is_some()
}
