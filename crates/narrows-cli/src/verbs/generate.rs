//! `narrows generate`: new rows like those the model was fitted on.

use clap::Args as ClapArgs;

use super::pictures;
use crate::args::{Common, ModelArg};
use crate::failure::{Failure, Outcome};
use crate::output::OutputArgs;
use crate::pipeline::{BATCH_ROWS, write_while};

/// Make new rows like those the model was fitted on
///
/// The same seed gives the same rows, and a longer table begins with the shorter one. The preset made for it is
/// `variational`; other models draw codes like those of their training rows.
#[derive(Debug, ClapArgs)]
#[command(before_help = "Example: narrows generate m.narrows -n 1000 -o new.csv")]
pub(crate) struct Generate {
    #[command(flatten)]
    model: ModelArg,
    /// How many rows
    #[arg(short = 'n', long = "rows", value_name = "N")]
    rows: u64,
    /// Key of the randomness; else the seed the model was fitted with
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    #[command(flatten)]
    output: OutputArgs,
}

impl Generate {
    pub(crate) fn run(self, common: &Common) -> Result<Outcome, Failure> {
        let fitted = self.model.load()?;
        let threads = common.threads()?;
        let seed = self.seed.unwrap_or(fitted.recipe().seed);
        if fitted.reads_pictures() {
            let target = self.output.folder("new pictures, or a picture file for all of them")?;
            return pictures::code::generate(&fitted, self.rows, seed, target, common);
        }
        let writer = write_while(self.output.writer()?, |send| {
            for first in (0..self.rows).step_by(BATCH_ROWS) {
                let n = (self.rows - first).min(BATCH_ROWS as u64) as usize;
                let table = fitted.generate(n, first, seed, &threads)?;
                if !send(table.batch().clone()) {
                    break;
                }
            }
            Ok(())
        })?;
        writer.finish()?;
        Ok(Outcome::Done)
    }
}
