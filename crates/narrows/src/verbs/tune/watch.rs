//! Search progress: one line per finished training.

use std::sync::Mutex;

use narrows_core::tune::{Goal, Outcome, Space, Stage, TrialRun, Watch};

use crate::interrupt;
use crate::talk::{Talk, count};

/// Reports search progress and forwards Ctrl-C.
pub(super) struct SearchProgress {
    talk: Talk,
    goal: Goal,
    trials: usize,
    state: Mutex<SearchState>,
}

#[derive(Default)]
struct SearchState {
    /// The lowest criterion so far.
    best: Option<f64>,
    /// Number of trainings recalled from the journal.
    recalled: u64,
    /// Whether this process has finished a training.
    has_begun: bool,
}

impl SearchProgress {
    pub(super) fn new(talk: Talk, goal: Goal, trials: usize) -> SearchProgress {
        SearchProgress { talk, goal, trials, state: Mutex::default() }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, SearchState> {
        self.state.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

impl Watch for SearchProgress {
    fn on_start(&self, space: &Space, held_out: usize) {
        self.talk.line(format_args!("criterion   {}", self.goal.criterion()));
        self.talk.line(format_args!("measured    on {}", count(held_out as u64, "held-out sample")));
        space.describe().iter().for_each(|line| self.talk.line(format_args!("searching   {line}")));
    }

    fn on_run(&self, run: &TrialRun, recalled: bool) {
        let mut state = self.lock();
        // Trainings recalled later were made by this process, for another stage.
        let is_old = recalled && !state.has_begun;
        if is_old {
            state.recalled += 1;
        } else if !state.has_begun {
            state.has_begun = true;
            if state.recalled > 0 {
                self.talk.line(format_args!("resumed     {} read from the journal", count(state.recalled, "training")));
            }
        }
        let what = match run.stage {
            Stage::Trial if run.trial == 0 => format!("trial {:>3}/{} (start)", 1, self.trials),
            Stage::Trial => format!("trial {:>3}/{}        ", run.trial + 1, self.trials),
            Stage::CodeSize => "code size            ".to_owned(),
        };
        let line = match &run.outcome {
            Outcome::Done(done) => {
                let is_best = run.stage == Stage::Trial && state.best.is_none_or(|best| done.cost < best);
                if is_best {
                    state.best = Some(done.cost);
                }
                format!(
                    "{what}  {:>3.0} % of the steps  code {:>3}  {:>5.1} % unexplained  criterion {:.4}{}  {:.1} s",
                    100.0 * run.share,
                    done.code_size,
                    100.0 * done.unexplained,
                    done.cost,
                    if is_best { " (best)" } else { "" },
                    run.seconds
                )
            }
            Outcome::Failed(why) => format!("{what}  failed: {why}"),
        };
        if !is_old {
            self.talk.line(line);
        }
    }

    fn interrupted(&self) -> bool {
        interrupt::asked()
    }
}
