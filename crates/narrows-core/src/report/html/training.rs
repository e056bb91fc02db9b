//! How the members trained: a curve each on one loss axis, and a table.

use askama::Template;

use super::label::cut;
use super::number::{column, count, number};
use super::svg::curve::{Curve, is_log, losses};
use crate::report::{Stop, Training};

/// Members drawn; the table lists all.
const CURVES_SHOWN: usize = 12;

/// The section.
#[derive(Template)]
#[template(path = "report/training.html", whitespace = "minimize")]
pub(super) struct TrainingCurves {
    curves: Vec<Member>,
    undrawn: usize,
    is_log: bool,
    rows: Vec<Row>,
    outcome: String,
    has_code: bool,
}

struct Member {
    number: usize,
    corruption: String,
    curve: Option<Curve>,
}

struct Row {
    number: usize,
    corruption: String,
    steps: String,
    epochs: String,
    best_step: String,
    best_loss: String,
    activity: String,
    stopped: String,
}

impl TrainingCurves {
    pub(super) fn new(members: &[Training]) -> TrainingCurves {
        let losses = losses(members);
        let alone = members.len() == 1;
        let curves = members.iter().take(CURVES_SHOWN).enumerate().map(|(i, training)| Member {
            number: i + 1,
            corruption: corruption(training),
            curve: Curve::new(i + 1, training, &losses, alone),
        });
        TrainingCurves {
            curves: curves.collect(),
            undrawn: members.len().saturating_sub(CURVES_SHOWN),
            is_log: is_log(&losses),
            rows: rows(members),
            outcome: outcome(members),
            has_code: true,
        }
    }

    /// Of one network that has no code.
    pub(super) fn without_code(training: &Training) -> TrainingCurves {
        TrainingCurves { has_code: false, ..TrainingCurves::new(std::slice::from_ref(training)) }
    }
}

/// Whether any member learned from damaged rows.
pub(super) fn denoises(members: &[Training]) -> bool {
    members.iter().any(|training| !matches!(training.corruption.trim(), "" | "none"))
}

fn rows(members: &[Training]) -> Vec<Row> {
    let best =
        |training: &Training| training.history.get(training.best).map_or(f64::NAN, |check| check.validation_loss);
    let best_losses = column(&members.iter().map(best).collect::<Vec<_>>());
    let activities = column(&members.iter().map(|training| training.mean_activity).collect::<Vec<_>>());
    let row = |(i, training): (usize, &Training)| Row {
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
        "" | "none" => "no corruption".to_owned(),
        words => cut(words, 80),
    }
}

/// Why it ended, and whether it had to be saved on the way.
fn stopped(training: &Training) -> String {
    let why = match training.stopped {
        Stop::Finished => "took all planned steps",
        Stop::Early => "validation loss had stopped falling",
        Stop::Interrupted => "stopped by the user",
    };
    match training.recoveries {
        0 => why.to_owned(),
        1 => format!("{why}; went back once to its last good weights"),
        n => format!("{why}; went back {n} times to its last good weights"),
    }
}

/// Why training ended, in one sentence.
fn outcome(members: &[Training]) -> String {
    let of = |stop: Stop| members.iter().filter(|training| training.stopped == stop).count();
    let all = members.len();
    let told: Vec<String> = [
        (of(Stop::Finished), "took all planned steps"),
        (of(Stop::Early), "stopped early, the validation loss having stopped falling"),
        (of(Stop::Interrupted), "stopped when the user asked"),
    ]
    .into_iter()
    .filter(|(n, _)| *n > 0)
    .map(|(n, words)| match n {
        _ if all == 1 => format!("The network {words}"),
        _ if n == all => format!("All {all} members {words}"),
        1 => format!("one member {words}"),
        _ => format!("{n} members {words}"),
    })
    .collect();
    let mut sentence = told.join("; ");
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
    fn the_outcome_tells_why_each_stopped() {
        let mut members = sample::report().training;
        members.iter_mut().for_each(|training| training.stopped = Stop::Finished);
        assert_eq!(outcome(&members), "All 4 members took all planned steps.");
        members[0].stopped = Stop::Early;
        assert_eq!(
            outcome(&members),
            "3 members took all planned steps; one member stopped early, the validation loss having stopped falling."
        );
        assert_eq!(outcome(&members[..1]), "The network stopped early, the validation loss having stopped falling.");
        assert_eq!(outcome(&[]), "");
    }

    #[test]
    fn a_member_without_a_history_is_listed_and_not_drawn() {
        let mut report = sample::report();
        report.training[1].history.clear();
        let section = TrainingCurves::new(&report.training);
        assert!(section.curves[1].curve.is_none());
        assert_eq!(section.rows[1].best_loss, "n/a");
        assert!(section.render().unwrap().contains("no history"));
    }

    #[test]
    fn a_network_without_a_code_tells_nothing_of_one() {
        let training = &sample::report().training[0];
        assert!(TrainingCurves::new(std::slice::from_ref(training)).render().unwrap().contains("|code|"));
        assert!(!TrainingCurves::without_code(training).render().unwrap().contains("|code|"));
    }
}
