//! `narrows restore`: removes the corruption that a model was fitted to remove.

use std::path::{Path, PathBuf};

use clap::Args as ClapArgs;
use narrows_core::images::{Filter, Format, Image, Photo};
use narrows_core::{Error, Model};

use crate::failure::{Failure, Outcome};
use crate::flags::{Common, ModelArg};
use crate::images::{self, Folder, extension, is_image};
use crate::talk::count;
use crate::targets::{ForceArg, Targets};
use crate::{interrupt, talk};

/// Restore images: denoise, inpaint, remove watermarks, colourise or upscale, depending on the model
///
/// Images may have any size. Bit depth, alpha, colour profile and EXIF are preserved if the output format supports
/// them, and reported otherwise. Unreadable images are reported and skipped, and the exit code is then 5.
#[derive(Debug, ClapArgs)]
#[command(
    before_help = "Example: narrows restore denoise.narrows in/ out/",
    before_long_help = "Examples:\n  narrows restore denoise.narrows in/ out/\n  \
                        narrows restore upscale.narrows small.png large.png\n  \
                        narrows restore colour.narrows 'scans/*.jpg' coloured/ --format png"
)]
pub(crate) struct Restore {
    #[command(flatten)]
    model: ModelArg,
    /// Corrupted images: a folder, a glob, a file, IDX, NPY or NPZ
    #[arg(value_name = "IN")]
    input: String,
    /// Output folder, created if needed; or a file, for a single image
    #[arg(value_name = "OUT")]
    output: PathBuf,
    /// Output format; by default that of each image
    #[arg(long, value_name = "FORMAT", value_parser = clap::builder::PossibleValuesParser::new(["png", "jpg", "webp", "tiff", "bmp"]))]
    format: Option<String>,
    #[command(flatten)]
    force: ForceArg,
}

impl Restore {
    pub(crate) fn run(self, common: &Common) -> Result<Outcome, Failure> {
        let targets = Targets::new(self.force).reads([&self.model.path]).reads([&self.input]);
        let targets = targets.writes_if("OUT", is_image(&self.output).then_some(&self.output));
        targets.check()?;
        let model = self.model.load(common)?.with_decoder()?;
        check(&model)?;
        let talk = common.talk();
        let inputs = [self.input.clone()];
        if Path::new(&self.input).is_file() && is_image(&self.output) && !self.output.is_dir() {
            self.check_file()?;
            let album = images::open(&inputs, talk)?;
            if album.len() > 1 {
                let message = format!("expected a folder for {} images, got `{}`", album.len(), self.output.display());
                return Err(Error::recipe("OUT", message).into());
            }
            let photo = restored(&model, album.photo(0).map_err(Error::from)?);
            images::write(&photo, &self.output, talk)?;
            return Ok(Outcome::Done);
        }
        let folder = Folder::new(&self.output, "OUT", &targets)?;
        let album = images::open(&inputs, talk)?;
        let places = folder.places(&album, |name| self.format.as_deref().or(extension(name)))?;
        let (mut skipped, mut n) = (album.skipped().len(), 0);
        let _grace = interrupt::grace("stopping after this image");
        for (i, place) in places.iter().enumerate() {
            let name = album.name(i);
            match album.photo(i) {
                Ok(photo) => {
                    let photo = restored(&model, photo);
                    images::write(&photo, place, talk)?;
                    n += 1;
                }
                Err(error) => {
                    skipped += 1;
                    images::tell_skipped(talk, std::iter::once((name.as_str(), error.to_string().as_str())));
                }
            }
            if interrupt::asked() {
                tell(talk, n, skipped);
                return Ok(Outcome::Interrupted);
            }
        }
        if n == 0 {
            let message = format!("expected a readable image, got none of {}", album.len());
            return Err(Error::data(narrows_core::error::Place::source(&self.input), message).into());
        }
        tell(talk, n, skipped);
        Ok(images::outcome(skipped))
    }

    /// An error if the output file contradicts `--format`.
    fn check_file(&self) -> Result<(), Failure> {
        match &self.format {
            Some(format)
                if Format::of_path(&Path::new("x").with_extension(format)) != Format::of_path(&self.output) =>
            {
                let message = format!(
                    "expected a folder, or a file of that format, got `{format}` and `{}`",
                    self.output.display()
                );
                Err(Error::recipe("--format", message).into())
            }
            _ => Ok(()),
        }
    }
}

fn tell(talk: talk::Talk, n: u64, skipped: usize) {
    let suffix = if skipped > 0 { format!("; {} skipped", count(skipped as u64, "image")) } else { String::new() };
    talk.line(format_args!("{} restored{suffix}", count(n, "image")));
}

/// An error for models that cannot restore.
fn check(model: &Model) -> Result<(), Failure> {
    match model {
        Model::Restorer(_) => Ok(()),
        Model::Images(model) if model.recipe().damages().is_empty() => {
            let error = Error::mismatch("expected a model fitted with --corrupt, got one fitted without");
            Err(error.with_hint("fit a model with --corrupt, or use narrows reconstruct").into())
        }
        Model::Images(_) => Ok(()),
        Model::Table(_) | Model::Series(_) | Model::Encoder(_) => {
            Err(Error::mismatch("expected a model of images, got one of tables or series").into())
        }
    }
}

fn restored(model: &Model, photo: Photo) -> Photo {
    let image = match model {
        Model::Restorer(restorer) => restorer.restore(&photo.image),
        Model::Images(model) => model.reconstruct(&photo.image),
        Model::Table(_) | Model::Series(_) | Model::Encoder(_) => unreachable!("refused before"),
    };
    // The alpha channel is resized with the image.
    let alpha = photo.alpha.as_ref().map(|alpha| {
        let Image { height, width, .. } = photo.image;
        let plane = Image::new(height, width, narrows_core::images::Channels::Grey, alpha.clone());
        plane.resized(image.height, image.width, Filter::Bicubic).clipped().pixels
    });
    Photo { image, alpha, ..photo }
}
