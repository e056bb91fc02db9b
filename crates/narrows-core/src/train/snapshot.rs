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

impl Progress {
    /// Largest number of steps that can have been taken: the steps of a training are counted in numbers that JSON keeps.
    const MOST_STEPS: u64 = 1 << 53;

    /// Rejects a state that no training leaves behind; for one read from a file.
    ///
    /// # Errors
    /// What was expected and what was got.
    pub(crate) fn check(&self) -> Result<(), String> {
        let checks = self.history.len();
        if self.best_check >= checks.max(1) || (checks == 0 && self.finished.is_some()) {
            return Err(format!("expected the best of {checks} checks, got number {}", self.best_check));
        }
        if self.step > Progress::MOST_STEPS {
            return Err(format!("expected at most {} steps, got {}", Progress::MOST_STEPS, self.step));
        }
        if !(self.rate_factor > 0.0 && self.rate_factor <= 1.0) {
            return Err(format!("expected a factor on the learning rate up to 1, got {}", self.rate_factor));
        }
        Ok(())
    }
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

    /// The state of a training in rounds, if any.
    ///
    /// # Errors
    /// If one exists but cannot be read.
    fn load_rounds(&self) -> Result<Option<Vec<u8>>> {
        Ok(None)
    }

    /// Replaces the state of a training in rounds; it is built only if it is stored.
    ///
    /// # Errors
    /// If it cannot be written.
    fn save_rounds(&self, _state: &dyn Fn() -> Vec<u8>) -> Result<()> {
        Ok(())
    }
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
