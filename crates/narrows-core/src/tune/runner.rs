//! Where the runs of a search are trained: in this process, one after the other, or by others, several at once.
//!
//! A search asks for one run after the other, whoever trains them, so its result and its journal do not depend on where
//! and in which order they end.

use std::time::Instant;

use super::{Goal, Outcome, SearchPlan, Success};
use crate::compute::Compute;
use crate::error::{Error, Result};
use crate::fitted::{Dataset, TrialData, trial_data};
use crate::recipe::Recipe;
use crate::train::Observer;

/// The samples of a search, prepared, on which recipes are trained and measured.
pub struct Trials {
    data: TrialData,
    goal: Goal,
}

/// A run that has ended.
#[derive(Debug, Clone, PartialEq)]
pub struct Ran {
    /// The outcome.
    pub outcome: Outcome,
    /// Wall-clock seconds.
    pub seconds: f64,
}

/// Trains the runs of a search.
pub trait Runner: Sync {
    /// How many runs it can make use of before they are asked for.
    fn lookahead(&self) -> usize {
        0
    }

    /// Told which runs will probably be asked for, the first ones first; it may begin with them.
    ///
    /// # Errors
    /// Errors of the runner itself.
    fn begin(&self, _recipes: &[Recipe]) -> Result<()> {
        Ok(())
    }

    /// The outcome of a run that has ended already.
    ///
    /// # Errors
    /// Errors of the runner itself.
    fn known(&self, _recipe: &Recipe) -> Result<Option<Outcome>> {
        Ok(None)
    }

    /// Waits a while for a run; `None` if it has not ended yet.
    ///
    /// # Errors
    /// [`Error::Interrupted`] if the observer asked for it, and errors of [`Trials::run`].
    fn wait(&self, recipe: &Recipe, is_start: bool, observer: &dyn Observer) -> Result<Option<Ran>>;
}

impl Trials {
    /// Prepares the samples.
    ///
    /// # Errors
    /// Those of the plan and of the data, as for [`tune`](super::tune()).
    pub fn new(plan: &SearchPlan, dataset: impl Into<Dataset>) -> Result<Trials> {
        plan.check()?;
        Ok(Trials { data: trial_data(&plan.base, dataset.into(), &Quiet)?, goal: plan.goal })
    }

    /// Trains a recipe and measures it; a pure function of the recipe.
    ///
    /// # Errors
    /// [`Error::Interrupted`], and errors of the data. A recipe that cannot be trained is an outcome, save that errors in
    /// the initial recipe, which is the user's (`is_start`), are reported as by a fit.
    pub fn run(&self, recipe: &Recipe, is_start: bool, observer: &dyn Observer, compute: &Compute) -> Result<Ran> {
        let began = Instant::now();
        let outcome = match self.data.train(recipe, observer, compute) {
            Ok(model) => {
                let lost = self.data.unexplained(&model);
                let code_size = model.code_size();
                if lost.share.is_finite() {
                    Outcome::Done(Success {
                        cost: self.goal.cost(lost.share, code_size),
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
            Err(error @ Error::Recipe { .. }) if is_start => return Err(error),
            Err(error @ (Error::Diverged { .. } | Error::Recipe { .. })) => Outcome::Failed(error.to_string()),
            Err(error) => return Err(error),
        };
        let seconds = (began.elapsed().as_secs_f64() * 1e3).round() / 1e3;
        Ok(Ran { outcome, seconds })
    }

    pub(super) fn data(&self) -> &TrialData {
        &self.data
    }
}

/// Trains in this process when it is asked.
pub(super) struct Here<'a> {
    pub(super) trials: &'a Trials,
    pub(super) compute: &'a Compute,
}

impl Runner for Here<'_> {
    fn wait(&self, recipe: &Recipe, is_start: bool, observer: &dyn Observer) -> Result<Option<Ran>> {
        self.trials.run(recipe, is_start, observer, self.compute).map(Some)
    }
}

/// Drops notes on the preparation, which are repeated when the recipe is fitted.
struct Quiet;

impl Observer for Quiet {}
