//! The scores of calibration rows, the threshold, and what its promise rests on.

use askama::Template;

use super::number::{count, counted, number, percent, probability};
use super::subject::Subject;
use super::svg::histogram::{self, share_beyond};
use crate::detect::Threshold;
use crate::report::Report;

/// The section.
#[derive(Template)]
#[template(path = "report/scores.html", whitespace = "minimize")]
pub(super) struct Scores {
    subject: Subject,
    drawing: Option<histogram::Scores>,
    /// Whether labelled anomalies are drawn too.
    has_anomalies: bool,
    rule: String,
    explanation: String,
    rests_on: String,
    beyond: String,
    caught: String,
}

impl Scores {
    pub(super) fn new(report: &Report) -> Scores {
        let detection = &report.detection;
        let anomalies = detection.anomalies.as_ref();
        let subject = Subject::judged(report);
        Scores {
            subject,
            drawing: histogram::Scores::new(detection, subject),
            has_anomalies: anomalies.is_some_and(|anomalies| anomalies.counts.iter().any(|n| *n > 0)),
            rule: detection.rule.to_string(),
            explanation: explanation(&detection.rule, detection.threshold, subject),
            rests_on: match detection.pieces {
                Some(pieces) => rests_on_pieces(pieces, detection.promised_rate),
                None => rests_on(report.rows.calibration, detection.promised_rate, subject),
            },
            beyond: share_beyond(&detection.histogram, detection.threshold).map(percent).unwrap_or_default(),
            caught: anomalies
                .and_then(|anomalies| share_beyond(anomalies, detection.threshold))
                .map(percent)
                .unwrap_or_default(),
        }
    }
}

/// The rule, in words.
fn explanation(rule: &Threshold, threshold: f64, subject: Subject) -> String {
    let (noun, plural) = (subject.noun(), subject.plural());
    let share = |x: f64| percent(x);
    let at = number(threshold);
    match rule {
        Threshold::FalseAlarmRate { rate } => {
            let rate = share(f64::from(*rate));
            format!(
                "The threshold, {at}, is set so that at most {rate} of fresh normal {plural} score above it, as far as there are {plural} enough to promise it (split conformal prediction)."
            )
        }
        Threshold::Quantile { q } => {
            format!("The threshold, {at}, is the {} quantile of the calibration scores.", number(f64::from(*q)))
        }
        Threshold::MeanStd { k } => format!(
            "The threshold, {at}, lies {} standard deviations above the mean of the calibration scores. It would be a rate only if scores were bell-shaped, which they rarely are.",
            number(f64::from(*k))
        ),
        Threshold::Max => format!(
            "The threshold, {at}, is the highest calibration score: whatever scores above it is stranger than every normal {noun} held out."
        ),
        Threshold::Contamination { share: part } => format!(
            "The threshold, {at}, marks {} of the scores it was set on, as asked. It says how many {plural} to flag, not how many of them are false alarms.",
            share(f64::from(*part))
        ),
        Threshold::Pot { rate, tail } => format!(
            "The threshold, {at}, is extrapolated: a generalised Pareto distribution is fitted to the calibration scores beyond their {} quantile and cut where {} of normal {plural} are expected beyond it (peaks over threshold).",
            number(f64::from(*tail)),
            share(f64::from(*rate))
        ),
        Threshold::Fixed { .. } => format!("The threshold, {at}, was given and not measured."),
        Threshold::BestF1 => format!(
            "The threshold, {at}, gives the best F1 on the labelled {plural}. It was chosen with their labels, so figures on those {plural} flatter it."
        ),
    }
}

/// The same of points in time, whose neighbours share their windows.
fn rests_on_pieces(pieces: u64, promised: Option<f64>) -> String {
    let shown = counted(pieces, "piece");
    let finest = probability(1.0 / (pieces as f64 + 1.0));
    let promise = match promised {
        Some(rate) => format!(
            "At most {} of fresh normal points are called on average, as long as the future is like the calibration stretch. ",
            percent(rate)
        ),
        None => "This rule promises no rate. ".to_owned(),
    };
    format!(
        "{promise}Neighbouring points share their windows, so what was held out counts as {shown} of a window's length: the smallest p-value that can be given is {finest}."
    )
}

/// What a promise of a rate rests on, and how fine it can be.
fn rests_on(calibration: u64, promised: Option<f64>, subject: Subject) -> String {
    let plural = subject.plural();
    if calibration == 0 {
        return format!("No {plural} were held out for calibration, so nothing is known of the scores of fresh ones.");
    }
    let held_out = counted(calibration, &format!("calibration {}", subject.noun()));
    let finest = probability(1.0 / (calibration as f64 + 1.0));
    match promised {
        Some(_) => format!(
            "The promise rests on {held_out} that never trained the weights, and on fresh normal {plural} coming from the same source as these. It holds on average over such samples. \
             With {} {plural} the smallest p-value that can be given is {finest}.",
            count(calibration)
        ),
        None => format!(
            "This rule promises no rate. P-values rest on {held_out} that never trained the weights; the smallest that can be given is {finest}."
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    #[test]
    fn the_rule_is_explained_with_what_it_rests_on() {
        let report = sample::report();
        let html = Scores::new(&report).render().unwrap().replace('\u{a0}', " ");
        for words in ["at most 1 % of fresh normal rows", "200 calibration rows", "0.0050", "split conformal"] {
            assert!(html.contains(words), "`{words}` is missing");
        }
        assert!(rests_on(0, None, Subject::Row).contains("No rows"));
        let pieces = rests_on_pieces(9, Some(0.1)).replace('\u{a0}', " ");
        assert!(pieces.contains("9 pieces") && pieces.contains("10 %") && pieces.contains("0.10"), "{pieces}");
        assert!(rests_on(50, None, Subject::Image).contains("promises no rate"));
    }

    #[test]
    fn every_rule_is_explained() {
        for rule in [
            r#"{"rule":"quantile","q":0.9}"#,
            r#"{"rule":"mean_std","k":3.0}"#,
            r#"{"rule":"max"}"#,
            r#"{"rule":"contamination","share":0.1}"#,
            r#"{"rule":"pot","rate":0.001,"tail":0.02}"#,
            r#"{"rule":"fixed","value":2.0}"#,
            r#"{"rule":"best_f1"}"#,
        ] {
            let rule: Threshold = serde_json::from_str(rule).unwrap();
            assert!(explanation(&rule, 3.41, Subject::Row).contains("3.41"), "{rule}");
        }
    }
}
