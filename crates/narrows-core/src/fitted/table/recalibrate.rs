//! Sets the threshold anew on other normal rows, without training.

use std::sync::Arc;

use super::TableModel;
use crate::choice::Choice;
use crate::data::Table;
use crate::error::{Error, Place, Result};
use crate::fitted::scoring::{CalibratedThreshold, HeldOutScores};
use crate::fitted::summary::detection;

/// Fewest rows with a score that a threshold is set on.
const FEWEST_ROWS: usize = 10;

impl TableModel {
    /// The model with threshold and p-values from these rows, all of which are normal, by the rule that it has: for data
    /// that have drifted in a way that is normal from now on. The network and the columns' distributions stay as they are.
    ///
    /// # Errors
    /// [`Error::Mismatch`] if the columns do not fit, [`Error::Data`] for fewer than ten rows with a score, and
    /// [`Error::Recipe`] if the rule needs labels.
    pub fn recalibrated(mut self, normal: &Table) -> Result<TableModel> {
        let mut scores = crate::fitted::TabularModel::score(&self, normal)?.score;
        scores.retain(|score| !score.is_nan());
        let n = scores.len();
        if n < FEWEST_ROWS {
            let message = format!("expected at least {FEWEST_ROWS} normal rows to set a threshold on, got {n}");
            return Err(Error::data(Place::source(normal.source()), message));
        }
        let known = &self.core.threshold;
        let held_out = HeldOutScores {
            scores,
            blocks: None,
            training: known.calibration.training.clone(),
            anomalous: &[],
            // All are said to be normal, so none is set aside.
            is_labelled: true,
        };
        let threshold = CalibratedThreshold::set(&known.decision.rule, &Choice::Auto, held_out)?;
        let core = Arc::make_mut(&mut self.core);
        core.report.detection = detection(&threshold, &[]);
        core.report.rows.calibration = n as u64;
        core.report.notes.push(format!("the threshold was set anew on {n} rows of {}", normal.source()));
        core.report.warnings.extend(threshold.warnings());
        core.threshold = threshold;
        Ok(self)
    }
}
