//! `narrows restore`: removes the corruption that a model was fitted to remove.

mod mask;

use std::path::PathBuf;

use clap::Args as ClapArgs;
use narrows_core::images::{Album, Damage, Fill, Format, Holes, Photo};
use narrows_core::{Error, Model};

use self::mask::Masks;
use crate::failure::{Failure, Outcome};
use crate::flags::{Common, ModelArg, ResizeArg};
use crate::image_writer::ImageWriter;
use crate::images::{self, extension, is_image};
use crate::interrupt;
use crate::talk::{Talk, count};
use crate::targets::{ForceArg, Targets};

/// Restore images: denoise, inpaint, remove watermarks, colourise or upscale, depending on the model
///
/// Images may have any size. Bit depth, alpha, colour profile, EXIF, XMP, text and resolution are preserved if the output
/// format supports them, and reported otherwise. Pages of a TIFF file stay in one, frames of a GIF or an animated PNG
/// too. Unreadable images are reported and skipped, and the exit code is then 5.
#[derive(Debug, ClapArgs)]
#[command(
    before_help = "Example: narrows restore denoise.narrows in/ out/",
    before_long_help = "Examples:\n  narrows restore denoise.narrows in/ out/\n  \
                        narrows restore upscale.narrows small.png large.png\n  \
                        narrows restore inpaint.narrows photos/ filled/ --mask masks/\n  \
                        narrows restore colour.narrows 'scans/*.jpg' coloured/ --format png"
)]
pub(crate) struct Restore {
    #[command(flatten)]
    model: ModelArg,
    /// Corrupted images: a folder, a glob, a file, IDX, NPY or NPZ
    #[arg(value_name = "IN")]
    input: String,
    /// Output folder, created if needed; or a file, for a single image or the pages of a file
    #[arg(value_name = "OUT", required_unless_present = "to")]
    output: Option<PathBuf>,
    /// The same as OUT
    #[arg(id = "to", short = 'o', long = "output", value_name = "OUT", conflicts_with = "output")]
    to: Option<PathBuf>,
    /// Output format; by default that of each image
    #[arg(long, value_name = "FORMAT", value_parser = clap::builder::PossibleValuesParser::new(["png", "jpg", "webp", "tiff", "bmp"]))]
    format: Option<String>,
    /// Which pixels are lost, for models of holes: a folder of masks named as the images, also `a_mask.png` for `a.jpg`, or one
    /// mask for all, white where pixels are lost; or `alpha`: the transparent ones. They are filled whatever their colour, and
    /// all others stay as they are. Without it, a model of holes of any colour fills the transparent pixels, or where there are
    /// none, what looks like a hole: flat squares of the size of the holes in training
    #[arg(long, value_name = "MASKS")]
    mask: Option<String>,
    #[command(flatten)]
    resize: ResizeArg,
    #[command(flatten)]
    force: ForceArg,
}

impl Restore {
    pub(crate) fn run(self, common: &Common) -> Result<Outcome, Failure> {
        let out = self.output.as_ref().or(self.to.as_ref()).expect("one of both is required");
        let masks = self.mask.iter().filter(|mask| *mask != "alpha");
        let targets = Targets::new(self.force).reads([&self.model.path]).reads([&self.input]).reads(masks);
        let targets = targets.writes_if("OUT", is_image(out).then_some(out));
        targets.check()?;
        let model = self.model.load(common)?.with_decoder()?;
        check(&model)?;
        let talk = common.talk();
        let masks = self.masks(&model)?;
        let album = images::open(std::slice::from_ref(&self.input), talk)?;
        if let Model::Images(model) = &model {
            images::check_sizes(model, &album, self.resize.resize, talk)?;
        }
        let places = self.places(out, &album, &targets)?;
        images::tell_places(talk, &album, &places);
        let (mut skipped, mut n, mut transparent) = (images::unread(&album), 0, 0);
        let mut writer = ImageWriter::default();
        let _grace = interrupt::grace("stopping after this image");
        for (i, place) in places.iter().enumerate() {
            match album.photo(i) {
                Ok(photo) => {
                    let holes = match &masks {
                        Some(masks) => Some(masks.holes(&album, i, &photo)?),
                        None if finds_holes(&model) && is_partly_transparent(&photo) => {
                            transparent += 1;
                            Some(Masks::transparent().holes(&album, i, &photo)?)
                        }
                        None => None,
                    };
                    writer.put(&restored(&model, photo, holes.as_ref()), place)?;
                    n += 1;
                }
                Err(error) if album.len() == 1 => return Err(Error::from(error).into()),
                Err(error) => {
                    skipped += 1;
                    let (name, reason) = (album.name(i), error.to_string());
                    images::tell_skipped(talk, std::iter::once((name.as_str(), reason.as_str())));
                }
            }
            if interrupt::asked() {
                writer.finish(talk)?;
                tell(talk, n, skipped);
                return Ok(Outcome::Interrupted);
            }
        }
        if n == 0 {
            let message = format!("expected a readable image, got none of {}", album.len());
            return Err(Error::data(narrows_core::error::Place::source(&self.input), message).into());
        }
        writer.finish(talk)?;
        if transparent > 0 {
            let of = count(transparent, "image");
            talk.note(format_args!("the transparent pixels of {of} counted as lost, and no others of these"));
        }
        tell(talk, n, skipped);
        Ok(images::outcome(skipped))
    }

    fn places(&self, out: &PathBuf, album: &Album, targets: &Targets) -> Result<Vec<PathBuf>, Failure> {
        let places = images::places(out, ("OUT", targets), album, |name| self.format.as_deref().or(extension(name)))?;
        // A file has the format of its name.
        let is_other = |format: &String| Format::of_path(&out.with_extension(format)) != Format::of_path(out);
        match self.format.as_ref().filter(|format| places.first() == Some(out) && is_other(format)) {
            Some(format) => {
                let out = out.display();
                let message = format!("expected a folder, or a file of that format, got `{format}` and `{out}`");
                Err(Error::recipe("--format", message).into())
            }
            None => Ok(places),
        }
    }

    fn masks(&self, model: &Model) -> Result<Option<Masks>, Failure> {
        let Some(mask) = &self.mask else { return Ok(None) };
        let damages = model.recipe().damages();
        let Some(fill) = damages.iter().rev().find_map(Damage::fill) else {
            let names = damages.iter().map(Damage::name).collect::<Vec<_>>().join(",");
            let message = format!("expected a model fitted with --corrupt blocks or masking, got one for `{names}`");
            return Err(Error::recipe("--mask", message).into());
        };
        Masks::open(mask, fill).map(Some)
    }
}

fn tell(talk: Talk, n: u64, skipped: usize) {
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

/// Whether the model fills holes of any colour.
fn finds_holes(model: &Model) -> bool {
    matches!(model, Model::Restorer(restorer) if restorer.damages().fill() == Some(Fill::Any))
}

fn is_partly_transparent(photo: &Photo) -> bool {
    photo.alpha.as_ref().is_some_and(|alpha| alpha.iter().any(|alpha| *alpha <= 0.0))
}

fn restored(model: &Model, photo: Photo, holes: Option<&Holes>) -> Photo {
    photo.changed(holes, |image| match model {
        Model::Restorer(restorer) => match holes.and_then(|holes| restorer.fill(image, &holes.lost)) {
            Some(filled) => filled,
            None => restorer.restore(image),
        },
        Model::Images(model) => model.reconstruct(image),
        Model::Table(_) | Model::Series(_) | Model::Encoder(_) => unreachable!("refused before"),
    })
}
