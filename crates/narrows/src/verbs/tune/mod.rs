//! `narrows tune`: hyperparameter search, and error against code size.

mod command;
mod limit;
mod summary;
mod watch;

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args as ClapArgs;
use clap::builder::PossibleValuesParser;
use narrows_core::data::is_stored;
use narrows_core::recipe::Data;
use narrows_core::tune::{self, Ended, Goal, Journal, SearchPlan, SearchResult, SearchSubject};
use narrows_core::{Compute, Dataset, Error, ImageRoles, file};

use crate::device::DeviceArg;
use crate::failure::{Failure, Outcome};
use crate::flags::{Common, RoleArgs};
use crate::input::InputArgs;
use crate::recipe::RecipeArgs;
use crate::talk::Talk;
use crate::targets::{ForceArg, Targets, is_there};
use crate::{images, interrupt, output, training_rows};

/// Search hyperparameters: code size, layers, loss, corruption and learning rate
///
/// Random search with early stopping of bad trials. Trials are compared on held-out rows, which are disjoint from the
/// calibration rows of a fit with the same seed. Prints the best trials, and the error against code size compared with
/// PCA. Fields set by --recipe or --set are held fixed. Ctrl-C writes the best recipe so far and exits with code 130.
#[derive(Debug, ClapArgs)]
#[command(
    before_help = "Example: narrows tune data.csv --trials 20 --time-limit 5m",
    before_long_help = "Examples:\n  narrows tune data.csv --trials 20 --time-limit 5m && narrows fit data.csv --recipe best.toml\n  \
                        narrows tune data.csv --for detection --label is_fraud --normal 0\n  \
                        narrows tune data.csv --set loss=mae --set backbone.code_size=4 --resume"
)]
pub(crate) struct Tune {
    #[command(flatten)]
    input: InputArgs,
    /// Output recipe file, for `narrows fit --recipe`
    #[arg(short, long, value_name = "FILE", default_value = "best.toml")]
    output: PathBuf,
    /// Objective: reconstruction with a small code, or anomaly detection (without labels)
    #[arg(long = "for", value_name = "GOAL", default_value = "reconstruction", value_parser = PossibleValuesParser::new(Goal::ALL.map(Goal::name)))]
    goal: String,
    /// Number of trials; the first is the initial recipe
    #[arg(long, value_name = "N", default_value = "20")]
    trials: usize,
    /// Time limit, such as 30s, 5m or 1h; the search ends with the best recipe so far and can be continued by --resume
    #[arg(long, value_name = "TIME")]
    time_limit: Option<String>,
    #[command(flatten)]
    roles: RoleArgs,
    #[command(flatten)]
    recipe: RecipeArgs,
    /// Journal file, one JSON line per finished training; by default the name of the recipe file with .jsonl
    #[arg(long, value_name = "FILE")]
    journal: Option<PathBuf>,
    /// Continue an interrupted search, or one with fewer trials, from its journal
    #[arg(long)]
    resume: bool,
    #[command(flatten)]
    device: DeviceArg,
    #[command(flatten)]
    force: ForceArg,
}

impl Tune {
    pub(crate) fn run(mut self, common: &Common, words: &[OsString]) -> Result<Outcome, Failure> {
        let talk = common.talk();
        if let Some(time) = limit::given_as_column(&self.time_limit, &mut self.roles.time) {
            talk.note(format_args!("`--time {time}` is taken as the time limit; write `--time-limit {time}`"));
            self.time_limit = Some(time);
        }
        let compute = self.device.compute(common)?;
        let goal: Goal = self.goal.parse()?;
        let source = self.recipe.source(&self.input, &self.roles)?;
        let base = source.recipe_or(|kind| goal.usual_preset(kind))?;
        base.check()?;
        let time = self.time_limit.as_deref().map(limit::parse).transpose()?;
        let plan = SearchPlan { goal, base, held: source.fields()?, trials: self.trials, time };
        plan.check()?;
        let journal = self.journal.clone().unwrap_or_else(|| self.output.with_extension("jsonl"));
        self.check_targets(&journal)?;

        talk.line(format_args!("reading {}", self.input.name()));
        let watch = watch::SearchProgress::new(talk, goal, self.trials);
        let SearchData { dataset, fingerprint, roles, skipped } = self.read(&plan, &compute, talk)?;
        let subject = SearchSubject::new(plan.goal, &plan.base, &plan.held, fingerprint, &roles);
        let mut kept = open(&journal, &subject, self.resume)?;
        let grace =
            interrupt::grace("stopping: the best recipe so far is written; press Ctrl-C again to quit without it");
        let search = tune::tune(&plan, dataset, &mut kept, &watch, &compute)?;
        drop(grace);
        let command = command::typed(words.iter().map(|word| word.to_string_lossy().into_owned()));
        output::write_text(&self.output, &search.to_toml(&command))?;
        if common.json {
            output::print_json(&search)?;
        } else {
            output::print(&summary::for_people(&search))?;
        }
        if let Some(concern) = search.concern() {
            talk.warn(format_args!("best of {} trials: {}", search.trials.len(), concern.describe()));
        }
        talk.line(format_args!("recipe      {0}, for narrows fit --recipe {0}", self.output.display()));
        talk.line(format_args!("journal     {}", journal.display()));
        Ok(outcome(&search, skipped))
    }

    /// Reads the data; roles are identified by their debug format.
    fn read(&self, plan: &SearchPlan, compute: &Compute, talk: Talk) -> Result<SearchData, Failure> {
        if let Data::Images(_) = plan.base.data {
            self.input.check_images()?;
            let store = Arc::new(images::store(&images::for_training(self.input.inputs(), talk), compute, talk)?);
            let roles = ImageRoles { normal: self.roles.clone().folders()? };
            let (fingerprint, skipped) = (file::images_fingerprint(&store), images::unread(store.album()));
            let words = format!("{roles:?}");
            return Ok(SearchData { dataset: Dataset::images(store, roles), fingerprint, roles: words, skipped });
        }
        let roles = self.roles.clone().roles()?;
        let table = training_rows::read(&self.input.source()?, &plan.base, &roles, talk)?;
        let (fingerprint, words) = (file::fingerprint(&table), format!("{roles:?}"));
        Ok(SearchData { dataset: Dataset::table(table, roles), fingerprint, roles: words, skipped: 0 })
    }

    /// Checks before the search that the outputs can be written.
    fn check_targets(&self, journal: &Path) -> Result<(), Failure> {
        let same = self.output.as_path() == journal;
        for (flag, path, hint) in [
            ("--output", self.output.as_path(), "--force overwrites it"),
            ("--journal", journal, "--resume continues from it, --force overwrites it"),
        ] {
            if path.as_os_str() == "-" || path.is_dir() || same {
                let message = format!("expected a file of its own, got `{}`", path.display());
                return Err(Error::recipe(flag, message).into());
            }
            if flag == "--journal" && is_stored(path) {
                let message =
                    format!("expected a file on disk, to which every run is appended, got `{}`", path.display());
                return Err(Error::recipe(flag, message).into());
            }
            if is_there(path)? && !self.force.force && !self.resume {
                let error = Error::recipe(flag, format!("`{}` exists", path.display()));
                return Err(error.with_hint(hint).into());
            }
        }
        let targets = Targets::new(self.force).replacing().reads(self.input.inputs()).reads(self.recipe.files());
        targets.writes("--output", Some(&self.output)).writes("--journal", Some(journal)).check()?;
        // Opened and dropped: detects an unwritable folder early and leaves nothing behind.
        output::probe(&self.output)?;
        output::probe(journal)
    }
}

/// Data to search on.
struct SearchData {
    dataset: Dataset,
    /// Identifies the data in journals.
    fingerprint: u32,
    /// Roles of columns or folders.
    roles: String,
    /// Number of unreadable images.
    skipped: usize,
}

/// Opens the journal. It may be empty if a search was interrupted before its first line.
fn open(path: &Path, subject: &SearchSubject, resume: bool) -> Result<Journal, Failure> {
    let has_lines = fs::metadata(path).is_ok_and(|metadata| metadata.len() > 0);
    Ok(if resume && has_lines { Journal::resume(path, subject)? } else { Journal::create(path, subject) })
}

fn outcome(search: &SearchResult, skipped: usize) -> Outcome {
    match search.ended {
        Ended::Interrupted => Outcome::Interrupted,
        Ended::Finished | Ended::Time => images::outcome(skipped),
    }
}
