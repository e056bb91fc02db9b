//! What a search found: plain public data, and the recipe as a file.

use serde::Serialize;

use super::{CodeSizeCurve, Goal, Outcome, Success};
use crate::recipe::Recipe;

/// What a search found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SearchResult {
    /// What was searched for.
    pub goal: Goal,
    /// Key of all randomness.
    pub seed: u64,
    /// What was varied, in words.
    pub space: Vec<String>,
    /// Rows, windows or pieces that no trial trained on.
    pub held_out: usize,
    /// Trials asked for.
    pub planned: usize,
    /// Those that were run, by number; the first is the recipe that the search started from.
    pub trials: Vec<Trial>,
    /// Why there are no more of them.
    pub ended: Ended,
    /// Number of the trial that is best, to which `best` adds a choice of the code's size at most.
    pub best_trial: usize,
    /// The measure of the recipe that is best.
    pub best: Success,
    /// Error against the size of the code.
    pub curve: CodeSizeCurve,
    /// The recipe that is best.
    pub recipe: Recipe,
}

/// A recipe that was tried.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Trial {
    /// From 0.
    pub number: usize,
    /// What came of it on the last rung it reached.
    pub outcome: Outcome,
    /// Share of the training steps on that rung; below 1 where it was stopped early.
    pub share: f64,
    /// Seconds of all its runs; of those taken from a journal, as they are written there.
    pub seconds: f64,
    /// The recipe.
    pub recipe: Recipe,
}

/// Why a search ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Ended {
    /// All trials were made.
    Finished,
    /// Its time was up.
    Time,
    /// The user stopped it.
    Interrupted,
}

impl SearchResult {
    /// The measure of the recipe that the search started from, where it could be trained.
    pub fn start(&self) -> Option<&Success> {
        self.trials.first().and_then(|trial| trial.outcome.done())
    }

    /// Trials by the criterion, the best first; the further they were trained, the more they are to be trusted.
    pub fn ranked(&self) -> Vec<&Trial> {
        let mut ranked: Vec<&Trial> = self.trials.iter().collect();
        ranked.sort_by(|a, b| {
            let full = |trial: &Trial| trial.share < 1.0;
            full(a).cmp(&full(b)).then(a.outcome.cost().total_cmp(&b.outcome.cost())).then(a.number.cmp(&b.number))
        });
        ranked
    }

    /// The recipe as TOML, below comments that say where it comes from; `command` is what was typed.
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
