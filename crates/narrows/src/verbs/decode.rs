//! `narrows decode`: decodes codes to rows.

use std::collections::HashSet;
use std::path::PathBuf;

use arrow::array::{Array, AsArray};
use arrow::compute::cast;
use arrow::datatypes::DataType;
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
/// The input must have columns code_0, code_1, ... Images are named by the column `image`, if there is one.
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
        let targets = self.output.targets().reads([&self.model.path]).reads(self.input.inputs());
        targets.check()?;
        let model = self.model.load(common)?;
        let source = self.input.source()?;
        if let Model::Images(model) = model {
            let folder = Folder::fresh(self.output.folder("decoded images")?, "--output", &targets)?;
            let mut taken = HashSet::new();
            pipeline::read(&source, None, Portion::Batch, |table| {
                decode_images(&model, table, &folder, &mut taken)?;
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

/// Decodes codes to images in a folder, named as the images that were encoded if the table says so.
fn decode_images(
    model: &ImageModel,
    table: &Table,
    folder: &Folder<'_>,
    taken: &mut HashSet<PathBuf>,
) -> Result<(), Failure> {
    let names = names(table);
    for (row, image) in model.decode_table(table)?.into_iter().enumerate() {
        let number = format!("{:06}", table.row_number(row));
        let name = names.as_ref().and_then(|names| names[row].as_deref()).unwrap_or(&number);
        let mut place = folder.path_of(name, Some("png"));
        if !taken.insert(place.clone()) {
            // A name that stands in the table twice.
            place = folder.path_of(&format!("{name}#{number}"), Some("png"));
            taken.insert(place.clone());
        }
        folder.check(&place)?;
        images::write_plain(image, &place)?;
    }
    Ok(())
}

/// The names of images in a table of codes, with the numbers of pieces.
fn names(table: &Table) -> Option<Vec<Option<String>>> {
    let text = |column: &str| cast(table.column(column)?, &DataType::Utf8).ok();
    let (images, pieces) = (text("image")?, text("piece"));
    let (images, pieces) = (images.as_string::<i32>(), pieces.as_ref().map(|pieces| pieces.as_string::<i32>()));
    let name = |row: usize| {
        let image = images.is_valid(row).then(|| images.value(row))?;
        let piece = pieces.filter(|pieces| pieces.is_valid(row)).map(|pieces| pieces.value(row));
        Some(piece.map_or_else(|| image.to_owned(), |piece| format!("{image}#{piece}")))
    };
    Some((0..table.n_rows()).map(name).collect())
}
