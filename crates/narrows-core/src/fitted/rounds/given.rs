//! Weights that were trained elsewhere, given to a fit as checkpoints of finished trainings: it only calibrates them.

use crate::error::Result;
use crate::train::{Checkpoints, Observer, Params, Progress, Snapshot, Stop, TrainerState, TrainingEvent};

/// The trained members.
pub(super) struct GivenWeights {
    pub(super) members: Vec<(Params, Progress)>,
    pub(super) stopped: Stop,
}

/// Hears of the calibration of weights that were given, which is no training.
pub(super) struct OfCalibration<'a>(pub(super) &'a dyn Observer);

impl Observer for OfCalibration<'_> {
    fn on_event(&self, event: TrainingEvent<'_>) {
        if matches!(event, TrainingEvent::Noted(_) | TrainingEvent::Warned(_)) {
            self.0.on_event(event);
        }
    }

    fn interrupted(&self) -> bool {
        self.0.interrupted()
    }
}

impl Checkpoints for GivenWeights {
    fn load(&self, member: usize, template: &Params) -> Result<Option<Snapshot>> {
        let Some((best, progress)) = self.members.get(member) else { return Ok(None) };
        let state = TrainerState::fresh(template.clone());
        let progress = Progress { finished: Some(self.stopped), ..progress.clone() };
        Ok(Some(Snapshot { state, best: best.clone(), progress }))
    }

    fn save(&self, _: usize, _: &dyn Fn() -> Snapshot) -> Result<()> {
        Ok(())
    }
}
