//! Observers of a fit: progress bars, logs, tests.

use super::Check;

/// An event during a fit.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum TrainingEvent<'a> {
    /// Training starts.
    Started {
        /// Number of networks.
        members: usize,
        /// Maximum number of steps of each.
        steps: u64,
    },
    /// A member was evaluated on its validation rows.
    Checked {
        /// Index of the member, from 0.
        member: usize,
        /// Its maximum number of steps.
        steps: u64,
        /// The losses.
        check: &'a Check,
    },
    /// A member has finished, possibly before its last step.
    Finished {
        /// Index of the member, from 0.
        member: usize,
    },
    /// The loss of a member diverged; training resumes from its last good weights at a lower learning rate.
    Recovered {
        /// Index of the member, from 0.
        member: usize,
        /// The step resumed from.
        step: u64,
        /// The new factor on the learning rate.
        factor: f64,
    },
    /// A round of training on rows beyond the sample has ended.
    RoundEnded {
        /// Rounds done.
        done: u32,
        /// Rounds in all.
        rounds: u32,
        /// Rows that trained in it.
        rows: u64,
        /// Mean loss of the members on the validation rows.
        validation_loss: f64,
    },
    /// A note, such as an automatic choice or a dropped column.
    Noted(&'a str),
    /// A warning.
    Warned(&'a str),
}

/// Observes a fit and may stop it. Members of an ensemble call it from several threads.
pub trait Observer: Sync {
    /// Called for every event.
    fn on_event(&self, event: TrainingEvent<'_>) {
        let _ = event;
    }

    /// Called before every step; `true` stops training with the best weights so far.
    fn interrupted(&self) -> bool {
        false
    }
}

/// Observes nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Observer for Silent {}
