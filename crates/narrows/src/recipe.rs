//! Converts flags to a [`RecipeSource`].

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use clap::Args as ClapArgs;
use clap::builder::PossibleValuesParser;
use narrows_core::data::Layout;
use narrows_core::recipe::{DataKind, RecipeSource};
use narrows_core::{Error, Preset};

use crate::failure::Failure;
use crate::flags::RoleArgs;
use crate::input::InputArgs;
use crate::types::TypeArgs;

/// Flags that define the recipe.
#[derive(Debug, ClapArgs)]
pub(crate) struct RecipeArgs {
    /// Preset to start from
    #[arg(long, value_name = "NAME", value_parser = PossibleValuesParser::new(Preset::ALL.map(Preset::name)))]
    preset: Option<String>,
    /// Kind of data: `table` (independent rows), `series` (time series) or `images`; detected by default
    #[arg(long, value_name = "KIND", value_parser = PossibleValuesParser::new(DataKind::ALL.map(DataKind::name)))]
    kind: Option<String>,
    /// Layout of the table: `long` (one row per time step) or `rows` (one row per series)
    #[arg(long, value_name = "LAYOUT", value_parser = PossibleValuesParser::new(Layout::ALL.map(Layout::name)), help_heading = "Series")]
    layout: Option<String>,
    /// Images only: corruption to learn to remove, such as gaussian:25, blocks:0.2, watermark:\"SAMPLE\":0.4, grayscale
    /// or downscale:2; separate several by commas
    ///
    /// Holes (blocks) are of any colour, and single lost pixels (masking) mid-grey, unless a last parameter says any, black, grey,
    /// white or a number from 0 to 1: blocks:0.2:8px:black, masking:0.3:white. `narrows restore --mask` says where holes are.
    #[arg(long, value_name = "LIST", help_heading = "Images")]
    corrupt: Option<String>,
    /// Recipe file (TOML), applied over the preset
    #[arg(long, value_name = "FILE")]
    recipe: Option<PathBuf>,
    /// Set a field of the recipe, such as train.batch_size=64 or corruption=gaussian; may be repeated
    #[arg(long, value_name = "PATH=VALUE")]
    set: Vec<String>,
    /// Tables of more rows: train and calibrate on a uniform sample of N rows; the same as --set train.sample_rows=N,
    /// 2,000,000 by default
    #[arg(long, value_name = "N")]
    sample_rows: Option<u64>,
    #[command(flatten)]
    types: TypeArgs,
    /// Random seed; the same seed gives a bit-identical model
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
}

impl RecipeArgs {
    /// The files that the recipe is read from.
    pub(crate) fn files(&self) -> impl Iterator<Item = PathBuf> {
        let marks = self.corrupt.iter().flat_map(|list| list.split([',', ':'])).map(PathBuf::from);
        self.recipe.iter().cloned().chain(marks)
    }

    /// The recipe source for these flags, inputs and column roles.
    pub(crate) fn source(&self, input: &InputArgs, roles: &RoleArgs) -> Result<RecipeSource, Failure> {
        let sample_rows = self.sample_rows.map(|rows| format!("train.sample_rows={rows}"));
        let read = |path: &PathBuf| text_of(path).map_err(|error| Error::read(path, error));
        Ok(RecipeSource {
            inputs: input.inputs().to_vec(),
            names_points: roles.time.is_some() || !roles.id.is_empty(),
            preset: self.preset.as_deref().map(str::parse).transpose()?,
            kind: self.kind.as_deref().map(str::parse).transpose()?,
            layout: self.layout.as_deref().map(str::parse).transpose()?,
            corrupt: self.corrupt.clone(),
            toml: self.recipe.as_ref().map(read).transpose()?,
            types: self.types.types()?,
            assignments: self.set.iter().cloned().chain(sample_rows).collect(),
            seed: self.seed,
        })
    }
}

/// Longest recipe in bytes.
const LONGEST: u64 = 4 << 20;

/// The text of a recipe file. A device may have no end.
fn text_of(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    File::open(path)?.take(LONGEST).read_to_string(&mut text)?;
    Ok(text)
}
