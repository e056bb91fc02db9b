//! `narrows score`: anomaly scores of rows, points and images.

mod heat_maps;
mod images;
mod keep;
mod row_scorer;
mod stream;
mod tally;
mod watch;
mod writer;

pub(super) use keep::Keep;

use std::path::PathBuf;

use arrow::array::RecordBatch;
use clap::Args as ClapArgs;
use clap::builder::PossibleValuesParser;
use narrows_core::data::Table;
use narrows_core::output::batch;
use narrows_core::score_table::{ReasonForm, RowSelection, RowSelector, SCORE_COLUMNS, ScoreOrder, event_rows};
use narrows_core::{Error, ImageModel, Model, Scores, SeriesModel, TabularModel};
use serde::Serialize;

use self::heat_maps::HeatMapFormat;
use self::stream::{Follow, StreamReasons};
use self::tally::Tally;
use self::watch::WatchArgs;
use self::writer::{ReasonsAsked, ScoreWriter};
use crate::failure::{Failure, Outcome};
use crate::flags::{Common, ModelArg, ResizeArg};
use crate::images::Folder;
use crate::input::InputArgs;
use crate::output::OutputArgs;
use crate::pipeline::{self, BatchWriter, Flow, Portion};
use crate::shards::{ShardArg, ShardTask};
use crate::talk::count;
use crate::targets::Targets;

/// Compute anomaly scores of rows, points in time or images
///
/// Writes row,score,p_value,is_anomaly for every row, in input order; rows are counted from 0. Memory does not grow
/// with the number of rows.
#[derive(Debug, ClapArgs)]
#[command(
    before_help = "Example: narrows score m.narrows new.csv -o scores.csv --explain 3",
    before_long_help = "Examples:\n  narrows score m.narrows new.csv -o scores.csv --explain 3\n  \
                        narrows score m.narrows new.csv --top 20 --explain 2\n  \
                        narrows score m.narrows big/ --where \"country = 'DE'\" --shard 3/16 -o scores/\n  \
                        zcat new.csv.gz | narrows score m.narrows - --keep id --format ndjson\n  \
                        tail -f sensors.csv | narrows score pump.narrows - --follow --history yesterday.csv\n  \
                        tail -f sensors.csv | narrows score pump.narrows - --follow --report-every 10000 --alarm-drift 0.01"
)]
pub(crate) struct Score {
    #[command(flatten)]
    model: ModelArg,
    #[command(flatten)]
    input: InputArgs,
    #[command(flatten)]
    output: OutputArgs,
    /// Add the top K contributing columns of each row's score, as reason_1 to reason_K
    #[arg(long, alias = "reasons", value_name = "K")]
    explain: Option<usize>,
    /// Form of the reasons: `text`, a sentence in each column; `columns`, with the column's name, the expected and the
    /// actual value and the share in columns of their own; `objects`, a list of these, for NDJSON, Parquet
    /// and Arrow
    #[arg(long, value_name = "FORM", requires = "explain", value_parser = PossibleValuesParser::new(ReasonForm::ALL.map(ReasonForm::name)))]
    reason_form: Option<String>,
    /// Write only the N highest scores, highest first
    #[arg(long, value_name = "N", conflicts_with_all = ["follow", "shard"])]
    top: Option<usize>,
    /// Write highest scores first; all scores are then held in memory
    #[arg(long, conflicts_with_all = ["follow", "shard"])]
    sort: bool,
    /// Write only anomalies
    #[arg(long)]
    only_anomalies: bool,
    /// Copy these input columns to the output, given by name or by pattern such as `x*`
    #[arg(long, value_name = "COLUMN,..", value_delimiter = ',')]
    keep: Vec<String>,
    /// Override the model's threshold rule, such as quantile=0.99 or fixed=3.2
    #[arg(long, value_name = "RULE")]
    threshold: Option<String>,
    /// Series only: write events (runs of consecutive anomalies) instead of points, with start, end, peak and top
    /// contributing channels
    #[arg(long, conflicts_with_all = ["explain", "keep", "shard"])]
    events: bool,
    /// Tables and series: score each row as it arrives: read NDJSON, or CSV with a header, and write one line per row,
    /// NDJSON by default
    ///
    /// A point of a series is scored by the window that ends at it; points before the first full window of a series have
    /// no score. Times must increase within a series; series may be interleaved. Invalid lines are reported on stderr and
    /// skipped, and the exit code is then 5. FILE is truncated at the start and flushed after every row. Memory grows
    /// only with the number of series. Reasons of points are limited to the top three contributing channels.
    #[arg(long, conflicts_with_all = ["events", "shard"])]
    follow: bool,
    /// Series only: rows that come before the stream, so that its first points have a full window
    #[arg(long, value_name = "FILE", requires = "follow")]
    history: Option<PathBuf>,
    #[command(flatten)]
    watch: WatchArgs,
    /// Images only: write a heat map of each image to this folder: where it differs from the training images
    #[arg(long, value_name = "FOLDER")]
    heatmaps: Option<PathBuf>,
    /// What heat maps are written as
    #[arg(long, value_enum, value_name = "FORMAT", requires = "heatmaps", default_value_t)]
    heatmap_format: HeatMapFormat,
    #[command(flatten)]
    resize: ResizeArg,
    #[command(flatten)]
    shard: ShardArg,
    /// Exit with code 10 if there are anomalies
    #[arg(long)]
    fail_on_anomaly: bool,
}

impl Score {
    pub(crate) fn run(self, common: &Common) -> Result<Outcome, Failure> {
        let targets = self.output.targets().reads([&self.model.path]).reads(self.input.inputs());
        let targets = targets.reads(&self.history);
        targets.check()?;
        let model = with_threshold(self.model.load(common)?, self.threshold.as_deref())?;
        match model {
            Model::Images(_) if self.shard.is_given() => self.shard.refuse("images").map(|()| Outcome::Done),
            Model::Series(_) | Model::Table(_) if self.follow => self.follow(model, common),
            model if self.follow => Err(not_of_points("to follow", model)),
            Model::Images(model) => self.score_images(&model, &targets, common),
            _ if self.heatmaps.is_some() => {
                let message = "expected a model of images, got one of tables or series";
                Err(Error::recipe("--heatmaps", message).into())
            }
            Model::Series(model) if self.events => self.score_events(&model, common),
            model if self.events => Err(not_of_points("for events", model)),
            model => self.score_rows(model.into_tabular()?.as_ref(), common),
        }
    }

    fn follow(self, model: Model, common: &Common) -> Result<Outcome, Failure> {
        let format = self.output.row_format()?;
        let asked = ReasonsAsked { form: self.reason_form.as_deref(), format, in_document: false };
        let reasons = StreamReasons { most: self.explain.unwrap_or(0), forms: asked.forms()? };
        let Score { input, output, keep, only_anomalies, history, fail_on_anomaly, watch, .. } = self;
        let follow = Follow { input, output, reasons, keep, only_anomalies, history, fail_on_anomaly, watch };
        follow.run(model, common.talk())
    }

    fn score_rows(self, model: &dyn TabularModel, common: &Common) -> Result<Outcome, Failure> {
        let source = self.input.table()?;
        let parts = self.shard.folder(&self.output, &source, &self.task(model))?;
        if let Some(parts) = &parts
            && parts.is_done(&self.output, common.talk())?
        {
            return Ok(Outcome::Done);
        }
        let source = self.shard.of(source);
        let output = parts.as_ref().map_or_else(|| self.output.clone(), |parts| self.output.to_file(parts.part()));
        let mut selector = RowSelector::new(self.selection());
        let in_document = common.json && output.file().is_none();
        let format = output.table_format()?;
        let forms = ReasonsAsked { form: self.reason_form.as_deref(), format, in_document }.forms()?;
        let mut keep = Keep::new(self.keep, &SCORE_COLUMNS)?;
        keep.add(model.index_columns());
        let read = model.columns_read();
        let writer = ScoreWriter::open(&output, common)?;
        let mut tally = Tally::of(model.recipe().data.kind());
        let score = |table: &Table| -> Result<(Scores, RecordBatch), Failure> {
            let (scores, reasons) = match self.explain {
                Some(k) => {
                    let explained = model.explain(table, k)?;
                    let columns = forms.iter().flat_map(|form| form.columns(&explained.reasons, k)).collect();
                    (explained.scores, columns)
                }
                None => (model.score(table)?, Vec::new()),
            };
            let mut columns = scores.columns_for(table, model.recipe().data.kind());
            columns.extend(keep.columns(table)?);
            columns.extend(reasons);
            Ok((scores, batch(columns)))
        };
        let writer = pipeline::write_while(writer, |send| {
            pipeline::read(&source, keep.wanted(&read), Portion::of(model), |table| {
                let (scores, rows) = score(table)?;
                tally.add(&scores);
                let is_open = selector.add(rows).is_none_or(send);
                Ok(if is_open { Flow::More } else { Flow::Enough })
            })?;
            if parts.is_some() && tally.rows == 0 {
                let (_, rows) = score(&pipeline::first_row(&source, keep.wanted(&read))?)?;
                selector.add(rows.slice(0, 0)).map(send);
            }
            selector.finish().map(send);
            Ok(())
        })?;
        tally.tell(common.talk());
        writer.finish(&tally, &tally.warnings(), &output, common)?;
        parts.map_or(Ok(()), |parts| parts.finish())?;
        Ok(if self.fail_on_anomaly && tally.anomalies > 0 { Outcome::AnomaliesFound } else { Outcome::Done })
    }

    /// What decides the scores of a shard.
    fn task(&self, model: &dyn TabularModel) -> ShardTask<'_> {
        let Score { explain, reason_form, only_anomalies, keep, threshold, .. } = self;
        ShardTask {
            verb: "score",
            model: &self.model.path,
            options: format!("{explain:?} {reason_form:?} {only_anomalies} {keep:?} {threshold:?}"),
            rows_are_independent: model.rows_are_independent(),
        }
    }

    fn selection(&self) -> RowSelection {
        let order = match self.top {
            Some(n) => ScoreOrder::Highest(n),
            None if self.sort => ScoreOrder::ByScore,
            None => ScoreOrder::Input,
        };
        RowSelection { only_anomalies: self.only_anomalies, order }
    }

    fn score_images(&self, model: &ImageModel, targets: &Targets, common: &Common) -> Result<Outcome, Failure> {
        let given =
            [("--explain", self.explain.is_some()), ("--keep", !self.keep.is_empty()), ("--events", self.events)];
        if let Some((flag, _)) = given.into_iter().find(|(_, given)| *given) {
            return Err(Error::recipe(flag, "expected a model of tables or series, got one of images").into());
        }
        self.input.check_images()?;
        let inputs = self.input.inputs();
        let folder = self.heatmaps.as_deref().map(|path| Folder::new(path, "--heatmaps", targets)).transpose()?;
        let heatmaps = folder.map(|folder| (folder, self.heatmap_format));
        let mut writer = ScoreWriter::open(&self.output, common)?;
        let mut selector = RowSelector::new(self.selection());
        let found = images::score(model, (inputs, self.resize), heatmaps, common, |batch| {
            selector.add(batch).map_or(Ok(()), |batch| writer.write(&batch))
        })?;
        if let Some(batch) = selector.finish() {
            writer.write(&batch)?;
        }
        writer.finish(&found, &found.warnings(), &self.output, common)?;
        let has_anomalies = self.fail_on_anomaly && found.anomalies > 0;
        Ok(if has_anomalies { Outcome::AnomaliesFound } else { crate::images::outcome(found.skipped) })
    }

    fn score_events(&self, model: &SeriesModel, common: &Common) -> Result<Outcome, Failure> {
        let source = self.input.table()?;
        let mut events = EventCounts { events: 0 };
        let has_id = model.id_column().is_some();
        let mut writer = ScoreWriter::open(&self.output, common)?;
        pipeline::read(&source, Some(&model.columns_read()), Portion::Whole, |table| {
            let found = model.events(table)?;
            events.events = found.len() as u64;
            let mut selector = RowSelector::new(self.selection());
            let batches = selector.add(event_rows(&found, has_id)).into_iter().chain(selector.finish());
            batches.into_iter().try_for_each(|batch| writer.write(&batch))?;
            Ok(Flow::Enough)
        })?;
        common.talk().line(count(events.events, "event"));
        writer.finish(&events, &[], &self.output, common)?;
        Ok(if self.fail_on_anomaly && events.events > 0 { Outcome::AnomaliesFound } else { Outcome::Done })
    }
}

/// The summary of `--events --json`.
#[derive(Debug, Serialize)]
struct EventCounts {
    events: u64,
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
