//! What a card is about: a model of one of five kinds, with what it keeps.

use super::markdown;
use crate::recipe::{DataKind, Recipe};
use crate::report::html::text::cut;
use crate::report::{ColumnPanel, NewDataReport, Report, RestorerReport, SampleLayout};

/// A model and what it keeps.
#[derive(Debug, Clone, Copy)]
pub(crate) enum CardSubject<'a> {
    /// A model that scores.
    Detector(DetectorSubject<'a>),
    /// A model that restores images.
    Restorer(&'a RestorerReport),
    /// An encoder, which has no report.
    Encoder(EncoderSubject<'a>),
}

/// A model that scores.
#[derive(Debug, Clone, Copy)]
pub(crate) struct DetectorSubject<'a> {
    /// The report of the fit.
    pub(crate) report: &'a Report,
    /// What a sample is.
    pub(crate) layout: SampleLayout,
    /// The columns with their values in training rows; empty for images.
    pub(crate) columns: &'a [ColumnPanel],
    /// Training samples in the file.
    pub(crate) kept: KeptSamples,
    /// What it found in other data, if somebody has looked.
    pub(crate) found: Option<&'a NewDataReport>,
}

/// Training samples that a model file contains.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum KeptSamples {
    /// None.
    None,
    /// As many rows, or windows of series.
    Rows(u64),
    /// As many codes of small patches of images.
    PatchCodes(u64),
}

/// An encoder.
#[derive(Debug, Clone, Copy)]
pub(crate) struct EncoderSubject<'a> {
    /// Source of the data of the fit, as given.
    pub(crate) source: &'a str,
    /// The recipe.
    pub(crate) recipe: &'a Recipe,
    /// Names and kinds of the columns that it reads; empty for images.
    pub(crate) columns: &'a [(String, String)],
    /// Layers, from input to code.
    pub(crate) layers: &'a [String],
    /// Units of the code.
    pub(crate) code_size: usize,
    /// Trainable parameters.
    pub(crate) parameters: usize,
}

/// What a model is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CardTask {
    /// Scores that tell anomalies.
    Detection,
    /// Clean images.
    Restoration,
    /// Codes.
    Encoding,
}

impl CardSubject<'_> {
    pub(super) fn task(&self) -> CardTask {
        match self {
            CardSubject::Detector(_) => CardTask::Detection,
            CardSubject::Restorer(_) => CardTask::Restoration,
            CardSubject::Encoder(_) => CardTask::Encoding,
        }
    }

    pub(super) fn recipe(&self) -> &Recipe {
        match self {
            CardSubject::Detector(model) => &model.report.recipe,
            CardSubject::Restorer(report) => &report.recipe,
            CardSubject::Encoder(encoder) => encoder.recipe,
        }
    }

    /// Source of the data of the fit, as given.
    pub(super) fn source(&self) -> &str {
        match self {
            CardSubject::Detector(model) => &model.report.source,
            CardSubject::Restorer(report) => &report.album.source,
            CardSubject::Encoder(encoder) => encoder.source,
        }
    }

    pub(super) fn data_kind(&self) -> DataKind {
        self.recipe().data.kind()
    }

    pub(super) fn has_images(&self) -> bool {
        self.data_kind() == DataKind::Images
    }

    /// The title; escaped.
    pub(super) fn title(&self) -> String {
        let (what, of) = match self {
            CardSubject::Detector(_) => ("Autoencoder of", self.source()),
            CardSubject::Restorer(report) => ("Restorer for", report.damage.as_str()),
            CardSubject::Encoder(_) => ("Encoder of", self.source()),
        };
        format!("{what} {}", markdown::name(of))
    }

    /// The same as plain text in one line.
    pub(super) fn plain_title(&self) -> String {
        match self {
            CardSubject::Restorer(report) => cut(&report.damage, 120),
            _ => cut(self.source(), 120),
        }
    }

    /// The Hub's tags.
    pub(super) fn tags(&self) -> Vec<&'static str> {
        let of_data = match self.data_kind() {
            DataKind::Table => "tabular",
            DataKind::Series => "time-series",
            DataKind::Images => "image",
        };
        let of_task: &[&str] = match self.task() {
            CardTask::Detection => &["anomaly-detection", "outlier-detection"],
            CardTask::Restoration => &["image-restoration"],
            CardTask::Encoding => &["feature-extraction"],
        };
        [&["narrows", "autoencoder"], of_task, &[of_data]].concat()
    }

    /// What it was fitted to, as a word of the Hub.
    pub(super) fn modality(&self) -> &'static str {
        match self.data_kind() {
            DataKind::Table => "tabular",
            DataKind::Series => "timeseries",
            DataKind::Images => "image",
        }
    }
}
