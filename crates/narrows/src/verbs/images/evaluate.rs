//! `narrows evaluate` on images: how well damage is undone, how well images come through the code, how well folders
//! are told apart.

use narrows_core::file::Whole;
use narrows_core::images::Photo;
use narrows_core::report::{Reconstruction, Restoration, Similarity};
use narrows_core::{Error, Evaluation, Fitted, ImageRoles, Restorer};

use super::super::summary;
use crate::args::Common;
use crate::failure::{Failure, Outcome};
use crate::talk::count;
use crate::{images, output};

/// What `evaluate` was asked for on images.
pub(in crate::verbs) struct Asked<'a> {
    pub(in crate::verbs) inputs: &'a [String],
    /// Folders whose images are normal.
    pub(in crate::verbs) normal: Vec<String>,
    /// A contact sheet to write.
    pub(in crate::verbs) sheet: Option<&'a std::path::Path>,
}

/// Measures a model on images.
pub(in crate::verbs) fn evaluate(
    model: &Whole,
    asked: Asked<'_>,
    common: &Common,
    tell: fn(&Evaluation) -> String,
) -> Result<Outcome, Failure> {
    let (talk, threads) = (common.talk(), common.threads()?);
    let store = images::store(asked.inputs, &threads, talk)?;
    if let Some(path) = asked.sheet {
        let sheet = match model {
            Whole::Restorer(restorer) => restorer.sheet(&store, &threads)?,
            Whole::Fitted(fitted) => fitted.sheet(&store, &threads)?,
        };
        Photo::from(sheet).write(path).map_err(Error::from)?;
    }
    match model {
        Whole::Restorer(restorer) => restoration(restorer, &store, &asked, common)?,
        Whole::Fitted(fitted) if asked.normal.is_empty() => reconstruction(fitted, &store, common)?,
        Whole::Fitted(fitted) => {
            let roles = ImageRoles { normal: asked.normal };
            let evaluation = fitted.evaluate_folders(&store, &roles, &threads)?;
            print(&evaluation, tell, common)?;
        }
    }
    Ok(images::outcome(store.skipped().len()))
}

fn restoration(
    restorer: &Restorer,
    store: &narrows_core::images::Store,
    asked: &Asked<'_>,
    common: &Common,
) -> Result<(), Failure> {
    if !asked.normal.is_empty() {
        let message = "expected a model that scores, got a restorer, to which all images are clean";
        return Err(Error::recipe("--normal", message).into());
    }
    let restoration = restorer.evaluate(store, &common.threads()?)?;
    print(&restoration, restoration_description, common)
}

fn reconstruction(fitted: &Fitted, store: &narrows_core::images::Store, common: &Common) -> Result<(), Failure> {
    let reconstruction = fitted.evaluate_images(store, &common.threads()?)?;
    print(&reconstruction, reconstruction_description, common)
}

fn print<T: serde::Serialize>(value: &T, words: fn(&T) -> String, common: &Common) -> Result<(), Failure> {
    if common.json { output::print_json(value) } else { output::print(&words(value)) }
}

/// A table of the means.
pub(in crate::verbs) fn restoration_description(restoration: &Restoration) -> String {
    let means = &restoration.means;
    let mut lines =
        vec![format!("{} damaged by {}", count(restoration.n, "image"), restoration.damage), String::new(), head()];
    lines.push(line("restored by this model", &means.restored));
    lines.push(line("as it came", &means.input));
    lines.push(line(&means.baseline.name, &means.baseline.similarity));
    lines.join("\n")
}

fn reconstruction_description(reconstruction: &Reconstruction) -> String {
    let r = reconstruction;
    let damaged = if r.damage == "none" { String::new() } else { format!(", damaged by {}", r.damage) };
    let mut lines = vec![format!("{} through the code{damaged}", count(r.n, "image")), String::new(), head()];
    lines.push(line("this model", &r.model));
    lines.push(line("PCA of the same size", &r.pca));
    lines.extend(r.input.as_ref().map(|input| line("as it came", input)));
    if let Some(nats) = r.negative_elbo {
        lines.extend([String::new(), summary::negative_elbo(nats)]);
    }
    lines.join("\n")
}

fn head() -> String {
    format!("{:<26} {:>8} {:>7} {:>9} {:>8}", "", "PSNR dB", "SSIM", "MSE", "BCE")
}

fn line(name: &str, s: &Similarity) -> String {
    let ssim = s.ssim.map_or_else(|| "-".to_owned(), |ssim| format!("{ssim:.4}"));
    let bce = s.bce.map_or_else(String::new, |bce| format!("{bce:.4}"));
    let colour = s.colourfulness.map_or_else(String::new, |c| format!("   colourfulness {c:.1}"));
    format!("{name:<26} {:>8.2} {ssim:>7} {:>9.6} {bce:>8}{colour}", s.psnr, s.mse).trim_end().to_owned()
}
