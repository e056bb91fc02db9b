//! Training: the loop, early stopping, best weights, and resuming.
//!
//! The loop neither prints nor reads a clock: it calls an [`Observer`]. All randomness is keyed by (seed, purpose,
//! epoch, row), so an interrupted and resumed run takes exactly the steps of an uninterrupted one.

mod engine_settings;
pub mod history;
mod limits;
mod local;
pub mod observer;
mod order;
mod rounds;
mod run;
mod samples;
pub mod snapshot;

pub use history::{Check, Stop, Training};
pub(crate) use limits::UNLIMITED;
pub(crate) use local::LocalSteps;
/// The numbers of a [`Snapshot`]: a network's parameters, and the state of its training.
pub use narrows_engine::{Params, TrainerState};
pub use observer::{Observer, Silent, TrainingEvent};
pub(crate) use order::Sources;
pub use rounds::Rounds;
pub(crate) use run::{Task, Trained, Validation, run};
pub(crate) use samples::{Key, PreparedSamples, SampleSource};
pub use snapshot::{Checkpoints, NoCheckpoints, Progress, Snapshot};

use serde::{Deserialize, Serialize};

use crate::choice::Choice;
use crate::error::{Error, Result};
use crate::range::{Contamination, Fraction, NonNegative, Positive, lit};

/// Training settings.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Train {
    /// Maximum number of passes over the training rows.
    pub epochs: u32,
    /// Number of steps that `epochs` leaves at least, however few the rows; 0 if epochs alone count.
    pub least_steps: u64,
    /// Maximum number of steps; whichever limit comes first ends training.
    pub steps: u64,
    /// Batch size. Auto: a twentieth of the training rows, from 32 to 256.
    pub batch_size: Choice<usize>,
    /// Base learning rate; the peak of the schedule.
    pub learning_rate: Positive,
    /// Optimiser.
    pub optimizer: Optimizer,
    /// Learning rate schedule.
    pub schedule: Schedule,
    /// Gradient clipping by norm; 0 disables it.
    pub clip: NonNegative,
    /// Share of the training rows held out for validation: early stopping and selection of the weights.
    pub validation: Fraction,
    /// Patience of early stopping, in checks without a better validation loss; 0 disables it.
    pub patience: u32,
    /// Share of anomalies among the rows of the fit: this share of each batch, the rows of highest loss, is excluded from
    /// the step, and this share of the calibration rows, those of highest score, from the threshold. 0 if all rows are
    /// known to be normal. Auto: all rows train, and calibration rows are set aside if a gap sets them off from the others.
    pub contamination: Choice<Contamination>,
    /// Tables of more rows are fitted to a uniform sample of this many: it trains, and its held-out rows set the threshold.
    pub sample_rows: u64,
    /// Rounds of training on the rows beyond that sample.
    pub rounds: Rounds,
}

impl Default for Train {
    fn default() -> Self {
        Train {
            epochs: 300,
            // Measured on tables of 50 to 200 rows: fewer leave much more of the variance unexplained.
            least_steps: 2_000,
            steps: 20_000,
            batch_size: Choice::Auto,
            learning_rate: lit!(Positive, 1e-3),
            optimizer: Optimizer::Adam,
            schedule: Schedule::Constant { warm_up: lit!(Fraction, 0.0) },
            clip: lit!(NonNegative, 5.0),
            validation: lit!(Fraction, 0.1),
            patience: 12,
            contamination: Choice::Auto,
            sample_rows: 2_000_000,
            rounds: Rounds::default(),
        }
    }
}

impl Train {
    /// Checks constraints between fields.
    pub(crate) fn check(&self) -> Result<()> {
        let at_least_one = [
            ("train.epochs", u64::from(self.epochs)),
            ("train.steps", self.steps),
            ("train.sample_rows", self.sample_rows),
            ("train.rounds.steps", self.rounds.steps.or_else(|| 1)),
            ("train.rounds.partitions", u64::from(self.rounds.partitions)),
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

    /// Share of each batch that is excluded from the step.
    pub(crate) fn trimmed(&self) -> f64 {
        match self.contamination {
            Choice::Auto => 0.0,
            Choice::Given(share) => share.get(),
        }
    }

    /// Batch size for `n` training rows.
    pub fn batch_rows(&self, n: usize) -> usize {
        self.batch_size.or_else(|| (n / 20).clamp(32, 256)).min(n)
    }
}

/// Optimiser.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Optimizer {
    /// Adam (Kingma and Ba 2015).
    Adam,
    /// Adam with decoupled weight decay (Loshchilov and Hutter 2019).
    AdamW {
        /// Weight decay per unit of learning rate.
        #[serde(default = "default_decay")]
        weight_decay: NonNegative,
    },
}

fn default_decay() -> NonNegative {
    lit!(NonNegative, 1e-2)
}

/// Learning rate schedule.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Schedule {
    /// Constant after a linear warm-up.
    Constant {
        /// Share of warm-up steps.
        #[serde(default = "no_warm_up")]
        warm_up: Fraction,
    },
    /// Half cosine to zero after a linear warm-up (Loshchilov and Hutter 2017).
    Cosine {
        /// Share of warm-up steps.
        #[serde(default = "no_warm_up")]
        warm_up: Fraction,
    },
    /// Increases for three tenths of the steps and decreases to nearly zero (Smith and Topin 2018).
    OneCycle,
    /// Multiplied by `factor` after `patience` checks without a better validation loss.
    Plateau {
        /// The factor.
        #[serde(default = "default_factor")]
        factor: Fraction,
        /// Number of checks.
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
