//! `narrows report`: writes the report of a model as HTML, and what the model finds in new data.

use std::path::{Path, PathBuf};

use clap::Args as ClapArgs;
use narrows_core::report::html::PageHost;

use super::new_data::{NewDataArgs, NewDataFindings};
use crate::failure::{Failure, Outcome};
use crate::flags::{Common, with_extension};
use crate::output;
use crate::targets::{ForceArg, Targets};

/// Write the report of a model as a self-contained HTML file, with its findings in new data if there are any
///
/// With INPUT, the page is interactive: all scored rows in a table that can be sorted and filtered, what was expected of each
/// column, a threshold to move, the code map, the events of series, the highest images with their heat maps, and whether
/// the data have drifted. With --label, it also has metrics. It is one file, and requests nothing. `narrows open` shows the
/// same in the browser.
#[derive(Debug, ClapArgs)]
#[command(
    before_help = "Example: narrows report m.narrows -o report.html",
    before_long_help = "Examples:\n  narrows report m.narrows -o report.html\n  narrows report m.narrows new.csv -o new.html\n  \
                        narrows report m.narrows test.csv --label is_fraud --normal 0 -o test.html"
)]
pub(crate) struct Report {
    #[command(flatten)]
    data: NewDataArgs,
    /// Output file; by default the name of the new data, or of the model, with .html, in the current folder; `-` is stdout
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    #[command(flatten)]
    force: ForceArg,
}

impl Report {
    pub(crate) fn run(self, common: &Common) -> Result<Outcome, Failure> {
        let Report { data, output, force } = self;
        let (path, input) = (&data.model.path, &data.input);
        let target = match output {
            Some(target) => target,
            None if !data.is_given() || input.first() == "-" => with_extension(path, "html"),
            None => with_extension(Path::new(input.first().trim_end_matches('/')), "html"),
        };
        let targets = Targets::new(force).reads([path]).reads(input.inputs());
        targets.writes("--output", Some(&target)).check()?;
        let model = data.model(common)?;
        if !data.is_given() {
            output::write_text(&target, &model.report_html()?)?;
            return Ok(Outcome::Done);
        }
        let NewDataFindings { found, rows, outcome } = data.findings(&model, common)?;
        output::write_text(&target, &model.living_html(PageHost::File, Some((&found, &rows)))?)?;
        if common.json && target.as_os_str() != "-" {
            output::print_json(&found)?;
        }
        let share = 100.0 * found.anomaly_share();
        common.talk().line(format_args!("{} of {} anomalous ({share:.2} %)", found.anomalies, found.scored));
        common.talk().line(format_args!("report      {}", target.display()));
        Ok(outcome)
    }
}
