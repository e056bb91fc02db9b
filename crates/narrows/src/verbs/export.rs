//! `narrows export`: saves part of a model.

use std::path::PathBuf;

use clap::Args as ClapArgs;
use narrows_core::{Error, Model};

use super::fit;
use crate::failure::{Failure, Outcome};
use crate::flags::{Common, ModelArg};
use crate::targets::{ForceArg, Targets};

/// Save part of a model
///
/// With --encoder-only, saves only preprocessing and encoder: smaller than the model, contains no training rows,
/// supports only `narrows encode`, and gives bit-identical codes.
#[derive(Debug, ClapArgs)]
#[command(before_help = "Example: narrows export m.narrows --encoder-only -o small.narrows")]
pub(crate) struct Export {
    #[command(flatten)]
    model: ModelArg,
    /// Omit the decoder
    #[arg(long, required = true)]
    encoder_only: bool,
    /// Output model file
    #[arg(short, long, value_name = "MODEL")]
    output: PathBuf,
    #[command(flatten)]
    force: ForceArg,
}

impl Export {
    pub(crate) fn run(self, common: &Common) -> Result<Outcome, Failure> {
        if self.output.as_os_str() == "-" {
            return Err(Error::recipe("--output", "expected a file for the model, got `-`").into());
        }
        Targets::new(self.force).reads([&self.model.path]).writes("--output", Some(&self.output)).check()?;
        let encoder = self.model.load(common)?.into_encoder()?;
        Model::from(encoder).save(&self.output)?;
        fit::tell_files(common.talk(), &self.output, None);
        Ok(Outcome::Done)
    }
}
