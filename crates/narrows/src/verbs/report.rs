//! `narrows report`: the model's report as one HTML file.

use std::path::PathBuf;

use clap::Args as ClapArgs;

use crate::failure::{Failure, Outcome};
use crate::flags::{Common, ModelArg, with_extension};
use crate::output;

/// Write a model's report as one HTML file that needs no network
#[derive(Debug, ClapArgs)]
#[command(before_help = "Example: narrows report m.narrows -o report.html")]
pub(crate) struct Report {
    #[command(flatten)]
    model: ModelArg,
    /// File to write; else the model's name with .html, in this folder; `-` is stdout
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

impl Report {
    pub(crate) fn run(self, common: &Common) -> Result<Outcome, Failure> {
        let model = self.model.load(common)?.with_decoder()?;
        let target = self.output.unwrap_or_else(|| with_extension(&self.model.path, "html"));
        output::write_text(&target, &model.report_html()?)?;
        Ok(Outcome::Done)
    }
}
