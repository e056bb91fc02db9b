//! The rows of the training file that score highest, with the top contributing columns.

use askama::Template;

use super::number::{column, count, percent, probability};
use super::text::{DisplayName, cut};
use crate::detect::Direction;
use crate::report::{Report, TopRow};

/// Rows listed at most.
const ROWS_KEPT: usize = 100;
/// Reasons listed per row at most.
const REASONS_KEPT: usize = 6;

/// The section.
#[derive(Template)]
#[template(path = "report/anomalies.html", whitespace = "minimize")]
pub(super) struct AnomaliesSection {
    rows: Vec<AnomalyRow>,
    unlisted: usize,
    above: String,
}

/// A row of the table.
pub(super) struct AnomalyRow {
    pub(super) row: String,
    pub(super) score: String,
    pub(super) p_value: String,
    pub(super) is_anomaly: bool,
    pub(super) reasons: Vec<ReasonItem>,
}

pub(super) struct ReasonItem {
    pub(super) column: DisplayName,
    /// `expected about ` for numbers, `expected ` for categories, empty for what all training rows kept.
    pub(super) qualifier: &'static str,
    /// Whether it breaks an invariant, which has no share.
    pub(super) is_broken: bool,
    pub(super) expected: DisplayName,
    pub(super) got: DisplayName,
    pub(super) percent: String,
    /// Width of the bar, in percent.
    pub(super) width: f64,
}

impl AnomaliesSection {
    pub(super) fn new(report: &Report) -> AnomaliesSection {
        let top = &report.top[..report.top.len().min(ROWS_KEPT)];
        let above = top.iter().filter(|row| row.is_anomaly).count();
        AnomaliesSection {
            rows: rows(top),
            unlisted: report.top.len() - top.len(),
            above: match above {
                0 => "None of them is above the threshold.".to_owned(),
                _ if above == top.len() => "All of them are above the threshold.".to_owned(),
                1 => "One of them is above the threshold.".to_owned(),
                _ => format!("{} of them are above the threshold.", count(above as u64)),
            },
        }
    }
}

/// The rows of the table.
pub(super) fn rows(top: &[TopRow]) -> Vec<AnomalyRow> {
    let scores = column(&top.iter().map(|row| row.score).collect::<Vec<_>>());
    top.iter().zip(scores).map(|(row, score)| self::row(row, score)).collect()
}

fn row(row: &TopRow, score: String) -> AnomalyRow {
    let reasons = row.reasons.iter().take(REASONS_KEPT).map(|reason| {
        let share = reason.share;
        ReasonItem {
            column: DisplayName::new(&reason.column),
            qualifier: match reason.direction {
                Direction::Above | Direction::Below => "expected about ",
                Direction::Other => "expected ",
                Direction::Broken => "",
            },
            expected: DisplayName::new(&cut(&reason.expected, 200)),
            got: DisplayName::new(&cut(&reason.got, 200)),
            percent: percent(share),
            is_broken: reason.direction == Direction::Broken,
            width: if share.is_finite() { (share.clamp(0.0, 1.0) * 1000.0).round() / 10.0 } else { 0.0 },
        }
    });
    AnomalyRow {
        row: count(row.row),
        score,
        p_value: probability(row.p_value),
        is_anomaly: row.is_anomaly,
        reasons: reasons.collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    #[test]
    fn rows_name_their_top_contributing_columns() {
        let html = AnomaliesSection::new(&sample::report()).render().unwrap().replace('\u{a0}', " ");
        for words in ["amount", "expected about", "41.20", "980.00", "share 71 %", "above the threshold"] {
            assert!(html.contains(words), "`{words}` is missing");
        }
    }

    #[test]
    fn missing_rows_and_reasons_are_reported() {
        let mut report = sample::report();
        report.top[0].reasons.clear();
        assert!(AnomaliesSection::new(&report).render().unwrap().contains("no dominant column"));
        report.top.clear();
        assert!(AnomaliesSection::new(&report).render().unwrap().contains("No rows"));
    }
}
