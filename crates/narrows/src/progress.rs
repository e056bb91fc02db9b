//! Training progress: one bar for all ensemble members with the current loss, or plain lines.

use std::sync::Mutex;
use std::time::Instant;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use narrows_core::train::{Observer, TrainingEvent};

use crate::interrupt;
use crate::talk::{Talk, count};

/// Reports training progress and forwards Ctrl-C.
pub(crate) struct Progress {
    talk: Talk,
    state: Mutex<State>,
}

struct State {
    members: Vec<Member>,
    /// Maximum number of steps per member.
    steps: u64,
    bar: Option<ProgressBar>,
    began: Instant,
    /// Tenths already printed as plain lines.
    told: u64,
}

#[derive(Clone, Copy, Default)]
struct Member {
    step: u64,
    loss: Option<f64>,
}

impl Progress {
    /// A reporter with the given message style.
    pub(crate) fn new(talk: Talk) -> Progress {
        let state = State { members: Vec::new(), steps: 0, bar: None, began: Instant::now(), told: 0 };
        Progress { talk, state: Mutex::new(state) }
    }

    /// Removes the bar.
    pub(crate) fn finish(&self) {
        if let Some(bar) = self.lock().bar.take() {
            bar.finish_and_clear();
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// Prints a line, above the bar if there is one.
    fn say(&self, state: &State, line: &str) {
        match &state.bar {
            Some(bar) => bar.suspend(|| self.talk.line(line)),
            None => self.talk.line(line),
        }
    }

    fn show(&self, state: &mut State) {
        if let Some(bar) = &state.bar {
            bar.set_style(style(width()));
            bar.set_position(state.done());
            bar.set_message(state.loss());
            return;
        }
        let tenths = state.tenths();
        if self.talk == Talk::Lines && tenths > state.told {
            state.told = tenths;
            let seconds = state.began.elapsed().as_secs_f64();
            self.talk.line(format_args!("training  {:>3} %  {}  {seconds:.1} s", 10 * tenths, state.loss()));
        }
    }
}

impl State {
    fn member(&mut self, index: usize) -> &mut Member {
        if self.members.len() <= index {
            self.members.resize(index + 1, Member::default());
        }
        &mut self.members[index]
    }

    fn done(&self) -> u64 {
        self.members.iter().map(|member| member.step).sum()
    }

    fn tenths(&self) -> u64 {
        10 * self.done() / (self.steps * self.members.len() as u64).max(1)
    }

    /// Mean loss over members that have reported one.
    fn loss(&self) -> String {
        let losses: Vec<f64> = self.members.iter().filter_map(|member| member.loss).collect();
        match losses.len() {
            0 => String::new(),
            n => format!("loss {:.4}", losses.iter().sum::<f64>() / n as f64),
        }
    }
}

impl Observer for Progress {
    fn on_event(&self, event: TrainingEvent<'_>) {
        let mut state = self.lock();
        match event {
            TrainingEvent::Started { members, steps } => {
                state.members = vec![Member::default(); members];
                state.steps = steps;
                state.began = Instant::now();
                if self.talk == Talk::Terminal {
                    state.bar = Some(bar(steps * members as u64));
                }
            }
            TrainingEvent::Checked { member, steps, check } => {
                state.steps = state.steps.max(steps);
                *state.member(member) = Member { step: check.step, loss: Some(check.validation_loss) };
                self.show(&mut state);
            }
            TrainingEvent::Finished { member } => {
                let steps = state.steps;
                state.member(member).step = steps;
                self.show(&mut state);
            }
            TrainingEvent::Recovered { member, step, factor } => {
                let line = format!(
                    "warning: loss of member {} diverged: restored step {step}, learning rate multiplied by {factor}",
                    member + 1
                );
                self.say(&state, &line);
            }
            TrainingEvent::RoundEnded { done, rounds, rows, validation_loss } => {
                let seconds = state.began.elapsed().as_secs_f64();
                let rows = count(rows, "row");
                let line = format!("round       {done} of {rounds}  {rows}  loss {validation_loss:.4}  {seconds:.1} s");
                self.say(&state, &line);
            }
            // Notes and warnings are part of the report, which is printed after training.
            _ => {}
        }
    }

    fn interrupted(&self) -> bool {
        interrupt::asked()
    }
}

fn bar(length: u64) -> ProgressBar {
    ProgressBar::with_draw_target(Some(length), ProgressDrawTarget::stderr()).with_style(style(width()))
}

/// The width of the terminal in columns.
fn width() -> u16 {
    console::Term::stderr().size().1
}

fn style(width: u16) -> ProgressStyle {
    ProgressStyle::with_template(template(width)).expect("a valid template").progress_chars("━╸─")
}

/// The longest line that fits. A line that wraps leaves its upper part behind at every update, so none fills the
/// terminal, and a terminal that is narrowed a little still shows a line whole.
fn template(width: u16) -> &'static str {
    match width {
        LONG.. => "training {bar:24} {percent:>3} %  {msg}  {elapsed} (eta {eta})",
        SHORT.. => "training {percent:>3} %  {msg}",
        _ => "{percent:>3} %",
    }
}

/// Columns that the longest line takes at most: the bar, `100 %`, `loss 1234.5678`, and two times such as `59m`.
const LONG: u16 = 76;
/// Columns that the shorter line takes at most.
const SHORT: u16 = 34;

#[cfg(test)]
mod tests {
    use narrows_core::train::Check;

    use super::*;

    fn checked(progress: &Progress, member: usize, step: u64, loss: f64) {
        let check = Check { step, epoch: 1.0, train_loss: loss, validation_loss: loss, learning_rate: 1e-3 };
        progress.on_event(TrainingEvent::Checked { member, steps: 100, check: &check });
    }

    #[test]
    fn members_are_told_together() {
        let progress = Progress::new(Talk::Quiet);
        progress.on_event(TrainingEvent::Started { members: 2, steps: 100 });
        checked(&progress, 0, 50, 1.0);
        checked(&progress, 1, 10, 3.0);
        let state = progress.lock();
        assert_eq!((state.done(), state.tenths(), state.loss()), (60, 3, "loss 2.0000".to_owned()));
    }

    #[test]
    fn the_line_fits_the_terminal() {
        let longest = |width: u16| {
            let filled = [("{bar:24}", 24), ("{percent:>3}", 3), ("{msg}", 14), ("{elapsed}", 3), ("{eta}", 3)];
            let line =
                filled.iter().fold(template(width).to_owned(), |line, (key, n)| line.replace(key, &"x".repeat(*n)));
            line.chars().count()
        };
        for width in 6..200 {
            assert!(longest(width) < usize::from(width) || width < 8, "{width}: {}", longest(width));
        }
    }

    #[test]
    fn a_member_that_stops_early_counts_as_done() {
        let progress = Progress::new(Talk::Quiet);
        progress.on_event(TrainingEvent::Started { members: 2, steps: 100 });
        progress.on_event(TrainingEvent::Finished { member: 1 });
        assert_eq!(progress.lock().done(), 100);
    }
}
