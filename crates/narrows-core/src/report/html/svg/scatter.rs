//! The code map: codes on their first two principal components, coloured by score, anomalies highlighted.

use askama::Template;

use super::super::number::{count, number};
use super::{AxisScale, Px, WIDE};
use crate::report::CodePoint;

const HEIGHT: f64 = 440.0;
const MARGIN: f64 = 16.0;
/// More points are thinned evenly.
const MOST_POINTS: usize = 2500;
/// Colour steps of the points below the threshold, by rank of score.
const SHADES: usize = 5;
/// The share of points trimmed at each end when an axis is scaled.
const TRIM: f64 = 0.005;

/// The plot.
#[derive(Template)]
#[template(path = "report/svg/scatter.svg", whitespace = "minimize")]
pub(in super::super) struct CodeScatter {
    description: String,
    /// One path of dots per shade, lowest scores first.
    shades: Vec<String>,
    anomalies: Vec<AnomalyMark>,
    /// Points plotted.
    pub(in super::super) drawn: usize,
    /// Anomalies among them.
    pub(in super::super) drawn_anomalies: usize,
    /// Points outside the axes, plotted at the edge.
    pub(in super::super) outside: usize,
}

struct AnomalyMark {
    x: Px,
    y: Px,
    title: String,
}

impl CodeScatter {
    /// Plots the points with finite coordinates; `None` without any.
    pub(in super::super) fn new(points: &[CodePoint]) -> Option<CodeScatter> {
        let known: Vec<CodePoint> =
            points.iter().filter(|point| point.x.is_finite() && point.y.is_finite()).copied().collect();
        if known.is_empty() {
            return None;
        }
        let shown = thinned(&known);
        let (x, x_ends) = frame(shown.iter().map(|point| point.x).collect(), MARGIN, WIDE - MARGIN);
        let (y, y_ends) = frame(shown.iter().map(|point| point.y).collect(), HEIGHT - MARGIN, MARGIN);
        let is_outside =
            |point: &&CodePoint| !(x_ends.0..=x_ends.1).contains(&point.x) || !(y_ends.0..=y_ends.1).contains(&point.y);
        let at = |point: &CodePoint| (Px(x.clamped(point.x)), Px(y.clamped(point.y)));
        let (anomalies, mut normal): (Vec<CodePoint>, Vec<CodePoint>) =
            shown.iter().partition(|point| point.is_anomaly);
        // Higher scores are drawn on top.
        normal.sort_by(|a, b| a.score.total_cmp(&b.score));
        let shade =
            |points: &[CodePoint]| points.iter().map(&at).map(|(x, y)| format!("M{x} {y}h0")).collect::<String>();
        let mark = |point: &CodePoint| {
            let (x, y) = at(point);
            AnomalyMark { x, y, title: format!("anomaly, score {}", number(point.score)) }
        };
        Some(CodeScatter {
            description: format!(
                "Scatter plot of {} codes in two dimensions, {} of them anomalies",
                count(shown.len() as u64),
                count(anomalies.len() as u64)
            ),
            shades: normal.chunks(normal.len().div_ceil(SHADES).max(1)).map(shade).collect(),
            drawn: shown.len(),
            drawn_anomalies: anomalies.len(),
            outside: shown.iter().filter(is_outside).count(),
            anomalies: anomalies.iter().map(mark).collect(),
        })
    }
}

/// About [`MOST_POINTS`] points at most: anomalies first, the others evenly thinned.
fn thinned(points: &[CodePoint]) -> Vec<CodePoint> {
    let (anomalies, normal): (Vec<CodePoint>, Vec<CodePoint>) = points.iter().partition(|point| point.is_anomaly);
    let evenly = |points: Vec<CodePoint>, most: usize| {
        let every = points.len().div_ceil(most.max(1)).max(1);
        points.into_iter().step_by(every)
    };
    let mut shown: Vec<CodePoint> = evenly(anomalies, MOST_POINTS / 5).collect();
    shown.extend(evenly(normal, MOST_POINTS - shown.len()));
    shown
}

/// A scale robust to a few outliers, and its bounds in values.
fn frame(mut values: Vec<f64>, from: f64, to: f64) -> (AxisScale, (f64, f64)) {
    values.sort_by(f64::total_cmp);
    let skipped = (values.len() as f64 * TRIM).floor() as usize;
    let (low, high) = (values[skipped], values[values.len() - 1 - skipped]);
    let room = (high - low) * 0.25;
    let low = (low - room).max(values[0]);
    let high = (high + room).min(values[values.len() - 1]);
    (AxisScale::linear([low, high], from, to), (low, high))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(x: f64, y: f64, is_anomaly: bool) -> CodePoint {
        CodePoint { x, y, score: x, is_anomaly }
    }

    #[test]
    fn many_points_are_thinned_and_anomalies_stay() {
        let mut points: Vec<CodePoint> =
            (0..10_000).map(|i| point(f64::from(i % 97), f64::from(i % 89), false)).collect();
        points.extend((0..30).map(|i| point(f64::from(i), 300.0, true)));
        let map = CodeScatter::new(&points).unwrap();
        assert!(map.drawn <= MOST_POINTS && map.drawn > MOST_POINTS / 2, "{}", map.drawn);
        assert_eq!(map.drawn_anomalies, 30);
        assert_eq!(map.shades.len(), SHADES);
    }

    #[test]
    fn outliers_are_plotted_at_the_edge() {
        let mut points: Vec<CodePoint> =
            (0..1000).map(|i| point(f64::from(i % 31), f64::from(i % 37), false)).collect();
        points.push(point(1e9, -1e9, true));
        let map = CodeScatter::new(&points).unwrap();
        assert_eq!(map.outside, 1);
        assert_eq!((map.anomalies[0].x, map.anomalies[0].y), (Px(WIDE - MARGIN), Px(HEIGHT - MARGIN)));
    }

    #[test]
    fn one_point_no_point_and_no_number() {
        assert!(CodeScatter::new(&[]).is_none());
        assert!(CodeScatter::new(&[point(f64::NAN, 0.0, true)]).is_none());
        for points in [
            vec![point(1.0, 1.0, false)],
            vec![point(0.0, 0.0, true); 3],
            vec![point(f64::MAX, -f64::MAX, false), point(-f64::MAX, 0.0, true)],
        ] {
            let svg = CodeScatter::new(&points).unwrap().render().unwrap();
            assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
        }
    }
}
