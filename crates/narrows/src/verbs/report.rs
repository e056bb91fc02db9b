//! `narrows report`: writes the report of a model as HTML, or its model card, and what the model finds in new data.

use std::path::{Path, PathBuf};

use clap::Args as ClapArgs;
use narrows_core::report::card::{CardOptions, License};
use narrows_core::report::html::PageHost;

use super::new_data::{NewDataArgs, NewDataFindings};
use crate::failure::{Failure, Outcome};
use crate::flags::{Common, with_extension};
use crate::output;
use crate::targets::{ForceArg, Targets};

/// Write the report of a model as a self-contained HTML file, or as a model card, with its findings in new data
///
/// With INPUT, the page is interactive: all scored rows in a table that can be sorted and filtered, what was expected of each
/// column, a threshold to move, the code map, the events of series, the highest images with their heat maps, and whether
/// the data have drifted. With --label, it also has metrics. It is one file, and requests nothing. `narrows open` shows the
/// same in the browser.
///
/// With --card, it is Markdown with the front matter of the Hugging Face Hub: what the model is and was fitted to, how good it
/// is, its limits, and how to use it. With INPUT and --label, it has metrics. It tells no row of the data.
#[derive(Debug, ClapArgs)]
#[command(
    before_help = "Example: narrows report m.narrows -o report.html",
    before_long_help = "Examples:\n  narrows report m.narrows -o report.html\n  narrows report m.narrows new.csv -o new.html\n  \
                        narrows report m.narrows test.csv --label is_fraud --normal 0 -o test.html\n  \
                        narrows report m.narrows test.csv --label is_fraud --normal 0 --card --license mit -o README.md"
)]
pub(crate) struct Report {
    #[command(flatten)]
    data: NewDataArgs,
    /// Output file; by default the name of the new data, or of the model, with .html (.md for a card), in the current folder;
    /// `-` is stdout
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Write a model card, as a README for the Hugging Face Hub
    #[arg(long)]
    card: bool,
    /// Licence of the model, as the Hub names it: mit, apache-2.0, other
    #[arg(long, value_name = "NAME", requires = "card")]
    license: Option<String>,
    /// Repository of the model on the Hub, which the examples of the card load
    #[arg(long, value_name = "OWNER/NAME", requires = "card")]
    repo: Option<String>,
    #[command(flatten)]
    force: ForceArg,
}

impl Report {
    pub(crate) fn run(self, common: &Common) -> Result<Outcome, Failure> {
        let (path, input) = (&self.data.model.path, &self.data.input);
        let extension = if self.card { "md" } else { "html" };
        let target = match &self.output {
            Some(target) => target.clone(),
            None if !self.data.is_given() || input.first() == "-" => with_extension(path, extension),
            None => with_extension(Path::new(input.first().trim_end_matches('/')), extension),
        };
        let targets = Targets::new(self.force).reads([path]).reads(input.inputs());
        targets.writes("--output", Some(&target)).check()?;
        let card = self.card.then(|| self.card_options()).transpose()?;
        if !self.data.is_given() {
            let text = match card {
                Some(options) => self.data.any_model(common)?.card(&options, None)?,
                None => self.data.model(common)?.report_html()?,
            };
            output::write_text(&target, &text)?;
            return Ok(Outcome::Done);
        }
        let model = self.data.model(common)?;
        let NewDataFindings { found, rows, outcome } = self.data.findings(&model, common)?;
        let text = match card {
            Some(options) => model.card(&options, Some(&found))?,
            None => model.living_html(PageHost::File, Some((&found, &rows)))?,
        };
        output::write_text(&target, &text)?;
        if common.json && target.as_os_str() != "-" {
            output::print_json(&found)?;
        }
        let share = 100.0 * found.anomaly_share();
        common.talk().line(format_args!("{} of {} anomalous ({share:.2} %)", found.anomalies, found.scored));
        common.talk().line(format_args!("report      {}", target.display()));
        Ok(outcome)
    }

    /// What the card says beside the model.
    fn card_options(&self) -> Result<CardOptions, Failure> {
        let license = self.license.as_deref().map(str::parse::<License>).transpose()?;
        let file = self.data.model.path.file_name();
        let file = file.map_or_else(|| CardOptions::default().file, |file| file.to_string_lossy().into_owned());
        Ok(CardOptions { license, repository: self.repo.clone(), file })
    }
}
