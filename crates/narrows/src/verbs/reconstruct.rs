//! `narrows reconstruct`: the reconstruction of every row, in original units.

use std::path::Path;

use clap::Args as ClapArgs;
use narrows_core::{ImageModel, Model};

use crate::failure::{Failure, Outcome};
use crate::flags::{Common, ModelArg, ResizeArg};
use crate::image_writer::ImageWriter;
use crate::images;
use crate::input::InputArgs;
use crate::output::OutputArgs;
use crate::pipeline::{self, Portion};
use crate::targets::Targets;

/// Encode and decode rows, series or images, in original units
///
/// Writes the reconstruction of the model's columns for every row, in input order. Missing cells are filled with it.
#[derive(Debug, ClapArgs)]
#[command(before_help = "Example: narrows reconstruct m.narrows new.csv -o rebuilt.csv")]
pub(crate) struct Reconstruct {
    #[command(flatten)]
    model: ModelArg,
    #[command(flatten)]
    input: InputArgs,
    #[command(flatten)]
    output: OutputArgs,
    #[command(flatten)]
    resize: ResizeArg,
}

impl Reconstruct {
    pub(crate) fn run(self, common: &Common) -> Result<Outcome, Failure> {
        let targets = self.output.targets().reads([&self.model.path]).reads(self.input.inputs());
        targets.check()?;
        let model = self.model.load(common)?;
        if let Model::Images(model) = model {
            let target = self.output.folder("reconstructed images")?;
            return reconstruct_images(&model, (self.input.inputs(), self.resize), (target, &targets), common);
        }
        let model = model.into_tabular()?;
        let source = self.input.table()?;
        let (wanted, portion) = (Some(model.schema()), Portion::of(model.as_ref()));
        pipeline::transform(&source, wanted, portion, self.output.writer()?, |table| {
            Ok(model.reconstruct(table)?.batch().clone())
        })?;
        Ok(Outcome::Done)
    }
}

/// Reconstructs images into a folder, or into a file.
fn reconstruct_images(
    model: &ImageModel,
    (inputs, resize): (&[String], ResizeArg),
    (target, targets): (&Path, &Targets),
    common: &Common,
) -> Result<Outcome, Failure> {
    let talk = common.talk();
    let album = images::open(inputs, talk)?;
    images::check_sizes(model, &album, resize.resize, talk)?;
    let places = images::places(target, ("--output", targets), &album, images::extension)?;
    images::tell_places(talk, &album, &places);
    let mut writer = ImageWriter::default();
    let outcome = images::each_photo(&album, talk, |i, _, photo| {
        writer.put(&photo.changed(None, |image| model.reconstruct(image)), &places[i])
    })?;
    writer.finish(talk)?;
    Ok(outcome)
}
