//! `narrows score`: anomaly scores of rows, points and images.

mod images;
mod keep;
mod stream;
mod tally;

pub(super) use keep::Keep;

use std::path::PathBuf;

use clap::Args as ClapArgs;
use narrows_core::output::batch;
use narrows_core::score_table::{SCORE_COLUMNS, event_rows, reason_texts};
use narrows_core::{Error, ImageModel, Model, SeriesModel, TabularModel};

use self::stream::Follow;
use self::tally::Tally;
use crate::failure::{Failure, Outcome};
use crate::flags::{Common, ModelArg, ResizeArg};
use crate::images::Folder;
use crate::input::InputArgs;
use crate::output::OutputArgs;
use crate::pipeline::{self, Portion};
use crate::talk::{Talk, count};
use crate::targets::Targets;

/// Compute anomaly scores of rows, points in time or images
///
/// Writes row,score,p_value,is_anomaly for every row, in input order; rows are counted from 0. Memory does not grow
/// with the number of rows.
#[derive(Debug, ClapArgs)]
#[command(
    before_help = "Example: narrows score m.narrows new.csv -o scores.csv --explain 3",
    before_long_help = "Examples:\n  narrows score m.narrows new.csv -o scores.csv --explain 3\n  \
                        zcat new.csv.gz | narrows score m.narrows - --keep id --format ndjson\n  \
                        tail -f sensors.ndjson | narrows score pump.narrows - --follow"
)]
pub(crate) struct Score {
    #[command(flatten)]
    model: ModelArg,
    #[command(flatten)]
    input: InputArgs,
    #[command(flatten)]
    output: OutputArgs,
    /// Add the top K contributing columns of each row's score, as reason_1 to reason_K
    #[arg(long, value_name = "K")]
    explain: Option<usize>,
    /// Copy these input columns to the output
    #[arg(long, value_name = "COLUMN,..", value_delimiter = ',')]
    keep: Vec<String>,
    /// Override the model's threshold rule, such as quantile=0.99 or fixed=3.2
    #[arg(long, value_name = "RULE")]
    threshold: Option<String>,
    /// Series only: write events (runs of consecutive anomalies) instead of points, with start, end, peak and top
    /// contributing channels
    #[arg(long, conflicts_with_all = ["explain", "keep"])]
    events: bool,
    /// Series only: score each point as it arrives: read NDJSON, or CSV if --input-format or the file name says so, and
    /// write one line of NDJSON per point
    ///
    /// A point is scored by the window that ends at it; points before the first full window of a series have no score.
    /// Times must increase within a series; series may be interleaved. Invalid lines are reported on stderr and
    /// skipped, and the exit code is then 5. FILE is truncated at the start and flushed after every row. Memory grows
    /// only with the number of series. Reasons are limited to the top three contributing channels.
    #[arg(long, conflicts_with = "events")]
    follow: bool,
    /// Images only: write a heat map (PNG) of the reconstruction error of each image to this folder
    #[arg(long, value_name = "FOLDER")]
    heatmaps: Option<PathBuf>,
    #[command(flatten)]
    resize: ResizeArg,
    /// Exit with code 10 if there are anomalies
    #[arg(long)]
    fail_on_anomaly: bool,
}

impl Score {
    pub(crate) fn run(self, common: &Common) -> Result<Outcome, Failure> {
        let targets = self.output.targets().reads([&self.model.path]).reads(self.input.inputs());
        targets.check()?;
        let model = with_threshold(self.model.load(common)?, self.threshold.as_deref())?;
        match model {
            Model::Series(model) if self.follow => {
                let Score { input, output, explain, keep, fail_on_anomaly, .. } = self;
                let follow = Follow { input, output, reasons: explain.unwrap_or(0), keep, fail_on_anomaly };
                follow.run(&model, common.talk())
            }
            model if self.follow => Err(not_of_points("to follow", model)),
            Model::Images(model) => self.score_images(&model, &targets, common),
            _ if self.heatmaps.is_some() => {
                let message = "expected a model of images, got one of tables or series";
                Err(Error::recipe("--heatmaps", message).into())
            }
            Model::Series(model) if self.events => self.score_events(&model, common.talk()),
            model if self.events => Err(not_of_points("for events", model)),
            model => self.score_rows(model.into_tabular()?.as_ref(), common.talk()),
        }
    }

    fn score_rows(self, model: &dyn TabularModel, talk: Talk) -> Result<Outcome, Failure> {
        let source = self.input.table()?;
        let mut keep = Keep::new(self.keep, &SCORE_COLUMNS)?;
        keep.add(model.index_columns());
        let writer = self.output.writer()?;
        let mut tally = Tally::default();
        pipeline::transform(&source, keep.wanted(model.schema()), Portion::of(model), writer, |table| {
            let (scores, reasons) = match self.explain {
                Some(k) => {
                    let explained = model.explain(table, k)?;
                    (explained.scores, reason_texts(&explained.reasons, k))
                }
                None => (model.score(table)?, Vec::new()),
            };
            tally.add(&scores);
            let mut columns = scores.columns(table.first_row(), model.recipe().data.kind());
            columns.extend(keep.columns(table)?);
            columns.extend(reasons);
            Ok(batch(columns))
        })?;
        tally.tell(talk);
        Ok(if self.fail_on_anomaly && tally.anomalies > 0 { Outcome::AnomaliesFound } else { Outcome::Done })
    }

    fn score_images(&self, model: &ImageModel, targets: &Targets, common: &Common) -> Result<Outcome, Failure> {
        let given =
            [("--explain", self.explain.is_some()), ("--keep", !self.keep.is_empty()), ("--events", self.events)];
        if let Some((flag, _)) = given.into_iter().find(|(_, given)| *given) {
            return Err(Error::recipe(flag, "expected a model of tables or series, got one of images").into());
        }
        let inputs = self.input.inputs();
        let heatmaps = self.heatmaps.as_deref().map(|path| Folder::new(path, "--heatmaps", targets)).transpose()?;
        let (outcome, anomalies) = images::score(model, (inputs, self.resize), heatmaps, self.output.writer()?, common)?;
        Ok(if self.fail_on_anomaly && anomalies > 0 { Outcome::AnomaliesFound } else { outcome })
    }

    fn score_events(&self, model: &SeriesModel, talk: Talk) -> Result<Outcome, Failure> {
        let source = self.input.table()?;
        let mut n = 0;
        let has_id = model.id_column().is_some();
        let writer = self.output.writer()?;
        pipeline::transform(&source, Some(model.schema()), Portion::Whole, writer, |table| {
            let events = model.events(table)?;
            n = events.len() as u64;
            Ok(event_rows(&events, has_id))
        })?;
        talk.line(count(n, "event"));
        Ok(if self.fail_on_anomaly && n > 0 { Outcome::AnomaliesFound } else { Outcome::Done })
    }
}

/// The model with the threshold rule replaced, if one is given.
pub(super) fn with_threshold(model: Model, rule: Option<&str>) -> Result<Model, Failure> {
    Ok(match rule {
        Some(rule) => model.with_threshold(&rule.parse()?)?,
        None => model,
    })
}

/// The error for models other than those of series in the long layout; `what` says what needs one.
fn not_of_points(what: &str, model: Model) -> Failure {
    if let Err(error) = model.with_decoder().and_then(|model| match model {
        Model::Restorer(_) => model.into_tabular().map(drop),
        _ => Ok(()),
    }) {
        return error.into();
    }
    let error = Error::mismatch(format!("expected a model of series in the long layout {what}, got another"));
    error.with_hint("fit a model of series: narrows fit DATA --kind series").into()
}
