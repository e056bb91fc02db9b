//! `narrows report`: writes the report of a model as HTML, and what the model finds in new data.

use std::path::{Path, PathBuf};

use clap::Args as ClapArgs;
use narrows_core::report::NewDataReport;
use narrows_core::{Error, ImageRoles, Model, NewDataReporter};

use super::score::with_threshold;
use crate::failure::{Failure, Outcome};
use crate::flags::{Common, ModelArg, with_extension};
use crate::input::InputArgs;
use crate::pipeline::{self, Flow, Portion};
use crate::targets::{ForceArg, Targets};
use crate::{images, output};

/// Write the report of a model as a self-contained HTML file, with its findings in new data if there are any
///
/// With INPUT, a section shows the scores of the new data beside those of calibration, the rate of anomalies against the
/// promised one, and the highest scores with their reasons: rows, stretches of series, or images. With --label, it also
/// has metrics.
#[derive(Debug, ClapArgs)]
#[command(
    before_help = "Example: narrows report m.narrows -o report.html",
    before_long_help = "Examples:\n  narrows report m.narrows -o report.html\n  narrows report m.narrows new.csv -o new.html\n  \
                        narrows report m.narrows test.csv --label is_fraud --normal 0 -o test.html",
    mut_arg("inputs", |arg| arg.required(false).help("New data to report on, read as by `narrows score`"))
)]
pub(crate) struct Report {
    #[command(flatten)]
    model: ModelArg,
    #[command(flatten)]
    input: InputArgs,
    /// Column of the new data that distinguishes normal rows from anomalies
    #[arg(long, value_name = "COLUMN", requires = "inputs")]
    label: Option<String>,
    /// Value of the label in normal rows. For images: the folders of normal images, separated by commas
    #[arg(long, value_name = "VALUE", allow_negative_numbers = true, requires = "inputs")]
    normal: Option<String>,
    /// Override the model's threshold rule, such as quantile=0.99 or fixed=3.2
    #[arg(long, value_name = "RULE")]
    threshold: Option<String>,
    /// Output file; by default the name of the new data, or of the model, with .html, in the current folder; `-` is stdout
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    #[command(flatten)]
    force: ForceArg,
}

impl Report {
    pub(crate) fn run(self, common: &Common) -> Result<Outcome, Failure> {
        let has_data = !self.input.inputs().is_empty();
        let target = match &self.output {
            Some(target) => target.clone(),
            None if !has_data || self.input.first() == "-" => with_extension(&self.model.path, "html"),
            None => with_extension(Path::new(self.input.first().trim_end_matches('/')), "html"),
        };
        let targets = Targets::new(self.force).reads([&self.model.path]).reads(self.input.inputs());
        targets.writes("--output", Some(&target)).check()?;
        let model = with_threshold(self.model.load(common)?.with_decoder()?, self.threshold.as_deref())?;
        if !has_data {
            output::write_text(&target, &model.report_html()?)?;
            return Ok(Outcome::Done);
        }
        let (found, outcome) = match &model {
            Model::Images(model) => {
                if self.label.is_some() {
                    let error = Error::recipe("--label", "expected a table, got images, which have no columns");
                    return Err(error.into());
                }
                let store = images::store(self.input.inputs(), &common.compute()?, common.talk())?;
                let normal = self.normal.iter().flat_map(|names| names.split(',').map(str::to_owned)).collect();
                let outcome = images::outcome(store.skipped().len());
                (model.new_data_report(&store, &ImageRoles { normal })?, outcome)
            }
            model => (self.rows(model.clone())?, Outcome::Done),
        };
        output::write_text(&target, &model.new_data_html(&found)?)?;
        if common.json && target.as_os_str() != "-" {
            output::print_json(&found)?;
        }
        let share = 100.0 * found.anomaly_share();
        common.talk().line(format_args!("{} of {} anomalous ({share:.2} %)", found.anomalies, found.scored));
        common.talk().line(format_args!("report      {}", target.display()));
        Ok(outcome)
    }

    /// The findings in a table.
    fn rows(&self, model: Model) -> Result<NewDataReport, Failure> {
        let model = model.into_tabular()?;
        let model = model.as_ref();
        let source = self.input.table()?;
        let mut evaluator = match (self.label.as_deref(), self.normal.as_deref()) {
            (None, None) => None,
            (Some(label), normal) => Some(model.evaluator(label, normal)),
            (None, Some(_)) => {
                let message = "expected --label with it: the column whose value marks normal rows";
                return Err(Error::recipe("--normal", message).into());
            }
        };
        let mut reporter = NewDataReporter::new(model, self.input.name());
        let read = model.columns_read();
        let wanted = evaluator.is_none().then_some(&read);
        // The evident normal value is chosen by all rows.
        let is_known = self.label.is_none() || self.normal.is_some();
        let portion = if is_known { Portion::of(model) } else { Portion::Whole };
        pipeline::read(&source, wanted, portion, |table| {
            reporter.add(table)?;
            if let Some(evaluator) = &mut evaluator {
                evaluator.add(table)?;
            }
            Ok(Flow::More)
        })?;
        let evaluation = evaluator.map(|evaluator| evaluator.finish()).transpose()?;
        Ok(reporter.finish(evaluation.as_ref())?)
    }
}
