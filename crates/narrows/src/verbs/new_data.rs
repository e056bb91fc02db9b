//! New data that a page is about: which, and what a model finds in it.

use std::path::Path;

use clap::Args as ClapArgs;
use narrows_core::data::{Column, ColumnKind};
use narrows_core::drift::{DriftMonitor, ImageDriftMonitor, LEVEL};
use narrows_core::report::{NewDataReport, ScoredData};
use narrows_core::{Error, ImageRoles, Model, ScoredDataReporter};
use serde_json::json;

use super::score::with_threshold;
use crate::failure::{Failure, Outcome};
use crate::flags::{Common, ModelArg};
use crate::input::InputArgs;
use crate::pipeline::{self, Flow, Portion};
use crate::{images, shell};

/// The data, what marks its normal rows, and the threshold.
#[derive(Debug, ClapArgs)]
#[command(mut_arg("inputs", |arg| arg.required(false).help("New data, read as by `narrows score`")))]
pub(super) struct NewDataArgs {
    #[command(flatten)]
    pub(super) model: ModelArg,
    #[command(flatten)]
    pub(super) input: InputArgs,
    /// Column of the new data that distinguishes normal rows from anomalies
    #[arg(long, value_name = "COLUMN", requires = "inputs")]
    label: Option<String>,
    /// Value of the label in normal rows. For images: the folders of normal images, separated by commas
    #[arg(long, value_name = "VALUE", allow_negative_numbers = true, requires = "inputs")]
    normal: Option<String>,
    /// Override the model's threshold rule, such as quantile=0.99 or fixed=3.2
    #[arg(long, value_name = "RULE")]
    threshold: Option<String>,
}

/// What a model finds in new data.
pub(super) struct NewDataFindings {
    pub(super) found: NewDataReport,
    pub(super) rows: ScoredData,
    pub(super) outcome: Outcome,
}

impl NewDataArgs {
    /// Whether there are new data.
    pub(super) fn is_given(&self) -> bool {
        !self.input.inputs().is_empty()
    }

    /// The model with the threshold asked for.
    pub(super) fn model(&self, common: &Common) -> Result<Model, Failure> {
        with_threshold(self.model.load(common)?.with_decoder()?, self.threshold.as_deref())
    }

    /// The same, or an encoder.
    pub(super) fn any_model(&self, common: &Common) -> Result<Model, Failure> {
        with_threshold(self.model.load(common)?, self.threshold.as_deref())
    }

    /// The findings in the data.
    pub(super) fn findings(&self, model: &Model, common: &Common) -> Result<NewDataFindings, Failure> {
        let (found, mut rows, outcome) = match model {
            Model::Images(model) => {
                if self.label.is_some() {
                    let error = Error::recipe("--label", "expected a table, got images, which have no columns");
                    return Err(error.into());
                }
                let store = images::store(self.input.inputs(), &common.compute()?, common.talk())?;
                let normal = self.normal.iter().flat_map(|names| names.split(',').map(str::to_owned)).collect();
                let outcome = images::outcome(store.skipped().len());
                let (found, mut rows) = model.scored_data(&store, &ImageRoles { normal })?;
                if let Ok(level) = LEVEL.try_into() {
                    let mut monitor = ImageDriftMonitor::new(model, level);
                    for i in 0..store.len() {
                        monitor.add(&[store.get(i).map_err(Error::from)?]);
                    }
                    rows.drift = Some(json!(monitor.finish()));
                }
                (found, rows, outcome)
            }
            model => {
                let (found, rows) = self.rows(model.clone())?;
                (found, rows, Outcome::Done)
            }
        };
        rows.command = self.command();
        Ok(NewDataFindings { found, rows, outcome })
    }

    /// The command that gives the same scores; `None` for data that came through a pipe.
    fn command(&self) -> Option<String> {
        let inputs = self.input.inputs();
        if inputs.iter().any(|input| input == "-") {
            return None;
        }
        let mut words =
            vec!["narrows".to_owned(), "score".to_owned(), shell::word(&self.model.path.display().to_string())];
        words.extend(inputs.iter().map(|input| shell::word(input)));
        if let Some(filter) = self.input.filter() {
            words.extend(["--where".to_owned(), shell::word(filter)]);
        }
        if let Some(rule) = &self.threshold {
            words.extend(["--threshold".to_owned(), shell::word(rule)]);
        }
        if inputs.iter().all(|input| !Path::new(input).is_dir()) {
            words.extend(["--explain".to_owned(), "3".to_owned()]);
        }
        Some(words.join(" "))
    }

    /// The findings in a table.
    fn rows(&self, model: Model) -> Result<(NewDataReport, ScoredData), Failure> {
        let model = model.into_tabular()?;
        let model = model.as_ref();
        let source = self.input.table()?;
        let mut reporter = ScoredDataReporter::new(model, self.input.name());
        let mut wanted = reporter.reads();
        match (self.label.as_deref(), self.normal.as_deref()) {
            (None, None) => {}
            (Some(label), normal) => {
                reporter = reporter.labelled(label, normal);
                wanted.columns.push(Column::new(label, ColumnKind::Text));
            }
            (None, Some(_)) => {
                let message = "expected --label with it: the column whose value marks normal rows";
                return Err(Error::recipe("--normal", message).into());
            }
        }
        let mut monitor = LEVEL.try_into().ok().map(|level| DriftMonitor::new(model, level));
        // The evident normal value is chosen by all rows.
        let is_known = self.label.is_none() || self.normal.is_some();
        let portion = if is_known { Portion::of(model) } else { Portion::Whole };
        pipeline::read(&source, Some(&wanted), portion, |table| {
            let scores = reporter.add(table)?;
            if let Some(monitor) = &mut monitor {
                monitor.add_scored(table, &scores)?;
            }
            Ok(Flow::More)
        })?;
        let (found, mut rows) = reporter.finish()?;
        rows.drift = monitor.map(|monitor| json!(monitor.finish()));
        Ok((found, rows))
    }
}
