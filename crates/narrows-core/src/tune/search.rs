//! The result of a search: plain public data, and the recipe as TOML.

use serde::Serialize;

use super::{CodeSizeCurve, Goal, Outcome, Success};
use crate::recipe::Recipe;
use crate::report::Concern;

/// The result of a search.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SearchResult {
    /// The goal of the search.
    pub goal: Goal,
    /// Seed of the search.
    pub seed: u64,
    /// The search space as text.
    pub space: Vec<String>,
    /// Number of held-out rows, windows or patches.
    pub held_out: usize,
    /// Requested number of trials.
    pub planned: usize,
    /// The trials, by number; the first is the initial recipe.
    pub trials: Vec<Trial>,
    /// Why the search ended.
    pub ended: Ended,
    /// Number of the best trial; `best` differs from it at most in code size.
    pub best_trial: usize,
    /// The measurements of the best recipe.
    pub best: Success,
    /// Error by code size.
    pub curve: CodeSizeCurve,
    /// The best recipe.
    pub recipe: Recipe,
}

/// A recipe that was tried.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Trial {
    /// From 0.
    pub number: usize,
    /// The outcome on the last rung it reached.
    pub outcome: Outcome,
    /// Share of the training steps on that rung; below 1 if it was stopped early.
    pub share: f64,
    /// Seconds of all its runs; for those from a journal, as recorded there.
    pub seconds: f64,
    /// The recipe.
    pub recipe: Recipe,
}

/// Why a search ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Ended {
    /// All trials were run.
    Finished,
    /// The time limit was reached.
    Time,
    /// The user interrupted it.
    Interrupted,
}

impl SearchResult {
    /// The measurements of the initial recipe, if it could be trained.
    pub fn start(&self) -> Option<&Success> {
        self.trials.first().and_then(|trial| trial.outcome.done())
    }

    /// What speaks against the best recipe: it explains less than a constant does, or much less than PCA.
    pub fn concern(&self) -> Option<Concern> {
        let at_its_size = self.curve.points.iter().find(|point| point.code_size == self.best.code_size);
        let pca_unexplained = at_its_size.map(|point| point.pca_unexplained);
        let unexplained = self.best.unexplained;
        Concern::of_unexplained(unexplained, pca_unexplained, self.recipe.data.kind())
            .or_else(|| (unexplained >= 1.0).then_some(Concern::NothingToLearn { unexplained }))
    }

    /// Trials by criterion, best first; fully trained ones come first, as they are more reliable.
    pub fn ranked(&self) -> Vec<&Trial> {
        let mut ranked: Vec<&Trial> = self.trials.iter().collect();
        ranked.sort_by(|a, b| {
            let full = |trial: &Trial| trial.share < 1.0;
            full(a).cmp(&full(b)).then(a.outcome.cost().total_cmp(&b.outcome.cost())).then(a.number.cmp(&b.number))
        });
        ranked
    }

    /// The recipe as TOML with comments on its origin; `command` is the command line.
    pub fn to_toml(&self, command: &str) -> String {
        let measured = |success: &Success| {
            format!("{:.4} of held-out variance unexplained with a code of {}", success.unexplained, success.code_size)
        };
        let mut lines = vec![
            format!("written by: {command}"),
            format!("criterion:  {}", self.goal.criterion()),
            format!("this:       {}; criterion {:.4}", measured(&self.best), self.best.cost),
        ];
        if let Some(start) = self.start() {
            lines.push(format!("start:      {}; criterion {:.4}", measured(start), start.cost));
        }
        lines.extend(self.concern().map(|concern| format!("warning:    {}", concern.describe())));
        let n = self.trials.len();
        lines.push(match self.ended {
            Ended::Finished => format!("trials:     {n}"),
            Ended::Time => {
                format!("trials:     {n} of {}: the time limit was reached; resuming continues", self.planned)
            }
            Ended::Interrupted => format!("trials:     {n} of {}: interrupted; resuming continues", self.planned),
        });
        let comments: String = lines.iter().map(|line| format!("# {}\n", line.replace(['\n', '\r'], " "))).collect();
        format!("{comments}\n{}", self.recipe.to_toml())
    }
}
