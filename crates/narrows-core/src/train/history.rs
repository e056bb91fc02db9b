//! The training history of a member.

use serde::{Deserialize, Serialize};

/// The training of one member.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Training {
    /// Description of its corruption.
    pub corruption: String,
    /// Steps taken.
    pub steps: u64,
    /// Passes over the training rows, the last one perhaps partial.
    pub epochs: f64,
    /// Why training stopped.
    pub stopped: Stop,
    /// Index into `history` of the best weights.
    pub best: usize,
    /// Number of recoveries from divergence, each from the last good weights at a lower learning rate.
    pub recoveries: u32,
    /// Mean |code| in the last step, the activity penalised by sparsity.
    pub mean_activity: f64,
    /// Losses over time.
    pub history: Vec<Check>,
}

/// Why training stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stop {
    /// All planned steps were completed.
    Finished,
    /// Early stopping: the validation loss no longer improved.
    Early,
    /// Interrupted by the user.
    Interrupted,
}

/// The losses at one check.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Check {
    /// Steps taken so far.
    pub step: u64,
    /// Passes over the training rows so far.
    pub epoch: f64,
    /// Mean training loss since the last check.
    pub train_loss: f64,
    /// Loss on the validation rows.
    pub validation_loss: f64,
    /// Learning rate.
    pub learning_rate: f64,
}
