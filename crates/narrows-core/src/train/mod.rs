//! Finding the weights: the loop, when to stop, what to keep, and how to go on after an interruption.
//!
//! The loop prints nothing and reads no clock: it calls an [`Observer`]. All randomness is keyed by (seed, purpose,
//! epoch, row), so a run cut short and resumed takes exactly the steps of an uninterrupted one.

pub mod history;
pub mod observer;
mod order;
mod run;
mod samples;
pub mod snapshot;

pub use history::{Check, Stop, Training};
pub use observer::{Observer, Silent, TrainingEvent};
pub use order::Sources;
pub(crate) use run::planned_steps;
pub use run::{Task, Trained, run};
pub use samples::{Key, PreparedSamples, SampleSource};
pub use snapshot::{Checkpoints, NoCheckpoints, Progress, Snapshot};

use serde::{Deserialize, Serialize};

use crate::choice::Choice;
use crate::error::{Error, Result};
use crate::range::{Contamination, Fraction, NonNegative, Positive, lit};

/// How the weights are found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Train {
    /// Most passes over the training rows.
    pub epochs: u32,
    /// Most steps; whichever limit comes first ends the training.
    pub steps: u64,
    /// Rows a step. Auto: a twentieth of the training rows, from 32 to 256.
    pub batch_size: Choice<usize>,
    /// Base learning rate; the schedule's peak.
    pub learning_rate: Positive,
    /// How gradients become steps.
    pub optimizer: Optimizer,
    /// How the learning rate moves.
    pub schedule: Schedule,
    /// Largest norm of the gradient; 0 leaves it as it is.
    pub clip: NonNegative,
    /// Share of the training rows that never train but choose when to stop and which weights to keep.
    pub validation: Fraction,
    /// Checks without a better validation loss after which training stops; 0 never stops early.
    pub patience: u32,
    /// Share of anomalies expected among the training rows: that share of each batch, the rows of highest loss, is
    /// left out of the step. 0 where the training rows are known to be normal.
    pub contamination: Contamination,
}

impl Default for Train {
    fn default() -> Self {
        Train {
            epochs: 300,
            steps: 20_000,
            batch_size: Choice::Auto,
            learning_rate: lit!(Positive, 1e-3),
            optimizer: Optimizer::Adam,
            schedule: Schedule::Constant { warm_up: lit!(Fraction, 0.0) },
            clip: lit!(NonNegative, 5.0),
            validation: lit!(Fraction, 0.1),
            patience: 12,
            contamination: lit!(Contamination, 0.0),
        }
    }
}

impl Train {
    /// Refuses what no single field can refuse.
    pub(crate) fn check(&self) -> Result<()> {
        let at_least_one = [
            ("train.epochs", u64::from(self.epochs)),
            ("train.steps", self.steps),
            ("train.batch_size", self.batch_size.or_else(|| 1) as u64),
        ];
        match at_least_one.into_iter().find(|(_, value)| *value == 0) {
            Some((field, _)) => Err(Error::recipe(field, "expected at least 1, got 0")),
            None if self.batch_size.or_else(|| 1) > 1 << 20 => Err(Error::recipe(
                "train.batch_size",
                format!("expected at most {}, got {}", 1 << 20, self.batch_size.or_else(|| 1)),
            )),
            None => Ok(()),
        }
    }

    /// Rows a step for `n` training rows.
    pub fn batch_rows(&self, n: usize) -> usize {
        self.batch_size.or_else(|| (n / 20).clamp(32, 256)).min(n)
    }
}

/// How gradients become steps.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Optimizer {
    /// Adam (Kingma and Ba 2015).
    Adam,
    /// Adam with decoupled weight decay (Loshchilov and Hutter 2019).
    AdamW {
        /// Share of each weight taken off per unit of learning rate.
        #[serde(default = "default_decay")]
        weight_decay: NonNegative,
    },
}

fn default_decay() -> NonNegative {
    lit!(NonNegative, 1e-2)
}

/// How the learning rate moves.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Schedule {
    /// Stays, after a linear warm-up.
    Constant {
        /// Share of the steps that warm up.
        #[serde(default = "no_warm_up")]
        warm_up: Fraction,
    },
    /// Falls along a half cosine to zero, after a linear warm-up (Loshchilov and Hutter 2017).
    Cosine {
        /// Share of the steps that warm up.
        #[serde(default = "no_warm_up")]
        warm_up: Fraction,
    },
    /// Rises for three tenths of the steps and falls to almost nothing (Smith and Topin 2018).
    OneCycle,
    /// Falls by `factor` whenever `patience` checks bring no better validation loss.
    Plateau {
        /// What the rate is multiplied with.
        #[serde(default = "default_factor")]
        factor: Fraction,
        /// Checks to wait.
        #[serde(default = "default_patience")]
        patience: u32,
    },
}

fn no_warm_up() -> Fraction {
    lit!(Fraction, 0.0)
}

fn default_factor() -> Fraction {
    lit!(Fraction, 0.3)
}

fn default_patience() -> u32 {
    4
}
