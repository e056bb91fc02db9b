//! Training in rounds on more rows than a fit takes, by parts of the data that need not lie on one machine.
//!
//! A [`RoundsFit`] fits a model to the sample and then, round by round, gives out a [`RoundJob`] (the weights, and which rows
//! belong to the round) and takes [`WeightsChange`]s back. A part of the data answers a job by [`TableModel::train_part`],
//! a pure function of model, job and rows: a task that is lost is done again with the same bits. Changes add up exactly,
//! so that it does not matter in which order they do. At the end the network with the best weights is calibrated on the
//! held-out rows of the sample, as after any fit.

mod change;
mod given;
mod job;
mod members;
mod part;
mod rounds_fit;
mod run;

pub use change::WeightsChange;
pub use job::RoundJob;
pub use rounds_fit::RoundsFit;
pub use run::{Passes, fit_in_rounds};
