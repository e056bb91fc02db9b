//! The code map: codes of a sample of rows on their first two principal axes, coloured by score, anomalies standing out.

use askama::Template;

use super::super::number::{count, number};
use super::{Px, Scale, WIDE};
use crate::report::CodePoint;

const HEIGHT: f64 = 440.0;
const MARGIN: f64 = 16.0;
/// More points than this are thinned evenly; a denser map shows nothing more.
const MOST_POINTS: usize = 2500;
/// Steps of colour for the rows below the threshold, by rank of their score.
const SHADES: usize = 5;
/// The share of points at either end of an axis that may not stretch it.
const TRIM: f64 = 0.005;

/// The drawing.
#[derive(Template)]
#[template(path = "report/svg/scatter.svg", whitespace = "minimize")]
pub(in super::super) struct Map {
    words: String,
    /// A path of dots a shade, the lowest scores first.
    shades: Vec<String>,
    anomalies: Vec<Mark>,
    /// Points drawn.
    pub(in super::super) drawn: usize,
    /// Anomalies among them.
    pub(in super::super) drawn_anomalies: usize,
    /// Points beyond the frame, drawn on it.
    pub(in super::super) outside: usize,
}

struct Mark {
    x: Px,
    y: Px,
    title: String,
}

impl Map {
    /// PatchSampler the points whose coordinates are finite; nothing where there are none.
    pub(in super::super) fn new(points: &[CodePoint]) -> Option<Map> {
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
        // Sorted by score, so that the higher ones are drawn above the lower ones.
        normal.sort_by(|a, b| a.score.total_cmp(&b.score));
        let shade =
            |points: &[CodePoint]| points.iter().map(&at).map(|(x, y)| format!("M{x} {y}h0")).collect::<String>();
        let mark = |point: &CodePoint| {
            let (x, y) = at(point);
            Mark { x, y, title: format!("anomaly, score {}", number(point.score)) }
        };
        Some(Map {
            words: format!(
                "Map of {} codes in two dimensions, {} of them anomalies",
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

/// At most about [`MOST_POINTS`] points: anomalies first, as they are what the map is read for, the others evenly.
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

/// A scale that a few far points do not stretch, and its ends in values.
fn frame(mut values: Vec<f64>, from: f64, to: f64) -> (Scale, (f64, f64)) {
    values.sort_by(f64::total_cmp);
    let skipped = (values.len() as f64 * TRIM).floor() as usize;
    let (low, high) = (values[skipped], values[values.len() - 1 - skipped]);
    let room = (high - low) * 0.25;
    let low = (low - room).max(values[0]);
    let high = (high + room).min(values[values.len() - 1]);
    (Scale::linear([low, high], from, to), (low, high))
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
        let map = Map::new(&points).unwrap();
        assert!(map.drawn <= MOST_POINTS && map.drawn > MOST_POINTS / 2, "{}", map.drawn);
        assert_eq!(map.drawn_anomalies, 30);
        assert_eq!(map.shades.len(), SHADES);
    }

    #[test]
    fn far_points_stay_on_the_frame() {
        let mut points: Vec<CodePoint> =
            (0..1000).map(|i| point(f64::from(i % 31), f64::from(i % 37), false)).collect();
        points.push(point(1e9, -1e9, true));
        let map = Map::new(&points).unwrap();
        assert_eq!(map.outside, 1);
        assert_eq!((map.anomalies[0].x, map.anomalies[0].y), (Px(WIDE - MARGIN), Px(HEIGHT - MARGIN)));
    }

    #[test]
    fn one_point_no_point_and_no_number() {
        assert!(Map::new(&[]).is_none());
        assert!(Map::new(&[point(f64::NAN, 0.0, true)]).is_none());
        for points in [
            vec![point(1.0, 1.0, false)],
            vec![point(0.0, 0.0, true); 3],
            vec![point(f64::MAX, -f64::MAX, false), point(-f64::MAX, 0.0, true)],
        ] {
            let svg = Map::new(&points).unwrap().render().unwrap();
            assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
        }
    }
}
