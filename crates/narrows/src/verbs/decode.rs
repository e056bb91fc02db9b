//! `narrows decode`: codes back to rows.

use clap::Args as ClapArgs;

use super::images;
use crate::args::{Common, ModelArg};
use crate::failure::{Failure, Outcome};
use crate::images::Folder;
use crate::input::InputArgs;
use crate::output::OutputArgs;
use crate::pipeline::{self, Flow, Portion};

/// Turn codes, as written by encode, back into rows
///
/// The input has the columns code_0, code_1 and so on.
#[derive(Debug, ClapArgs)]
#[command(before_help = "Example: narrows decode m.narrows codes.parquet -o rows.csv")]
pub(crate) struct Decode {
    #[command(flatten)]
    model: ModelArg,
    #[command(flatten)]
    input: InputArgs,
    #[command(flatten)]
    output: OutputArgs,
}

impl Decode {
    pub(crate) fn run(self, common: &Common) -> Result<Outcome, Failure> {
        let fitted = self.model.load()?;
        let threads = common.threads()?;
        let source = self.input.source()?;
        if fitted.reads_images() {
            let folder = Folder::new(self.output.folder("decoded images")?, "--output")?;
            pipeline::read(&source, None, Portion::Batch, |table| {
                images::code::decode(&fitted, table, &folder, &threads)?;
                Ok(Flow::More)
            })?;
            return Ok(Outcome::Done);
        }
        pipeline::transform(&source, None, Portion::Batch, self.output.writer()?, |table| {
            Ok(fitted.decode(table, &threads)?.batch().clone())
        })?;
        Ok(Outcome::Done)
    }
}
