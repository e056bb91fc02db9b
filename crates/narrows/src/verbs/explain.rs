//! `narrows explain`: contributions of columns to the score of one row, as signed bars.

use clap::Args as ClapArgs;
use narrows_core::detect::{Direction, Reason};
use narrows_core::error::Place;
use narrows_core::{Error, Model};
use serde::Serialize;

use super::score::with_threshold;
use crate::failure::{Failure, Outcome};
use crate::flags::{Common, ModelArg};
use crate::input::InputArgs;
use crate::output;
use crate::pipeline::{self, Flow, Portion};
use crate::talk::{Ink, count};

/// Explain the score of one row: expected and actual values of the top contributing columns
///
/// A bar to the right means above the expected value, to the left below; its length is the column's share of the score.
#[derive(Debug, ClapArgs)]
#[command(before_help = "Example: narrows explain m.narrows new.csv --row 17")]
pub(crate) struct Explain {
    #[command(flatten)]
    model: ModelArg,
    #[command(flatten)]
    input: InputArgs,
    /// Row number, counted from 0 over all input rows, as in the column `row` written by `narrows score`
    #[arg(long, value_name = "N")]
    row: u64,
    /// Maximum number of columns to show
    #[arg(long, value_name = "K", default_value_t = 8)]
    top: usize,
    /// Override the model's threshold rule, such as quantile=0.99 or fixed=3.2
    #[arg(long, value_name = "RULE")]
    threshold: Option<String>,
}

/// Output of `--json`.
#[derive(Debug, Serialize)]
struct Explanation {
    row: u64,
    score: f64,
    p_value: f64,
    is_anomaly: bool,
    threshold: f64,
    /// Series only: flag of the point, such as why it has no score.
    #[serde(skip_serializing_if = "Option::is_none")]
    flag: Option<&'static str>,
    reasons: Vec<Reason>,
}

impl Explain {
    pub(crate) fn run(self, common: &Common) -> Result<Outcome, Failure> {
        let model = with_threshold(self.model.load(common)?, self.threshold.as_deref())?;
        if matches!(model, Model::Images(_)) {
            let error = Error::mismatch("expected a model of tables or series, got one of images");
            return Err(error.with_hint("narrows score --heatmaps shows the anomalous regions of an image").into());
        }
        let model = model.into_tabular()?;
        let source = self.input.table()?;
        let (mut found, mut rows) = (None, 0);
        pipeline::read(&source, Some(model.schema()), Portion::of(model.as_ref()), |table| {
            rows = table.first_row() + table.n_rows() as u64;
            if self.row >= rows {
                return Ok(Flow::More);
            }
            let place = (self.row - table.first_row()) as usize;
            // Independent rows are explained without the others.
            let (table, i) =
                if model.rows_are_independent() { (table.slice(place, 1), 0) } else { (table.clone(), place) };
            let explained = model.explain(&table, self.top)?;
            found = Some(Explanation {
                row: self.row,
                score: explained.scores.score[i],
                p_value: explained.scores.p_value[i],
                is_anomaly: explained.scores.is_anomaly[i],
                threshold: model.threshold(),
                flag: explained.scores.flag[i].word(),
                reasons: explained.reasons.into_iter().nth(i).unwrap_or_default(),
            });
            Ok(Flow::Enough)
        })?;
        let explanation = found.ok_or_else(|| {
            let message = format!("expected a row below {rows}, got {}", self.row);
            Error::data(Place::source(self.input.name()), message)
                .with_hint("rows are counted from 0, excluding the header")
        })?;
        if common.json {
            output::print_json(&explanation)?;
        } else {
            output::print(&for_people(&explanation, Ink::for_stdout()))?;
        }
        Ok(Outcome::Done)
    }
}

/// Cells on each side of the axis.
const SIDE: usize = 14;

fn for_people(explanation: &Explanation, ink: Ink) -> String {
    let e = explanation;
    if e.score.is_nan() {
        return format!("row {}: no score: {}", e.row, e.flag.unwrap_or("unknown reason"));
    }
    let verdict = if e.is_anomaly { ink.paint(31, "an anomaly") } else { ink.paint(32, "no anomaly") };
    let mut lines = vec![
        format!(
            "row {}: score {:.4}, threshold {:.4}, p-value {:.4}: {verdict}",
            e.row, e.score, e.threshold, e.p_value
        ),
        String::new(),
    ];
    let widest = e.reasons.iter().map(|reason| reason.column.chars().count()).max().unwrap_or(0);
    for reason in &e.reasons {
        let name = format!("{:<widest$}", reason.column);
        lines.push(format!("  {name} {} {:>4}  {}", bar(reason, ink), share(reason.share), told(reason)));
    }
    if e.reasons.is_empty() {
        lines.push("  no contributing columns".to_owned());
    } else {
        let rest = (1.0 - e.reasons.iter().map(|reason| reason.share).sum::<f64>()).max(0.0);
        if rest >= 0.005 {
            lines.push(format!(
                "  {:<widest$} {:width$} {:>4}  beyond {}",
                "",
                "",
                share(rest),
                count(e.reasons.len() as u64, "column"),
                width = 2 * SIDE + 1
            ));
        }
    }
    lines.join("\n")
}

fn told(reason: &Reason) -> String {
    let about = if reason.direction == Direction::Other { "" } else { "about " };
    format!("expected {about}{}, got {}", reason.expected, reason.got)
}

fn share(share: f64) -> String {
    format!("{:.0} %", 100.0 * share)
}

/// A bar from the axis: right for above, left for below, both sides if there is no direction.
fn bar(reason: &Reason, ink: Ink) -> String {
    let full = blocks(reason.share);
    let middle = "│";
    match reason.direction {
        Direction::Above => format!("{:SIDE$}{middle}{}", "", ink.paint(31, &padded(&full.join("")))),
        Direction::Below => {
            // Block characters fill from the left, so a left bar is drawn in whole cells.
            let cells = (reason.share * SIDE as f64).round().max(1.0) as usize;
            format!(
                "{}{}{middle}{:SIDE$}",
                " ".repeat(SIDE - cells.min(SIDE)),
                ink.paint(34, &"█".repeat(cells.min(SIDE))),
                ""
            )
        }
        Direction::Other => {
            let cells = (reason.share * SIDE as f64).round().max(1.0) as usize;
            let cells = cells.min(SIDE);
            let half = "▒".repeat(cells);
            format!(
                "{}{}{middle}{}{}",
                " ".repeat(SIDE - cells),
                ink.paint(35, &half),
                ink.paint(35, &half),
                " ".repeat(SIDE - cells)
            )
        }
    }
}

/// A share as block characters, in eighths of a cell.
fn blocks(share: f64) -> Vec<&'static str> {
    const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    let eighths = ((share.clamp(0.0, 1.0) * (8 * SIDE) as f64).round() as usize).max(1);
    let mut cells = vec!["█"; eighths / 8];
    cells.push(EIGHTHS[eighths % 8]);
    cells
}

fn padded(text: &str) -> String {
    format!("{text:<SIDE$}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn explanation(reasons: Vec<Reason>) -> Explanation {
        Explanation { row: 17, score: 12.5, p_value: 0.001, is_anomaly: true, threshold: 3.2, flag: None, reasons }
    }

    #[test]
    fn bars_point_to_the_side_of_the_surprise() {
        let reasons = vec![
            Reason::number("amount", 0.5, 41.2, 980.0),
            Reason::number("age", 0.25, 40.0, 3.0),
            Reason::category("country", 0.2, "DE", "US"),
        ];
        let expected = "row 17: score 12.5000, threshold 3.2000, p-value 0.0010: an anomaly\n\n  \
                        amount                │███████        50 %  expected about 41.20, got 980.00\n  \
                        age               ████│               25 %  expected about 40, got 3\n  \
                        country            ▒▒▒│▒▒▒            20 %  expected DE, got US\n                                         5 %  beyond 3 columns";
        assert_eq!(for_people(&explanation(reasons), Ink::Plain), expected);
    }

    #[test]
    fn a_row_without_surprises_says_so() {
        assert!(for_people(&explanation(Vec::new()), Ink::Plain).contains("no contributing columns"));
    }
}
