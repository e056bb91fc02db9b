//! Histogram of calibration scores with the threshold and the scores of labelled anomalies.

use askama::Template;

use super::super::number::{count, counted, number, percent};
use super::super::sample_kind::SampleKind;
use super::{AxisScale, Px, Tick, WIDE};
use crate::report::{Detection, Histogram};

const LEFT: f64 = 58.0;
const RIGHT: f64 = WIDE - 10.0;
const TOP: f64 = 34.0;
const BOTTOM: f64 = 254.0;

/// The plot.
#[derive(Template)]
#[template(path = "report/svg/histogram.svg", whitespace = "minimize")]
pub(in super::super) struct ScoreHistogram {
    description: String,
    bars: Vec<HistogramBar>,
    anomalies: Vec<HistogramBar>,
    /// Outline of the anomaly bars, which makes them distinguishable without colour.
    outline: String,
    x_ticks: Vec<Tick>,
    y_ticks: Vec<Tick>,
    threshold: Option<ThresholdLine>,
}

struct HistogramBar {
    x: Px,
    y: Px,
    w: Px,
    h: Px,
    title: String,
}

struct ThresholdLine {
    x: Px,
    label: String,
    anchor: &'static str,
    label_x: Px,
    width_above: Px,
}

impl ScoreHistogram {
    /// Plots the scores; `None` if the histogram is empty.
    pub(in super::super) fn new(detection: &Detection, sample_kind: SampleKind) -> Option<ScoreHistogram> {
        ScoreHistogram::beside(detection, sample_kind, &format!("anomaly {}", sample_kind.noun()))
    }

    /// The same; `others` is what the second group of scores is of.
    pub(in super::super) fn beside(
        detection: &Detection,
        sample_kind: SampleKind,
        others: &str,
    ) -> Option<ScoreHistogram> {
        let histogram = &detection.histogram;
        let total = total(histogram)?;
        let anomalies = detection.anomalies.as_ref().and_then(|anomalies| Some((anomalies, self::total(anomalies)?)));
        let threshold = detection.threshold;
        // Empty bins at both ends are cut off.
        let holds_rows = |i: usize| {
            histogram.counts[i] > 0
                || anomalies.is_some_and(|(anomalies, _)| anomalies.counts.get(i).is_some_and(|n| *n > 0))
        };
        let first = (0..histogram.counts.len()).find(|i| holds_rows(*i)).unwrap_or(0);
        let last = (0..histogram.counts.len()).rfind(|i| holds_rows(*i)).unwrap_or(0);
        let ends = histogram.edges[first..=last + 1].iter().copied().chain([threshold]);
        // Edges are log-spaced; non-positive ones need a linear axis.
        let log = histogram.edges.iter().all(|edge| *edge > 0.0) && (threshold > 0.0 || !threshold.is_finite());
        let x = if log { AxisScale::log(ends, LEFT, RIGHT) } else { AxisScale::linear(ends, LEFT, RIGHT) };
        let x = x.padded(0.03);
        let share = |n: u64, total: u64| n as f64 / total as f64;
        let highest = histogram.counts.iter().map(|n| share(*n, total));
        let highest = highest
            .chain(anomalies.iter().flat_map(|(anomalies, total)| anomalies.counts.iter().map(|n| share(*n, *total))));
        let highest = highest.fold(0.0, f64::max);
        let y = AxisScale::linear([0.0, highest * 1.04], BOTTOM, TOP);
        let bars = |histogram: &Histogram, total: u64, who: &str| -> Vec<HistogramBar> {
            let bar = |(edges, n): (&[f64], &u64)| {
                let (from, to) = (x.at(edges[0]), x.at(edges[1]));
                let at = y.at(share(*n, total));
                let drawn = *n > 0 && from.is_finite() && to.is_finite();
                drawn.then(|| HistogramBar {
                    x: Px(from),
                    y: Px(at),
                    w: Px((to - from).max(0.5)),
                    h: Px(BOTTOM - at),
                    title: format!(
                        "{} to {}: {}, {}",
                        number(edges[0]),
                        number(edges[1]),
                        counted(*n, who),
                        percent(share(*n, total))
                    ),
                })
            };
            histogram.edges.windows(2).zip(&histogram.counts).filter_map(bar).collect()
        };
        let anomaly_bars = anomalies.map(|(anomalies, total)| bars(anomalies, total, others)).unwrap_or_default();
        Some(ScoreHistogram {
            description: description(detection, total, sample_kind),
            bars: bars(histogram, total, &format!("calibration {}", sample_kind.noun())),
            outline: outline(&anomaly_bars),
            anomalies: anomaly_bars,
            x_ticks: x.ticks(8),
            y_ticks: y.ticks(4).into_iter().map(|tick| Tick { label: percent_of(&tick.label), ..tick }).collect(),
            threshold: threshold.is_finite().then(|| {
                let at = x.clamped(threshold);
                let left_of = at > (LEFT + RIGHT) / 2.0;
                ThresholdLine {
                    x: Px(at),
                    label: format!("threshold {}", number(threshold)),
                    anchor: if left_of { "end" } else { "start" },
                    label_x: Px(if left_of { at - 6.0 } else { at + 6.0 }),
                    width_above: Px((RIGHT - at).max(0.0)),
                }
            }),
        })
    }
}

/// The total count; `None` if it is 0 or the edges do not match the counts.
fn total(histogram: &Histogram) -> Option<u64> {
    let total = histogram.counts.iter().fold(0u64, |sum, n| sum.saturating_add(*n));
    (total > 0 && histogram.edges.len() == histogram.counts.len() + 1).then_some(total)
}

/// Approximate share of counts above `threshold`, interpolated linearly within its bin on the axis scale.
pub(in super::super) fn share_above(histogram: &Histogram, threshold: f64) -> Option<f64> {
    let total = total(histogram)?;
    if threshold.is_nan() {
        return None;
    }
    let log = histogram.edges.iter().all(|edge| *edge > 0.0) && threshold > 0.0;
    let measure = |x: f64| if log { x.ln() } else { x };
    let above: f64 = histogram
        .edges
        .windows(2)
        .zip(&histogram.counts)
        .map(|(edges, n)| {
            let (low, high) = (measure(edges[0]), measure(edges[1]));
            let share = if threshold <= edges[0] {
                1.0
            } else if threshold >= edges[1] {
                0.0
            } else {
                (high - measure(threshold)) / (high - low)
            };
            if *n == 0 { 0.0 } else { share * *n as f64 }
        })
        .sum();
    above.is_finite().then(|| above / total as f64)
}

/// A step line over the tops of adjacent bars.
fn outline(bars: &[HistogramBar]) -> String {
    let mut path = String::new();
    for (i, bar) in bars.iter().enumerate() {
        let touches = |a: &HistogramBar, b: &HistogramBar| (a.x.0 + a.w.0 - b.x.0).abs() < 0.2;
        let start = if i > 0 && touches(&bars[i - 1], bar) {
            format!("V{}", bar.y)
        } else {
            format!("M{} {}V{}", bar.x, Px(BOTTOM), bar.y)
        };
        path.push_str(&format!("{start}H{}", Px(bar.x.0 + bar.w.0)));
        if bars.get(i + 1).is_none_or(|next| !touches(bar, next)) {
            path.push_str(&format!("V{}", Px(BOTTOM)));
        }
    }
    path
}

fn percent_of(label: &str) -> String {
    label.replace('−', "-").replace(',', "").parse().map_or_else(|_| label.to_owned(), percent)
}

fn description(detection: &Detection, total: u64, sample_kind: SampleKind) -> String {
    let above = share_above(&detection.histogram, detection.threshold)
        .map(|share| format!(", about {} above the threshold of {}", percent(share), number(detection.threshold)));
    let held_out = format!("{} calibration {}", count(total), sample_kind.plural());
    format!("Histogram of the scores of {held_out}{}", above.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::super::super::sample;
    use super::*;

    fn histogram(edges: &[f64], counts: &[u64]) -> Histogram {
        Histogram { edges: edges.to_vec(), counts: counts.to_vec() }
    }

    #[test]
    fn the_share_above_divides_the_bin_of_the_threshold() {
        let scores = histogram(&[1.0, 10.0, 100.0], &[50, 50]);
        assert_eq!(share_above(&scores, 10.0), Some(0.5));
        assert_eq!(share_above(&scores, 0.1), Some(1.0));
        assert_eq!(share_above(&scores, 1000.0), Some(0.0));
        assert!((share_above(&scores, 10f64.powf(1.5)).unwrap() - 0.25).abs() < 1e-9);
        assert_eq!(share_above(&scores, f64::NAN), None);
        assert_eq!(share_above(&histogram(&[], &[]), 1.0), None);
        assert_eq!(share_above(&histogram(&[1.0], &[4]), 1.0), None);
    }

    #[test]
    fn any_histogram_and_threshold_is_plotted_or_left_out() {
        let mut detection = sample::report().detection;
        for threshold in [3.0, -1.0, 0.0, 1e300, f64::NAN, f64::INFINITY] {
            for edges in
                [vec![0.1, 1.0, 10.0], vec![-1.0, 0.0, 1.0], vec![0.0, 0.0, 0.0], vec![f64::NAN, 1.0, f64::INFINITY]]
            {
                detection.threshold = threshold;
                detection.histogram = histogram(&edges, &[3, 1]);
                detection.anomalies = Some(histogram(&edges, &[0, 2]));
                let svg = ScoreHistogram::new(&detection, SampleKind::Row).unwrap().render().unwrap();
                assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
            }
        }
        detection.histogram = histogram(&[1.0, 2.0], &[0]);
        assert!(ScoreHistogram::new(&detection, SampleKind::Row).is_none());
    }
}
