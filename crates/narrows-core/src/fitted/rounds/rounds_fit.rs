//! A fit in rounds: the sample first, then round by round the outer step, at the end the calibration.

use serde::{Deserialize, Serialize};

use super::change::WeightsChange;
use super::given::{GivenWeights, OfCalibration};
use super::job::{RoundJob, RoundOrder};
use super::members;
use crate::data::framed::{frame, refused, unframe};
use crate::data::{RoundShare, Table};
use crate::error::{Error, Result};
use crate::fitted::learning::member_seed;
use crate::fitted::model::Model;
use crate::fitted::roles::Roles;
use crate::fitted::session::Session;
use crate::fitted::table::{PreparedTable, TableModel};
use crate::recipe::Recipe;
use crate::train::{Check, Params, PreparedSamples, Progress, Stop, Task, TrainerState, TrainingEvent, Validation};

/// What the bytes are.
const STATE: &str = "state of rounds";

/// A fit in rounds.
pub struct RoundsFit {
    recipe: Recipe,
    material: PreparedTable,
    model: TableModel,
    share: RoundShare,
    state: RoundsState,
}

/// What changes from round to round.
#[derive(Debug, Clone, PartialEq)]
struct RoundsState {
    history: RoundsHistory,
    /// Parameters and moments of all members, one after the other: now, and where the weights were best.
    now: Vec<f32>,
    best: Vec<f32>,
    /// The momentum of the outer step.
    momentum: Vec<f32>,
}

/// The course so far.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RoundsHistory {
    /// Checksum of the model that was fitted to the sample.
    model: u32,
    /// Rounds done.
    rounds: u32,
    /// Updates of a part so far, on average.
    updates: u64,
    /// Rows beyond the sample that have trained.
    rows: u64,
    /// The training of each member.
    members: Vec<Progress>,
}

impl RoundsFit {
    /// Fits a model to the sample of a table, as a fit without rounds does.
    ///
    /// # Errors
    /// As for [`fit`](crate::fit()); [`Error::Recipe`] if the recipe has no rounds, or the sample is all rows.
    pub fn start(recipe: &Recipe, sample: Table, roles: &Roles, session: &Session<'_>) -> Result<RoundsFit> {
        recipe.check()?;
        let rounds = recipe.train.rounds.count;
        if rounds == 0 || roles.validation_rows > 0 {
            let (expected, got) = if rounds == 0 { ("at least 1", "0") } else { ("no rows for validation", "some") };
            return Err(Error::recipe("train.rounds.count", format!("expected {expected}, got {got}")));
        }
        let share = RoundShare::beyond(&sample, &roles.sample_key, recipe.seed, rounds)?;
        let material = PreparedTable::new(recipe, sample, roles, session.observer)?;
        let model = material.fit(recipe, session)?;
        let networks = &model.core.scorer.ensemble.members;
        let mut now = Vec::new();
        networks.iter().for_each(|params| members::append(&mut now, &TrainerState::fresh(params.clone())));
        let finished = |training: &crate::report::Training| Progress {
            step: training.steps,
            best_check: training.best,
            rate_factor: 1.0,
            recoveries: training.recoveries,
            mean_activity: training.mean_activity,
            history: training.history.clone(),
            finished: None,
        };
        let history = RoundsHistory {
            model: checksum(&now),
            rounds: 0,
            updates: 0,
            rows: 0,
            members: model.core.report.training.iter().map(finished).collect(),
        };
        let state = RoundsState { history, best: now.clone(), momentum: vec![0.0; now.len()], now };
        // An interruption may have left out members.
        let recipe = model.core.recipe.clone();
        Ok(RoundsFit { recipe, material, model, share, state })
    }

    /// The model of the sample, with which parts of the data train.
    pub fn model(&self) -> &TableModel {
        &self.model
    }

    /// Rounds done.
    pub fn rounds_done(&self) -> u32 {
        self.state.history.rounds
    }

    /// The next round; `None` after the last.
    pub fn job(&self) -> Option<RoundJob> {
        let settings = &self.recipe.train.rounds;
        (self.rounds_done() < settings.count).then(|| RoundJob {
            order: RoundOrder {
                round: self.rounds_done(),
                rounds: settings.count,
                steps: match settings.steps {
                    crate::Choice::Auto => None,
                    crate::Choice::Given(steps) => Some(steps),
                },
                updates: self.state.history.updates,
                batch: self.recipe.train.batch_rows(self.material.n_train()),
                share: self.share.clone(),
                // On one machine, the rows of all parts are in memory at once.
                most: self.recipe.train.sample_rows.div_ceil(u64::from(settings.partitions)),
            },
            start: self.state.now.clone(),
        })
    }

    /// Ends a round with the changes of all parts: an outer step, and a check on the validation rows of the sample.
    ///
    /// # Errors
    /// [`Error::Mismatch`] for the changes of another round; [`Error::Data`] if no row belonged to the round.
    pub fn end_round(&mut self, change: &WeightsChange, session: &Session<'_>) -> Result<Vec<Check>> {
        let round = self.rounds_done();
        match change.round() {
            Some(of) if of == round => {}
            Some(of) => {
                return Err(Error::mismatch(format!("expected the changes of round {round}, got those of {of}")));
            }
            None => {
                let message = format!("round {round}: expected rows beyond the sample in some part, got none");
                return Err(Error::mismatch(message).with_hint("fewer train.rounds.count leave more rows to each"));
            }
        }
        let (rate, momentum) = self.recipe.train.rounds.outer(change.parts() as usize);
        let mean = change.mean();
        if mean.len() != self.state.now.len() {
            return Err(Error::mismatch("expected changes of this model's networks, got those of others"));
        }
        let each = self.each();
        let trainable = self.trainable();
        // The second ones, which are squares.
        let moments = each - trainable;
        let RoundsState { now, momentum: velocity, .. } = &mut self.state;
        for (i, change) in mean.into_iter().enumerate() {
            // Statistics and moments are averaged, which keeps them in their range.
            if i % each >= trainable {
                let averaged = (f64::from(now[i]) + change) as f32;
                now[i] = if i % each >= moments { averaged.max(0.0) } else { averaged };
                continue;
            }
            let moved = momentum * f64::from(velocity[i]) + change;
            now[i] = (f64::from(now[i]) + rate * (momentum * moved + change)) as f32;
            velocity[i] = moved as f32;
        }
        let checks = self.checks(change, session)?;
        let history = &mut self.state.history;
        for (member, (progress, check)) in history.members.iter_mut().zip(&checks).enumerate() {
            let best = progress.history.get(progress.best_check).map_or(f64::INFINITY, |check| check.validation_loss);
            progress.history.push(*check);
            progress.step = check.step;
            if check.validation_loss < best {
                progress.best_check = progress.history.len() - 1;
                let range = member * each..(member + 1) * each;
                self.state.best[range.clone()].copy_from_slice(&self.state.now[range]);
            }
        }
        history.rounds += 1;
        history.updates += change.mean_steps();
        history.rows += change.rows();
        session.observer.on_event(TrainingEvent::RoundEnded {
            done: history.rounds,
            rounds: self.recipe.train.rounds.count,
            rows: change.rows(),
            validation_loss: checks.iter().map(|check| check.validation_loss).sum::<f64>() / checks.len().max(1) as f64,
        });
        Ok(checks)
    }

    /// The losses after an outer step, by member.
    fn checks(&self, change: &WeightsChange, session: &Session<'_>) -> Result<Vec<Check>> {
        let members = self.params(&self.state.now)?;
        let (recipe, material) = (&self.recipe, &self.material);
        let executor = session.compute.executor();
        let mut checks = Vec::with_capacity(members.len());
        for (member, params) in members.iter().enumerate() {
            let corruption = recipe.corruptions()[member];
            let samples = PreparedSamples { prepared: material.prepared(), blocks: material.blocks(), corruption };
            let task = Task {
                member,
                seed: member_seed(recipe.seed, member),
                network: &self.model.core.scorer.ensemble.network,
                samples: &samples,
                rows: &material.split().train,
                validation: &material.split().validation,
                latent: &recipe.latent,
                sparsity: &recipe.sparsity,
                config: &recipe.train,
            };
            let misfit = |error: narrows_engine::ShapeError| Error::recipe("backbone", error.to_string());
            let loss = executor.install(|| -> Result<f64> {
                let prepared = executor.prepare(task.network, params).map_err(misfit)?;
                Ok(Validation::new(&task)?.loss(&*prepared))
            })?;
            let before = &self.state.history.members[member];
            let step = before.step + change.mean_steps();
            let check = Check {
                step,
                epoch: before.history.last().map_or(0.0, |check| check.epoch)
                    + change.rows() as f64 / material.n_train().max(1) as f64,
                train_loss: change.losses()[member],
                validation_loss: loss,
                learning_rate: recipe.train.learning_rate.get(),
            };
            checks.push(check);
        }
        Ok(checks)
    }

    /// Numbers of a member.
    fn each(&self) -> usize {
        self.model.core.scorer.ensemble.members.first().map_or(1, members::length).max(1)
    }

    /// Trainable numbers of a member, which come first.
    fn trainable(&self) -> usize {
        self.model.core.scorer.ensemble.network.n_params()
    }

    /// The parameters of each member.
    fn params(&self, numbers: &[f32]) -> Result<Vec<Params>> {
        let members = &self.model.core.scorer.ensemble.members;
        let own = members.iter().zip(numbers.chunks(self.each()));
        own.map(|(params, own)| Ok(members::state(params, own, 0)?.params)).collect()
    }

    /// The model with the best weights of the fit to the sample and of all rounds, calibrated on the sample's held-out rows.
    ///
    /// # Errors
    /// As for [`fit`](crate::fit()).
    pub fn finish(self, session: &Session<'_>) -> Result<Model> {
        let RoundsHistory { rounds, rows, members, .. } = &self.state.history;
        let params = self.params(&self.state.best)?;
        let is_done = *rounds >= self.recipe.train.rounds.count;
        let stopped = if is_done { Stop::Finished } else { Stop::Interrupted };
        let given = GivenWeights { members: params.into_iter().zip(members.iter().cloned()).collect(), stopped };
        let plural = if *rounds == 1 { "" } else { "s" };
        let note = format!("then trained in {rounds} round{plural} on {rows} rows beyond the sample");
        session.observer.on_event(TrainingEvent::Noted(&note));
        let observer = OfCalibration(session.observer);
        let session = Session { compute: session.compute.clone(), observer: &observer, checkpoints: &given };
        let mut material = self.material;
        material.note(note);
        material.fit(&self.recipe, &session).map(Model::from)
    }

    /// What has changed since the start, to go on from later.
    pub fn state(&self) -> Vec<u8> {
        let RoundsState { history, now, best, momentum } = &self.state;
        let numbers = [now, best, momentum].into_iter().flatten();
        frame(history, &numbers.flat_map(|x| x.to_le_bytes()).collect::<Vec<u8>>())
    }

    /// Goes on from a state of the same fit.
    ///
    /// # Errors
    /// [`Error::Data`] for other or damaged bytes, [`Error::Mismatch`] for the state of another fit.
    pub fn resume(&mut self, state: &[u8]) -> Result<()> {
        let (history, numbers): (RoundsHistory, _) = unframe(state, STATE)?;
        let ours = &self.state.history;
        if history.model != ours.model || history.members.len() != ours.members.len() {
            let error = Error::mismatch("expected the state of this fit, got that of other data or another recipe");
            return Err(error.with_hint(crate::error::Hint::of("without [resume], the fit starts from the beginning")));
        }
        let (numbers, rest) = numbers.as_chunks();
        let numbers: Vec<f32> = numbers.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
        let n = self.state.now.len();
        let checked = history.members.iter().try_for_each(Progress::check);
        if numbers.len() != 3 * n || !rest.is_empty() || checked.is_err() {
            return Err(refused(STATE, "others"));
        }
        let part = |i: usize| numbers[i * n..(i + 1) * n].to_vec();
        self.state = RoundsState { history, now: part(0), best: part(1), momentum: part(2) };
        Ok(())
    }
}

fn checksum(weights: &[f32]) -> u32 {
    let mut sum = crc32fast::Hasher::new();
    weights.iter().for_each(|weight| sum.update(&weight.to_le_bytes()));
    sum.finalize()
}
