//! The decision rule and its guarantee, and what was measured on data that did not train.

use super::markdown::{MarkdownDocument, name, sentence};
use super::subject::{CardSubject, DetectorSubject};
use crate::report::html::sample_kind::SampleKind;
use crate::report::html::{pca, scores};
use crate::report::number::{count, counted, decibels, number, percent, places};
use crate::report::{NewDataReport, RestorerReport, Similarity};

/// The sections.
pub(super) fn write(subject: &CardSubject<'_>, document: &mut MarkdownDocument) {
    match subject {
        CardSubject::Detector(model) => {
            write_threshold(model, document);
            document.section("Evaluation");
            write_found(model, document);
            write_reconstruction(model, document);
        }
        CardSubject::Restorer(report) => {
            document.section("Evaluation");
            write_restoration(report, document);
        }
        CardSubject::Encoder(_) => {}
    }
}

fn write_threshold(model: &DetectorSubject<'_>, document: &mut MarkdownDocument) {
    let (report, kind) = (model.report, SampleKind::scored(model.report));
    let detection = &report.detection;
    document.section("Threshold");
    let promised = match detection.promised_rate.filter(|rate| rate.is_finite()) {
        Some(rate) => format!("at most {}, on average", percent(rate)),
        None => "none".to_owned(),
    };
    let rows = [
        ("threshold", number(detection.threshold)),
        ("rule", name(&detection.rule.to_string())),
        ("guaranteed false-alarm rate", promised),
        ("set on", format!("{} held-out {}", count(report.rows.calibration), kind.plural())),
    ];
    document.table(&["", ""], rows.map(|(of, value)| vec![of.to_owned(), value]));
    document.paragraph(&sentence(&scores::explanation(&detection.rule, detection.threshold, kind)));
    document.paragraph(&sentence(&scores::guarantee_of(report, kind)));
}

/// What was found in other data, with metrics if they are labelled.
fn write_found(model: &DetectorSubject<'_>, document: &mut MarkdownDocument) {
    let Some(found) = model.found else { return };
    let NewDataReport { source, metrics, .. } = found;
    document.paragraph(&format!("On {}: {}", name(source), sentence(&found.verdict(model.layout.noun()))));
    let Some(metrics) = metrics else { return };
    document.paragraph(&format!(
        "{} labelled {}, of which {} anomalous. Intervals are 95 % bootstrap intervals.",
        count(metrics.n),
        model.layout.noun().many,
        count(metrics.n_anomalies)
    ));
    let estimate = |of: &str, estimate: &crate::detect::Estimate| {
        vec![
            of.to_owned(),
            places(estimate.value, 3),
            format!("{} to {}", places(estimate.low, 3), places(estimate.high, 3)),
        ]
    };
    let mut rows = vec![
        estimate("AUC-ROC", &metrics.auc_roc),
        estimate("average precision", &metrics.auc_pr),
        estimate("F1 at the threshold", &metrics.f1),
    ];
    let share = |of: &str, share: f64| vec![of.to_owned(), places(share, 3), String::new()];
    rows.extend(metrics.precision.map(|precision| share("precision at the threshold", precision)));
    rows.push(share("recall at the threshold", metrics.recall));
    rows.push(share("false-alarm rate at the threshold", metrics.false_alarm_rate));
    rows.extend(metrics.baselines.iter().flat_map(|baseline| {
        let by = sentence(&baseline.name);
        [
            share(&format!("AUC-ROC of {by}"), baseline.auc_roc),
            share(&format!("average precision of {by}"), baseline.auc_pr),
        ]
    }));
    document.table(&["metric", "value", "interval"], rows);
}

/// How well held-out samples are reconstructed.
fn write_reconstruction(model: &DetectorSubject<'_>, document: &mut MarkdownDocument) {
    let report = model.report;
    document.paragraph(&sentence(&pca::verdict(report)));
    if let Some(bottleneck) = &report.bottleneck {
        document.paragraph(&format!("Code: {}.", sentence(&bottleneck.describe())));
    }
    if let Some(quality) = report.images.as_ref().map(|images| &images.quality).filter(|quality| quality.n > 0) {
        document.paragraph(&format!("{}, reconstructed:", counted(quality.n, "held-out image")));
        let mut rows = vec![similarity("this model", &quality.model), similarity("PCA", &quality.pca)];
        rows.extend(quality.input.iter().map(|input| similarity("corrupted input", input)));
        document.table(&["", "PSNR", "SSIM"], rows);
    }
}

fn write_restoration(report: &RestorerReport, document: &mut MarkdownDocument) {
    let Some(quality) = report.quality.as_ref().filter(|quality| quality.n > 0) else {
        return document.paragraph("Nothing was held out to measure the quality with.");
    };
    let held_out = if report.album.validation > 0 { "held-out image" } else { "training image" };
    document.paragraph(&format!("{}, corrupted by {}:", counted(quality.n, held_out), name(&quality.damage)));
    let means = &quality.means;
    let rows = [
        similarity("restored", &means.restored),
        similarity("input", &means.input),
        similarity(&sentence(&means.baseline.name), &means.baseline.similarity),
    ];
    document.table(&["", "PSNR", "SSIM"], rows);
}

fn similarity(of: &str, similarity: &Similarity) -> Vec<String> {
    let ssim = similarity.ssim.map_or_else(String::new, |ssim| places(ssim, 3));
    vec![of.to_owned(), decibels(similarity.psnr), ssim]
}
