//! The search loop: run, compare, promote, and finally vary the code size.

use std::time::{Duration, Instant};

use super::curve::{self, CodeSizeCurve, Point};
use super::halving::{Halving, Job};
use super::runner::Here;
use super::space::{Space, has_map_code, with_code_size};
use super::{Ended, Goal, Journal, Outcome, Runner, SearchResult, Stage, Success, Trial, TrialRun, Trials};
use crate::compute::Compute;
use crate::error::{Error, Result};
use crate::fitted::{Dataset, TrialData};
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
    let trials = Trials::new(plan, dataset)?;
    let runner = Here { trials: &trials, compute };
    tune_with(plan, &trials, &runner, journal, watch, compute)
}

/// Searches a recipe, with runs that are trained elsewhere.
///
/// # Errors
/// As for [`tune`], and those of the runner.
pub fn tune_with(
    plan: &SearchPlan,
    trials: &Trials,
    runner: &dyn Runner,
    journal: &mut Journal,
    watch: &dyn Watch,
    compute: &Compute,
) -> Result<SearchResult> {
    plan.check()?;
    let data = trials.data();
    let space = Space::new(&plan.base, &plan.held, plan.goal, data.blocks())?;
    Tuner { plan, data, space, runner, journal, watch, compute, began: Instant::now() }.search()
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
    runner: &'a dyn Runner,
    journal: &'a mut Journal,
    watch: &'a dyn Watch,
    compute: &'a Compute,
    began: Instant,
}

/// A run of a search, or why the search ends.
type RunOrEnd = std::result::Result<TrialRun, Ended>;

impl Tuner<'_> {
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
            let ahead = |tuner: &Self| tuner.ahead(halving, &costs);
            let run = match self.run(Stage::Trial, trial, &recipe, halving.share(rung), TRIALS_SHARE, &ahead)? {
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
        let of_sizes: Vec<Recipe> = sizes.iter().map(|size| with_code_size(recipe, *size)).collect();
        for (i, (code_size, pca_unexplained)) in sizes.into_iter().zip(pca).enumerate() {
            let ahead = |tuner: &Self| Ok(of_sizes[i..].iter().map(|recipe| tuner.shortened(recipe, share)).collect());
            let run = match self.run(Stage::CodeSize, i, &of_sizes[i], share, 1.0, &ahead)? {
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
        let ahead = |_: &Self| Ok(vec![other.clone()]);
        Ok(match self.run(Stage::CodeSize, curve.points.len(), &other, 1.0, 1.0, &ahead)? {
            Ok(run) => Ok(run.outcome.done().filter(|done| done.cost < best.cost).map(|done| (other, *done))),
            Err(why) => Err(why),
        })
    }

    /// The recipe as it is trained on a share of its steps.
    fn shortened(&self, recipe: &Recipe, share: f64) -> Recipe {
        let mut shortened = recipe.clone();
        if share < 1.0 {
            let steps = self.data.planned_steps(recipe) as f64;
            shortened.train.steps = ((share * steps).ceil() as u64).max(1);
        }
        shortened
    }

    /// The runs that will probably be asked for after those with these costs, the next one first.
    fn ahead(&self, halving: &Halving, costs: &[Vec<f64>]) -> Result<Vec<Recipe>> {
        let mut failure = None;
        let mut recipes = Vec::new();
        halving.ahead(costs, |Job { trial, rung }| {
            let recipe = self.shortened(&self.space.trial(trial), halving.share(rung));
            let known = match self.journal.find(&recipe) {
                Some(run) => Ok(Some(run.outcome.cost())),
                None => self.runner.known(&recipe).map(|outcome| outcome.map(|outcome| outcome.cost())),
            };
            let cost = known.unwrap_or_else(|error| {
                failure = Some(error);
                None
            });
            if cost.is_none() {
                recipes.push(recipe);
            }
            (failure.is_none() && recipes.len() < self.runner.lookahead()).then_some(cost)
        });
        failure.map_or(Ok(recipes), Err)
    }

    /// Trains and measures a recipe on a share of its steps, or takes the run from the journal; `until` is the share of
    /// the time limit available, `ahead` the runs that will follow, from this one on.
    fn run(
        &mut self,
        stage: Stage,
        trial: usize,
        recipe: &Recipe,
        share: f64,
        until: f64,
        ahead: &dyn Fn(&Self) -> Result<Vec<Recipe>>,
    ) -> Result<RunOrEnd> {
        let shortened = self.shortened(recipe, share);
        if let Some(known) = self.journal.find(&shortened) {
            let run = TrialRun { stage, trial, share, ..known.clone() };
            self.watch.on_run(&run, true);
            return Ok(Ok(run));
        }
        let at = self.plan.time.map(|time| self.began + time.mul_f64(until));
        let deadline = Deadline { watch: self.watch, at };
        let why = || if self.watch.interrupted() { Ended::Interrupted } else { Ended::Time };
        let is_start = stage == Stage::Trial && trial == 0;
        let ran = loop {
            if deadline.interrupted() {
                return Ok(Err(why()));
            }
            if self.runner.lookahead() > 0 {
                self.runner.begin(&ahead(self)?)?;
            }
            match self.runner.wait(&shortened, is_start, &deadline) {
                Ok(Some(ran)) => break ran,
                Ok(None) => {}
                Err(Error::Interrupted) => return Ok(Err(why())),
                Err(error) => return Err(error),
            }
        };
        let run = TrialRun { stage, trial, share, outcome: ran.outcome, seconds: ran.seconds, recipe: shortened };
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
