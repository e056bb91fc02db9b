//! The training loop: batch, corrupt, forward, loss, backward, step; regular checks, best weights kept.

use narrows_engine::{Network, Params, PreparedNetwork, RowWeights, Trainer, TrainerState};

use super::engine_settings::engine_config;
use super::order::BatchOrder;
use super::samples::{Gather, SampleSource};
use super::snapshot::Progress;
use super::{Check, Checkpoints, Observer, Snapshot, Stop, Train, Training, TrainingEvent};
use crate::compute::Compute;
use crate::error::{Error, Result};
use crate::model::{Latent, Sparsity};

/// Divergence is a validation loss this many times the first one. Batch losses do not count: an extreme
/// cell makes one large, while gradient clipping keeps the step small.
const EXPLOSION: f64 = 1e4;
/// Factor on the learning rate after a divergence.
const RECOVERY: f64 = 0.3;
/// Number of divergences after which training fails.
const GIVE_UP: u32 = 3;
/// Number of checks in a full training.
const CHECKS: u64 = 60;
/// Maximum number of rows per check, which bounds its cost.
const CHECKED_ROWS: usize = 5_000;
/// The epoch that keys the corruption of validation rows: the same at every check, and no training epoch's.
const CHECK_EPOCH: u64 = (1 << 44) - 1;

/// One network to train.
pub(crate) struct Task<'a> {
    /// Index in the ensemble, from 0.
    pub member: usize,
    /// The member's seed.
    pub seed: u64,
    /// The network.
    pub network: &'a Network,
    /// The corrupted samples.
    pub samples: &'a dyn SampleSource,
    /// Training samples.
    pub rows: &'a [u32],
    /// Validation samples; if empty, training samples are used.
    pub validation: &'a [u32],
    /// Form of the code.
    pub latent: &'a Latent,
    /// Penalty on the code.
    pub sparsity: &'a Sparsity,
    /// Training settings.
    pub config: &'a Train,
}

/// A trained network.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Trained {
    /// The best weights.
    pub params: Params,
    /// The training history.
    pub training: Training,
}

/// Trains one network.
///
/// # Errors
/// [`Error::Diverged`] after the third divergence, [`Error::Interrupted`] before the first check, and errors of
/// `checkpoints`.
pub(crate) fn run(
    task: &Task<'_>,
    checkpoints: &dyn Checkpoints,
    observer: &dyn Observer,
    compute: &Compute,
) -> Result<Trained> {
    let executor = compute.executor();
    executor.install(|| TrainingRun::start(task, checkpoints, observer, compute)?.finish())
}

struct TrainingRun<'a> {
    task: &'a Task<'a>,
    checkpoints: &'a dyn Checkpoints,
    observer: &'a dyn Observer,
    trainer: Box<dyn Trainer>,
    best: Params,
    progress: Progress,
    /// The state restored after a divergence.
    good: (TrainerState, u64),
    total: u64,
    batch: usize,
    an_epoch: u64,
}

impl<'a> TrainingRun<'a> {
    fn start(
        task: &'a Task<'a>,
        checkpoints: &'a dyn Checkpoints,
        observer: &'a dyn Observer,
        compute: &Compute,
    ) -> Result<TrainingRun<'a>> {
        let config = task.config;
        let batch = config.batch_rows(task.rows.len());
        let params = task.network.init(task.seed);
        let snapshot = checkpoints.load(task.member, &params)?;
        let engine_config = engine_config(config, task.sparsity);
        let misfit = |error: narrows_engine::ShapeError| Error::recipe("backbone", error.to_string());
        let mut trainer = compute.trainer(task.network, params.clone(), engine_config, batch).map_err(misfit)?;
        let (best, progress) = match snapshot {
            Some(snapshot) => {
                trainer.restore(&snapshot.state).map_err(misfit)?;
                (snapshot.best, snapshot.progress)
            }
            None => (params, Progress::start()),
        };
        let good = (trainer.state(), progress.step);
        let an_epoch = task.rows.len().div_ceil(batch) as u64;
        Ok(TrainingRun {
            task,
            checkpoints,
            observer,
            trainer,
            best,
            progress,
            good,
            total: config.planned_steps(task.rows.len()),
            batch,
            an_epoch,
        })
    }

    fn finish(mut self) -> Result<Trained> {
        let task = self.task;
        let mut gather = Gather::new(task.samples, task.seed, self.batch);
        let mut order = BatchOrder::new(task.rows, task.samples.sources());
        let mut trim = Trim::new(task.config.trimmed(), self.batch);
        let every = check_interval(self.total, self.an_epoch);
        let validation = Validation::new(task)?;
        let (mut loss_sum, mut losses) = (0.0_f64, 0_u64);

        while self.progress.finished.is_none() {
            let step = self.progress.step;
            let epoch = step / self.an_epoch;
            let rate = self.learning_rate(step);
            let (rows, coming) = order.step(task.seed, epoch, (step % self.an_epoch) as usize, self.batch);
            task.samples.expect(coming);
            let batch = gather.batch(rows, epoch)?;
            let price_weight = task.latent.price_weight(step, self.total, task.network.outputs());

            self.trainer.forward(&batch);
            let loss = self.trainer.backward(trim.weights(rows.len(), || self.trainer.row_losses()), price_weight);
            let norm = self.trainer.update(rate as f32);
            self.progress.step += 1;
            self.progress.mean_activity = f64::from(loss.mean_activity);
            loss_sum += f64::from(loss.reconstruction);
            losses += 1;

            if !loss.total.is_finite() || !norm.is_finite() {
                self.recover()?;
                (loss_sum, losses) = (0.0, 0);
                continue;
            }
            let interrupted = self.observer.interrupted();
            let last = self.progress.step >= self.total;
            let is_due = self.progress.step.is_multiple_of(every) || last;
            if is_due || interrupted {
                let check = Check {
                    step: self.progress.step,
                    epoch: self.progress.step as f64 / self.an_epoch as f64,
                    train_loss: loss_sum / losses as f64,
                    validation_loss: validation.loss(&*self.trainer.prepared()),
                    learning_rate: rate,
                };
                (loss_sum, losses) = (0.0, 0);
                let first =
                    self.progress.history.first().map_or(f64::INFINITY, |check| check.validation_loss.max(1e-3));
                if !check.validation_loss.is_finite() || check.validation_loss > EXPLOSION * first {
                    self.recover()?;
                    continue;
                }
                self.keep(check);
                if last {
                    self.progress.finished = Some(Stop::Finished);
                } else if self.out_of_patience() {
                    self.progress.finished = Some(Stop::Early);
                }
                // A check added by an interruption must not be resumed from: uninterrupted training does not have it.
                if is_due {
                    self.save()?;
                }
                if interrupted && self.progress.finished.is_none() {
                    self.progress.finished = Some(Stop::Interrupted);
                }
            }
        }
        self.observer.on_event(TrainingEvent::Finished { member: task.member });
        Ok(self.trained())
    }

    fn learning_rate(&self, step: u64) -> f64 {
        let base = self.task.config.learning_rate.get() * self.progress.rate_factor;
        self.task.config.schedule.rate(base, step, self.total, &self.progress.history)
    }

    /// Records a check, and stores its weights if they are the best so far.
    fn keep(&mut self, check: Check) {
        let progress = &mut self.progress;
        // During KL warm-up, earlier losses are not comparable with later ones.
        let warming = self.task.latent.price_weight(check.step, self.total, 1)
            < self.task.latent.price_weight(self.total, self.total, 1);
        let better = warming
            || progress.history.is_empty()
            || check.validation_loss < progress.history[progress.best_check].validation_loss;
        progress.history.push(check);
        if better {
            progress.best_check = progress.history.len() - 1;
            self.best = self.trainer.params();
        }
        self.good = (self.trainer.state(), progress.step);
        self.observer.on_event(TrainingEvent::Checked { member: self.task.member, steps: self.total, check: &check });
    }

    fn out_of_patience(&self) -> bool {
        let patience = self.task.config.patience as usize;
        patience > 0 && self.progress.history.len() - 1 - self.progress.best_check >= patience
    }

    /// Restores the last good weights at a lower learning rate.
    fn recover(&mut self) -> Result<()> {
        let progress = &mut self.progress;
        progress.recoveries += 1;
        if progress.recoveries >= GIVE_UP {
            return Err(Error::Diverged {
                message: format!(
                    "the loss exploded {} times, the last time at step {}, though the learning rate was lowered to {:.2e}; \
                     try a lower train.learning_rate, or look for extreme values in the data",
                    progress.recoveries,
                    progress.step,
                    self.task.config.learning_rate.get() * progress.rate_factor
                ),
            });
        }
        progress.rate_factor *= RECOVERY;
        progress.step = self.good.1;
        self.trainer.restore(&self.good.0).expect("a state of this very trainer");
        self.observer.on_event(TrainingEvent::Recovered {
            member: self.task.member,
            step: progress.step,
            factor: progress.rate_factor,
        });
        Ok(())
    }

    fn save(&self) -> Result<()> {
        self.checkpoints.save(self.task.member, &|| Snapshot {
            state: self.trainer.state(),
            best: self.best.clone(),
            progress: self.progress.clone(),
        })
    }

    fn trained(self) -> Trained {
        let progress = self.progress;
        let training = Training {
            corruption: self.task.samples.damage(),
            steps: progress.step,
            epochs: progress.step as f64 / self.an_epoch as f64,
            stopped: progress.finished.unwrap_or(Stop::Finished),
            best: progress.best_check,
            recoveries: progress.recoveries,
            mean_activity: progress.mean_activity,
            history: progress.history,
        };
        Trained { params: self.best, training }
    }
}

impl Progress {
    fn start() -> Progress {
        Progress {
            step: 0,
            best_check: 0,
            rate_factor: 1.0,
            recoveries: 0,
            mean_activity: 0.0,
            history: Vec::new(),
            finished: None,
        }
    }
}

/// Steps between checks: whole epochs if they are short, fractions of one if they are long.
fn check_interval(total: u64, an_epoch: u64) -> u64 {
    let wanted = (total / CHECKS).max(1);
    if wanted >= an_epoch { wanted.div_ceil(an_epoch) * an_epoch } else { wanted }
}

/// The validation samples with fixed corruption.
pub(crate) struct Validation<'a> {
    task: &'a Task<'a>,
    input: Vec<f32>,
    target: Vec<f32>,
    n: usize,
}

impl<'a> Validation<'a> {
    pub(crate) fn new(task: &'a Task<'a>) -> Result<Validation<'a>> {
        let rows = if task.validation.is_empty() { task.rows } else { task.validation };
        let rows = &rows[..rows.len().min(CHECKED_ROWS)];
        let mut gather = Gather::new(task.samples, task.seed, rows.len());
        let batch = gather.batch(rows, CHECK_EPOCH)?;
        Ok(Validation { task, input: batch.input.to_vec(), target: batch.target.to_vec(), n: rows.len() })
    }

    pub(crate) fn loss(&self, prepared: &dyn PreparedNetwork) -> f64 {
        let price_weight = self.task.latent.price_weight(u64::MAX, u64::MAX, self.task.network.outputs());
        let mut losses = vec![0.0; self.n];
        prepared.losses(&self.input, &self.target, price_weight, &mut losses);
        losses.iter().map(|loss| f64::from(*loss)).sum::<f64>() / self.n as f64
    }
}

/// Robust trimming: the rows of highest loss are excluded from the step.
pub(super) struct Trim {
    share: f64,
    weights: Vec<f32>,
    sorted: Vec<f32>,
}

impl Trim {
    pub(super) fn new(share: f64, batch: usize) -> Trim {
        Trim { share, weights: vec![1.0; batch], sorted: Vec::with_capacity(batch) }
    }

    /// The weights of `n` rows; their losses are asked for where they matter, as a device has to be waited for.
    pub(super) fn weights<'l>(&mut self, n: usize, losses: impl FnOnce() -> &'l [f32]) -> RowWeights<'_> {
        let out = (self.share * n as f64).round() as usize;
        if out == 0 {
            return RowWeights::Uniform;
        }
        let losses = losses();
        self.sorted.clear();
        self.sorted.extend_from_slice(losses);
        self.sorted.sort_unstable_by(f32::total_cmp);
        let limit = self.sorted[losses.len() - out - 1];
        self.weights.clear();
        self.weights.extend(losses.iter().map(|loss| if *loss > limit { 0.0 } else { 1.0 }));
        RowWeights::Given(&self.weights)
    }
}
