//! `narrows reconstruct`: the reconstruction of every row, in original units.

use clap::Args as ClapArgs;
use narrows_core::images::Photo;
use narrows_core::{ImageModel, Model};

use crate::failure::{Failure, Outcome};
use crate::flags::{Common, ModelArg};
use crate::images::{self, Folder};
use crate::input::InputArgs;
use crate::output::OutputArgs;
use crate::pipeline::{self, Portion};

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
}

impl Reconstruct {
    pub(crate) fn run(self, common: &Common) -> Result<Outcome, Failure> {
        let targets = self.output.targets().reads([&self.model.path]).reads(self.input.inputs());
        targets.check()?;
        let model = self.model.load(common)?;
        if let Model::Images(model) = model {
            let target = self.output.folder("reconstructed images")?;
            let folder = Folder::new(target, "--output", &targets)?;
            return reconstruct_images(&model, self.input.inputs(), &folder, common);
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

/// Reconstructs images into a folder.
fn reconstruct_images(
    model: &ImageModel,
    inputs: &[String],
    folder: &Folder<'_>,
    common: &Common,
) -> Result<Outcome, Failure> {
    let talk = common.talk();
    let album = images::open(inputs, talk)?;
    let places = folder.places(&album, images::extension)?;
    images::each_photo(&album, talk, |i, _, photo| {
        let image = model.reconstruct(&photo.image);
        images::write(&Photo { image, ..photo }, &places[i], talk)
    })
}
