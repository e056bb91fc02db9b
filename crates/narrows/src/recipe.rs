//! From flags to what a recipe is made from.

use std::fs;
use std::path::PathBuf;

use clap::Args as ClapArgs;
use clap::builder::PossibleValuesParser;
use narrows_core::data::Layout;
use narrows_core::recipe::{DataKind, RecipeSource};
use narrows_core::{Error, Preset};

use crate::failure::Failure;
use crate::flags::RoleArgs;
use crate::input::InputArgs;

/// The recipe that a verb starts from.
#[derive(Debug, ClapArgs)]
pub(crate) struct RecipeArgs {
    /// Named kind of autoencoder to start from
    #[arg(long, value_name = "NAME", value_parser = PossibleValuesParser::new(Preset::ALL.map(Preset::name)))]
    preset: Option<String>,
    /// Kind of data: `table`, rows that stand for themselves, `series`, points in time, or `images`; else looked at
    #[arg(long, value_name = "KIND", value_parser = PossibleValuesParser::new(DataKind::ALL.map(DataKind::name)))]
    kind: Option<String>,
    /// How series lie in the table: `long`, a row a point in time, or `rows`, a row a series
    #[arg(long, value_name = "LAYOUT", value_parser = PossibleValuesParser::new(Layout::ALL.map(Layout::name)), help_heading = "Series")]
    layout: Option<String>,
    /// Of images: damage to learn to undo, such as gaussian:25, blocks:0.2, watermark:\"SAMPLE\":0.4, grayscale or
    /// downscale:2; several with commas between
    #[arg(long, value_name = "DAMAGE", help_heading = "Images")]
    corrupt: Option<String>,
    /// Recipe to lay over the preset, as TOML
    #[arg(long, value_name = "FILE")]
    recipe: Option<PathBuf>,
    /// Change a field of the recipe, such as train.batch_size=64 or corruption=gaussian; repeatable
    #[arg(long, value_name = "PATH=VALUE")]
    set: Vec<String>,
    /// Key of all randomness: same seed, same model, to the bit
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
}

impl RecipeArgs {
    /// What is said of the recipe and of the data that it is for.
    pub(crate) fn source(&self, input: &InputArgs, roles: &RoleArgs) -> Result<RecipeSource, Failure> {
        let read = |path: &PathBuf| fs::read_to_string(path).map_err(|error| Error::read(path, error));
        Ok(RecipeSource {
            inputs: input.inputs().to_vec(),
            names_points: roles.time.is_some() || roles.id.is_some(),
            preset: self.preset.as_deref().map(str::parse).transpose()?,
            kind: self.kind.as_deref().map(str::parse).transpose()?,
            layout: self.layout.as_deref().map(str::parse).transpose()?,
            corrupt: self.corrupt.clone(),
            toml: self.recipe.as_ref().map(read).transpose()?,
            assignments: self.set.clone(),
            seed: self.seed,
        })
    }
}
