//! The recipe: every setting of a model, typed, with defaults and validation.
//!
//! The same value that a user writes as TOML or changes with `--set` is stored in the model file. Defaults are defined
//! here and in the modules of the axes, never in a front end.

mod data;
mod preset;
mod source;
mod tree;

pub use data::{Data, DataKind, ImageSettings, SeriesSettings, View};
pub use preset::Preset;
pub use source::RecipeSource;

use narrows_images::Damage;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::data::ColumnTypes;
use crate::detect::{Detect, Score};
use crate::error::{Error, Hint, Result};
use crate::model::{Axes, Backbone, Corruption, Latent, Loss, Sparsity};
use crate::prep::Prep;
use crate::train::Train;

/// Every choice that makes a model.
///
/// ```
/// use narrows_core::Recipe;
///
/// let mut recipe = Recipe::preset("deep".parse()?);
/// recipe.set("backbone.code_size=4")?;
/// recipe.set("corruption=gaussian")?;
/// assert!(recipe.to_toml().contains("code_size = 4"));
/// # Ok::<(), narrows_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Recipe {
    /// The preset it is based on.
    pub preset: Preset,
    /// Seed of all randomness: the same seed gives the same bits for any number of threads.
    pub seed: u64,
    /// The kind of data.
    pub data: Data,
    /// Types of columns where they should not be inferred.
    #[serde(skip_serializing_if = "ColumnTypes::is_empty")]
    pub types: ColumnTypes,
    /// Layer architecture.
    pub backbone: Backbone,
    /// Form of the code.
    pub latent: Latent,
    /// Penalty on the code's activity.
    pub sparsity: Sparsity,
    /// Corruption of the input in training.
    pub corruption: Corruption,
    /// An ensemble: one network per corruption listed, each with its own seed. If empty, one network
    /// trained with `corruption`.
    pub members: Vec<Corruption>,
    /// Reconstruction loss.
    pub loss: Loss,
    /// Preprocessing settings.
    pub prep: Prep,
    /// Training settings.
    pub train: Train,
    /// Detection settings.
    pub detect: Detect,
}

impl Default for Recipe {
    fn default() -> Self {
        Recipe::preset(Preset::Auto)
    }
}

impl Recipe {
    /// The recipe of a preset, for its default kind of data.
    pub fn preset(preset: Preset) -> Recipe {
        preset.recipe(preset.usual_kind())
    }

    /// The recipe of a preset for a kind of data.
    pub fn preset_for(preset: Preset, kind: DataKind) -> Recipe {
        preset.recipe(kind)
    }

    /// Parses a recipe in TOML: a preset, by default `auto`, and changes to it.
    ///
    /// # Errors
    /// [`Error::Recipe`] with the field, what was expected and what was got, and similar names.
    pub fn from_toml(text: &str) -> Result<Recipe> {
        Recipe::default().overlay_toml(text)
    }

    /// This recipe changed by a TOML text. A `preset` in the text starts over from that preset.
    ///
    /// # Errors
    /// [`Error::Recipe`], as for [`Recipe::from_toml`].
    pub fn overlay_toml(&self, text: &str) -> Result<Recipe> {
        let mut recipe = self.overlaid(text)?;
        recipe.train.give_way(&Recipe::fields_of_toml(text)?);
        Ok(recipe)
    }

    /// The same with every other field as it was.
    fn overlaid(&self, text: &str) -> Result<Recipe> {
        let changes = changes_of_toml(text)?;
        let preset = match changes.get("preset") {
            Some(Value::String(name)) => Some(name.parse::<Preset>()?),
            _ => None,
        };
        let kind = match changes.get("data") {
            Some(Value::String(kind)) => Some(kind.parse::<DataKind>()?),
            Some(Value::Object(data)) => data.get("kind").and_then(Value::as_str).map(str::parse).transpose()?,
            _ => None,
        };
        let base = match (preset, kind) {
            (Some(preset), kind) => {
                let kind = kind.unwrap_or_else(|| preset.usual_kind());
                Recipe { seed: self.seed, ..Recipe::preset_for(preset, kind) }
            }
            // Presets depend on the kind of data.
            (None, Some(kind)) if kind != self.data.kind() => {
                Recipe { seed: self.seed, ..Recipe::preset_for(self.preset, kind) }
            }
            _ => self.clone(),
        };
        base.overlay(&changes)
    }

    /// Changes one field: `path=value`, such as `train.batch_size=64` or `corruption=gaussian`.
    ///
    /// Of `train.steps` and `train.epochs`, the one set last is the limit of the training: the other gives way.
    ///
    /// # Errors
    /// [`Error::Recipe`] with similar field names for an unknown path, or with the expected values for an
    /// invalid value.
    pub fn set(&mut self, assignment: &str) -> Result<()> {
        self.assign(assignment)?;
        self.train.give_way(&Recipe::fields_of(assignment)?);
        Ok(())
    }

    /// Changes one field and nothing else.
    fn assign(&mut self, assignment: &str) -> Result<()> {
        *self = self.overlay(&changes(assignment)?)?;
        Ok(())
    }

    /// The dotted paths of the fields changed by an assignment for [`Recipe::set`].
    ///
    /// # Errors
    /// [`Error::Recipe`] if it is not an assignment.
    pub fn fields_of(assignment: &str) -> Result<Vec<String>> {
        let mut fields = Vec::new();
        tree::leaves(&changes(assignment)?, "", &mut fields);
        Ok(fields)
    }

    /// The dotted paths of the fields in a recipe in TOML.
    ///
    /// # Errors
    /// [`Error::Recipe`] if it is not TOML.
    pub fn fields_of_toml(text: &str) -> Result<Vec<String>> {
        let mut fields = Vec::new();
        tree::leaves(&changes_of_toml(text)?, "", &mut fields);
        Ok(fields)
    }

    fn overlay(&self, changes: &Value) -> Result<Recipe> {
        let mut tree = serde_json::to_value(self).expect("a recipe is plain data");
        // Left out of the file where nothing is said, but known.
        tree["types"] = serde_json::to_value(&self.types).expect("lists of words");
        tree::merge(&mut tree, changes, &mut Vec::new())?;
        tree::typed(tree)
    }

    /// The complete recipe as TOML.
    pub fn to_toml(&self) -> String {
        toml::to_string(self).expect("a recipe is plain data")
    }

    /// The corruptions of the ensemble's networks; one for a recipe without members.
    pub fn corruptions(&self) -> Vec<Corruption> {
        if self.members.is_empty() { vec![self.corruption] } else { self.members.clone() }
    }

    /// The axes that define a network.
    pub fn axes(&self) -> Axes<'_> {
        Axes { backbone: &self.backbone, latent: &self.latent, sparsity: &self.sparsity, loss: &self.loss }
    }

    /// The image corruption that the network is trained to remove; empty if none.
    pub fn damages(&self) -> &[Damage] {
        match &self.data {
            Data::Images(images) => images.corrupt.as_slice(),
            Data::Table | Data::Series(_) => &[],
        }
    }

    /// Sets the image corruption from its text form such as `blur:1.5,gaussian:10`.
    ///
    /// # Errors
    /// [`Error::Recipe`] for an unknown corruption, and for data other than images.
    pub fn corrupt(&mut self, damages: &str) -> Result<()> {
        let parsed =
            damages.parse().map_err(|error: narrows_images::Error| Error::recipe("corrupt", error.to_string()));
        match &mut self.data {
            Data::Images(images) => {
                images.corrupt = parsed?;
                Ok(())
            }
            other => {
                let message = format!("expected images, got {}, corrupted by `corruption`", other.kind().name());
                Err(Error::recipe("corrupt", message).with_hint(Hint::of("for example [corruption=gaussian]")))
            }
        }
    }

    /// Whether it is a restorer, which predicts a residual of images and has no code.
    pub fn restores(&self) -> bool {
        matches!(self.backbone, Backbone::Restore(_))
    }

    /// Checks constraints of images and of the restore backbone.
    fn check_images(&self) -> Result<()> {
        if matches!(self.data, Data::Images(_)) && !self.types.is_empty() {
            return Err(Error::recipe("types", "expected none for images, which have no columns"));
        }
        let Data::Images(_) = self.data else {
            return match self.backbone {
                Backbone::Restore(_) => {
                    let error =
                        Error::recipe("backbone", "expected dense, conv or lstm, got restore, which reads images");
                    Err(error.with_hint(Hint::of("images are read with [kind=images]")))
                }
                _ => Ok(()),
            };
        };
        if self.corruptions().iter().any(|corruption| *corruption != Corruption::None) {
            let message = "expected none for images, which are corrupted by `data.corrupt`";
            return Err(Error::recipe("corruption", message).with_hint(Hint::of("for example [corrupt=gaussian:25]")));
        }
        if !self.restores() {
            return Ok(());
        }
        if self.damages().is_empty() {
            let message = "expected a corruption to remove with the restore backbone, got none";
            return Err(Error::recipe("data.corrupt", message).with_hint(Hint::of("for example [corrupt=gaussian:25]")));
        }
        if self.latent != Latent::Point || self.sparsity != Sparsity::None {
            let message = "expected neither latent nor sparsity with the restore backbone, which has no code";
            return Err(Error::recipe("backbone", message).with_hint(Hint::of("[preset=conv] restores through a code")));
        }
        if !self.members.is_empty() {
            return Err(Error::recipe("members", "expected one network with the restore backbone, got several"));
        }
        Ok(())
    }

    /// With what a fit decides made explicit: what the holes of a corruption look like.
    #[must_use]
    pub(crate) fn settled(&self) -> Recipe {
        let mut settled = self.clone();
        if let Data::Images(images) = &mut settled.data {
            images.corrupt = std::mem::take(&mut images.corrupt).settled();
        }
        settled
    }

    /// Checks constraints between fields.
    ///
    /// # Errors
    /// [`Error::Recipe`] naming the field.
    pub fn check(&self) -> Result<()> {
        self.train.check()?;
        self.data.check()?;
        self.detect.check()?;
        self.types.check()?;
        self.check_images()?;
        if self.detect.score == Score::Patches && !matches!(self.data, Data::Images(_)) {
            let message =
                format!("expected another score for {}, got patches, which are of images", self.data.kind().name());
            return Err(Error::recipe("detect.score", message));
        }
        if self.train.rounds.count > 0 && !matches!(self.data, Data::Table) {
            let message = format!("expected 0 for {}, of which all samples train", self.data.kind().name());
            return Err(Error::recipe("train.rounds.count", message));
        }
        if self.members.len() > 64 {
            return Err(Error::recipe("members", format!("expected at most 64 members, got {}", self.members.len())));
        }
        if let (Sparsity::Kl { .. }, Latent::Gaussian(_)) = (&self.sparsity, &self.latent) {
            return Err(Error::recipe(
                "sparsity",
                "expected l1 or none with a gaussian latent, got kl, which needs a code in (0, 1)",
            ));
        }
        if let (Sparsity::Kl { .. }, Backbone::Dense(dense)) = (&self.sparsity, &self.backbone) {
            let sigmoid = crate::model::backbone::Activation::Sigmoid;
            if dense.code_activation.or_else(|| sigmoid) != sigmoid {
                return Err(Error::recipe("backbone.code_activation", "expected sigmoid or auto with kl sparsity"));
            }
        }
        Ok(())
    }
}

/// The changes of an assignment `path=value`.
fn changes(assignment: &str) -> Result<Value> {
    let (path, value) = assignment.split_once('=').ok_or_else(|| {
        Error::recipe("assignments", format!("expected path=value, got `{assignment}`"))
            .with_hint(Hint::of("for example [train.batch_size=64]"))
    })?;
    Ok(tree::nest(path.trim(), tree::parse_value(path.trim(), value.trim())?))
}

/// The changes of a TOML text.
fn changes_of_toml(text: &str) -> Result<Value> {
    let table: toml::Table =
        toml::from_str(text).map_err(|error| Error::recipe("recipe", error.to_string().trim().to_owned()))?;
    tree::from_toml(&toml::Value::Table(table), "")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_set(assignment: &str, expected: &str) {
        let message = match Recipe::default().set(assignment) {
            Ok(()) => "ok".to_owned(),
            Err(error) => format!("{error} | {}", error.hint_text().unwrap_or_default()),
        };
        assert!(message.contains(expected), "--set {assignment}: {message}");
    }

    #[test]
    fn set_reaches_every_kind_of_field() {
        for assignment in [
            "seed=7",
            "train.batch_size=64",
            "train.learning_rate=0.01",
            "backbone.code_size=4",
            "backbone.code_size=auto",
            "backbone.nodes=[64, 32]",
            "corruption=gaussian",
            "corruption={ kind = \"masking\", rate = 0.3 }",
            "members=[]",
            "detect.threshold={ rule = \"quantile\", q = 0.9 }",
            "latent=gaussian",
            "prep.scaling=minmax",
            "types.categorical=[\"zip\"]",
        ] {
            check_set(assignment, "ok");
        }
    }

    #[test]
    fn the_fields_that_a_change_names_are_known() {
        assert_eq!(
            Recipe::fields_of("corruption={ kind = \"swap\", rate = 0.3 }").unwrap(),
            ["corruption.kind", "corruption.rate"]
        );
        assert_eq!(Recipe::fields_of("members=[]").unwrap(), ["members"]);
        let text = "seed = 1\n[backbone]\nnodes = [3]\n[train]\nsteps = 4";
        assert_eq!(Recipe::fields_of_toml(text).unwrap(), ["backbone.nodes", "seed", "train.steps"]);
        assert!(Recipe::fields_of("seed").is_err());
    }

    #[test]
    fn wrong_assignments_say_what_was_expected_and_what_is_near() {
        check_set("train.batch_sise=64", "batch_size");
        check_set("trian.batch_size=64", "train");
        check_set("train.learning_rate=nan", "expected a finite number above 0");
        check_set("train.learning_rate=-1", "expected a finite number above 0");
        check_set("train.batch_size=many", "train.batch_size");
        check_set("corruption=gausian", "gaussian");
        check_set("seed", "expected path=value");
    }

    #[test]
    fn every_preset_survives_toml_and_json() {
        for preset in Preset::ALL {
            let recipe = Recipe::preset(preset);
            // A restorer needs a corruption to remove.
            assert_eq!(recipe.check().is_ok(), preset != Preset::Restore, "{preset}");
            assert_eq!(Recipe::from_toml(&recipe.to_toml()).unwrap(), recipe);
            let json = serde_json::to_string(&recipe).unwrap();
            assert_eq!(serde_json::from_str::<Recipe>(&json).unwrap(), recipe);
        }
    }

    #[test]
    fn a_file_starts_from_its_preset_and_changes_what_it_names() {
        let recipe = Recipe::from_toml("preset = \"deep\"\ncorruption = \"swap\"\n[train]\nbatch_size = 32").unwrap();
        assert_eq!(recipe.preset, Preset::Deep);
        assert!(matches!(recipe.corruption, Corruption::Swap { .. }));
        let error = Recipe::from_toml("[train]\nbatchsize = 32").unwrap_err();
        assert!(error.hint_text().unwrap().contains("batch_size"), "{error}");
        assert!(Recipe::from_toml("seed = nan").unwrap_err().to_string().contains("seed"));
    }
}
