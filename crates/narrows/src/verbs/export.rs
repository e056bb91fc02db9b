//! `narrows export`: a model in another form.

use std::path::PathBuf;

use clap::Args as ClapArgs;
use narrows_core::{Error, Model};

use super::fit;
use crate::failure::{Failure, Outcome};
use crate::flags::{Common, ModelArg};

/// Save a part of a model
///
/// With --encoder-only, what turns rows into codes: smaller than the model, without a training row, and for `encode` alone,
/// which gives the same codes to the bit.
#[derive(Debug, ClapArgs)]
#[command(before_help = "Example: narrows export m.narrows --encoder-only -o small.narrows")]
pub(crate) struct Export {
    #[command(flatten)]
    model: ModelArg,
    /// Leave the decoder out
    #[arg(long, required = true)]
    encoder_only: bool,
    /// Model file to write
    #[arg(short, long, value_name = "MODEL")]
    output: PathBuf,
    /// Replace a model file that exists
    #[arg(short, long)]
    force: bool,
}

impl Export {
    pub(crate) fn run(self, common: &Common) -> Result<Outcome, Failure> {
        let encoder = self.model.load(common)?.into_encoder()?;
        if self.output.as_os_str() == "-" {
            return Err(Error::recipe("--output", "expected a file for the model, got `-`").into());
        }
        if self.output.exists() && !self.force {
            let message = format!("`{}` exists", self.output.display());
            return Err(Error::recipe("--output", message).with_hint("--force replaces it").into());
        }
        Model::from(encoder).save(&self.output)?;
        fit::tell_files(common.talk(), &self.output, None);
        Ok(Outcome::Done)
    }
}
