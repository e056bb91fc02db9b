//! The complete state of a training, for exact resumption.

use narrows_engine::{Params, TrainerState};
use serde::{Deserialize, Serialize};

use super::Check;
use crate::error::Result;

/// The training state of a member at one check.
#[derive(Debug, Clone, PartialEq)]
pub struct Snapshot {
    /// Weights and optimiser moments.
    pub state: TrainerState,
    /// The best weights so far.
    pub best: Params,
    /// All other state.
    pub progress: Progress,
}

/// The scalar state of a training.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    /// Steps taken.
    pub step: u64,
    /// Index of the best check.
    pub best_check: usize,
    /// Factor on the learning rate after recoveries.
    pub rate_factor: f64,
    /// Number of divergences.
    pub recoveries: u32,
    /// Mean |code| of the last step.
    pub mean_activity: f64,
    /// Loss over time.
    pub history: Vec<Check>,
    /// Training has finished; only the best weights are needed.
    pub finished: Option<super::Stop>,
}

/// Storage of snapshots between runs.
pub trait Checkpoints: Sync {
    /// The snapshot of a member, if any; `template` has the names and shapes of its weights.
    ///
    /// # Errors
    /// If one exists but cannot be read, or belongs to another recipe or other data.
    fn load(&self, member: usize, template: &Params) -> Result<Option<Snapshot>>;

    /// Replaces a member's snapshot; it is built only if it is stored.
    ///
    /// # Errors
    /// If it cannot be written.
    fn save(&self, member: usize, snapshot: &dyn Fn() -> Snapshot) -> Result<()>;
}

/// Stores nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoCheckpoints;

impl Checkpoints for NoCheckpoints {
    fn load(&self, _: usize, _: &Params) -> Result<Option<Snapshot>> {
        Ok(None)
    }

    fn save(&self, _: usize, _: &dyn Fn() -> Snapshot) -> Result<()> {
        Ok(())
    }
}
