//! The state shared by all fitted models: networks, scores, thresholds, code density, report.

use std::sync::Arc;

use super::generation::CodeDensity;
use super::scoring::{CalibratedThreshold, Scorer};
use crate::baseline::{IsolationForest, Pca};
use crate::codec::Coding;
use crate::compute::Compute;
use crate::detect::{Decision, Threshold};
use crate::distribution::TrainingDistribution;
use crate::error::{Error, Result};
use crate::prep::Prepared;
use crate::recipe::Recipe;
use crate::report::Report;

/// The state shared by all fitted models, whatever the kind of data.
#[derive(Debug, Clone, PartialEq)]
pub struct Core {
    pub(crate) recipe: Recipe,
    pub(crate) scorer: Scorer,
    pub(crate) threshold: CalibratedThreshold,
    /// The threshold for points scored as they arrive, from the last window alone; only for series in the long layout.
    pub(crate) stream_threshold: Option<CalibratedThreshold>,
    pub(crate) baselines: Baselines,
    pub(crate) density: CodeDensity,
    /// `None` if the model was fitted by a version without compression.
    pub(crate) coding: Option<Coding>,
    /// Of columns, of channels, or of measures of images; `None` if the model was fitted by a version that did not keep it.
    pub(crate) distribution: Option<TrainingDistribution>,
    pub(crate) report: Report,
}

/// Baselines fitted on the same samples.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Baselines {
    /// PCA with as many components as the code has units; 90 % of the variance if that would copy its input.
    pub(crate) pca: Pca,
    pub(crate) isolation_forest: IsolationForest,
}

impl Baselines {
    /// PCA errors and isolation forest scores of prepared samples.
    pub(crate) fn scores(&self, prepared: &Prepared, compute: &Compute) -> (Vec<f64>, Vec<f64>) {
        let rows = prepared.finite();
        compute.install(|| (self.pca.error(&rows), self.isolation_forest.score(&rows)))
    }
}

/// A fitted model of one kind of data: immutable, cheap to clone, `Send + Sync`.
///
/// All scores are computed by the same code path; a row's result is independent of other rows, of the batch size and of
/// the number of threads.
#[derive(Debug, Clone, PartialEq)]
pub struct Fitted<A> {
    /// Converts raw data to samples, and back.
    pub(crate) adapter: Arc<A>,
    pub(crate) core: Arc<Core>,
}

impl Core {
    pub(crate) fn compute(&self) -> &Compute {
        self.scorer.ensemble.compute()
    }

    /// The first member's codes of prepared samples, `[n, code_size]`.
    pub(crate) fn codes(&self, prepared: &Prepared) -> Vec<f32> {
        self.scorer.ensemble.codes(&prepared.input)
    }

    /// The first member's outputs for codes, `[n, width]`.
    pub(crate) fn decode(&self, codes: &[f32]) -> Vec<f32> {
        self.scorer.ensemble.decode(codes)
    }

    /// Number of code units.
    pub(crate) fn code_size(&self) -> usize {
        self.scorer.ensemble.code_size()
    }

    /// The quantiser and ranges used by compression.
    ///
    /// # Errors
    /// [`Error::Mismatch`] if the model was fitted by a version without compression.
    pub(crate) fn coding(&self) -> Result<&Coding> {
        self.coding.as_ref().ok_or_else(|| {
            let error = Error::mismatch("the model was fitted by a version that did not compress");
            error.with_hint("fit it again")
        })
    }
}

impl<A> Fitted<A> {
    pub(crate) fn new(adapter: A, core: Core) -> Fitted<A> {
        Fitted { adapter: Arc::new(adapter), core: Arc::new(core) }
    }

    /// The report of the fit.
    pub fn report(&self) -> &Report {
        &self.core.report
    }

    /// The recipe that the model was fitted with.
    pub fn recipe(&self) -> &Recipe {
        &self.core.recipe
    }

    /// The decision threshold: samples with a higher score are anomalies.
    pub fn threshold(&self) -> f64 {
        self.core.threshold.decision.threshold
    }

    /// The rule behind the threshold and its guaranteed false-alarm rate.
    pub fn decision(&self) -> &Decision {
        &self.core.threshold.decision
    }

    /// Number of code units.
    pub fn code_size(&self) -> usize {
        self.core.code_size()
    }

    /// Returns the model with another threshold, without refitting.
    ///
    /// # Errors
    /// If the rule needs labels, which a fitted model does not keep.
    pub fn with_threshold(mut self, rule: &Threshold) -> Result<Fitted<A>> {
        let threshold = self.core.threshold.with_rule(rule)?;
        let stream = self.core.stream_threshold.as_ref().map(|stream| stream.with_rule(rule)).transpose()?;
        let core = Arc::make_mut(&mut self.core);
        core.recipe.detect.threshold = rule.clone();
        core.report.recipe.detect.threshold = rule.clone();
        core.report.detection.rule = threshold.decision.rule.clone();
        core.report.detection.threshold = threshold.decision.threshold;
        core.report.detection.promised_rate = threshold.decision.promised_rate;
        (core.threshold, core.stream_threshold) = (threshold, stream);
        Ok(self)
    }

    /// Returns the model with another compute backend; results do not change.
    #[must_use]
    pub fn with_compute(mut self, compute: &Compute) -> Fitted<A> {
        Arc::make_mut(&mut self.core).scorer.ensemble.set_compute(compute);
        self
    }
}
