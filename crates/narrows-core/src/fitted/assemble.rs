//! The last step of every fit: assembles the model and its report from the trained networks and the thresholds.

use super::adapter::Adapter;
use super::core::{Core, Fitted};
use super::generation;
use super::invariants::Evidence;
use super::learning::TrainedModel;
use super::scoring::CalibratedThreshold;
use super::session::Session;
use super::split::Split;
use super::summary::{self, HeldOut, KindReport, ReportInputs};
use crate::codec::{Coding, Span};
use crate::data::Dropped;
use crate::distribution::TrainingDistribution;
use crate::error::Result;
use crate::prep::Prepared;
use crate::report::GenerationReport;
use crate::train::TrainingEvent;

/// The inputs of the assembly: trained networks and calibrated thresholds.
pub(super) struct Assembly<'a, A> {
    pub(super) adapter: A,
    pub(super) trained: TrainedModel,
    pub(super) threshold: CalibratedThreshold,
    pub(super) stream_threshold: Option<CalibratedThreshold>,
    /// All samples.
    pub(super) prepared: &'a Prepared,
    pub(super) split: &'a Split,
    /// Samples eligible for training.
    pub(super) normal: &'a [u32],
    /// Samples labelled anomalous.
    pub(super) anomalous: &'a [u32],
    /// Scores of the samples labelled anomalous.
    pub(super) anomalous_scores: &'a [f64],
    /// What the samples say of the invariants, by their numbers.
    pub(super) evidence: &'a Evidence,
    /// The range of each column in the training rows.
    pub(super) spans: Vec<Option<Span>>,
    /// The distribution of each column in the training rows, if samples have columns.
    pub(super) distribution: Option<TrainingDistribution>,
    /// Columns that new rows lack.
    pub(super) not_made: Vec<Dropped>,
}

/// Emits warnings, writes the report and assembles the model; `describe` adds the part specific to the kind of data.
pub(super) fn assemble<A: Adapter>(
    assembly: Assembly<'_, A>,
    session: &Session<'_>,
    describe: impl FnOnce(&ReportInputs<'_>, &HeldOut, &A) -> Result<KindReport>,
) -> Result<Fitted<A>> {
    let Assembly { adapter, trained, threshold, stream_threshold, spans, distribution, .. } = assembly;
    let Assembly { prepared, split, normal, anomalous, anomalous_scores, evidence, .. } = assembly;
    let TrainedModel { recipe, scorer, baselines, codes, quantiser, trainings, mut warnings } = trained;
    warnings.extend(threshold.warnings());
    warnings.iter().for_each(|warning| session.observer.on_event(TrainingEvent::Warned(warning)));

    let inputs = ReportInputs {
        recipe: &recipe,
        scorer: &scorer,
        prepared,
        split,
        normal,
        anomalous,
        anomalous_scores,
        evidence,
        threshold: &threshold,
        pca: &baselines.pca,
    };
    let held_out = HeldOut::of(&inputs);
    let kind = describe(&inputs, &held_out, &adapter)?;
    let report = summary::report(&inputs, &held_out, kind, adapter.blocks(), trainings, warnings)?;
    let (density, coding) = (codes.density, Some(Coding { quantiser, spans, maps: None }));
    let mut core =
        Core { recipe, scorer, threshold, stream_threshold, baselines, density, coding, distribution, report };
    let generated = generation::report(&core, &adapter, (codes.report, codes.units), prepared, split)?;
    core.report.generation = Some(GenerationReport { not_made: assembly.not_made, ..generated });
    Ok(Fitted::new(adapter, core))
}
