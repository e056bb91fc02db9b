//! What a training leaves behind in words and numbers.

use serde::{Deserialize, Serialize};

/// How one member trained.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Training {
    /// Its corruption, in words.
    pub corruption: String,
    /// Steps taken.
    pub steps: u64,
    /// Passes over the training rows, the last one perhaps partial.
    pub epochs: f64,
    /// Why it stopped.
    pub stopped: Stop,
    /// Index into `history` of the weights that were kept.
    pub best: usize,
    /// Times the loss exploded and the last good weights were taken back at a lower rate.
    pub recoveries: u32,
    /// Mean |code| in the last step: the activity that sparsity asks for.
    pub mean_activity: f64,
    /// Loss over time.
    pub history: Vec<Check>,
}

/// Why training stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stop {
    /// All planned steps were taken.
    Finished,
    /// The validation loss had stopped falling.
    Early,
    /// The user stopped it.
    Interrupted,
}

/// The losses at one moment of training.
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
