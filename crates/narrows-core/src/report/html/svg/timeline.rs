//! A stretch of a series: its channels one above the other, the score below, events shaded, all on one time axis.
//!
//! What depends on time lies in an inner drawing of each panel whose coordinates are the points' positions, and marks
//! and labels carry their position with them. So the page's script can zoom by moving a viewBox and a few marks, and
//! without it nothing is missing but the zoom.

use askama::Template;

use super::super::label::{Label, cut};
use super::super::number::{counted, number};
use super::times::Times;
use super::{Px, Scale, Tick, WIDE, trace};
use crate::report::{AnomalousStretch, ChannelTrace, EventSpan};

const LEFT: f64 = 58.0;
const RIGHT: f64 = WIDE - 10.0;
/// The strip above the panels where events are marked.
const STRIP: f64 = 32.0;
/// Height of a panel's title and of the panel.
const TITLE: f64 = 26.0;
const PANEL: f64 = 88.0;
/// Room below the last panel for the labels of the axis.
const AXIS: f64 = 36.0;
/// Labels on the whole axis.
const PLACES: usize = 7;
/// How far the script zooms in, and the points that it leaves at least.
const ZOOMS: [usize; 6] = [1, 2, 4, 8, 16, 32];
const LEAST_POINTS: usize = 16;
/// Numbers of events stand this far apart at least.
const APART: f64 = 22.0;

/// The drawing.
#[derive(Template)]
#[template(path = "report/svg/timeline.svg", whitespace = "minimize")]
pub(in super::super) struct Timeline {
    words: String,
    height: Px,
    n: usize,
    /// Where the first panel begins, and from there to the end of the last.
    top: Px,
    depth: Px,
    panels: Vec<Panel>,
    score: Panel,
    /// Coordinate of the threshold on the score's axis, and its label.
    threshold: Option<(Px, String)>,
    bottom: Px,
    shades: Vec<Shade>,
    marks: Vec<Mark>,
    zooms: Vec<Zoom>,
    /// Points for which two are drawn; 1 where all are.
    pub(in super::super) thinned_by: usize,
    /// Whether the script has anything to zoom into.
    pub(in super::super) can_zoom: bool,
    /// Whether the score's axis is logarithmic.
    pub(in super::super) is_log: bool,
}

struct Panel {
    name: Label,
    name_y: Px,
    top: Px,
    y_ticks: Vec<Tick>,
    rebuilt: String,
    signal: String,
    /// Events that blame this channel.
    blames: Vec<Shade>,
    bottom: Px,
}

/// A span of positions.
#[derive(Clone)]
struct Shade {
    first: usize,
    last: usize,
}

struct Mark {
    at: Px,
    x: Px,
    title: String,
    /// Empty where there is no room for it.
    number: String,
}

/// Labels of the axis when the view is so many times closer.
struct Zoom {
    factor: usize,
    ticks: Vec<Moving>,
}

struct Moving {
    at: usize,
    x: Px,
    label: String,
}

/// Points of a stretch, as many as its longest part has.
pub(in super::super) fn n_points(stretch: &AnomalousStretch) -> usize {
    let longest = |trace: &ChannelTrace| trace.signal.len().max(trace.reconstruction.len());
    stretch.channels.iter().map(longest).fold(stretch.score.len(), usize::max)
}

impl Timeline {
    /// PatchSampler a stretch with the channels given and its `events`, each with its number, as lines of at most twice
    /// `pieces` points; nothing where there is no point.
    pub(in super::super) fn new(
        stretch: &AnomalousStretch,
        channels: &[&ChannelTrace],
        events: &[(usize, &EventSpan)],
        pieces: usize,
    ) -> Option<Timeline> {
        let n = n_points(stretch);
        if n == 0 {
            return None;
        }
        let times = Times::new(&stretch.times, n);
        let x = |at: f64| LEFT + (at + 0.5) / n as f64 * (RIGHT - LEFT);
        let shades: Vec<(&EventSpan, Shade)> = events
            .iter()
            .filter(|(_, event)| event.first < n && event.first <= event.last)
            .map(|(_, event)| (*event, Shade { first: event.first, last: event.last.min(n - 1) }))
            .collect();
        let start = if shades.is_empty() { 0.0 } else { STRIP };
        let top_of = |panel: usize| start + panel as f64 * (TITLE + PANEL) + TITLE;
        let panels = channels.iter().enumerate().map(|(i, channel)| {
            let top = top_of(i);
            let scale = trace::scale(channel, top + PANEL, top);
            let is_blamed = |(event, _): &&(&EventSpan, Shade)| event.channels.contains(&channel.name);
            Panel {
                name: Label::new(&cut(&channel.name, 40)),
                name_y: Px(top - 7.0),
                top: Px(top),
                y_ticks: scale.ticks(3),
                rebuilt: trace::path(&channel.reconstruction, &scale, pieces),
                signal: trace::path(&channel.signal, &scale, pieces),
                blames: shades.iter().filter(is_blamed).map(|(_, shade)| shade.clone()).collect(),
                bottom: Px(top + PANEL),
            }
        });
        let top = top_of(channels.len());
        let bottom = top + PANEL;
        let values: Vec<f64> = stretch.score.iter().filter_map(|score| *score).chain([stretch.threshold]).collect();
        let scale = Scale::fitting(&values, bottom, top).padded(0.06);
        let threshold = scale.at(stretch.threshold);
        let score = Panel {
            name: Label::new("score"),
            name_y: Px(top - 7.0),
            top: Px(top),
            y_ticks: scale.ticks(3),
            rebuilt: String::new(),
            signal: trace::path(&stretch.score, &scale, pieces),
            blames: Vec::new(),
            bottom: Px(bottom),
        };
        let zooms = zooms(&times, n, &x);
        Some(Timeline {
            words: words(stretch, n, shades.len()),
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
            thinned_by: trace::thinned_by(n, pieces),
            can_zoom: n >= 2 * LEAST_POINTS,
            is_log: scale.is_log(),
        })
    }
}

impl Panel {
    /// The panel's inner drawing: all positions, half a point of room at either end.
    fn view(&self, n: &usize) -> String {
        format!("-0.5 {} {n} {}", self.top, Px(PANEL))
    }
}

/// The axis at every closeness that has labels of its own.
fn zooms(times: &Times<'_>, n: usize, x: &dyn Fn(f64) -> f64) -> Vec<Zoom> {
    let mut shown = Vec::new();
    let mut zooms = Vec::new();
    for factor in ZOOMS.into_iter().take_while(|factor| *factor == 1 || n / factor >= LEAST_POINTS) {
        let places = times.places(PLACES * factor);
        if places != shown {
            let tick = |place: &super::times::Place| Moving {
                at: place.at,
                x: Px(x(place.at as f64)),
                label: place.label.clone(),
            };
            zooms.push(Zoom { factor, ticks: places.iter().map(tick).collect() });
            shown = places;
        }
    }
    zooms
}

fn marks(events: &[(usize, &EventSpan)], n: usize, times: &Times<'_>, x: &dyn Fn(f64) -> f64) -> Vec<Mark> {
    let mut marks = Vec::new();
    let mut numbered_to = f64::NEG_INFINITY;
    for (event_number, event) in events.iter().filter(|(_, event)| event.first < n && event.first <= event.last) {
        let last = event.last.min(n - 1);
        let at = (event.first as f64 + last as f64) / 2.0;
        let has_room = x(at) - numbered_to >= APART;
        if has_room {
            numbered_to = x(at);
        }
        marks.push(Mark {
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

fn words(stretch: &AnomalousStretch, n: usize, events: usize) -> String {
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
        let events: Vec<(usize, &EventSpan)> =
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
        assert_eq!(svg.matches("class=\"blame\"").count(), 2);
        for words in ["temperature", "threshold 3.41", "event 1: 2026-03-03 10:10:00", ">3 Mar<", "data-zoom=\"32\""] {
            assert!(svg.contains(words), "`{words}` is missing");
        }
    }

    #[test]
    fn odd_stretches_are_drawn_as_far_as_they_go() {
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
    fn nothing_is_not_drawn_and_one_point_is_a_dot() {
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
    fn numbers_of_crowded_events_make_room() {
        let svg = check(|stretch| {
            let event = |first: usize| EventSpan { first, last: first, peak: 4.0, channels: vec![] };
            stretch.events = (0..300).map(event).collect();
        });
        let numbered = svg.matches("class=\"number strong\"").count();
        assert!((5..20).contains(&numbered), "{numbered}");
    }
}
