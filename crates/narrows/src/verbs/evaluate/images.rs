//! `narrows evaluate` on images: quality of restoration, of reconstruction, or of anomaly detection by folder.

use std::path::Path;

use narrows_core::images::{Image, Photo};
use narrows_core::report::{Reconstruction, Restoration, Similarity};
use narrows_core::{Error, ImageRoles, Model};

use super::{for_people, tell};
use crate::failure::{Failure, Outcome};
use crate::flags::{Common, ResizeArg};
use crate::images;
use crate::talk::count;
use crate::verbs::summary;

/// Arguments of `evaluate` for images.
pub(super) struct Asked<'a> {
    pub(super) inputs: &'a [String],
    /// Folders of normal images.
    pub(super) normal: Vec<String>,
    /// Output path of the metrics.
    pub(super) output: Option<&'a Path>,
    /// Output path of a contact sheet.
    pub(super) sheet: Option<&'a Path>,
    pub(super) resize: ResizeArg,
}

/// Evaluates a model on images.
pub(super) fn evaluate(model: &Model, asked: Asked<'_>, common: &Common) -> Result<Outcome, Failure> {
    let talk = common.talk();
    let store = images::store(&images::for_testing(asked.inputs, talk), &common.compute()?, talk)?;
    match model {
        Model::Images(model) => {
            images::check_sizes(model, store.album(), asked.resize.resize, talk)?;
            let roles = ImageRoles { normal: asked.normal.clone() };
            write_sheet(asked.sheet, || Ok(model.sheet_by_folder(&store, &roles)?))?;
            if asked.normal.is_empty() {
                tell(&model.evaluate_reconstruction(&store)?, reconstruction_description, asked.output, common)?;
            } else {
                tell(&model.evaluate(&store, &roles)?, for_people, asked.output, common)?;
            }
        }
        Model::Restorer(restorer) => {
            write_sheet(asked.sheet, || Ok(restorer.sheet(&store)?))?;
            if !asked.normal.is_empty() {
                let message = "expected a model with anomaly scores, got a restorer";
                return Err(Error::recipe("--normal", message).into());
            }
            tell(&restorer.evaluate(&store)?, restoration_description, asked.output, common)?;
        }
        Model::Table(_) | Model::Series(_) | Model::Encoder(_) => unreachable!("the caller has a model of images"),
    }
    Ok(images::outcome(images::unread(store.album())))
}

fn write_sheet(path: Option<&Path>, sheet: impl FnOnce() -> Result<Image, Failure>) -> Result<(), Failure> {
    if let Some(path) = path {
        Photo::from(sheet()?).write(path).map_err(Error::from)?;
    }
    Ok(())
}

/// The mean metrics as a table.
fn restoration_description(restoration: &Restoration) -> String {
    let means = &restoration.means;
    let mut lines =
        vec![format!("{} corrupted by {}", count(restoration.n, "image"), restoration.damage), String::new(), head()];
    lines.push(line("restored by this model", &means.restored));
    lines.push(line("corrupted input", &means.input));
    lines.push(line(&means.baseline.name, &means.baseline.similarity));
    lines.join("\n")
}

fn reconstruction_description(reconstruction: &Reconstruction) -> String {
    let r = reconstruction;
    let damaged = if r.damage == "none" { String::new() } else { format!(", corrupted by {}", r.damage) };
    let mut lines = vec![format!("{} reconstructed{damaged}", count(r.n, "image")), String::new(), head()];
    lines.push(line("this model", &r.model));
    lines.push(line("PCA, same code size", &r.pca));
    lines.extend(r.input.as_ref().map(|input| line("corrupted input", input)));
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
