//! A fitted model: immutable, `Send + Sync`, and the verbs that use it.
//!
//! Every score goes through [`Fitted::score`] or [`Fitted::explain`], which share one path; a row's result depends on
//! no other row, on no batch size and on no number of threads.

mod active_units;
mod adapter;
mod bottleneck;
mod calibrate;
mod density;
mod elbo;
mod encoder;
mod evaluate;
mod events;
mod fit;
mod fit_images;
mod fit_series;
mod fit_table;
mod generate;
mod generation_quality;
mod image_samples;
mod images;
mod images_quality;
mod images_summary;
mod learning;
mod points;
mod rebuild;
mod roles;
pub mod score_table;
mod scorer;
mod scores;
mod selection;
mod series;
mod series_quality;
mod series_summary;
mod split;
mod stream;
mod summary;
mod trial;
mod unexplained;
mod variation;
mod windowing;

pub(crate) use adapter::{Adapter, ImageAdapter, ImageLayout, SeriesAdapter, TableAdapter};
pub(crate) use density::CodeDensity;
pub use encoder::Encoder;
pub use evaluate::{Evaluation, Evaluator};
pub use events::SeriesEvent;
pub(crate) use fit::trial_data;
pub use fit::{Session, fit};
pub(crate) use fit_images::trial_data_of_images;
pub use fit_images::{ImageRoles, fit_images};
pub use images::ImageScore;
pub use roles::Roles;
pub(crate) use scorer::Scorer;
pub use scores::{Explained, ScoreCounts, ScoreFlag, Scores};
pub use series_quality::SeriesQuality;
pub use stream::{StreamScore, StreamScorer};
pub(crate) use trial::TrialData;
pub use variation::Variation;

use crate::baseline::{IsolationForest, Pca};
use crate::codec::Coding;
use crate::data::Schema;
use crate::detect::{Calibration, Decision, Threshold};
use crate::error::{Error, Result};
use crate::recipe::Recipe;
use crate::report::Report;

/// A fitted model.
#[derive(Debug, Clone, PartialEq)]
pub struct Fitted {
    pub(crate) recipe: Recipe,
    /// How raw tables become what the scorer judges.
    pub(crate) adapter: Adapter,
    pub(crate) scorer: Scorer,
    pub(crate) calibration: Calibration,
    pub(crate) decision: Decision,
    /// The same for points judged as they come, of which only windows that end there have a say.
    pub(crate) online: Option<Online>,
    pub(crate) baselines: Baselines,
    pub(crate) density: CodeDensity,
    /// None where the model was fitted by a version that did not compress.
    pub(crate) coding: Option<Coding>,
    pub(crate) report: Report,
}

/// The line for points of a stream.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Online {
    pub(crate) calibration: Calibration,
    pub(crate) decision: Decision,
}

/// What a user would compare with, fitted on the same rows.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Baselines {
    /// PCA with as many components as the code has units; 90 % of the variance where that would copy its input.
    pub pca: Pca,
    /// An isolation forest.
    pub isolation_forest: IsolationForest,
}

impl Fitted {
    /// What the fit found.
    pub fn report(&self) -> &Report {
        &self.report
    }

    /// Every choice that made the model.
    pub fn recipe(&self) -> &Recipe {
        &self.recipe
    }

    /// The feature columns, as they must come.
    pub fn schema(&self) -> &Schema {
        self.adapter.schema()
    }

    /// Whether a row's result depends on no other row, so that rows may be given piece by piece; points in time depend
    /// on their neighbours.
    pub fn rows_stand_alone(&self) -> bool {
        self.adapter.rows_stand_alone()
    }

    /// Of points in time: the columns that say when and which.
    pub fn point_columns(&self) -> Vec<String> {
        match &self.adapter {
            Adapter::Series(series) => series.columns.id.iter().chain(&series.columns.time).cloned().collect(),
            Adapter::Table(_) | Adapter::Images(_) => Vec::new(),
        }
    }

    /// Of points in time: the column that says which series a row belongs to.
    pub fn id_column(&self) -> Option<&str> {
        match &self.adapter {
            Adapter::Series(series) => series.columns.id.as_deref(),
            Adapter::Table(_) | Adapter::Images(_) => None,
        }
    }

    /// Rows that score above it are anomalies.
    pub fn threshold(&self) -> f64 {
        self.decision.threshold
    }

    /// The rule behind the threshold and what it promises.
    pub fn decision(&self) -> &Decision {
        &self.decision
    }

    /// What compression needs to know.
    ///
    /// # Errors
    /// [`Error::Mismatch`] where the model was fitted by a version that did not compress.
    pub(crate) fn coding(&self) -> Result<&Coding> {
        self.coding.as_ref().ok_or_else(|| {
            let error = Error::mismatch("the model was fitted by a version that did not compress");
            error.with_hint("fit it again")
        })
    }

    /// Units of the code.
    pub fn code_size(&self) -> usize {
        self.scorer.network.code_size()
    }

    /// The same model with the line drawn elsewhere; nothing is refitted.
    ///
    /// # Errors
    /// Where the rule needs labels, which a fitted model has not kept.
    pub fn with_threshold(&self, rule: &Threshold) -> Result<Fitted> {
        let decision = rule.decide(&self.calibration, None)?;
        let mut fitted = self.clone();
        if let Some(online) = &mut fitted.online {
            online.decision = rule.decide(&online.calibration, None)?;
        }
        fitted.recipe.detect.threshold = rule.clone();
        fitted.report.recipe.detect.threshold = rule.clone();
        fitted.report.detection.rule = decision.rule.clone();
        fitted.report.detection.threshold = decision.threshold;
        fitted.report.detection.promised_rate = decision.promised_rate;
        fitted.decision = decision;
        Ok(fitted)
    }
}
