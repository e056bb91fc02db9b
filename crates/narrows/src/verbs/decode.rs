//! `narrows decode`: decodes codes to rows.

use clap::Args as ClapArgs;
use narrows_core::data::Table;
use narrows_core::{ImageModel, Model};

use crate::failure::{Failure, Outcome};
use crate::flags::{Common, ModelArg};
use crate::images::{self, Folder};
use crate::input::InputArgs;
use crate::output::OutputArgs;
use crate::pipeline::{self, Flow, Portion};

/// Decode codes written by `narrows encode` to rows or images
///
/// The input must have columns code_0, code_1, ...
#[derive(Debug, ClapArgs)]
#[command(before_help = "Example: narrows decode m.narrows codes.parquet -o rows.csv")]
pub(crate) struct Decode {
    #[command(flatten)]
    model: ModelArg,
    #[command(flatten)]
    input: InputArgs,
    #[command(flatten)]
    output: OutputArgs,
}

impl Decode {
    pub(crate) fn run(self, common: &Common) -> Result<Outcome, Failure> {
        let model = self.model.load(common)?;
        let source = self.input.source()?;
        if let Model::Images(model) = model {
            let folder = Folder::new(self.output.folder("decoded images")?, "--output")?;
            pipeline::read(&source, None, Portion::Batch, |table| {
                decode_images(&model, table, &folder)?;
                Ok(Flow::More)
            })?;
            return Ok(Outcome::Done);
        }
        let model = model.into_tabular()?;
        pipeline::transform(&source, None, Portion::Batch, self.output.writer()?, |table| {
            Ok(model.decode(table)?.batch().clone())
        })?;
        Ok(Outcome::Done)
    }
}

/// Decodes codes to images in a folder.
fn decode_images(model: &ImageModel, table: &Table, folder: &Folder) -> Result<(), Failure> {
    for (row, image) in model.decode_table(table)?.into_iter().enumerate() {
        let name = format!("{:06}", table.row_number(row));
        images::write_plain(image, &folder.place(&name, Some("png")))?;
    }
    Ok(())
}
