//! One training of a search and its outcome: a line of the journal.

use serde::{Deserialize, Serialize};

use crate::recipe::Recipe;

/// One training of a search.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrialRun {
    /// The stage of the search.
    pub stage: Stage,
    /// Index of the trial; the first is the initial recipe.
    pub trial: usize,
    /// Share of the training steps.
    pub share: f64,
    /// The outcome.
    pub outcome: Outcome,
    /// Wall-clock seconds; informational only.
    pub seconds: f64,
    /// The recipe as trained, with its reduced number of steps.
    pub recipe: Recipe,
}

/// The stage of a search.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Search for the best trial.
    Trial,
    /// Variation of the code size of the best trial.
    CodeSize,
}

/// The outcome of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Training succeeded.
    Done(Success),
    /// Training failed, with the reason.
    Failed(String),
}

/// Measurements of a trained model.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Success {
    /// The search criterion; lower is better.
    pub cost: f64,
    /// Share of the variance of held-out samples left unexplained, independent of the training loss.
    pub unexplained: f64,
    /// Its standard error.
    pub standard_error: f64,
    /// Number of code units.
    pub code_size: usize,
    /// Trainable parameters of one network.
    pub parameters: usize,
    /// Total steps of all networks.
    pub steps: u64,
}

impl Outcome {
    /// The measurements, if training succeeded.
    pub fn done(&self) -> Option<&Success> {
        match self {
            Outcome::Done(success) => Some(success),
            Outcome::Failed(_) => None,
        }
    }

    /// The criterion, infinite if the run failed.
    pub fn cost(&self) -> f64 {
        self.done().map_or(f64::INFINITY, |success| success.cost)
    }
}
