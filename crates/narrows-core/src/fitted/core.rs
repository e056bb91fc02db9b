//! What all fitted models share: networks, scores, thresholds, code density, report.

use std::sync::Arc;

use super::generation::CodeDensity;
use super::scoring::{CalibratedThreshold, Scorer};
use crate::baseline::{IsolationForest, Pca};
use crate::codec::Coding;
use crate::compute::Compute;
use crate::detect::{Decision, Threshold};
use crate::error::{Error, Result};
use crate::prep::Prepared;
use crate::recipe::Recipe;
use crate::report::Report;

/// What all fitted models share, whatever the kind of data.
#[derive(Debug, Clone, PartialEq)]
pub struct Core {
    pub(crate) recipe: Recipe,
    pub(crate) scorer: Scorer,
    pub(crate) threshold: CalibratedThreshold,
    /// The same for points scored as they arrive, from the last window alone; of series in the long layout.
    pub(crate) stream_threshold: Option<CalibratedThreshold>,
    pub(crate) baselines: Baselines,
    pub(crate) density: CodeDensity,
    /// None where the model was fitted by a version that did not compress.
    pub(crate) coding: Option<Coding>,
    pub(crate) report: Report,
}

/// Baselines fitted on the same samples.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Baselines {
    /// PCA with as many components as the code has units; 90 % of the variance where that would copy its input.
    pub(crate) pca: Pca,
    pub(crate) isolation_forest: IsolationForest,
}

impl Baselines {
    /// PCA's errors and the forest's scores of prepared samples.
    pub(crate) fn scores(&self, prepared: &Prepared, compute: &Compute) -> (Vec<f64>, Vec<f64>) {
        let rows = prepared.finite();
        compute.install(|| (self.pca.error(&rows), self.isolation_forest.score(&rows)))
    }
}

/// A fitted model of one kind of data: immutable, cheap to clone, `Send + Sync`.
///
/// Every score goes through one path; a row's result depends on no other row, on no batch size and on no number of
/// threads.
#[derive(Debug, Clone, PartialEq)]
pub struct Fitted<A> {
    /// How raw data becomes samples, and back.
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

    /// Units of the code.
    pub(crate) fn code_size(&self) -> usize {
        self.scorer.ensemble.code_size()
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
}

impl<A> Fitted<A> {
    pub(crate) fn new(adapter: A, core: Core) -> Fitted<A> {
        Fitted { adapter: Arc::new(adapter), core: Arc::new(core) }
    }

    /// What the fit found.
    pub fn report(&self) -> &Report {
        &self.core.report
    }

    /// Every choice that made the model.
    pub fn recipe(&self) -> &Recipe {
        &self.core.recipe
    }

    /// Samples that score above it are anomalies.
    pub fn threshold(&self) -> f64 {
        self.core.threshold.decision.threshold
    }

    /// The rule behind the threshold and the false-alarm rate that it guarantees.
    pub fn decision(&self) -> &Decision {
        &self.core.threshold.decision
    }

    /// Units of the code.
    pub fn code_size(&self) -> usize {
        self.core.code_size()
    }

    /// The same model with another threshold; nothing is refitted.
    ///
    /// # Errors
    /// Where the rule needs labels, which a fitted model does not keep.
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

    /// The same model, computing elsewhere; no result changes.
    #[must_use]
    pub fn with_compute(mut self, compute: &Compute) -> Fitted<A> {
        Arc::make_mut(&mut self.core).scorer.ensemble.set_compute(compute);
        self
    }
}
