//! Figures of quality that were measured on data that did not train the model, as the front matter gives them.

use super::subject::CardSubject;
use crate::report::html::text::cut;
use crate::report::{NewDataMetrics, Similarity};

/// Figures on one set of data.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct MeasuredFigures {
    /// The task, as an identifier.
    pub(super) task: &'static str,
    /// The data, in words.
    pub(super) data: String,
    /// Their kind, as an identifier.
    pub(super) data_kind: &'static str,
    /// The figures, of which there is at least one.
    pub(super) metrics: Vec<MetricFigure>,
}

/// A figure.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct MetricFigure {
    /// Identifier, as the Hub and scikit-learn have it.
    pub(super) identifier: &'static str,
    /// Name for people.
    pub(super) name: &'static str,
    /// Its value, finite.
    pub(super) value: f64,
}

/// All figures of a model; those of training samples are none.
pub(super) fn measured(subject: &CardSubject<'_>) -> Vec<MeasuredFigures> {
    let mut all = Vec::new();
    let mut add = |task, data: String, metrics: Vec<Option<MetricFigure>>| {
        let metrics: Vec<MetricFigure> = metrics.into_iter().flatten().collect();
        if !metrics.is_empty() {
            all.push(MeasuredFigures { task, data, data_kind: subject.modality(), metrics });
        }
    };
    let held_out = || format!("held-out images of {}", cut(subject.source(), 120));
    match subject {
        CardSubject::Detector(model) => {
            if let Some((found, metrics)) = model.found.and_then(|found| Some((found, found.metrics.as_ref()?))) {
                add("anomaly-detection", cut(&found.source, 120), detection(metrics));
            }
            if let Some(images) = model.report.images.as_ref().filter(|images| images.quality.n > 0) {
                add("image-reconstruction", held_out(), similarity(&images.quality.model));
            }
        }
        CardSubject::Restorer(report) => {
            let quality = report.quality.as_ref().filter(|quality| quality.n > 0 && report.album.validation > 0);
            if let Some(quality) = quality {
                add("image-to-image", held_out(), similarity(&quality.means.restored));
            }
        }
        CardSubject::Encoder(_) => {}
    }
    all
}

fn detection(metrics: &NewDataMetrics) -> Vec<Option<MetricFigure>> {
    vec![
        figure("roc_auc", "AUC-ROC", Some(metrics.auc_roc.value)),
        figure("average_precision", "average precision", Some(metrics.auc_pr.value)),
        figure("f1", "F1 at the threshold", Some(metrics.f1.value)),
        figure("precision", "precision at the threshold", metrics.precision),
        figure("recall", "recall at the threshold", Some(metrics.recall)),
        figure("false_positive_rate", "false-alarm rate at the threshold", Some(metrics.false_alarm_rate)),
    ]
}

fn similarity(similarity: &Similarity) -> Vec<Option<MetricFigure>> {
    vec![
        figure("psnr", "PSNR in dB", Some(similarity.psnr)),
        figure("ssim", "SSIM", similarity.ssim),
        figure("mse", "mean squared error", Some(similarity.mse)),
    ]
}

fn figure(identifier: &'static str, name: &'static str, value: Option<f64>) -> Option<MetricFigure> {
    let value = value.filter(|value| value.is_finite())?;
    Some(MetricFigure { identifier, name, value })
}
