//! An excerpt of a series: one panel per channel, the score below, events shaded, all on one time axis.
//!
//! Each panel has an inner SVG with point positions as coordinates, and marks and labels carry their position, so the
//! page's script zooms by changing a viewBox and moving marks.

use askama::Template;

use super::super::number::{counted, number};
use super::super::text::{DisplayName, cut};
use super::time_axis::TimeAxis;
use super::{AxisScale, Px, Tick, WIDE, trace};
use crate::report::{AnomalousStretch, ChannelTrace, StretchEvent};

const LEFT: f64 = 58.0;
const RIGHT: f64 = WIDE - 10.0;
/// Height of the strip with event marks above the panels.
const STRIP: f64 = 32.0;
/// Height of a panel's title and of the panel.
const TITLE: f64 = 26.0;
const PANEL: f64 = 88.0;
/// Room for the axis labels.
const AXIS: f64 = 36.0;
/// Axis labels when not zoomed.
const N_LABELS: usize = 7;
/// Zoom factors with labels of their own, and the fewest points in view.
const ZOOMS: [usize; 6] = [1, 2, 4, 8, 16, 32];
const LEAST_POINTS: usize = 16;
/// Minimum distance between event numbers.
const NUMBER_DISTANCE: f64 = 22.0;

/// The plot.
#[derive(Template)]
#[template(path = "report/svg/timeline.svg", whitespace = "minimize")]
pub(in super::super) struct Timeline {
    description: String,
    height: Px,
    n: usize,
    /// Top of the first panel, and the height down to the end of the last.
    top: Px,
    depth: Px,
    panels: Vec<TimelinePanel>,
    score: TimelinePanel,
    /// Coordinate of the threshold on the score's axis, and its label.
    threshold: Option<(Px, String)>,
    bottom: Px,
    shades: Vec<PositionSpan>,
    marks: Vec<EventMark>,
    zooms: Vec<ZoomLevel>,
    /// Points per pair of plotted extremes; 1 if all points are plotted.
    pub(in super::super) thinned_by: usize,
    /// Whether there are enough points to zoom.
    pub(in super::super) can_zoom: bool,
    /// Whether the score's axis is logarithmic.
    pub(in super::super) is_log: bool,
}

struct TimelinePanel {
    name: DisplayName,
    name_y: Px,
    top: Px,
    y_ticks: Vec<Tick>,
    reconstruction: String,
    signal: String,
    /// Events with this channel among the top contributors.
    highlights: Vec<PositionSpan>,
    bottom: Px,
}

/// A span of positions.
#[derive(Clone)]
struct PositionSpan {
    first: usize,
    last: usize,
}

struct EventMark {
    at: Px,
    x: Px,
    title: String,
    /// Empty without room.
    number: String,
}

/// Axis labels at a zoom factor.
struct ZoomLevel {
    factor: usize,
    ticks: Vec<ZoomTick>,
}

struct ZoomTick {
    at: usize,
    x: Px,
    label: String,
}

/// Number of points: the length of the longest line.
pub(in super::super) fn n_points(stretch: &AnomalousStretch) -> usize {
    let longest = |trace: &ChannelTrace| trace.signal.len().max(trace.reconstruction.len());
    stretch.channels.iter().map(longest).fold(stretch.score.len(), usize::max)
}

impl Timeline {
    /// Plots `channels` and numbered `events` of an excerpt with lines of at most `2 * bins` points; `None` without
    /// points.
    pub(in super::super) fn new(
        stretch: &AnomalousStretch,
        channels: &[&ChannelTrace],
        events: &[(usize, &StretchEvent)],
        bins: usize,
    ) -> Option<Timeline> {
        let n = n_points(stretch);
        if n == 0 {
            return None;
        }
        let times = TimeAxis::new(&stretch.times, n);
        let x = |at: f64| LEFT + (at + 0.5) / n as f64 * (RIGHT - LEFT);
        let shades: Vec<(&StretchEvent, PositionSpan)> = events
            .iter()
            .filter(|(_, event)| event.first < n && event.first <= event.last)
            .map(|(_, event)| (*event, PositionSpan { first: event.first, last: event.last.min(n - 1) }))
            .collect();
        let start = if shades.is_empty() { 0.0 } else { STRIP };
        let top_of = |panel: usize| start + panel as f64 * (TITLE + PANEL) + TITLE;
        let panels = channels.iter().enumerate().map(|(i, channel)| {
            let top = top_of(i);
            let scale = trace::scale(channel, top + PANEL, top);
            let is_contributing = |(event, _): &&(&StretchEvent, PositionSpan)| event.channels.contains(&channel.name);
            TimelinePanel {
                name: DisplayName::new(&cut(&channel.name, 40)),
                name_y: Px(top - 7.0),
                top: Px(top),
                y_ticks: scale.ticks(3),
                reconstruction: trace::path(&channel.reconstruction, &scale, bins),
                signal: trace::path(&channel.signal, &scale, bins),
                highlights: shades.iter().filter(is_contributing).map(|(_, shade)| shade.clone()).collect(),
                bottom: Px(top + PANEL),
            }
        });
        let top = top_of(channels.len());
        let bottom = top + PANEL;
        let values: Vec<f64> = stretch.score.iter().filter_map(|score| *score).chain([stretch.threshold]).collect();
        let scale = AxisScale::fitting(&values, bottom, top).padded(0.06);
        let threshold = scale.at(stretch.threshold);
        let score = TimelinePanel {
            name: DisplayName::new("score"),
            name_y: Px(top - 7.0),
            top: Px(top),
            y_ticks: scale.ticks(3),
            reconstruction: String::new(),
            signal: trace::path(&stretch.score, &scale, bins),
            highlights: Vec::new(),
            bottom: Px(bottom),
        };
        let zooms = zooms(&times, n, &x);
        Some(Timeline {
            description: description(stretch, n, shades.len()),
            height: Px(bottom + AXIS),
            n,
            top: Px(start + TITLE),
            depth: Px(bottom - start - TITLE),
            panels: panels.collect(),
            score,
            threshold: threshold
                .is_finite()
                .then(|| (Px(threshold), format!("threshold {}", number(stretch.threshold)))),
            bottom: Px(bottom),
            marks: marks(events, n, &times, &x),
            shades: shades.into_iter().map(|(_, shade)| shade).collect(),
            zooms,
            thinned_by: trace::thinned_by(n, bins),
            can_zoom: n >= 2 * LEAST_POINTS,
            is_log: scale.is_log(),
        })
    }
}

impl TimelinePanel {
    /// The viewBox of the inner SVG: all positions with half a point of margin.
    fn view(&self, n: &usize) -> String {
        format!("-0.5 {} {n} {}", self.top, Px(PANEL))
    }
}

/// The axis labels at each zoom factor at which they differ.
fn zooms(times: &TimeAxis<'_>, n: usize, x: &dyn Fn(f64) -> f64) -> Vec<ZoomLevel> {
    let mut shown = Vec::new();
    let mut zooms = Vec::new();
    for factor in ZOOMS.into_iter().take_while(|factor| *factor == 1 || n / factor >= LEAST_POINTS) {
        let labels = times.labels(N_LABELS * factor);
        if labels != shown {
            let tick = |label: &super::time_axis::TimeLabel| ZoomTick {
                at: label.at,
                x: Px(x(label.at as f64)),
                label: label.text.clone(),
            };
            zooms.push(ZoomLevel { factor, ticks: labels.iter().map(tick).collect() });
            shown = labels;
        }
    }
    zooms
}

fn marks(events: &[(usize, &StretchEvent)], n: usize, times: &TimeAxis<'_>, x: &dyn Fn(f64) -> f64) -> Vec<EventMark> {
    let mut marks = Vec::new();
    let mut numbered_to = f64::NEG_INFINITY;
    for (event_number, event) in events.iter().filter(|(_, event)| event.first < n && event.first <= event.last) {
        let last = event.last.min(n - 1);
        let at = (event.first as f64 + last as f64) / 2.0;
        let has_room = x(at) - numbered_to >= NUMBER_DISTANCE;
        if has_room {
            numbered_to = x(at);
        }
        marks.push(EventMark {
            at: Px(at),
            x: Px(x(at)),
            title: format!(
                "event {event_number}: {} to {}, peak {}",
                times.full(event.first),
                times.full(last),
                number(event.peak)
            ),
            number: if has_room { event_number.to_string() } else { String::new() },
        });
    }
    marks
}

fn description(stretch: &AnomalousStretch, n: usize, events: usize) -> String {
    format!(
        "Signal and reconstruction of {} and the score over {}, with {}",
        counted(stretch.channels.len() as u64, "channel"),
        counted(n as u64, "point"),
        counted(events as u64, "event")
    )
}

#[cfg(test)]
mod tests {
    use super::super::super::sample;
    use super::*;

    fn draw(stretch: &AnomalousStretch) -> Option<String> {
        let channels: Vec<&ChannelTrace> = stretch.channels.iter().collect();
        let events: Vec<(usize, &StretchEvent)> =
            stretch.events.iter().enumerate().map(|(i, event)| (i + 1, event)).collect();
        let svg = Timeline::new(stretch, &channels, &events, 650)?.render().unwrap();
        for broken in ["NaN", "inf", "e-", "Infinity"] {
            assert!(!svg.contains(broken), "{broken}");
        }
        Some(svg)
    }

    fn check(change: impl Fn(&mut AnomalousStretch)) -> String {
        let mut stretch = sample::series().stretches.swap_remove(0);
        change(&mut stretch);
        draw(&stretch).unwrap()
    }

    #[test]
    fn a_panel_a_channel_and_one_for_the_score_share_an_axis() {
        let svg = check(|_| {});
        assert_eq!(svg.matches("preserveAspectRatio").count(), 1 + 4);
        assert_eq!(svg.matches("class=\"event\"").count(), 2);
        assert_eq!(svg.matches("class=\"top-channel\"").count(), 2);
        for words in ["temperature", "threshold 3.41", "event 1: 2026-03-03 10:10:00", ">3 Mar<", "data-zoom=\"32\""] {
            assert!(svg.contains(words), "`{words}` is missing");
        }
    }

    #[test]
    fn incomplete_excerpts_are_plotted() {
        check(|stretch| stretch.channels.clear());
        check(|stretch| stretch.score.clear());
        check(|stretch| stretch.times.clear());
        check(|stretch| stretch.events.clear());
        check(|stretch| stretch.channels[1].signal.truncate(3));
        check(|stretch| stretch.channels[1].signal.iter_mut().for_each(|x| *x = None));
        check(|stretch| stretch.events[0].last = usize::MAX);
        check(|stretch| (stretch.events[0].first, stretch.events[0].last) = (usize::MAX, 0));
        let svg = check(|stretch| (stretch.events[0].first, stretch.events[0].last) = (9000, 9001));
        assert_eq!(svg.matches("class=\"event\"").count(), 1);
        for bad in [f64::NAN, f64::INFINITY, f64::MAX, -f64::MAX, f64::MIN_POSITIVE, 0.0] {
            check(|stretch| {
                (stretch.threshold, stretch.events[0].peak) = (bad, bad);
                stretch.score[5..500].fill(Some(bad));
                stretch.channels[0].signal[3] = Some(bad);
                stretch.channels[1].reconstruction.fill(Some(bad));
            });
        }
    }

    #[test]
    fn no_points_give_no_plot_and_one_point_a_dot() {
        let mut stretch = sample::series().stretches.swap_remove(0);
        stretch.channels.iter_mut().for_each(|trace| {
            trace.signal.truncate(1);
            trace.reconstruction.truncate(1);
        });
        stretch.score.truncate(1);
        assert!(draw(&stretch).unwrap().contains("h0"));
        stretch.channels.clear();
        stretch.score.clear();
        assert_eq!(draw(&stretch), None);
    }

    #[test]
    fn numbers_of_crowded_events_do_not_overlap() {
        let svg = check(|stretch| {
            let event = |first: usize| StretchEvent { first, last: first, peak: 4.0, channels: vec![] };
            stretch.events = (0..300).map(event).collect();
        });
        let numbered = svg.matches("class=\"number strong\"").count();
        assert!((5..20).contains(&numbered), "{numbered}");
    }
}
