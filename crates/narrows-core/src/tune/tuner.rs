//! The search loop: run, compare, promote, and finally vary the code size.

use std::time::{Duration, Instant};

use super::curve::{self, CodeSizeCurve, Point};
use super::halving::{Halving, Job};
use super::space::{Space, has_map_code, with_code_size};
use super::{Ended, Goal, Journal, Outcome, SearchResult, Stage, Success, Trial, TrialRun};
use crate::compute::Compute;
use crate::error::{Error, Result};
use crate::fitted::{Dataset, TrialData, trial_data};
use crate::recipe::Recipe;
use crate::train::Observer;

/// Share of the time budget for trials; the rest is for the code size.
const TRIALS_SHARE: f64 = 0.75;
/// The widest code of a curve.
const WIDEST_OF_CURVE: usize = 256;

/// The plan of a search.
#[derive(Debug, Clone, PartialEq)]
pub struct SearchPlan {
    /// The goal.
    pub goal: Goal,
    /// The initial recipe; its seed is also that of the search.
    pub base: Recipe,
    /// Fixed fields, by dotted path.
    pub held: Vec<String>,
    /// Number of trials, including the initial recipe.
    pub trials: usize,
    /// Time limit, after which no run starts and the current one is aborted.
    pub time: Option<Duration>,
}

/// Observes a search and may interrupt it.
pub trait Watch: Sync {
    /// Called before the first run, with the search space.
    fn on_start(&self, _space: &Space, _held_out: usize) {}

    /// Called after every run; `recalled` if it was taken from the journal.
    fn on_run(&self, _run: &TrialRun, _recalled: bool) {}

    /// Called before every training step; `true` aborts the run and ends the search.
    fn interrupted(&self) -> bool {
        false
    }
}

/// Observes nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Unwatched;

impl Watch for Unwatched {}

/// Searches a recipe for data of the kind given by the plan's base recipe.
///
/// # Errors
/// [`Error::Recipe`] for an invalid plan or an initial recipe that cannot be trained, data errors as for
/// [`fit`](crate::fit()), [`Error::Interrupted`] before the first run has ended, [`Error::Write`] from the journal.
pub fn tune(
    plan: &SearchPlan,
    dataset: impl Into<Dataset>,
    journal: &mut Journal,
    watch: &dyn Watch,
    compute: &Compute,
) -> Result<SearchResult> {
    plan.check()?;
    let data = trial_data(&plan.base, dataset.into(), &Quiet)?;
    Tuner::new(plan, &data, journal, watch, compute)?.search()
}

impl SearchPlan {
    /// Rejects invalid plans.
    ///
    /// # Errors
    /// [`Error::Recipe`].
    pub fn check(&self) -> Result<()> {
        if self.trials == 0 {
            return Err(Error::recipe("trials", "expected at least 1, the recipe that the search starts from, got 0"));
        }
        if self.time == Some(Duration::ZERO) {
            return Err(Error::recipe("limit", "expected some time, got none"));
        }
        Ok(())
    }
}

/// Drops notes on the preparation, which are repeated when the recipe is fitted.
struct Quiet;

impl Observer for Quiet {}

/// Aborts a training when its search is to end.
struct Deadline<'a> {
    watch: &'a dyn Watch,
    at: Option<Instant>,
}

impl Deadline<'_> {
    fn passed(&self) -> bool {
        self.at.is_some_and(|at| Instant::now() >= at)
    }
}

impl Observer for Deadline<'_> {
    fn interrupted(&self) -> bool {
        self.watch.interrupted() || self.passed()
    }
}

struct Tuner<'a> {
    plan: &'a SearchPlan,
    data: &'a TrialData,
    space: Space,
    journal: &'a mut Journal,
    watch: &'a dyn Watch,
    compute: &'a Compute,
    began: Instant,
}

/// A run of a search, or why the search ends.
type Ran = std::result::Result<TrialRun, Ended>;

impl<'a> Tuner<'a> {
    fn new(
        plan: &'a SearchPlan,
        data: &'a TrialData,
        journal: &'a mut Journal,
        watch: &'a dyn Watch,
        compute: &'a Compute,
    ) -> Result<Tuner<'a>> {
        let space = Space::new(&plan.base, &plan.held, plan.goal, data.blocks())?;
        Ok(Tuner { plan, data, space, journal, watch, compute, began: Instant::now() })
    }

    fn search(mut self) -> Result<SearchResult> {
        self.watch.on_start(&self.space, self.data.n_held_out());
        let halving = Halving::new(self.plan.trials, self.data.planned_steps(&self.plan.base));
        let (trials, mut ended) = self.trials(&halving)?;
        let Some(best) = best_of(&trials, ended) else {
            // Nothing was measured yet.
            return Err(Error::Interrupted);
        };
        let (mut recipe, mut measured) = (trials[best.0].recipe.clone(), best.1);
        let curve = match ended {
            Ended::Interrupted => CodeSizeCurve::default(),
            _ => {
                let (curve, cut_short) = self.curve(&recipe, measured.code_size, halving.share(halving.middle()))?;
                ended = cut_short.unwrap_or(ended);
                curve
            }
        };
        if ended == Ended::Finished && self.space.varies_code_size() && self.plan.goal == Goal::Reconstruction {
            match self.better_size(&curve, &recipe, &measured)? {
                Ok(Some((other, success))) => (recipe, measured) = (other, success),
                Ok(None) => {}
                Err(why) => ended = why,
            }
        }
        Ok(SearchResult {
            goal: self.plan.goal,
            seed: self.plan.base.seed,
            space: self.space.describe(),
            held_out: self.data.n_held_out(),
            planned: self.plan.trials,
            trials,
            ended,
            best_trial: best.0,
            best: measured,
            curve,
            recipe,
        })
    }

    /// Runs the trials, as far as time permits.
    fn trials(&mut self, halving: &Halving) -> Result<(Vec<Trial>, Ended)> {
        let mut trials: Vec<Trial> = Vec::new();
        let mut costs: Vec<Vec<f64>> = Vec::new();
        let mut ended = Ended::Finished;
        while let Some(Job { trial, rung }) = halving.next(&costs) {
            let recipe = self.space.trial(trial);
            let run = match self.run(Stage::Trial, trial, &recipe, halving.share(rung), TRIALS_SHARE)? {
                Ok(run) => run,
                Err(why) => {
                    ended = why;
                    break;
                }
            };
            if trial == costs.len() {
                costs.push(Vec::new());
                let outcome = run.outcome.clone();
                trials.push(Trial { number: trial, outcome, share: run.share, seconds: 0.0, recipe });
            }
            if let (0, Outcome::Failed(why)) = (trial, &run.outcome) {
                let message = format!("the recipe that the search starts from cannot be trained: {why}");
                return Err(Error::Diverged { message });
            }
            costs[trial].push(run.outcome.cost());
            let told = &mut trials[trial];
            told.seconds += run.seconds;
            (told.outcome, told.share) = (run.outcome, run.share);
        }
        Ok((trials, ended))
    }

    /// The error of `recipe` at other code sizes, and why it ended early if it did.
    fn curve(&mut self, recipe: &Recipe, own: usize, share: f64) -> Result<(CodeSizeCurve, Option<Ended>)> {
        if has_map_code(recipe) {
            return Ok((CodeSizeCurve::default(), None));
        }
        let sizes = curve::sizes(self.data.width(), WIDEST_OF_CURVE, own);
        let pca = self.data.pca_unexplained(&sizes, recipe.seed, self.compute)?;
        let mut points = Vec::new();
        for (i, (code_size, pca_unexplained)) in sizes.into_iter().zip(pca).enumerate() {
            let run = match self.run(Stage::CodeSize, i, &with_code_size(recipe, code_size), share, 1.0)? {
                Ok(run) => run,
                Err(why) => return Ok((CodeSizeCurve::new(points, share), Some(why))),
            };
            let done = run.outcome.done();
            points.push(Point {
                code_size,
                unexplained: done.map(|done| done.unexplained),
                pca_unexplained,
                cost: done.map(|done| done.cost),
            });
        }
        Ok((CodeSizeCurve::new(points, share), None))
    }

    /// The recipe with the best size of the curve, if a full training confirms it.
    fn better_size(
        &mut self,
        curve: &CodeSizeCurve,
        recipe: &Recipe,
        best: &Success,
    ) -> Result<std::result::Result<Option<(Recipe, Success)>, Ended>> {
        let cheapest = curve.points.iter().filter_map(|point| Some((point.code_size, point.cost?)));
        let Some((size, _)) = cheapest.min_by(|a, b| a.1.total_cmp(&b.1).then(a.0.cmp(&b.0))) else {
            return Ok(Ok(None));
        };
        if size == best.code_size {
            return Ok(Ok(None));
        }
        let other = with_code_size(recipe, size);
        Ok(match self.run(Stage::CodeSize, curve.points.len(), &other, 1.0, 1.0)? {
            Ok(run) => Ok(run.outcome.done().filter(|done| done.cost < best.cost).map(|done| (other, *done))),
            Err(why) => Err(why),
        })
    }

    /// Trains and measures a recipe on a share of its steps, or takes the run from the journal; `until` is the share of
    /// the time limit available.
    fn run(&mut self, stage: Stage, trial: usize, recipe: &Recipe, share: f64, until: f64) -> Result<Ran> {
        let mut shortened = recipe.clone();
        if share < 1.0 {
            let steps = self.data.planned_steps(recipe) as f64;
            shortened.train.steps = ((share * steps).ceil() as u64).max(1);
        }
        if let Some(known) = self.journal.find(&shortened) {
            let run = TrialRun { stage, trial, share, ..known.clone() };
            self.watch.on_run(&run, true);
            return Ok(Ok(run));
        }
        let at = self.plan.time.map(|time| self.began + time.mul_f64(until));
        let deadline = Deadline { watch: self.watch, at };
        let why = || if self.watch.interrupted() { Ended::Interrupted } else { Ended::Time };
        if deadline.interrupted() {
            return Ok(Err(why()));
        }
        let began = Instant::now();
        let outcome = match self.data.train(&shortened, &deadline, self.compute) {
            Ok(model) => {
                let lost = self.data.unexplained(&model);
                let code_size = model.code_size();
                if lost.share.is_finite() {
                    Outcome::Done(Success {
                        cost: self.plan.goal.cost(lost.share, code_size),
                        unexplained: lost.share,
                        standard_error: lost.standard_error,
                        code_size,
                        parameters: model.parameters(),
                        steps: model.steps,
                    })
                } else {
                    Outcome::Failed("its reconstructions are not finite".to_owned())
                }
            }
            Err(Error::Interrupted) => return Ok(Err(why())),
            // The initial recipe is the user's: its errors are reported as by a fit.
            Err(error @ Error::Recipe { .. }) if stage == Stage::Trial && trial == 0 => return Err(error),
            Err(error @ (Error::Diverged { .. } | Error::Recipe { .. })) => Outcome::Failed(error.to_string()),
            Err(error) => return Err(error),
        };
        let seconds = (began.elapsed().as_secs_f64() * 1e3).round() / 1e3;
        let run = TrialRun { stage, trial, share, outcome, seconds, recipe: shortened };
        self.journal.add(run.clone())?;
        self.watch.on_run(&run, false);
        Ok(Ok(run))
    }
}

/// The best trial and its measurements: among fully trained trials if the search finished, among all if it was
/// interrupted.
fn best_of(trials: &[Trial], ended: Ended) -> Option<(usize, Success)> {
    let counts = |trial: &&Trial| ended != Ended::Finished || trial.share == 1.0;
    let done = trials.iter().filter(counts).filter_map(|trial| Some((trial.number, *trial.outcome.done()?)));
    done.min_by(|a, b| a.1.cost.total_cmp(&b.1.cost).then(a.0.cmp(&b.0)))
}
