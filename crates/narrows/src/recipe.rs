//! From flags to a recipe: preset, then recipe file, then `--set`, then the flags with names of their own.

use std::fs;
use std::path::PathBuf;

use clap::Args as ClapArgs;
use clap::builder::PossibleValuesParser;
use narrows_core::recipe::DataKind;
use narrows_core::{Error, Preset, Recipe};

use crate::args::RoleArgs;
use crate::failure::Failure;
use crate::images;
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
    #[arg(long, value_name = "LAYOUT", value_parser = PossibleValuesParser::new(["long", "rows"]), help_heading = "Series")]
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
    /// Whether a damage of images is named.
    pub(crate) fn damages(&self) -> bool {
        self.corrupt.is_some()
    }

    /// The recipe; `usual` is the preset for a kind of data where none is named.
    pub(crate) fn recipe(
        &self,
        input: &InputArgs,
        roles: &RoleArgs,
        usual: impl Fn(DataKind) -> Preset,
    ) -> Result<Recipe, Failure> {
        let preset = self.preset.as_deref().map(str::parse::<Preset>).transpose()?;
        let speaks_of_series = self.layout.is_some() || roles.time.is_some() || roles.id.is_some();
        let kind = match &self.kind {
            Some(name) => name.parse()?,
            None if speaks_of_series => DataKind::Series,
            None if self.damages() || images::are_images(input.inputs()) => DataKind::Images,
            None => preset.map_or(DataKind::Table, Preset::usual_kind),
        };
        if self.damages() && kind == DataKind::Images && images::are_a_table(input.inputs()) {
            let message = format!("expected images to damage, got the table `{}`", input.name());
            return Err(Error::recipe("--corrupt", message).with_hint("for example --set corruption=gaussian").into());
        }
        let mut recipe = Recipe::preset_for(preset.unwrap_or_else(|| usual(kind)), kind);
        if let Some(text) = self.text()? {
            recipe = recipe.overlay_toml(&text)?;
        }
        if let Some(layout) = &self.layout {
            recipe.set(&format!("data.layout={layout}"))?;
        }
        if let Some(damage) = &self.corrupt {
            recipe.corrupt(damage)?;
        }
        self.set.iter().try_for_each(|assignment| recipe.set(assignment))?;
        if let Some(seed) = self.seed {
            recipe.seed = seed;
        }
        Ok(recipe)
    }

    /// The fields that the recipe file and `--set` name, by their dotted paths.
    pub(crate) fn fields(&self) -> Result<Vec<String>, Failure> {
        let mut fields = match self.text()? {
            Some(text) => Recipe::fields_of_toml(&text)?,
            None => Vec::new(),
        };
        for assignment in &self.set {
            fields.extend(Recipe::fields_of(assignment)?);
        }
        Ok(fields)
    }

    fn text(&self) -> Result<Option<String>, Failure> {
        let read = |path: &PathBuf| fs::read_to_string(path).map_err(|error| Error::read(path, error));
        Ok(self.recipe.as_ref().map(read).transpose()?)
    }
}
