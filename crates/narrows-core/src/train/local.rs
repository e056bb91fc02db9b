//! A few steps from given weights: what one partition of the data does in a round of training.

use narrows_engine::TrainerState;

use super::Schedule;
use super::engine_settings::engine_config;
use super::order::BatchOrder;
use super::run::{Task, Trim};
use super::samples::Gather;
use crate::compute::Compute;
use crate::error::{Error, Result};
use crate::range::lit;

/// Steps of a round, of all the steps of a training.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LocalSteps {
    /// Steps taken before, in other rounds.
    pub(crate) before: u64,
    /// Steps to take.
    pub(crate) count: u64,
    /// Steps of the whole training, which the learning rate follows.
    pub(crate) total: u64,
    /// Rows of a step.
    pub(crate) batch: usize,
}

impl LocalSteps {
    /// The schedule of rounds. They go on from trained weights, which a rate that rises again would spoil.
    fn schedule(self, of_recipe: Schedule) -> Schedule {
        match of_recipe {
            Schedule::OneCycle | Schedule::Cosine { .. } => Schedule::Cosine { warm_up: lit!(Fraction, 0.05) },
            other => other,
        }
    }

    /// The state after these steps, and the mean loss.
    ///
    /// # Errors
    /// [`Error::Diverged`] if the loss is not finite.
    pub(crate) fn take(self, task: &Task<'_>, start: &TrainerState, compute: &Compute) -> Result<(TrainerState, f64)> {
        let executor = compute.executor();
        let batch = self.batch.min(task.rows.len()).max(1);
        executor.install(|| {
            let config = engine_config(task.config, task.sparsity);
            let misfit = |error: narrows_engine::ShapeError| Error::recipe("backbone", error.to_string());
            let mut trainer = executor.trainer(task.network, start.params.clone(), config, batch).map_err(misfit)?;
            trainer.restore(start).map_err(misfit)?;
            let schedule = self.schedule(task.config.schedule);
            let mut gather = Gather::new(task.samples, task.seed, batch);
            let mut order = BatchOrder::new(task.rows, task.samples.sources());
            let mut trim = Trim::new(task.config.trimmed(), batch);
            let an_epoch = task.rows.len().div_ceil(batch) as u64;
            let mut loss_sum = 0.0;
            for step in 0..self.count {
                let epoch = step / an_epoch;
                let (rows, _) = order.step(task.seed, epoch, (step % an_epoch) as usize, batch);
                let batch = gather.batch(rows, epoch)?;
                let all = self.before + step;
                let rate = schedule.rate(task.config.learning_rate.get(), all, self.total, &[]);
                let price_weight = task.latent.price_weight(all, self.total, task.network.outputs());
                trainer.forward(&batch);
                let loss = trainer.backward(trim.weights(rows.len(), || trainer.row_losses()), price_weight);
                let norm = trainer.update(rate as f32);
                if !loss.total.is_finite() || !norm.is_finite() {
                    let message = format!(
                        "the loss is not finite at step {all}; try a lower train.learning_rate, or look for extreme values \
                         in the data"
                    );
                    return Err(Error::Diverged { message });
                }
                loss_sum += f64::from(loss.reconstruction);
            }
            Ok((trainer.state(), loss_sum / self.count.max(1) as f64))
        })
    }
}
