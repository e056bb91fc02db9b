//! What the model finds in data that it was not fitted to: the share of anomalies against the promised rate, scores
//! beside those of calibration, the highest ones, and metrics if there are labels.

use askama::Template;

use super::anomalies::{self, AnomalyRow};
use super::anomalous_images::{self, AnomalousImageRow};
use super::number::{count, counted, percent};
use super::sample_kind::SampleKind;
use super::series::{self, StretchFigure};
use super::sheet::SheetFigure;
use super::svg::histogram::ScoreHistogram;
use super::text::{DisplayName, TextSpan, cut, prose};
use crate::detect::Estimate;
use crate::report::{AlarmRate, NewDataMetrics, NewDataReport, Noun, Report};

/// Notes and rows listed at most.
const LISTED: usize = 50;

/// The section.
#[derive(Template)]
#[template(path = "report/new_data.html", whitespace = "minimize")]
pub(super) struct NewDataSection {
    /// Whether scripts show more of it.
    pub(super) is_living: bool,
    name: DisplayName,
    sample_kind: SampleKind,
    scored: String,
    rate: String,
    is_far_above: bool,
    drawing: Option<ScoreHistogram>,
    notes: Vec<Vec<TextSpan>>,
    metrics: Option<ShownMetrics>,
    stretches: Vec<StretchFigure>,
    rows: Vec<AnomalyRow>,
    images: Vec<AnomalousImageRow>,
    sheet: Option<SheetFigure>,
}

struct ShownMetrics {
    areas: Vec<AreaRow>,
    true_positives: String,
    false_positives: String,
    true_negatives: String,
    false_negatives: String,
    words: String,
}

struct AreaRow {
    name: String,
    auc_roc: String,
    auc_pr: String,
}

impl NewDataSection {
    pub(super) fn new(report: &Report, found: &NewDataReport) -> NewDataSection {
        let sample_kind = SampleKind::scored(report);
        let noun = sample_kind.noun();
        let of_read = if found.scored < found.rows { format!("{} of ", count(found.scored)) } else { String::new() };
        NewDataSection {
            is_living: false,
            name: DisplayName::new(&found.source),
            sample_kind,
            scored: format!("{of_read}{}", counted(found.rows, noun)),
            rate: found.verdict(Noun { one: noun, many: sample_kind.plural() }),
            is_far_above: matches!(found.alarm_rate(), AlarmRate::FarAbove { .. }),
            drawing: ScoreHistogram::beside(&found.detection, sample_kind, &format!("new {noun}")),
            notes: found.notes.iter().take(LISTED).map(|note| prose(note, 400)).collect(),
            metrics: found.metrics.as_ref().map(ShownMetrics::new),
            stretches: series::figures(&found.stretches),
            rows: anomalies::rows(&found.top[..found.top.len().min(LISTED)]),
            images: anomalous_images::rows(&found.worst[..found.worst.len().min(LISTED)]),
            sheet: SheetFigure::new(
                &found.worst_sheet,
                "The first images of the list with their heat maps: brighter pixels have a larger reconstruction error.",
            ),
        }
    }

    /// Whether the page needs the zoom script.
    pub(super) fn can_zoom(&self) -> bool {
        self.stretches.iter().any(StretchFigure::can_zoom)
    }
}

impl ShownMetrics {
    fn new(metrics: &NewDataMetrics) -> ShownMetrics {
        let value = |x: f64| if x.is_finite() { format!("{x:.3}") } else { "undefined".to_owned() };
        let interval = |e: &Estimate| match e.value.is_finite() {
            true => format!("{:.3} [{:.3}, {:.3}]", e.value, e.low, e.high),
            false => "undefined".to_owned(),
        };
        let ours = AreaRow {
            name: "this model".to_owned(),
            auc_roc: interval(&metrics.auc_roc),
            auc_pr: interval(&metrics.auc_pr),
        };
        let baselines = metrics.baselines.iter().map(|baseline| AreaRow {
            name: cut(&baseline.name, 80),
            auc_roc: value(baseline.auc_roc),
            auc_pr: value(baseline.auc_pr),
        });
        let precision = metrics.precision.map_or_else(|| "undefined, as nothing is flagged".to_owned(), percent);
        let mut words = format!(
            "Precision {precision}, recall {}, F1 {}, false alarms {} of normal ones.",
            percent(metrics.recall),
            interval(&metrics.f1),
            percent(metrics.false_alarm_rate)
        );
        for at in &metrics.precision_at {
            let k = count(at.k);
            words.push_str(&format!(
                " The highest {k}: precision {}, recall {}.",
                percent(at.precision),
                percent(at.recall)
            ));
        }
        words.push_str(" Brackets are 95 % bootstrap intervals.");
        let confusion = &metrics.confusion;
        ShownMetrics {
            areas: std::iter::once(ours).chain(baselines).collect(),
            true_positives: count(confusion.true_positives),
            false_positives: count(confusion.false_positives),
            true_negatives: count(confusion.true_negatives),
            false_negatives: count(confusion.false_negatives),
            words,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    fn check(change: impl FnOnce(&mut NewDataReport), expected: &str) {
        let mut found = sample::new_data();
        change(&mut found);
        let words = found.verdict(Noun { one: "row", many: "rows" }).replace('\u{a0}', " ");
        assert!(words.contains(expected), "`{expected}` is missing in {words}");
    }

    #[test]
    fn the_rate_of_anomalies_is_compared_with_the_promise() {
        check(|_| {}, "42 of 1,000 rows (4.2 %) are above the threshold, 4.2 times the 1 %");
        check(|found| found.anomalies = 11, "of normal rows on average at most 1 % are.");
        check(|found| found.detection.promised_rate = None, "promises no rate");
        check(|found| found.scored = 0, "No row has a score.");
    }

    #[test]
    fn images_and_excerpts_are_shown_where_there_are_some() {
        let mut found = sample::new_data();
        found.stretches = sample::series().stretches;
        let section = NewDataSection::new(&sample::report(), &found);
        assert!(section.can_zoom());
        let html = section.render().unwrap();
        assert!(html.contains("Highest events") && html.contains("class=\"timeline\""));
        assert!(!NewDataSection::new(&sample::report(), &sample::new_data()).can_zoom());
    }
}
