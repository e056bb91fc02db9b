//! What a fit runs on and who observes it.

use crate::compute::Compute;
use crate::train::{Checkpoints, NoCheckpoints, Observer, Silent};

/// What a fit runs on and who observes it: all cores, nobody and no checkpoints by default.
pub struct Session<'a> {
    /// Where to compute; the result does not depend on it.
    pub compute: Compute,
    /// Notified of progress; may interrupt the training.
    pub observer: &'a dyn Observer,
    /// Where snapshots are kept.
    pub checkpoints: &'a dyn Checkpoints,
}

impl Default for Session<'_> {
    fn default() -> Self {
        Session { compute: Compute::default(), observer: &Silent, checkpoints: &NoCheckpoints }
    }
}
