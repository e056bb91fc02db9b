//! Reconstruction quality by column on held-out rows, worst first: anomalies in badly reconstructed columns are easily missed.

use askama::Template;

use super::number::{count, counted, percent};
use super::text::DisplayName;
use crate::report::Report;

/// Columns drawn.
const COLUMNS_SHOWN: usize = 40;
/// Columns with a lower quality are flagged.
const WEAK: f64 = 0.5;

/// The section.
#[derive(Template)]
#[template(path = "report/quality.html", whitespace = "minimize")]
pub(super) struct QualitySection {
    columns: Vec<QualityRow>,
    more: String,
    verdict: String,
    unmeasured: String,
}

struct QualityRow {
    name: DisplayName,
    bar: QualityBar,
}

/// A quality as a bar.
pub(super) struct QualityBar {
    /// In percent of the bar, from 0 to 100.
    pub(super) width: f64,
    pub(super) percent: String,
    pub(super) weak: bool,
    /// Worse than predicting the mean.
    pub(super) worse_than_mean: bool,
}

impl QualityBar {
    pub(super) fn new(quality: f64) -> QualityBar {
        let width = if quality.is_nan() { 0.0 } else { (quality.clamp(0.0, 1.0) * 1000.0).round() / 10.0 };
        // R² has no lower bound; below −100 % the number is not informative.
        let percent = if quality < -1.0 { format!("< −{}", percent(1.0)) } else { percent(quality) };
        QualityBar { width, percent, weak: quality.is_nan() || quality < WEAK, worse_than_mean: quality < 0.0 }
    }
}

impl QualitySection {
    pub(super) fn new(report: &Report) -> QualitySection {
        let mut measured: Vec<(&str, f64)> =
            report.columns.iter().filter_map(|column| Some((column.name.as_str(), column.quality?))).collect();
        // NaN ranks worst.
        let rank = |quality: f64| if quality.is_nan() { f64::NEG_INFINITY } else { quality };
        measured.sort_by(|a, b| rank(a.1).total_cmp(&rank(b.1)));
        let weak = measured.iter().filter(|(_, quality)| QualityBar::new(*quality).weak).count();
        let features = report.columns.iter().filter(|column| column.role == crate::report::Role::Feature).count();
        let unmeasured = features.saturating_sub(measured.len()) as u64;
        QualitySection {
            columns: measured
                .iter()
                .take(COLUMNS_SHOWN)
                .map(|(name, quality)| QualityRow { name: DisplayName::new(name), bar: QualityBar::new(*quality) })
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
        0 => "All columns have a quality of at least 50 %.".to_owned(),
        1 => "One column has a quality below 50 %: anomalies in it are easily missed.".to_owned(),
        _ => format!(
            "{} of {} columns have a quality below 50 %: anomalies in them are easily missed.",
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
        let section = QualitySection::new(&report);
        let first: Vec<(&str, bool)> =
            section.columns.iter().take(2).map(|column| (column.name.short.as_str(), column.bar.weak)).collect();
        assert_eq!(first, [(report.columns[4].name.as_str(), true), (report.columns[3].name.as_str(), true)]);
        assert!(section.columns.last().is_some_and(|column| !column.bar.weak));
    }

    #[test]
    fn bar_widths_are_clamped() {
        for (quality, width) in [(0.714, 71.4), (1.0, 100.0), (-3.0, 0.0), (f64::NAN, 0.0), (f64::INFINITY, 100.0)] {
            assert_eq!(QualityBar::new(quality).width, width);
        }
        assert_eq!(QualityBar::new(-3.0).percent.replace('\u{a0}', " "), "< −100 %");
    }

    #[test]
    fn more_columns_than_shown_are_counted() {
        let mut report = sample::report();
        report.columns = vec![report.columns; 10].concat();
        let section = QualitySection::new(&report);
        assert_eq!((section.columns.len(), section.more.as_str()), (40, "250"));
    }
}
