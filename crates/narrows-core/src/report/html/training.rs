//! Training history: loss curves and a table of the ensemble members.

use askama::Template;

use super::number::{column, count, number};
use super::svg::loss_curve::{LossCurve, is_log, losses};
use super::text::cut;
use crate::report::{Stop, Training};

/// Members plotted; the table lists all.
const CURVES_SHOWN: usize = 12;

/// The section.
#[derive(Template)]
#[template(path = "report/training.html", whitespace = "minimize")]
pub(super) struct TrainingSection {
    curves: Vec<MemberCurve>,
    undrawn: usize,
    is_log: bool,
    rows: Vec<MemberRow>,
    outcome: String,
    has_code: bool,
}

struct MemberCurve {
    number: usize,
    corruption: String,
    curve: Option<LossCurve>,
}

struct MemberRow {
    number: usize,
    corruption: String,
    steps: String,
    epochs: String,
    best_step: String,
    best_loss: String,
    activity: String,
    stopped: String,
}

impl TrainingSection {
    pub(super) fn new(members: &[Training]) -> TrainingSection {
        let losses = losses(members);
        let is_single = members.len() == 1;
        let curves = members.iter().take(CURVES_SHOWN).enumerate().map(|(i, training)| MemberCurve {
            number: i + 1,
            corruption: corruption(training),
            curve: LossCurve::new(i + 1, training, &losses, is_single),
        });
        TrainingSection {
            curves: curves.collect(),
            undrawn: members.len().saturating_sub(CURVES_SHOWN),
            is_log: is_log(&losses),
            rows: rows(members),
            outcome: outcome(members),
            has_code: true,
        }
    }

    /// The section of a network without a code.
    pub(super) fn without_code(training: &Training) -> TrainingSection {
        TrainingSection { has_code: false, ..TrainingSection::new(std::slice::from_ref(training)) }
    }
}

/// Whether any member trained on corrupted input.
pub(super) fn denoises(members: &[Training]) -> bool {
    members.iter().any(|training| !matches!(training.corruption.trim(), "" | "none"))
}

fn rows(members: &[Training]) -> Vec<MemberRow> {
    let best =
        |training: &Training| training.history.get(training.best).map_or(f64::NAN, |check| check.validation_loss);
    let best_losses = column(&members.iter().map(best).collect::<Vec<_>>());
    let activities = column(&members.iter().map(|training| training.mean_activity).collect::<Vec<_>>());
    let row = |(i, training): (usize, &Training)| MemberRow {
        number: i + 1,
        corruption: corruption(training),
        steps: count(training.steps),
        epochs: number((training.epochs * 10.0).round() / 10.0),
        best_step: training.history.get(training.best).map_or_else(|| "n/a".to_owned(), |check| count(check.step)),
        best_loss: best_losses[i].clone(),
        activity: activities[i].clone(),
        stopped: stopped(training),
    };
    members.iter().enumerate().map(row).collect()
}

fn corruption(training: &Training) -> String {
    match training.corruption.trim() {
        "" | "none" => "none".to_owned(),
        words => cut(words, 80),
    }
}

/// Why training stopped, and how often it recovered from divergence.
fn stopped(training: &Training) -> String {
    let why = match training.stopped {
        Stop::Finished => "completed all steps",
        Stop::Early => "early stopping",
        Stop::Interrupted => "interrupted by the user",
    };
    match training.recoveries {
        0 => why.to_owned(),
        1 => format!("{why}; recovered once from divergence"),
        n => format!("{why}; recovered {n} times from divergence"),
    }
}

/// Why training stopped, as one sentence.
pub(in crate::report) fn outcome(members: &[Training]) -> String {
    let of = |stop: Stop| members.iter().filter(|training| training.stopped == stop).count();
    let all = members.len();
    let parts: Vec<String> = [
        (of(Stop::Finished), "completed all steps"),
        (of(Stop::Early), "stopped early: validation loss no longer improved"),
        (of(Stop::Interrupted), "interrupted by the user"),
    ]
    .into_iter()
    .filter(|(n, _)| *n > 0)
    .map(|(n, reason)| match n {
        _ if all == 1 => format!("The network {reason}"),
        _ if n == all => format!("All {all} members {reason}"),
        1 => format!("one member {reason}"),
        _ => format!("{n} members {reason}"),
    })
    .collect();
    let mut sentence = parts.join("; ");
    if let Some(first) = sentence.get(..1).map(str::to_uppercase) {
        sentence.replace_range(..1, &first);
        sentence.push('.');
    }
    sentence
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    #[test]
    fn the_outcome_gives_the_stopping_reasons() {
        let mut members = sample::report().training;
        members.iter_mut().for_each(|training| training.stopped = Stop::Finished);
        assert_eq!(outcome(&members), "All 4 members completed all steps.");
        members[0].stopped = Stop::Early;
        assert_eq!(
            outcome(&members),
            "3 members completed all steps; one member stopped early: validation loss no longer improved."
        );
        assert_eq!(outcome(&members[..1]), "The network stopped early: validation loss no longer improved.");
        assert_eq!(outcome(&[]), "");
    }

    #[test]
    fn a_member_without_a_history_is_listed_and_not_plotted() {
        let mut report = sample::report();
        report.training[1].history.clear();
        let section = TrainingSection::new(&report.training);
        assert!(section.curves[1].curve.is_none());
        assert_eq!(section.rows[1].best_loss, "n/a");
        assert!(section.render().unwrap().contains("no history"));
    }

    #[test]
    fn a_network_without_a_code_has_no_code_column() {
        let training = &sample::report().training[0];
        assert!(TrainingSection::new(std::slice::from_ref(training)).render().unwrap().contains("|code|"));
        assert!(!TrainingSection::without_code(training).render().unwrap().contains("|code|"));
    }
}
