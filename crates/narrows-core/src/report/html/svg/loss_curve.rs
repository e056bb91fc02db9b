//! The training curve of one member: training and validation loss over steps, with the learning rate below.

use askama::Template;

use super::super::number::{count, number, rounded};
use super::{AxisScale, Px, Tick, WIDE, line};
use crate::report::{Check, Training};

/// Width of a plot in a grid of members.
const HALF: f64 = 420.0;
/// Longer histories are thinned.
const MOST_POINTS: usize = 400;

/// The plot.
#[derive(Template)]
#[template(path = "report/svg/loss_curve.svg", whitespace = "minimize")]
pub(in super::super) struct LossCurve {
    class: &'static str,
    description: String,
    frame: CurveFrame,
    x_ticks: Vec<Tick>,
    y_ticks: Vec<Tick>,
    train: String,
    validation: String,
    rate: String,
    highest_rate: String,
    best: Option<BestMark>,
}

struct CurveFrame {
    width: Px,
    height: Px,
    left: Px,
    right: Px,
    bottom: Px,
    rate_top: Px,
    rate_bottom: Px,
}

struct BestMark {
    x: Px,
    y: Px,
    title: String,
    anchor: &'static str,
    label_x: Px,
    label_y: Px,
    label: String,
}

/// All finite losses of the members, which share one axis.
pub(in super::super) fn losses(training: &[Training]) -> Vec<f64> {
    training
        .iter()
        .flat_map(|member| &member.history)
        .flat_map(|check| [check.train_loss, check.validation_loss])
        .filter(|loss| loss.is_finite())
        .collect()
}

/// Whether these losses need a logarithmic axis.
pub(in super::super) fn is_log(losses: &[f64]) -> bool {
    AxisScale::fitting(losses, 0.0, 1.0).is_log()
}

impl LossCurve {
    /// Plots member number `member` on an axis that covers `losses`; `None` without a history.
    pub(in super::super) fn new(
        member: usize,
        training: &Training,
        losses: &[f64],
        is_single: bool,
    ) -> Option<LossCurve> {
        let history = &training.history;
        let (width, height) = if is_single { (WIDE, 330.0) } else { (HALF, 262.0) };
        let (left, right, top, bottom) = (58.0, width - 10.0, 14.0, height - 82.0);
        let (rate_top, rate_bottom) = (height - 64.0, height - 30.0);
        let last = history.iter().map(|check| check.step).max()?;
        let x = AxisScale::linear([0.0, last.max(1) as f64], left, right);
        let y = AxisScale::fitting(losses, bottom, top).padded(0.06);
        let highest =
            history.iter().map(|check| check.learning_rate).filter(|rate| rate.is_finite()).fold(0.0, f64::max);
        let rates = AxisScale::linear([0.0, if highest > 0.0 { highest } else { 1.0 }], rate_bottom, rate_top);
        let shown = thinned(history, training.best);
        let path = |value: &dyn Fn(&Check) -> f64, scale: &AxisScale| {
            line(shown.iter().map(|check| (x.at(check.step as f64), scale.at(value(check)))))
        };
        let best = history.get(training.best).filter(|check| y.at(check.validation_loss).is_finite()).map(|check| {
            let (at_x, at_y) = (x.at(check.step as f64), y.at(check.validation_loss));
            let left_of = at_x > (left + right) / 2.0;
            BestMark {
                x: Px(at_x),
                y: Px(at_y),
                title: format!(
                    "best weights: step {}, validation loss {}",
                    count(check.step),
                    number(check.validation_loss)
                ),
                anchor: if left_of { "end" } else { "start" },
                label_x: Px(if left_of { at_x } else { at_x - 4.0 }),
                label_y: Px(if at_y + 34.0 > bottom { at_y - 12.0 } else { at_y + 22.0 }),
                label: format!("best {}", number(check.validation_loss)),
            }
        });
        Some(LossCurve {
            class: if is_single { "wide" } else { "half" },
            description: description(member, training),
            x_ticks: x.ticks(if is_single { 6 } else { 4 }),
            y_ticks: y.ticks(if is_single { 6 } else { 5 }),
            train: path(&|check| check.train_loss, &y),
            validation: path(&|check| check.validation_loss, &y),
            rate: path(&|check| check.learning_rate, &rates),
            highest_rate: rounded(highest, 2),
            best,
            frame: CurveFrame {
                width: Px(width),
                height: Px(height),
                left: Px(left),
                right: Px(right),
                bottom: Px(bottom),
                rate_top: Px(rate_top),
                rate_bottom: Px(rate_bottom),
            },
        })
    }
}

/// The history thinned to about [`MOST_POINTS`] checks, keeping the best and the last one.
fn thinned(history: &[Check], best: usize) -> Vec<Check> {
    let every = history.len().div_ceil(MOST_POINTS).max(1);
    let keep = |i: usize| i.is_multiple_of(every) || i == best || i + 1 == history.len();
    history.iter().enumerate().filter(|(i, _)| keep(*i)).map(|(_, check)| *check).collect()
}

fn description(member: usize, training: &Training) -> String {
    let ends = training.history.first().zip(training.history.last());
    ends.map_or_else(String::new, |(first, last)| {
        format!(
            "Loss of member {member} over {} steps: validation loss from {} to {}, training loss from {} to {}",
            count(last.step),
            number(first.validation_loss),
            number(last.validation_loss),
            number(first.train_loss),
            number(last.train_loss)
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Stop;

    fn training(losses: &[f64], best: usize) -> Training {
        let check = |(i, loss): (usize, &f64)| Check {
            step: i as u64 * 40,
            epoch: i as f64,
            train_loss: *loss,
            validation_loss: loss * 1.1,
            learning_rate: 1e-3,
        };
        let history = losses.iter().enumerate().map(check).collect();
        Training {
            corruption: "none".into(),
            steps: 0,
            epochs: 0.0,
            stopped: Stop::Early,
            best,
            mean_activity: 0.1,
            recoveries: 0,
            history,
        }
    }

    fn check(losses_given: &[f64], best: usize, has_best: bool) {
        let training = training(losses_given, best);
        for is_single in [true, false] {
            let curve = LossCurve::new(1, &training, &losses(std::slice::from_ref(&training)), is_single).unwrap();
            assert_eq!(curve.best.is_some(), has_best, "{losses_given:?}");
            let svg = curve.render().unwrap();
            assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
        }
    }

    #[test]
    fn curves_of_any_history_are_plotted() {
        check(&[1.0, 0.5, 0.01, 0.02], 2, true);
        check(&[1.0], 0, true);
        check(&[0.0, 0.0], 1, true);
        check(&[1.0, f64::NAN, f64::INFINITY, -2.0], 1, false);
        check(&[f64::NAN], 9, false);
        assert!(LossCurve::new(1, &training(&[], 0), &[], true).is_none());
    }

    #[test]
    fn long_histories_are_thinned_and_keep_their_best() {
        let history = training(&vec![1.0; 5000], 4321).history;
        let shown = thinned(&history, 4321);
        assert!(
            shown.len() < 450 && shown.iter().any(|check| check.step == 4321 * 40) && shown.last() == history.last()
        );
    }
}
