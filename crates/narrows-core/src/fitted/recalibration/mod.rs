//! Sets the threshold and p-values of a fitted model anew on other normal samples, without training: for data that have
//! changed in a way that is normal from now on. The network, and the distributions of the training rows, stay as they are.

mod normal_rows;

use std::sync::Arc;

use serde::Serialize;

pub use normal_rows::NormalRows;

use super::core::Core;
use super::scoring::{CalibratedThreshold, HeldOutScores};
use super::summary::detection;
use super::{SeriesModel, TableModel, TabularModel};
use crate::choice::Choice;
use crate::data::Layout;
use crate::detect::Threshold;
use crate::error::{Error, Hint, Place, Result};

/// Fewest samples with a score that a threshold is set on, whatever the rule.
const FEWEST: usize = 10;

/// What a threshold was set anew on.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Recalibration {
    /// Where the samples are from.
    pub source: String,
    /// Rows, points or images with a score that it was set on.
    pub used: u64,
    /// Number of independent ones among them: fewer for points of series, whose neighbours share windows.
    pub independent: u64,
    /// Left out, as they are labelled anomalous.
    pub anomalous: u64,
    /// Left out, as they are not labelled.
    pub unlabelled: u64,
    /// The threshold.
    pub threshold: f64,
    /// The rule that set it, that of the fit.
    pub rule: Threshold,
    /// The rate of false alarms that it promises, if the rule promises one.
    pub promised_rate: Option<f64>,
    /// What a user of the threshold should know.
    pub warnings: Vec<String>,
}

impl TableModel {
    /// The model with threshold and p-values from these rows, all of which are normal, by the rule that it has.
    ///
    /// # Errors
    /// [`Error::Mismatch`] if the columns do not fit; [`Error::Data`] if rows with a score are too few for the rate that the
    /// model has promised, or fewer than ten; [`Error::Recipe`] if the rule is not set on held-out rows.
    pub fn recalibrated(mut self, normal: &NormalRows<'_>) -> Result<(TableModel, Recalibration)> {
        let scores = scored(&self, normal)?;
        let found = Arc::make_mut(&mut self.core).recalibrate(scores, normal)?;
        Ok((self, found))
    }
}

impl SeriesModel {
    /// The model with threshold and p-values, of streams as well, from these points, all of which are normal, by the rule
    /// that it has. Points count as the fit counts them, as one independent block for each window's length; scores of
    /// training points, which some rules need, are not kept where points are scored by their windows.
    ///
    /// # Errors
    /// As [`TableModel::recalibrated`]; [`Error::Data`] if no stretch of normal points is as long as a window.
    pub fn recalibrated(mut self, normal: &NormalRows<'_>) -> Result<(SeriesModel, Recalibration)> {
        if self.adapter.layout == Layout::Rows {
            let scores = scored(&self, normal)?;
            let found = Arc::make_mut(&mut self.core).recalibrate(scores, normal)?;
            return Ok((self, found));
        }
        let found = self.recalibrate_points(normal)?;
        Ok((self, found))
    }
}

/// Scores of the normal rows, at most as many as a fit takes, evenly chosen.
fn scored(model: &dyn TabularModel, normal: &NormalRows<'_>) -> Result<Vec<f64>> {
    let mut scores = model.score(&normal.chosen())?.score;
    scores.retain(|score| !score.is_nan());
    let most = model.recipe().detect.calibration_rows.max(1);
    let step = scores.len().div_ceil(most).max(1);
    Ok(scores.into_iter().step_by(step).collect())
}

impl Core {
    /// Sets the threshold anew on scores of independent samples.
    fn recalibrate(&mut self, scores: Vec<f64>, normal: &NormalRows<'_>) -> Result<Recalibration> {
        let place = Place::source(normal.table().source());
        let threshold = self.reset(&self.threshold, scores, None, &place)?;
        check_promise(&self.threshold, &threshold, &Sample::Rows, &place)?;
        let labels = (normal.anomalous(), normal.unlabelled());
        Ok(self.recalibrated(threshold, None, (normal.table().source(), "row"), labels))
    }

    /// The rule of `known` applied to other scores.
    ///
    /// # Errors
    /// If there are fewer than ten, or the rule is not set on held-out scores.
    pub(super) fn reset(
        &self,
        known: &CalibratedThreshold,
        scores: Vec<f64>,
        blocks: Option<usize>,
        place: &Place,
    ) -> Result<CalibratedThreshold> {
        let rule = &known.decision.rule;
        if matches!(rule, Threshold::Contamination { .. } | Threshold::BestF1) {
            let message = format!("expected a rule that is set on normal rows that did not train, got `{rule}`");
            return Err(Error::recipe("threshold", message).with_hint("fit it again with another rule, or on new rows"));
        }
        if scores.len() < FEWEST {
            let message = format!("expected at least {FEWEST} normal rows to set a threshold on, got {}", scores.len());
            return Err(Error::data(place.clone(), message));
        }
        let training = known.calibration.training.clone();
        // All are said to be normal, so none is set aside.
        let held_out = HeldOutScores { scores, blocks, training, anomalous: &[], is_labelled: true };
        CalibratedThreshold::set(rule, &Choice::Auto, held_out)
    }

    /// Takes other thresholds, and says so in the report; `labels` are the samples left out as anomalous and as unlabelled.
    pub(super) fn recalibrated(
        &mut self,
        threshold: CalibratedThreshold,
        stream: Option<CalibratedThreshold>,
        (source, noun): (&str, &str),
        (anomalous, unlabelled): (u64, u64),
    ) -> Recalibration {
        let found = Recalibration {
            source: source.to_owned(),
            used: threshold.calibration.scores.len() as u64,
            independent: threshold.calibration.blocks as u64,
            anomalous,
            unlabelled,
            threshold: threshold.decision.threshold,
            rule: threshold.decision.rule.clone(),
            promised_rate: threshold.decision.promised_rate,
            warnings: threshold.warnings(),
        };
        self.report.detection = detection(&threshold, &[]);
        self.report.rows.calibration = found.used;
        self.report.notes.push(format!("the threshold was set anew on {} {noun}s of {source}", found.used));
        self.report.warnings.extend(found.warnings.iter().cloned());
        (self.threshold, self.stream_threshold) = (threshold, stream);
        found
    }
}

/// What an independent sample is.
pub(super) enum Sample {
    Rows,
    Images,
    /// Windows of so many points.
    Windows(usize),
}

/// Refuses samples that are too few for the rate that the model has promised.
pub(super) fn check_promise(
    known: &CalibratedThreshold,
    new: &CalibratedThreshold,
    sample: &Sample,
    place: &Place,
) -> Result<()> {
    let (Threshold::FalseAlarmRate { rate } | Threshold::Pot { rate, .. }) = &known.decision.rule else {
        return Ok(());
    };
    let (Some(promised), Some(possible)) = (known.decision.promised_rate, new.decision.promised_rate) else {
        return Ok(());
    };
    // Rounding errors must not ask for one more.
    let promised = promised.max(rate.get());
    if possible <= promised * (1.0 + 1e-9) {
        return Ok(());
    }
    let needed = (1.0 / promised - 1e-9).ceil() as usize - 1;
    let got = new.calibration.blocks;
    let (what, points) = match sample {
        Sample::Rows => ("normal rows".to_owned(), None),
        Sample::Images => ("normal images".to_owned(), None),
        Sample::Windows(points) => (format!("independent windows of {points} normal points"), Some(needed * points)),
    };
    let message = format!(
        "expected at least {needed} {what} for the promised false-alarm rate of {promised:.4}, got {got}, which can promise {possible:.4}"
    );
    let hint = match points {
        Some(points) => Hint::from(format!("give {points} normal points or more")),
        None => Hint::from(format!("give {needed} or more")),
    };
    Err(Error::data(place.clone(), message).with_hint(hint))
}
