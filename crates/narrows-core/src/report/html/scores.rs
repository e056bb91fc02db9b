//! Calibration scores, the threshold, and its statistical guarantee.

use askama::Template;

use super::number::{count, counted, number, percent, probability};
use super::sample_kind::SampleKind;
use super::svg::histogram::{self, share_above};
use crate::detect::Threshold;
use crate::report::{Report, TrimmedThreshold};

/// The section.
#[derive(Template)]
#[template(path = "report/scores.html", whitespace = "minimize")]
pub(super) struct ScoresSection {
    sample_kind: SampleKind,
    drawing: Option<histogram::ScoreHistogram>,
    /// Whether labelled anomalies are plotted too.
    has_anomalies: bool,
    rule: String,
    explanation: String,
    guarantee: String,
    /// What the highest calibration scores change, if anything.
    sensitivity: Option<String>,
    above: String,
    detected: String,
}

impl ScoresSection {
    pub(super) fn new(report: &Report) -> ScoresSection {
        let detection = &report.detection;
        let anomalies = detection.anomalies.as_ref();
        let sample_kind = SampleKind::scored(report);
        ScoresSection {
            sample_kind,
            drawing: histogram::ScoreHistogram::new(detection, sample_kind),
            has_anomalies: anomalies.is_some_and(|anomalies| anomalies.counts.iter().any(|n| *n > 0)),
            rule: detection.rule.to_string(),
            explanation: explanation(&detection.rule, detection.threshold, sample_kind),
            guarantee: guarantee_of(report, sample_kind),
            sensitivity: detection.trimmed.map(|trimmed| sensitivity(&trimmed, sample_kind)),
            above: share_above(&detection.histogram, detection.threshold).map(percent).unwrap_or_default(),
            detected: anomalies
                .and_then(|anomalies| share_above(anomalies, detection.threshold))
                .map(percent)
                .unwrap_or_default(),
        }
    }
}

/// The threshold rule explained.
pub(in crate::report) fn explanation(rule: &Threshold, threshold: f64, sample_kind: SampleKind) -> String {
    let (noun, plural) = (sample_kind.noun(), sample_kind.plural());
    let share = |x: f64| percent(x);
    let at = number(threshold);
    match rule {
        Threshold::FalseAlarmRate { rate } => {
            let rate = share(f64::from(*rate));
            format!(
                "The threshold, {at}, is set so that at most {rate} of unseen normal {plural} score above it, given enough calibration {plural} (split conformal prediction)."
            )
        }
        Threshold::Quantile { q } => {
            format!("The threshold, {at}, is the {} quantile of the calibration scores.", number(f64::from(*q)))
        }
        Threshold::MeanStd { k } => format!(
            "The threshold, {at}, lies {} standard deviations above the mean of the calibration scores. This corresponds to a fixed rate only for normally distributed scores, which is rare.",
            number(f64::from(*k))
        ),
        Threshold::Max => format!(
            "The threshold, {at}, is the highest calibration score: any higher score exceeds that of every held-out normal {noun}."
        ),
        Threshold::Contamination { share: part } => format!(
            "The threshold, {at}, flags the requested {} of the scores it was set on. It fixes the share of flagged {plural}, not the false-alarm rate.",
            share(f64::from(*part))
        ),
        Threshold::Pot { rate, tail } => format!(
            "The threshold, {at}, is extrapolated: a generalised Pareto distribution is fitted to the calibration scores above their {} quantile; {} of normal {plural} are expected above the threshold (peaks over threshold).",
            number(f64::from(*tail)),
            share(f64::from(*rate))
        ),
        Threshold::Fixed { .. } => format!("The threshold, {at}, is user-specified."),
        Threshold::BestF1 => format!(
            "The threshold, {at}, maximises F1 on the labelled {plural}. It was selected with their labels, so metrics on those {plural} are optimistic."
        ),
    }
}

/// What the threshold would be if the highest calibration scores were those of anomalies.
fn sensitivity(trimmed: &TrimmedThreshold, sample_kind: SampleKind) -> String {
    let TrimmedThreshold { left_out, threshold, flagged_more } = *trimmed;
    let (plural, at) = (sample_kind.plural(), number(threshold));
    let highest =
        if left_out == 1 { "highest score".to_owned() } else { format!("{} highest scores", count(left_out)) };
    format!(
        "Without the {highest}, 1 % of the calibration {plural}, the threshold would be {at}, and flag {} of the {plural} more. If those scores are of anomalies, set train.contamination.",
        percent(flagged_more)
    )
}

/// The guarantee, and what was set aside before.
pub(in crate::report) fn guarantee_of(report: &Report, sample_kind: SampleKind) -> String {
    let detection = &report.detection;
    let set_aside = detection.set_aside.map_or(0, |set_aside| set_aside.count);
    let guaranteed = match detection.pieces {
        Some(blocks) => block_guarantee(blocks, detection.promised_rate),
        None => {
            let calibration = report.rows.calibration.saturating_sub(set_aside);
            guarantee(calibration, detection.promised_rate, sample_kind)
        }
    };
    match detection.set_aside {
        Some(set_aside) => format!("{guaranteed} Set aside: {}.", set_aside.describe()),
        None => guaranteed,
    }
}

/// The guarantee for points of series: neighbouring points share windows and are not independent.
fn block_guarantee(blocks: u64, guaranteed: Option<f64>) -> String {
    let shown = counted(blocks, "block");
    let finest = probability(1.0 / (blocks as f64 + 1.0));
    let rate = match guaranteed {
        Some(rate) => format!(
            "On average at most {} of unseen normal points are flagged, if future data follow the distribution of the calibration data. ",
            percent(rate)
        ),
        None => "This rule guarantees no rate. ".to_owned(),
    };
    format!(
        "{rate}Neighbouring points share windows, so the held-out points count as {shown} of one window length each: the smallest possible p-value is {finest}."
    )
}

/// The assumptions behind the guaranteed rate, and the smallest p-value.
fn guarantee(calibration: u64, guaranteed: Option<f64>, sample_kind: SampleKind) -> String {
    let plural = sample_kind.plural();
    if calibration == 0 {
        return format!("No {plural} were held out for calibration, so there is no guarantee for unseen ones.");
    }
    let held_out = counted(calibration, &format!("calibration {}", sample_kind.noun()));
    let finest = probability(1.0 / (calibration as f64 + 1.0));
    match guaranteed {
        Some(_) => format!(
            "The guarantee requires that the {held_out}, which are not used for training, and unseen normal {plural} are exchangeable. It holds on average over such samples. \
             With {} {plural} the smallest possible p-value is {finest}.",
            count(calibration)
        ),
        None => format!(
            "This rule guarantees no rate. P-values are computed from {held_out}, which are not used for training; the smallest possible one is {finest}."
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    #[test]
    fn the_rule_is_explained_with_what_it_guarantee() {
        let report = sample::report();
        let html = ScoresSection::new(&report).render().unwrap().replace('\u{a0}', " ");
        for words in ["at most 1 % of unseen normal rows", "200 calibration rows", "0.0050", "split conformal"] {
            assert!(html.contains(words), "`{words}` is missing");
        }
        assert!(guarantee(0, None, SampleKind::Row).contains("No rows"));
        let text = block_guarantee(9, Some(0.1)).replace('\u{a0}', " ");
        assert!(text.contains("9 blocks") && text.contains("10 %") && text.contains("0.10"), "{text}");
        assert!(guarantee(50, None, SampleKind::Image).contains("guarantees no rate"));
    }

    #[test]
    fn what_the_highest_scores_change_is_told() {
        let mut report = sample::report();
        let text = |report: &Report| ScoresSection::new(report).render().unwrap().replace('\u{a0}', " ");
        assert!(!text(&report).contains("Without the"));
        report.detection.trimmed = Some(TrimmedThreshold { left_out: 2, threshold: 3.5, flagged_more: 0.015 });
        let html = text(&report);
        assert!(
            html.contains("Without the 2 highest scores") && html.contains("would be 3.5, and flag 1.5 %"),
            "{html}"
        );
    }

    #[test]
    fn what_was_set_aside_is_told_with_the_guarantee() {
        let mut report = sample::report();
        report.detection.set_aside =
            serde_json::from_str(r#"{"by":"gap","count":2,"of":200,"highest_kept":5.5}"#).unwrap();
        let text = guarantee_of(&report, SampleKind::Row).replace('\u{a0}', " ");
        assert!(text.contains("198 calibration rows") && text.contains("2 of 200 held-out scores are far"), "{text}");
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
            assert!(explanation(&rule, 3.41, SampleKind::Row).contains("3.41"), "{rule}");
        }
    }
}
