//! `narrows report`: writes the report of a model as HTML.

use std::path::PathBuf;

use clap::Args as ClapArgs;

use crate::failure::{Failure, Outcome};
use crate::flags::{Common, ModelArg, with_extension};
use crate::output;
use crate::targets::{ForceArg, Targets};

/// Write the report of a model as a self-contained HTML file
#[derive(Debug, ClapArgs)]
#[command(before_help = "Example: narrows report m.narrows -o report.html")]
pub(crate) struct Report {
    #[command(flatten)]
    model: ModelArg,
    /// Output file; by default the model's name with .html, in the current folder; `-` is stdout
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    #[command(flatten)]
    force: ForceArg,
}

impl Report {
    pub(crate) fn run(self, common: &Common) -> Result<Outcome, Failure> {
        let target = self.output.unwrap_or_else(|| with_extension(&self.model.path, "html"));
        Targets::new(self.force).reads([&self.model.path]).writes("--output", Some(&target)).check()?;
        let model = self.model.load(common)?.with_decoder()?;
        output::write_text(&target, &model.report_html()?)?;
        Ok(Outcome::Done)
    }
}
