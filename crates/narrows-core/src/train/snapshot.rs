//! All that a training needs to go on as if it had never stopped.

use narrows_engine::{Params, TrainerState};
use serde::{Deserialize, Serialize};

use super::Check;
use crate::error::Result;

/// A member's training at one check.
#[derive(Debug, Clone, PartialEq)]
pub struct Snapshot {
    /// Weights and moments.
    pub state: TrainerState,
    /// The best weights so far.
    pub best: Params,
    /// Everything else.
    pub progress: Progress,
}

/// Where a training stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    /// Steps taken.
    pub step: u64,
    /// Index of the best check.
    pub best_check: usize,
    /// Factor on the learning rate after recoveries.
    pub rate_factor: f64,
    /// Times the loss exploded.
    pub recoveries: u32,
    /// Mean |code| of the last step.
    pub mean_activity: f64,
    /// Loss over time.
    pub history: Vec<Check>,
    /// The training is over; only its best weights matter.
    pub finished: Option<super::Stop>,
}

/// Where snapshots are kept between runs.
pub trait Checkpoints: Sync {
    /// The snapshot of a member, if there is one; `template` has the names and shapes of its weights.
    ///
    /// # Errors
    /// Where one exists but cannot be read, or belongs to another recipe or other data.
    fn load(&self, member: usize, template: &Params) -> Result<Option<Snapshot>>;

    /// Keeps a member's snapshot in place of its former one; it is made only where it is kept.
    ///
    /// # Errors
    /// Where it cannot be written.
    fn save(&self, member: usize, snapshot: &dyn Fn() -> Snapshot) -> Result<()>;
}

/// Keeps nothing.
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
