//! The compute backend, observer and checkpoints of a fit.

use crate::compute::Compute;
use crate::train::{Checkpoints, NoCheckpoints, Observer, Silent};

/// The compute backend, observer and checkpoints of a fit; by default all cores, no observer and no checkpoints.
pub struct Session<'a> {
    /// Compute backend; the result does not depend on it.
    pub compute: Compute,
    /// Receives progress events; may interrupt the training.
    pub observer: &'a dyn Observer,
    /// Stores snapshots.
    pub checkpoints: &'a dyn Checkpoints,
}

impl Default for Session<'_> {
    fn default() -> Self {
        Session { compute: Compute::default(), observer: &Silent, checkpoints: &NoCheckpoints }
    }
}
