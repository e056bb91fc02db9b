//! `narrows reconstruct`: every row as the model rebuilds it from its code, in original units.

use clap::Args as ClapArgs;

use super::images;
use crate::args::{Common, ModelArg};
use crate::failure::{Failure, Outcome};
use crate::input::InputArgs;
use crate::output::OutputArgs;
use crate::pipeline::{self, Portion};

/// Rebuild rows from their codes, in the units of the input
///
/// Writes the model's columns for every row, in input order: what the model expects there. Missing cells are filled with
/// it, too.
#[derive(Debug, ClapArgs)]
#[command(before_help = "Example: narrows reconstruct m.narrows new.csv -o rebuilt.csv")]
pub(crate) struct Reconstruct {
    #[command(flatten)]
    model: ModelArg,
    #[command(flatten)]
    input: InputArgs,
    #[command(flatten)]
    output: OutputArgs,
}

impl Reconstruct {
    pub(crate) fn run(self, common: &Common) -> Result<Outcome, Failure> {
        let fitted = self.model.load()?;
        if fitted.reads_images() {
            let target = self.output.folder("rebuilt images")?;
            return images::code::reconstruct(&fitted, self.input.inputs(), target, common);
        }
        let threads = common.threads()?;
        let source = self.input.table()?;
        pipeline::transform(&source, Some(fitted.schema()), Portion::of(&fitted), self.output.writer()?, |table| {
            Ok(fitted.reconstruct(table, &threads)?.batch().clone())
        })?;
        Ok(Outcome::Done)
    }
}
