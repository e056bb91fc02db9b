//! Flags for training in rounds on rows beyond the sample.

use clap::Args as ClapArgs;
use narrows_core::data::Source;
use narrows_core::{Dataset, Error, Recipe};

use crate::failure::Failure;
use crate::input::InputArgs;
use crate::talk::{Talk, grouped};

/// Training on more rows than the sample.
#[derive(Debug, ClapArgs)]
pub(super) struct RoundsArgs {
    /// Also train on the rows beyond the sample, in as many rounds as it takes to use each row once; every round reads the
    /// input again
    #[arg(long, conflicts_with = "rounds", help_heading = "Large tables")]
    all_rows: bool,
    /// Also train on rows beyond the sample, in N rounds; the same as --set train.rounds.count=N
    #[arg(long, value_name = "N", help_heading = "Large tables")]
    rounds: Option<u32>,
    /// Steps of each partition in a round; by default one pass over its rows of the round
    #[arg(long, value_name = "N", help_heading = "Large tables")]
    round_steps: Option<u64>,
    /// Partitions that train from common weights in a round, one after the other; their changes are averaged
    #[arg(long, value_name = "N", help_heading = "Large tables")]
    partitions: Option<u32>,
}

impl RoundsArgs {
    /// Sets the fields of the recipe.
    pub(super) fn set(&self, recipe: &mut Recipe) -> Result<(), Failure> {
        let fields = [
            ("count", self.rounds.map(u64::from)),
            ("steps", self.round_steps),
            ("partitions", self.partitions.map(u64::from)),
        ];
        for (field, value) in fields {
            if let Some(value) = value {
                recipe.set(&format!("train.rounds.{field}={value}"))?;
            }
        }
        Ok(())
    }

    /// The recipe with as many rounds as all rows take, if that was asked for.
    pub(super) fn settled(&self, mut recipe: Recipe, dataset: &Dataset, talk: Talk) -> Recipe {
        let Dataset::Table(table, _) = dataset else { return recipe };
        if self.all_rows && recipe.train.rounds.count == 0 {
            match table.population() {
                Some(all) => {
                    // A round has about as many rows as the sample, and hardly ever more.
                    let size = recipe.train.sample_rows as f64;
                    let rounds = ((all.rows - all.sampled) as f64 / (size - 8.0 * size.sqrt()).max(1.0)).ceil();
                    recipe.train.rounds.count = rounds as u32;
                }
                None => talk.note(format_args!("all {} rows fit into the sample", grouped(table.n_rows() as u64))),
            }
        }
        recipe
    }
}

/// The source that the rounds read, if there are any.
pub(super) fn source(recipe: &Recipe, input: &InputArgs) -> Result<Option<Source>, Failure> {
    if recipe.train.rounds.count == 0 {
        return Ok(None);
    }
    let source = input.source()?;
    if source.paths.iter().any(|path| path.as_os_str() == "-") {
        let message = "expected files, which every round reads again, got stdin";
        return Err(Error::recipe("--rounds", message).into());
    }
    Ok(Some(source))
}
