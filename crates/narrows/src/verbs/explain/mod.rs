//! `narrows explain`: contributions of columns to the scores of some rows, as signed bars.

mod bars;
mod identifier;
mod row_set;

use std::collections::BTreeMap;

use clap::Args as ClapArgs;
use narrows_core::data::Table;
use narrows_core::detect::Reason;
use narrows_core::error::Place;
use narrows_core::{Error, Model, TabularModel};
use serde::Serialize;

use self::identifier::Identifiers;
use self::row_set::RowSet;
use super::score::with_threshold;
use crate::failure::{Failure, Outcome};
use crate::flags::{Common, ModelArg};
use crate::input::InputArgs;
use crate::output;
use crate::pipeline::{self, Flow, Portion};
use crate::talk::Ink;
use crate::targets::Targets;

/// Rows that are explained if none are asked for.
const WORST: usize = 3;

/// Explain the scores of rows: expected and actual values of the top contributing columns
///
/// Without --row and --id, the rows with the highest scores are explained. A bar to the right means above the expected
/// value, to the left below; its length is the column's share of the distance.
#[derive(Debug, ClapArgs)]
#[command(
    before_help = "Example: narrows explain m.narrows new.csv --row 17",
    before_long_help = "Examples:\n  narrows explain m.narrows new.csv\n  narrows explain m.narrows new.csv --row 3,17,40-42\n  \
                        narrows explain m.narrows new.csv --id A-1077\n  narrows explain pump.narrows new.csv --id pump-3 --worst 5"
)]
pub(crate) struct Explain {
    #[command(flatten)]
    model: ModelArg,
    #[command(flatten)]
    input: InputArgs,
    /// Row numbers such as 17 or 3,17,40-42, counted from 0 over all input rows, as in the column `row` written by
    /// `narrows score`
    #[arg(long, value_name = "N,..", conflicts_with_all = ["id", "worst"])]
    row: Option<RowSet>,
    /// Rows with this value in the column that names the series, or that identifies rows; `COLUMN=VALUE` for another
    /// column. Of a series, the worst points are explained. May be repeated
    #[arg(long, value_name = "VALUE")]
    id: Vec<String>,
    /// The N rows with the highest scores
    #[arg(long, value_name = "N")]
    worst: Option<usize>,
    /// Maximum number of columns to show
    #[arg(long, visible_alias = "reasons", value_name = "K", default_value_t = 8)]
    top: usize,
    /// Override the model's threshold rule, such as quantile=0.99 or fixed=3.2
    #[arg(long, value_name = "RULE")]
    threshold: Option<String>,
}

/// A row of `--json`.
#[derive(Debug, Serialize)]
struct Explanation {
    row: u64,
    /// Cells of the columns that identify the row.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    index: BTreeMap<String, String>,
    score: f64,
    p_value: f64,
    is_anomaly: bool,
    threshold: f64,
    /// Series only: flag of the point, such as why it has no score.
    #[serde(skip_serializing_if = "Option::is_none")]
    flag: Option<&'static str>,
    reasons: Vec<Reason>,
}

/// Output of `--json` for several rows.
#[derive(Debug, Serialize)]
struct Explanations<'a> {
    rows: &'a [Explanation],
}

impl Explain {
    pub(crate) fn run(self, common: &Common) -> Result<Outcome, Failure> {
        Targets::default().reads(self.input.inputs()).check_redirection("stdout")?;
        let model = with_threshold(self.model.load(common)?, self.threshold.as_deref())?;
        if matches!(model, Model::Images(_)) {
            let error = Error::mismatch("expected a model of tables or series, got one of images");
            return Err(error.with_hint("narrows score --heatmaps shows the anomalous regions of an image").into());
        }
        let model = model.into_tabular()?;
        let single = self.row.as_ref().and_then(RowSet::single).is_some();
        let explained = self.explain(model.as_ref())?;
        if !common.json {
            let ink = Ink::for_stdout();
            let texts: Vec<String> = explained.iter().map(|row| bars::for_people(row, ink)).collect();
            output::print(&texts.join("\n\n"))?;
        } else if let (true, [row]) = (single, explained.as_slice()) {
            output::print_json(row)?;
        } else {
            output::print_json(&Explanations { rows: &explained })?;
        }
        Ok(Outcome::Done)
    }

    fn explain(self, model: &dyn TabularModel) -> Result<Vec<Explanation>, Failure> {
        let source = self.input.table()?;
        let identifiers = (!self.id.is_empty()).then(|| Identifiers::new(model, self.id.clone()));
        // Of a series, which has many points, the worst are explained; rows that share an id are explained all.
        let worst = match (&self.row, self.worst) {
            (Some(_), _) => None,
            (None, None) if identifiers.is_some() && model.id_column().is_none() => None,
            (None, worst) => Some(worst.unwrap_or(WORST)),
        };
        let mut found = Found { model, top: self.top, worst, rows: Vec::new() };
        let mut rows = 0;
        // Identifiers are no columns of the model.
        let read = model.columns_read();
        let wanted = identifiers.is_none().then_some(&read);
        pipeline::read(&source, wanted, Portion::of(model), |table| {
            rows = table.row_numbers().last().map_or(rows, |last| last + 1);
            let candidates = match (&self.row, &identifiers) {
                (Some(asked), _) if table.is_sample() => {
                    let is_asked = |i: &u32| {
                        let row = table.row_number(*i as usize);
                        !asked.within(row, row + 1).is_empty()
                    };
                    (0..table.n_rows() as u32).filter(is_asked).collect()
                }
                (Some(asked), _) => asked.within(table.first_row(), rows),
                (None, Some(identifiers)) => identifiers.rows(table)?,
                (None, None) => (0..table.n_rows() as u32).collect(),
            };
            found.add(table, &candidates)?;
            let is_done = self.row.as_ref().is_some_and(|asked| asked.last() < rows);
            Ok(if is_done { Flow::Enough } else { Flow::More })
        })?;
        if let Some(asked) = self.row.filter(|asked| asked.last() >= rows) {
            let message = format!("expected a row below {rows}, got {}", asked.last());
            let error = Error::data(Place::source(self.input.name()), message);
            return Err(error.with_hint("rows are counted from 0, excluding the header").into());
        }
        if let Some(identifiers) = identifiers.filter(|_| found.rows.is_empty()) {
            return Err(identifiers.none_found(&self.input.name()).into());
        }
        Ok(found.rows)
    }
}

/// The rows that are explained.
struct Found<'a> {
    model: &'a dyn TabularModel,
    /// Maximum number of reasons.
    top: usize,
    /// The number of rows with the highest scores; all candidates without it.
    worst: Option<usize>,
    rows: Vec<Explanation>,
}

impl Found<'_> {
    /// Explains candidates of a table.
    fn add(&mut self, table: &Table, candidates: &[u32]) -> Result<(), Failure> {
        if candidates.is_empty() {
            return Ok(());
        }
        if !self.model.rows_are_independent() {
            return self.explain(table, candidates, candidates);
        }
        // Independent rows are explained without the others.
        let mut chosen = candidates.to_vec();
        if let Some(n) = self.worst {
            let score = self.model.score(&table.take(candidates))?.score;
            let mut order: Vec<usize> = (0..candidates.len()).collect();
            order.sort_by(|a, b| falling(score[*a], score[*b]));
            order.truncate(n);
            chosen = order.into_iter().map(|i| candidates[i]).collect();
        }
        let places: Vec<u32> = (0..chosen.len() as u32).collect();
        self.explain(&table.take(&chosen), &places, &chosen)
    }

    /// Explains the rows at `places` of a table, which are `rows` of the one that was read.
    fn explain(&mut self, table: &Table, places: &[u32], rows: &[u32]) -> Result<(), Failure> {
        let explained = self.model.explain(table, self.top)?;
        let mut names = self.model.index_columns();
        names.extend(identifier::columns_of(self.model).into_iter().filter(|name| table.column(name).is_some()));
        names.dedup();
        let index: Vec<(String, Vec<Option<String>>)> =
            names.into_iter().map(|name| (name.clone(), identifier::cells(table, &name))).collect();
        for (place, row) in places.iter().zip(rows) {
            let i = *place as usize;
            self.rows.push(Explanation {
                row: if table.is_sample() { table.row_number(i) } else { table.first_row() + u64::from(*row) },
                index: index.iter().filter_map(|(name, cells)| Some((name.clone(), cells[i].clone()?))).collect(),
                score: explained.scores.score[i],
                p_value: explained.scores.p_value[i],
                is_anomaly: explained.scores.is_anomaly[i],
                threshold: self.model.threshold(),
                flag: explained.scores.flag[i].word(),
                reasons: explained.reasons.get(i).cloned().unwrap_or_default(),
            });
        }
        if let Some(n) = self.worst {
            self.rows.sort_by(|a, b| falling(a.score, b.score));
            self.rows.truncate(n);
        }
        Ok(())
    }
}

/// By falling score; what has none comes last.
fn falling(a: f64, b: f64) -> std::cmp::Ordering {
    let known = |score: f64| if score.is_nan() { f64::NEG_INFINITY } else { score };
    known(b).total_cmp(&known(a))
}
