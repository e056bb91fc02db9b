//! `narrows score`: how unusual every row is.

use std::path::PathBuf;

use clap::Args as ClapArgs;
use narrows_core::data::{Schema, Source, Table};
use narrows_core::output::{Columns, batch};
use narrows_core::score_table::{SCORE_COLUMNS, event_rows, reason_texts};
use narrows_core::{Error, Fitted, ScoreCounts, Scores, Threads};

use super::images;
use super::stream::Follow;
use crate::args::{Common, ModelArg};
use crate::failure::{Failure, Outcome};
use crate::input::InputArgs;
use crate::output::OutputArgs;
use crate::pipeline::{self, Portion};
use crate::talk::{Talk, count, grouped};

/// Score rows: how unusual each of them is, and whether it is an anomaly
///
/// Writes row,score,p_value,is_anomaly for every row, in input order; rows are counted from 0. Memory does not grow with
/// the number of rows. An output file that exists is replaced, at the end and at once.
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
    /// Add the K columns most to blame for each row's score, as reason_1 to reason_K
    #[arg(long, value_name = "K")]
    explain: Option<usize>,
    /// Copy these columns of the input
    #[arg(long, value_name = "COLUMN,..", value_delimiter = ',')]
    keep: Vec<String>,
    /// Another rule for the threshold than the model's, such as quantile=0.99 or fixed=3.2
    #[arg(long, value_name = "RULE")]
    threshold: Option<String>,
    /// Of points in time: write stretches of anomalies instead of points, with start, end, peak and channels to blame
    #[arg(long, conflicts_with_all = ["explain", "keep"])]
    events: bool,
    /// Of points in time: score each as it comes, from lines of NDJSON, or of CSV where --input-format or the name says
    /// so, and write NDJSON, a line out for each line in
    ///
    /// A point is scored by the window that ends with it; the first of each series, until a window is full, have no score.
    /// Times must rise within a series, series may alternate. A bad line is told on stderr and left out, and the exit code
    /// is 5 at the end. FILE is emptied at the beginning and written as rows come. Memory grows with the number of series
    /// and with nothing else. Reasons are given for the three channels most to blame at most.
    #[arg(long, conflicts_with = "events")]
    follow: bool,
    /// Of images: write a heat map of each into this folder, as PNG: where it differs from what the model expects
    #[arg(long, value_name = "FOLDER")]
    heatmaps: Option<PathBuf>,
    /// Exit with 10 where there are anomalies
    #[arg(long)]
    fail_on_anomaly: bool,
}

impl Score {
    pub(crate) fn run(self, common: &Common) -> Result<Outcome, Failure> {
        let fitted = with_threshold(self.model.load()?, self.threshold.as_deref())?;
        if self.follow {
            let Score { input, output, explain, keep, fail_on_anomaly, .. } = self;
            let follow = Follow { input, output, reasons: explain.unwrap_or(0), keep, fail_on_anomaly };
            return follow.run(&fitted, common.talk());
        }
        if fitted.reads_images() {
            return self.score_images(&fitted, common);
        }
        if self.heatmaps.is_some() {
            let message = "expected a model of images, got one of tables or series";
            return Err(Error::recipe("--heatmaps", message).into());
        }
        let threads = common.threads()?;
        let source = self.input.table()?;
        if self.events {
            return self.score_events(&fitted, &source, &threads, common.talk());
        }
        let mut keep = Keep::new(self.keep, &SCORE_COLUMNS)?;
        keep.add(fitted.point_columns());
        let writer = self.output.writer()?;
        let mut tally = Tally::default();
        pipeline::transform(&source, keep.wanted(fitted.schema()), Portion::of(&fitted), writer, |table| {
            let (scores, reasons) = match self.explain {
                Some(k) => {
                    let explained = fitted.explain(table, k, &threads)?;
                    (explained.scores, reason_texts(&explained.reasons, k))
                }
                None => (fitted.score(table, &threads)?, Vec::new()),
            };
            tally.add(&scores);
            let mut columns = scores.columns(table.first_row(), fitted.recipe().data.kind());
            columns.extend(keep.columns(table)?);
            columns.extend(reasons);
            Ok(batch(columns))
        })?;
        tally.tell(common.talk());
        Ok(if self.fail_on_anomaly && tally.anomalies > 0 { Outcome::AnomaliesFound } else { Outcome::Done })
    }
}

/// The model, deciding by another rule where one is given.
pub(super) fn with_threshold(fitted: Fitted, rule: Option<&str>) -> Result<Fitted, Failure> {
    Ok(match rule {
        Some(rule) => fitted.with_threshold(&rule.parse()?)?,
        None => fitted,
    })
}

impl Score {
    fn score_images(&self, fitted: &Fitted, common: &Common) -> Result<Outcome, Failure> {
        let given =
            [("--explain", self.explain.is_some()), ("--keep", !self.keep.is_empty()), ("--events", self.events)];
        if let Some((flag, _)) = given.into_iter().find(|(_, given)| *given) {
            return Err(Error::recipe(flag, "expected a model of tables or series, got one of images").into());
        }
        let (inputs, heatmaps) = (self.input.inputs(), self.heatmaps.as_deref());
        let (outcome, anomalies) = images::score::score(fitted, inputs, heatmaps, self.output.writer()?, common)?;
        Ok(if self.fail_on_anomaly && anomalies > 0 { Outcome::AnomaliesFound } else { outcome })
    }

    fn score_events(
        &self,
        fitted: &Fitted,
        source: &Source,
        threads: &Threads,
        talk: Talk,
    ) -> Result<Outcome, Failure> {
        let mut n = 0;
        let has_id = fitted.id_column().is_some();
        let writer = self.output.writer()?;
        pipeline::transform(source, Some(fitted.schema()), Portion::Whole, writer, |table| {
            let events = fitted.events(table, threads)?;
            n = events.len() as u64;
            Ok(event_rows(&events, has_id))
        })?;
        talk.line(count(n, "event"));
        Ok(if self.fail_on_anomaly && n > 0 { Outcome::AnomaliesFound } else { Outcome::Done })
    }
}

/// Columns of the input that are copied to the output.
pub(super) struct Keep(Vec<String>);

impl Keep {
    /// Columns to copy beside those called `taken`.
    pub(super) fn new(names: Vec<String>, taken: &[&str]) -> Result<Keep, Failure> {
        match names.iter().find(|name| taken.contains(&name.as_str())) {
            Some(name) => Err(Error::recipe("--keep", format!("the output has a column `{name}` of its own")).into()),
            None => Ok(Keep(names)),
        }
    }

    /// Copies these too, before the others, unless they are asked for anyway.
    pub(super) fn add(&mut self, names: Vec<String>) {
        let missing: Vec<String> = names.into_iter().filter(|name| !self.0.contains(name)).collect();
        self.0.splice(0..0, missing);
    }

    /// Refuses to copy where the output has other rows than the input.
    pub(super) fn check_rows(&self, rows_stand_alone: bool) -> Result<(), Failure> {
        if self.0.is_empty() || rows_stand_alone {
            return Ok(());
        }
        Err(Error::recipe("--keep", "expected no columns to keep: the output has a row for each window of a series")
            .into())
    }

    /// What must be read: the model's columns, or all where others are kept.
    pub(super) fn wanted<'a>(&self, schema: &'a Schema) -> Option<&'a Schema> {
        self.0.iter().all(|name| schema.get(name).is_some()).then_some(schema)
    }

    /// The columns to copy.
    pub(super) fn names(&self) -> &[String] {
        &self.0
    }

    /// The kept columns of a table.
    pub(super) fn columns(&self, table: &Table) -> Result<Columns, Failure> {
        self.0.iter().map(|name| Ok((name.clone(), table.expect_column(name)?.clone()))).collect()
    }
}

/// What went by, for the closing line.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) rows: u64,
    pub(super) anomalies: u64,
    missing: u64,
    clipped: u64,
    unseen_levels: u64,
    extra_columns: Vec<String>,
    gaps: u64,
    gap_points: u64,
    unscored: u64,
    unknown_series: Vec<String>,
    pub(super) warming_up: u64,
    pub(super) bad_lines: u64,
}

impl Tally {
    fn add(&mut self, scores: &Scores) {
        self.anomalies += scores.is_anomaly.iter().filter(|flag| **flag).count() as u64;
        self.add_counts(&scores.counts);
    }

    pub(super) fn add_counts(&mut self, counts: &ScoreCounts) {
        self.rows += counts.rows;
        self.missing += counts.missing;
        self.clipped += counts.clipped;
        self.unseen_levels += counts.unseen_levels;
        self.gaps += counts.gaps;
        self.gap_points += counts.gap_points;
        self.unscored += counts.unscored;
        self.unknown_series.extend(counts.unknown_series.iter().cloned());
        if self.extra_columns.is_empty() {
            self.extra_columns.clone_from(&counts.extra_columns);
        }
    }

    pub(super) fn tell(&self, talk: Talk) {
        let share = 100.0 * self.anomalies as f64 / self.rows.max(1) as f64;
        let mut text =
            format!("{} scored, {} anomalous ({share:.2} %)", count(self.rows, "row"), grouped(self.anomalies));
        let told = [
            (self.missing, count(self.missing, "missing cell")),
            (self.clipped, format!("{} extreme values clipped", grouped(self.clipped))),
            (self.unseen_levels, count(self.unseen_levels, "unseen category value")),
            (
                self.gaps,
                format!("{} of {}, filled and not judged", count(self.gaps, "gap"), count(self.gap_points, "point")),
            ),
            (self.unscored, format!("{} without a score, see the column `flag`", count(self.unscored, "row"))),
            (self.warming_up, format!("{} warming up", count(self.warming_up, "row"))),
            (self.bad_lines, format!("{} left out", count(self.bad_lines, "bad line"))),
        ];
        told.iter().filter(|(n, _)| *n > 0).for_each(|(_, words)| text.push_str(&format!("; {words}")));
        if !self.unknown_series.is_empty() {
            text.push_str(&format!("; series without a scale of their own: {}", self.unknown_series.join(", ")));
        }
        if !self.extra_columns.is_empty() {
            text.push_str(&format!("; columns the model does not know are ignored: {}", self.extra_columns.join(", ")));
        }
        talk.line(text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kept_column_cannot_take_the_place_of_a_result() {
        assert!(Keep::new(vec!["score".to_owned()], &["row", "score"]).is_err());
        assert!(Keep::new(vec!["id".to_owned()], &["row", "score"]).is_ok());
    }
}
