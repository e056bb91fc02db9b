//! `narrows fit`: fits a model to data.

mod next;
mod rounds;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args as ClapArgs;
use narrows_core::data::is_stored;
use narrows_core::file::{FileCheckpoints, Resume, TrainingSubject};
use narrows_core::images::Fill;
use narrows_core::recipe::Data;
use narrows_core::train::{Checkpoints, NoCheckpoints};
use narrows_core::{Choice, Compute, Dataset, Error, ImageRoles, Model, Recipe, Session};

use self::rounds::RoundsArgs;
use super::summary;
use crate::device::DeviceArg;
use crate::failure::{Failure, Outcome};
use crate::flags::{Common, RoleArgs, with_extension};
use crate::input::InputArgs;
use crate::progress::Progress;
use crate::recipe::RecipeArgs;
use crate::talk::Talk;
use crate::targets::{ForceArg, Targets};
use crate::training_rows::SourcePasses;
use crate::{images, interrupt, output, training_rows};

/// Fit a model to tables, series or images and save it
///
/// Column types are inferred; dropped columns and filled or clipped values are reported. Ctrl-C stops training, saves
/// the model with the best weights so far, and exits with code 130.
#[derive(Debug, ClapArgs)]
#[command(
    before_help = "Example: narrows fit train.csv -o m.narrows",
    before_long_help = "Examples:\n  narrows fit train.csv -o m.narrows\n  \
                        narrows fit all.parquet --label is_fraud --normal 0 -o m.narrows\n  \
                        narrows fit 'logs/*.csv.gz' --preset deep --set backbone.code_size=4 --report fit.html"
)]
pub(crate) struct Fit {
    #[command(flatten)]
    input: InputArgs,
    /// Output model file; by default the name of the first input with .narrows, in the current folder
    #[arg(short, long, value_name = "MODEL")]
    output: Option<PathBuf>,
    #[command(flatten)]
    roles: RoleArgs,
    #[command(flatten)]
    recipe: RecipeArgs,
    #[command(flatten)]
    rounds: RoundsArgs,
    /// Threshold rule, such as false_alarm_rate=0.01, quantile=0.99 or max
    #[arg(long, value_name = "RULE")]
    threshold: Option<String>,
    /// Share of anomalies among the rows, such as 0.02, left out of training steps and threshold; by default `auto`: scores
    /// far above all others set no threshold
    #[arg(long, value_name = "auto|SHARE")]
    contamination: Option<String>,
    /// Also write a report as a self-contained HTML file
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// Save checkpoints in MODEL.checkpoint during training, for --resume
    #[arg(long)]
    checkpoint: bool,
    /// Resume from MODEL.checkpoint, and continue to save checkpoints there
    #[arg(long)]
    resume: bool,
    /// Save only preprocessing and encoder: small, without training rows, supports only `narrows encode`
    #[arg(long)]
    encoder_only: bool,
    #[command(flatten)]
    device: DeviceArg,
    #[command(flatten)]
    force: ForceArg,
}

impl Fit {
    pub(crate) fn run(self, common: &Common) -> Result<Outcome, Failure> {
        let talk = common.talk();
        let recipe = self.recipe()?;
        let path = self.model()?;
        self.check_targets(&path)?;
        if self.encoder_only && recipe.restores() {
            let message = "expected a model with a code, got a restorer of images, which has none";
            return Err(Error::recipe("--encoder-only", message).into());
        }
        let Fit { input, roles, report, checkpoint, resume, encoder_only, rounds, device, .. } = self;
        let compute = device.compute(common)?;
        let TrainingData { dataset, skipped } = read(&recipe, &input, roles, &compute, talk)?;
        let recipe = rounds.settled(recipe, &dataset, talk);
        let source = rounds::source(&recipe, &input)?;

        let kept = checkpoints(&path, &recipe, &dataset, (checkpoint, resume))?;
        let progress = Progress::new(talk);
        let checkpoints: &dyn Checkpoints = kept.as_ref().map_or(&NoCheckpoints, |kept| kept);
        let session = Session { compute, observer: &progress, checkpoints };
        let grace =
            interrupt::grace("stopping: the best weights so far are saved; press Ctrl-C again to quit without saving");
        let model = match (dataset, &source) {
            (Dataset::Table(sample, roles), Some(source)) => {
                narrows_core::fit_in_rounds(&recipe, sample, &SourcePasses(source), &roles, &session)
            }
            (dataset, _) => narrows_core::fit(&recipe, dataset, &session),
        };
        progress.finish();
        let model = model?;
        if encoder_only {
            Model::from(model.clone().into_encoder()?).save(&path)?;
        } else {
            model.save(&path)?;
        }
        drop(grace);

        if let Some(path) = &report {
            output::write_text(path, &model.report_html()?)?;
        }
        summary::tell_model(&model, common)?;
        tell_files(talk, &path, report.as_deref());
        let saved = if encoder_only { next::Saved::Encoder } else { next::Saved::Model(&model) };
        talk.line(next::line(saved, &path, input.first()));
        if interrupt::asked() {
            return Ok(Outcome::Interrupted);
        }
        kept.map_or(Ok(()), FileCheckpoints::clear)?;
        Ok(images::outcome(skipped))
    }

    fn recipe(&self) -> Result<Recipe, Failure> {
        let mut recipe = self.recipe.source(&self.input, &self.roles)?.recipe()?;
        if let Some(rule) = &self.threshold {
            recipe.detect.threshold = rule.parse()?;
        }
        if let Some(text) = &self.contamination {
            let wrong = |message| Error::recipe("contamination", format!("{message}; or `auto`"));
            let given = || text.parse().map(Choice::Given).map_err(wrong);
            recipe.train.contamination = if text == "auto" { Choice::Auto } else { given()? };
        }
        self.rounds.set(&mut recipe)?;
        recipe.check()?;
        Ok(recipe)
    }

    fn model(&self) -> Result<PathBuf, Failure> {
        match &self.output {
            Some(path) if path.as_os_str() == "-" => {
                Err(Error::recipe("--output", "expected a file for the model, got `-`").into())
            }
            Some(path) => Ok(path.clone()),
            None if self.input.first() == "-" => {
                Err(Error::recipe("--output", "expected a file for the model, as no name can be derived from stdin")
                    .into())
            }
            // Glob characters are removed from the file name.
            None => Ok(with_extension(Path::new(&self.input.first().replace(['*', '?', '[', ']'], "")), "narrows")),
        }
    }

    /// The flag that asks for checkpoints, if one does.
    fn checkpoint_flag(&self) -> Option<&'static str> {
        match (self.checkpoint, self.resume) {
            (true, _) => Some("--checkpoint"),
            (false, true) => Some("--resume"),
            (false, false) => None,
        }
    }

    /// Checks before training that the outputs can be written.
    fn check_targets(&self, model: &Path) -> Result<(), Failure> {
        if let Ok(metadata) = fs::metadata(model)
            && !metadata.is_file()
        {
            let message =
                format!("expected a file for the model, got `{}`, which is not a regular file", model.display());
            return Err(Error::recipe("--output", message).into());
        }
        let targets = Targets::new(self.force).reads(self.input.inputs()).reads(self.recipe.files());
        let checkpoints = folder(model);
        if let (true, Some(flag)) = (is_stored(model), self.checkpoint_flag()) {
            let message = "expected a model on disk, as its checkpoints are kept beside it, got an address";
            return Err(Error::recipe(flag, message).into());
        }
        if self.resume && !FileCheckpoints::exist(&checkpoints) {
            let message = format!("expected a checkpoint in `{}`, got none", checkpoints.display());
            let error = Error::recipe("--resume", message);
            return Err(error.with_hint("without --resume, the fit starts from the beginning").into());
        }
        if self.checkpoint && !self.resume && !self.force.force && FileCheckpoints::exist(&checkpoints) {
            let message = format!("`{}` holds the checkpoint of an interrupted fit", checkpoints.display());
            let error = Error::recipe("--checkpoint", message);
            return Err(error.with_hint("--resume continues from it, --force overwrites it").into());
        }
        // A training that goes on replaces what it has saved when it was interrupted.
        let targets = if self.resume { targets.replacing() } else { targets };
        targets.writes("--output", Some(model)).writes_if("--report", self.report.as_ref()).check()?;
        // Opened and dropped: detects an unwritable folder early and leaves nothing behind.
        output::probe(model)?;
        if let Some(path) = &self.report {
            output::probe(path)?;
        }
        Ok(())
    }
}

/// Data to fit.
struct TrainingData {
    dataset: Dataset,
    /// Number of unreadable images.
    skipped: usize,
}

/// Reads the training data.
fn read(
    recipe: &Recipe,
    input: &InputArgs,
    roles: RoleArgs,
    compute: &Compute,
    talk: Talk,
) -> Result<TrainingData, Failure> {
    if let Data::Images(_) = recipe.data {
        input.check_images()?;
        talk.line(format_args!("reading {}", input.name()));
        let store = Arc::new(images::store(&images::for_training(input.inputs(), talk), compute, talk)?);
        images::tell_alpha(talk, store.album());
        match recipe.damages().iter().rev().find_map(|damage| damage.clone().settled().fill()) {
            None => {}
            Some(Fill::Any) => talk.note("holes are of any colour; narrows restore finds them, or is told by --mask"),
            Some(fill) => {
                let value = fill.value().unwrap_or_default();
                let shade = if value == 0.5 { "mid-grey (0.5)".to_owned() } else { format!("of the value {value}") };
                talk.note(format_args!("holes are {shade}; of any colour for narrows restore --mask"));
            }
        }
        let roles = ImageRoles { normal: roles.folders()? };
        let skipped = images::unread(store.album());
        return Ok(TrainingData { dataset: Dataset::images(store, roles), skipped });
    }
    let (source, roles) = (input.source()?, roles.roles()?);
    talk.line(format_args!("reading {}", input.name()));
    let table = training_rows::read(&source, recipe, &roles, talk)?;
    Ok(TrainingData { dataset: Dataset::table(table, roles), skipped: 0 })
}

/// Checkpoints of fitting this recipe to this data, if requested.
fn checkpoints(
    model: &Path,
    recipe: &Recipe,
    dataset: &Dataset,
    (checkpoint, resume): (bool, bool),
) -> Result<Option<FileCheckpoints>, Failure> {
    let resume = match (checkpoint, resume) {
        (_, true) => Resume::Continue,
        (true, false) => Resume::Fresh,
        (false, false) => return Ok(None),
    };
    Ok(Some(FileCheckpoints::new(&folder(model), TrainingSubject::new(recipe, dataset), resume)?))
}

/// The checkpoint folder of a model.
fn folder(model: &Path) -> PathBuf {
    let mut name = model.as_os_str().to_owned();
    name.push(".checkpoint");
    PathBuf::from(name)
}

pub(super) fn tell_files(talk: Talk, model: &Path, report: Option<&Path>) {
    let size = fs::metadata(model).ok().map(|metadata| format!(" ({} kB)", metadata.len().div_ceil(1000)));
    talk.line(format_args!("model       {}{}", model.display(), size.unwrap_or_default()));
    if let Some(path) = report {
        talk.line(format_args!("report      {}", path.display()));
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use narrows_core::Preset;

    use super::*;
    use crate::verbs::{Args, Verb};

    fn fit(flags: &[&str]) -> Fit {
        let args = Args::try_parse_from(["narrows", "fit"].iter().chain(flags)).unwrap();
        match args.verb {
            Verb::Fit(fit) => *fit,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_later_source_of_the_recipe_wins() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("r.toml");
        fs::write(&path, "seed = 1\n[train]\nsteps = 10\npatience = 3\n").unwrap();
        let path = path.display().to_string();
        let flags = [
            "a.csv",
            "--preset",
            "deep",
            "--recipe",
            &path,
            "--set",
            "train.steps=20",
            "--set",
            "seed=2",
            "--seed",
            "3",
        ];
        let recipe = fit(&flags).recipe().unwrap();
        assert_eq!((recipe.preset, recipe.train.steps, recipe.train.patience, recipe.seed), (Preset::Deep, 20, 3, 3));
    }

    #[test]
    fn the_model_is_named_after_the_input() {
        assert_eq!(fit(&["data/train.csv.gz"]).model().unwrap(), PathBuf::from("train.narrows"));
        assert_eq!(fit(&["part-*.parquet"]).model().unwrap(), PathBuf::from("part-.narrows"));
        assert!(fit(&["-"]).model().is_err());
        assert_eq!(folder(Path::new("a/m.narrows")), PathBuf::from("a/m.narrows.checkpoint"));
    }
}
