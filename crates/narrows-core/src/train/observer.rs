//! Who watches a training: a progress bar, a log, a test, or nobody.

use super::Check;

/// Something that happened while fitting.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum TrainingEvent<'a> {
    /// Training begins.
    Started {
        /// Networks to train.
        members: usize,
        /// Most steps each of them takes.
        steps: u64,
    },
    /// A member was checked on its validation rows.
    Checked {
        /// Which member, from 0.
        member: usize,
        /// Most steps it takes.
        steps: u64,
        /// The losses.
        check: &'a Check,
    },
    /// A member is done, perhaps before its last step.
    Finished {
        /// Which member, from 0.
        member: usize,
    },
    /// The loss of a member exploded; it goes on from its last good weights at a lower rate.
    Recovered {
        /// Which member, from 0.
        member: usize,
        /// The step it went back to.
        step: u64,
        /// The learning rate's new factor.
        factor: f64,
    },
    /// A choice that was made, a column that was dropped: worth a line.
    Noted(&'a str),
    /// Something a careful user should know.
    Warned(&'a str),
}

/// Watches a fit and may end it. Members of an ensemble call it from several threads.
pub trait Observer: Sync {
    /// Called for everything that happens.
    fn on_event(&self, event: TrainingEvent<'_>) {
        let _ = event;
    }

    /// Asked before every step; `true` keeps the best weights so far and ends the training.
    fn interrupted(&self) -> bool {
        false
    }
}

/// Watches nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Observer for Silent {}
