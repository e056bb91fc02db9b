//! `narrows score`: how unusual every row is.

use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, Float64Array, RecordBatch, StringArray, UInt64Array};
use clap::Args as ClapArgs;
use narrows::data::{Schema, Table};
use narrows::detect::Reason;
use narrows::{Error, Fitted, Scores};

use crate::args::{Common, ModelArg};
use crate::failure::{Failure, Outcome};
use crate::input::InputArgs;
use crate::output::OutputArgs;
use crate::pipeline;
use crate::talk::{Talk, count, grouped};

/// Score rows: how unusual each of them is, and whether it is an anomaly
///
/// Writes row,score,p_value,is_anomaly for every row, in input order; rows are counted from 0. Memory does not grow with
/// the number of rows. An output file that exists is replaced, at the end and at once.
#[derive(Debug, ClapArgs)]
#[command(
    before_help = "Example: narrows score m.narrows new.csv -o scores.csv --explain 3",
    before_long_help = "Examples:\n  narrows score m.narrows new.csv -o scores.csv --explain 3\n  \
                        zcat new.csv.gz | narrows score m.narrows - --keep id --format ndjson"
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
    /// Exit with 10 where there are anomalies
    #[arg(long)]
    fail_on_anomaly: bool,
}

impl Score {
    pub(crate) fn run(self, common: &Common) -> Result<Outcome, Failure> {
        let fitted = with_threshold(self.model.load()?, self.threshold.as_deref())?;
        let threads = common.threads()?;
        let source = self.input.source()?;
        let keep = Keep::new(self.keep, &["row", "score", "p_value", "is_anomaly"])?;
        let writer = self.output.writer()?;
        let mut tally = Tally::default();
        pipeline::transform(&source, keep.wanted(&fitted), writer, |table| {
            let (scores, reasons) = match self.explain {
                Some(k) => {
                    let explained = fitted.explain(table, k, &threads)?;
                    (explained.scores, Some((k, explained.reasons)))
                }
                None => (fitted.score(table, &threads)?, None),
            };
            tally.add(&scores);
            let mut columns = columns_of(table, scores);
            columns.extend(keep.columns(table)?);
            if let Some((k, reasons)) = reasons {
                columns.extend((0..k).map(|i| (format!("reason_{}", i + 1), nth_reasons(&reasons, i))));
            }
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

    /// What must be read: the model's columns, or all where others are kept.
    pub(super) fn wanted<'a>(&self, fitted: &'a Fitted) -> Option<&'a Schema> {
        self.0.is_empty().then(|| fitted.schema())
    }

    /// The kept columns of a table.
    pub(super) fn columns(&self, table: &Table) -> Result<Vec<(String, ArrayRef)>, Failure> {
        self.0.iter().map(|name| Ok((name.clone(), table.expect_column(name)?.clone()))).collect()
    }
}

/// A batch of columns of equal length.
pub(super) fn batch(columns: Vec<(String, ArrayRef)>) -> RecordBatch {
    // Nullable whatever the first batch holds: a later one may have missing cells.
    RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, array)| (name, array, true)))
        .expect("a table has columns of equal length")
}

fn columns_of(table: &Table, scores: Scores) -> Vec<(String, ArrayRef)> {
    let rows = table.first_row()..table.first_row() + table.n_rows() as u64;
    let columns: [(&str, ArrayRef); 4] = [
        ("row", Arc::new(UInt64Array::from_iter_values(rows))),
        ("score", Arc::new(Float64Array::from(scores.score))),
        ("p_value", Arc::new(Float64Array::from(scores.p_value))),
        ("is_anomaly", Arc::new(BooleanArray::from(scores.is_anomaly))),
    ];
    columns.into_iter().map(|(name, array)| (name.to_owned(), array)).collect()
}

fn nth_reasons(reasons: &[Vec<Reason>], i: usize) -> ArrayRef {
    Arc::new(reasons.iter().map(|row| row.get(i).map(Reason::to_string)).collect::<StringArray>())
}

/// What went by, for the closing line.
#[derive(Debug, Default)]
struct Tally {
    rows: u64,
    anomalies: u64,
    missing: u64,
    clipped: u64,
    unseen_levels: u64,
    extra_columns: Vec<String>,
}

impl Tally {
    fn add(&mut self, scores: &Scores) {
        self.rows += scores.score.len() as u64;
        self.anomalies += scores.is_anomaly.iter().filter(|flag| **flag).count() as u64;
        self.missing += scores.counts.missing;
        self.clipped += scores.counts.clipped;
        self.unseen_levels += scores.counts.unseen_levels;
        if self.extra_columns.is_empty() {
            self.extra_columns.clone_from(&scores.counts.extra_columns);
        }
    }

    fn tell(&self, talk: Talk) {
        let share = 100.0 * self.anomalies as f64 / self.rows.max(1) as f64;
        let mut text =
            format!("{} scored, {} anomalous ({share:.2} %)", count(self.rows, "row"), grouped(self.anomalies));
        for (n, what) in [
            (self.missing, "missing cell"),
            (self.clipped, "extreme value clipped"),
            (self.unseen_levels, "unseen category value"),
        ] {
            if n > 0 {
                text.push_str(&format!(
                    "; {} {what}{}",
                    grouped(n),
                    if n > 1 && !what.ends_with("clipped") { "s" } else { "" }
                ));
            }
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

    #[test]
    fn reasons_that_a_row_lacks_are_missing() {
        use arrow::array::Array;
        let reasons = vec![vec![Reason::number("a", 1.0, 1.0, 2.0)], vec![]];
        let first = nth_reasons(&reasons, 0);
        assert!(first.is_valid(0) && first.is_null(1));
        assert_eq!(nth_reasons(&reasons, 1).null_count(), 2);
    }
}
