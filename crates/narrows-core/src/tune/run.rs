//! One training of a search and what came of it: a line of the journal.

use serde::{Deserialize, Serialize};

use crate::recipe::Recipe;

/// One training of a search.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrialRun {
    /// What it was for.
    pub stage: Stage,
    /// Which trial, from 0; the first is the recipe that the search starts from.
    pub trial: usize,
    /// Share of the training steps.
    pub share: f64,
    /// What came of it.
    pub outcome: Outcome,
    /// Wall-clock seconds; nothing depends on them.
    pub seconds: f64,
    /// The recipe as trained: of a share of the steps, with fewer of them.
    pub recipe: Recipe,
}

/// What a run is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// To find the best trial.
    Trial,
    /// To see what another size of the code does to the best trial.
    CodeSize,
}

/// What came of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It was trained and measured.
    Done(Success),
    /// It could not be trained: the reason.
    Failed(String),
}

/// What was measured.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Success {
    /// The criterion; lower is better.
    pub cost: f64,
    /// Share of the variance of held-out samples that is lost, whatever the loss trained with.
    pub unexplained: f64,
    /// Its standard error.
    pub standard_error: f64,
    /// Units of the code.
    pub code_size: usize,
    /// Trainable numbers of one network.
    pub parameters: usize,
    /// Steps that all networks took together.
    pub steps: u64,
}

impl Outcome {
    /// What was measured, if it was.
    pub fn done(&self) -> Option<&Success> {
        match self {
            Outcome::Done(success) => Some(success),
            Outcome::Failed(_) => None,
        }
    }

    /// The criterion, infinite where the run failed.
    pub fn cost(&self) -> f64 {
        self.done().map_or(f64::INFINITY, |success| success.cost)
    }
}
