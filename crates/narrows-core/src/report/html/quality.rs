//! How well each column of held-out rows is rebuilt: worst first, since an anomaly hides best where nothing was learned.

use askama::Template;

use super::label::Label;
use super::number::{count, counted, percent};
use crate::report::Report;

/// Columns drawn.
const COLUMNS_SHOWN: usize = 40;
/// Below this a column is flagged: less than half of it is rebuilt.
const WEAK: f64 = 0.5;

/// The section.
#[derive(Template)]
#[template(path = "report/quality.html", whitespace = "minimize")]
pub(super) struct Quality {
    columns: Vec<Column>,
    more: String,
    verdict: String,
    unmeasured: String,
}

struct Column {
    name: Label,
    rebuilt: Rebuilt,
}

/// A quality as a bar: its width, its number, and whether it is weak.
pub(super) struct Rebuilt {
    /// In percent of the bar, from 0 to 100.
    pub(super) width: f64,
    pub(super) percent: String,
    pub(super) weak: bool,
    /// Worse than answering with the mean.
    pub(super) worse_than_mean: bool,
}

impl Rebuilt {
    pub(super) fn new(quality: f64) -> Rebuilt {
        let width = if quality.is_nan() { 0.0 } else { (quality.clamp(0.0, 1.0) * 1000.0).round() / 10.0 };
        // A column may be arbitrarily worse than its mean; beyond twice as bad the number says nothing more.
        let percent = if quality < -1.0 { format!("< −{}", percent(1.0)) } else { percent(quality) };
        Rebuilt { width, percent, weak: quality.is_nan() || quality < WEAK, worse_than_mean: quality < 0.0 }
    }
}

impl Quality {
    pub(super) fn new(report: &Report) -> Quality {
        let mut measured: Vec<(&str, f64)> =
            report.columns.iter().filter_map(|column| Some((column.name.as_str(), column.quality?))).collect();
        // What is not a number is the worst of all.
        let rank = |quality: f64| if quality.is_nan() { f64::NEG_INFINITY } else { quality };
        measured.sort_by(|a, b| rank(a.1).total_cmp(&rank(b.1)));
        let weak = measured.iter().filter(|(_, quality)| Rebuilt::new(*quality).weak).count();
        let features = report.columns.iter().filter(|column| column.role == crate::report::Role::Feature).count();
        let unmeasured = features.saturating_sub(measured.len()) as u64;
        Quality {
            columns: measured
                .iter()
                .take(COLUMNS_SHOWN)
                .map(|(name, quality)| Column { name: Label::new(name), rebuilt: Rebuilt::new(*quality) })
                .collect(),
            more: if measured.len() > COLUMNS_SHOWN {
                count((measured.len() - COLUMNS_SHOWN) as u64)
            } else {
                String::new()
            },
            verdict: verdict(weak, measured.len()),
            unmeasured: if unmeasured > 0 { counted(unmeasured, "feature") } else { String::new() },
        }
    }
}

fn verdict(weak: usize, all: usize) -> String {
    match weak {
        0 => "No column is rebuilt by less than half.".to_owned(),
        1 => "One column is rebuilt by less than half: an anomaly in it is easily missed.".to_owned(),
        _ => format!(
            "{} of {} columns are rebuilt by less than half: an anomaly in them is easily missed.",
            count(weak as u64),
            count(all as u64)
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    #[test]
    fn worst_columns_come_first_and_are_flagged() {
        let mut report = sample::report();
        report.columns[3].quality = Some(-0.2);
        report.columns[4].quality = Some(f64::NAN);
        let section = Quality::new(&report);
        let first: Vec<(&str, bool)> =
            section.columns.iter().take(2).map(|column| (column.name.short.as_str(), column.rebuilt.weak)).collect();
        assert_eq!(first, [(report.columns[4].name.as_str(), true), (report.columns[3].name.as_str(), true)]);
        assert!(section.columns.last().is_some_and(|column| !column.rebuilt.weak));
    }

    #[test]
    fn bars_stay_inside_whatever_the_quality() {
        for (quality, width) in [(0.714, 71.4), (1.0, 100.0), (-3.0, 0.0), (f64::NAN, 0.0), (f64::INFINITY, 100.0)] {
            assert_eq!(Rebuilt::new(quality).width, width);
        }
        assert_eq!(Rebuilt::new(-3.0).percent.replace('\u{a0}', " "), "< −100 %");
    }

    #[test]
    fn more_columns_than_shown_are_counted() {
        let mut report = sample::report();
        report.columns = vec![report.columns; 10].concat();
        let section = Quality::new(&report);
        assert_eq!((section.columns.len(), section.more.as_str()), (40, "250"));
    }
}
