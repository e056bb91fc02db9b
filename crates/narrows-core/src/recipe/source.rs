//! Construction of a recipe from user settings, inputs and defaults.
//!
//! The order of precedence is defined here alone, so that all front ends build the same recipe: preset, then a recipe
//! as TOML, then dedicated options, then assignments, then the seed.

use std::path::Path;

use narrows_images::Album;

use super::{DataKind, Preset, Recipe};
use crate::data::{ColumnTypes, Format, Layout, Source};
use crate::error::{Error, Hint, Result};

/// The sources of a recipe; all are optional.
///
/// ```
/// use narrows_core::recipe::{DataKind, Preset, RecipeSource};
///
/// let source = RecipeSource { names_points: true, assignments: vec!["train.steps=20".into()], ..Default::default() };
/// assert_eq!(source.kind(), DataKind::Series);
/// let recipe = source.recipe()?;
/// assert_eq!((recipe.preset, recipe.train.steps), (Preset::Auto, 20));
/// # Ok::<(), narrows_core::Error>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RecipeSource {
    /// Paths, folders or patterns that will be read; empty if the data is already in memory.
    pub inputs: Vec<String>,
    /// Whether a time or id column is named.
    pub names_points: bool,
    /// The preset to start from.
    pub preset: Option<Preset>,
    /// The kind of data.
    pub kind: Option<DataKind>,
    /// Layout of series in a table.
    pub layout: Option<Layout>,
    /// Image corruption to remove, in its text form such as `blur:1.5,gaussian:10`.
    pub corrupt: Option<String>,
    /// A recipe in TOML that overrides the preset.
    pub toml: Option<String>,
    /// Types of columns, added to those of the TOML.
    pub types: ColumnTypes,
    /// Field assignments, each `path=value`.
    pub assignments: Vec<String>,
    /// Seed of all randomness.
    pub seed: Option<u64>,
}

impl RecipeSource {
    /// The kind of data: as named; else as implied by columns, corruption, inputs or preset; else a table. The TOML may
    /// still override it.
    pub fn kind(&self) -> DataKind {
        let inputs = || DataKind::of_inputs(&self.inputs);
        match self.kind {
            Some(kind) => kind,
            None if self.layout.is_some() || self.names_points => DataKind::Series,
            None if self.corrupt.is_some() || inputs() == Some(DataKind::Images) => DataKind::Images,
            None => self.preset.map_or(DataKind::Table, Preset::usual_kind),
        }
    }

    /// The default preset of a fit.
    pub fn usual_preset(&self) -> Preset {
        if self.corrupt.is_some() { Preset::Restore } else { Preset::Auto }
    }

    /// Builds the recipe.
    ///
    /// # Errors
    /// [`Error::Recipe`] as for [`Recipe::overlay_toml`], [`Recipe::set`] and [`Recipe::corrupt`], and for an image
    /// corruption if the inputs are a table. Combinations are validated by [`Recipe::check`] only.
    pub fn recipe(&self) -> Result<Recipe> {
        self.recipe_or(|_| self.usual_preset())
    }

    /// Builds the recipe; `usual` gives the default preset for a kind of data.
    ///
    /// # Errors
    /// As for [`recipe`](RecipeSource::recipe).
    pub fn recipe_or(&self, usual: impl FnOnce(DataKind) -> Preset) -> Result<Recipe> {
        let kind = self.kind();
        let is_table = || DataKind::of_inputs(&self.inputs) == Some(DataKind::Table);
        if self.corrupt.is_some() && kind == DataKind::Images && is_table() {
            let message = format!("expected images to damage, got the table `{}`", self.inputs.join(", "));
            return Err(Error::recipe("corrupt", message).with_hint(Hint::of("for example [corruption=gaussian]")));
        }
        let mut recipe = Recipe::preset_for(self.preset.unwrap_or_else(|| usual(kind)), kind);
        if let Some(text) = &self.toml {
            recipe = recipe.overlaid(text)?;
        }
        if let Some(layout) = self.layout {
            recipe.set(&format!("data.layout={}", layout.name()))?;
        }
        if let Some(damage) = &self.corrupt {
            recipe.corrupt(damage)?;
        }
        recipe.types.add(&self.types);
        self.assignments.iter().try_for_each(|assignment| recipe.assign(assignment))?;
        recipe.train.give_way(&self.fields()?);
        if let Some(seed) = self.seed {
            recipe.seed = seed;
        }
        Ok(recipe)
    }

    /// The dotted paths of the fields in the TOML and the assignments.
    ///
    /// # Errors
    /// [`Error::Recipe`] if one of them cannot be parsed.
    pub fn fields(&self) -> Result<Vec<String>> {
        let mut fields = match &self.toml {
            Some(text) => Recipe::fields_of_toml(text)?,
            None => Vec::new(),
        };
        for assignment in &self.assignments {
            fields.extend(Recipe::fields_of(assignment)?);
        }
        Ok(fields)
    }
}

impl DataKind {
    /// The kind of data implied by inputs: images if each is a folder, an image file or an array of images; a table if
    /// one has a table's name, is a folder of tables without images, or is stdin, `-`; `None` if undetermined. Series are
    /// only implied by their columns.
    pub fn of_inputs(inputs: &[impl AsRef<str>]) -> Option<DataKind> {
        let is_table_folder = |input: &str| Source::is_folder_of_tables(Path::new(input));
        let is_table =
            |input: &str| input == "-" || Format::of_path(Path::new(input)).is_some() || is_table_folder(input);
        if inputs.iter().any(|input| is_table_folder(input.as_ref())) {
            return Some(DataKind::Table);
        }
        if !inputs.is_empty() && inputs.iter().all(|input| Album::recognises(input.as_ref())) {
            return Some(DataKind::Images);
        }
        inputs.iter().any(|input| is_table(input.as_ref())).then_some(DataKind::Table)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_inputs(inputs: &[&str], expected: Option<DataKind>) {
        assert_eq!(DataKind::of_inputs(inputs), expected, "{inputs:?}");
    }

    #[test]
    fn inputs_look_like_images_a_table_or_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().to_str().unwrap();
        check_inputs(&[], None);
        check_inputs(&[folder], Some(DataKind::Images));
        std::fs::create_dir_all(Path::new(folder).join("day=1")).unwrap();
        std::fs::write(Path::new(folder).join("day=1/a.csv"), "a\n1\n").unwrap();
        check_inputs(&[folder], Some(DataKind::Table));
        std::fs::write(Path::new(folder).join("day=1/a.png"), "").unwrap();
        check_inputs(&[folder], Some(DataKind::Images));
        check_inputs(&["a.png", "b.jpg"], Some(DataKind::Images));
        check_inputs(&["a.png", "b.csv"], Some(DataKind::Table));
        check_inputs(&["-"], Some(DataKind::Table));
        check_inputs(&["part-*.parquet"], Some(DataKind::Table));
        check_inputs(&["a.xlsx"], Some(DataKind::Table));
        check_inputs(&["a.docx"], None);
    }

    fn check_kind(source: RecipeSource, expected: DataKind) {
        assert_eq!(source.kind(), expected, "{source:?}");
    }

    #[test]
    fn what_is_said_of_the_kind_goes_before_what_is_seen() {
        let images = || RecipeSource { inputs: vec!["a.png".to_owned()], ..RecipeSource::default() };
        check_kind(RecipeSource::default(), DataKind::Table);
        check_kind(images(), DataKind::Images);
        check_kind(RecipeSource { kind: Some(DataKind::Table), ..images() }, DataKind::Table);
        check_kind(RecipeSource { names_points: true, ..images() }, DataKind::Series);
        check_kind(RecipeSource { layout: Some(Layout::Rows), ..RecipeSource::default() }, DataKind::Series);
        check_kind(
            RecipeSource { corrupt: Some("gaussian:5".to_owned()), ..RecipeSource::default() },
            DataKind::Images,
        );
        check_kind(RecipeSource { preset: Some(Preset::Seq2seq), ..RecipeSource::default() }, DataKind::Series);
        check_kind(RecipeSource { preset: Some(Preset::Seq2seq), ..images() }, DataKind::Images);
    }

    #[test]
    fn a_later_word_wins_over_an_earlier_one() {
        let source = RecipeSource {
            preset: Some(Preset::Deep),
            toml: Some("seed = 1\n[train]\nsteps = 10\npatience = 3".to_owned()),
            assignments: vec!["train.steps=20".to_owned(), "seed=2".to_owned()],
            seed: Some(3),
            ..RecipeSource::default()
        };
        let recipe = source.recipe().unwrap();
        assert_eq!((recipe.preset, recipe.train.steps, recipe.train.patience, recipe.seed), (Preset::Deep, 20, 3, 3));
        assert_eq!(source.fields().unwrap(), ["seed", "train.patience", "train.steps", "train.steps", "seed"]);
    }

    #[test]
    fn damage_asks_for_the_preset_that_undoes_it_and_for_images() {
        let source = RecipeSource { corrupt: Some("gaussian:5".to_owned()), ..RecipeSource::default() };
        assert_eq!(source.recipe().unwrap().preset, Preset::Restore);
        assert_eq!(source.recipe_or(|_| Preset::Conv).unwrap().preset, Preset::Conv);
        let table = RecipeSource { inputs: vec!["a.csv".to_owned()], ..source };
        let error = table.recipe().unwrap_err();
        assert_eq!(error.to_string(), "corrupt: expected images to damage, got the table `a.csv`");
        let series = RecipeSource { names_points: true, ..table };
        assert!(series.recipe().unwrap_err().to_string().contains("got series"));
    }

    #[test]
    fn a_layout_reaches_series() {
        let source = RecipeSource { layout: Some(Layout::Rows), ..RecipeSource::default() };
        let super::super::Data::Series(series) = source.recipe().unwrap().data else { panic!("series") };
        assert_eq!(series.layout, Layout::Rows);
    }
}
