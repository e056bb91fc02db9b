//! Time series: layout, excerpts with scores and events, and the most anomalous windows.

use askama::Template;

use super::number::{column, count, counted};
use super::svg::timeline::{Timeline, n_points};
use super::svg::window::WindowPlot;
use super::text::{DisplayName, TextSpan, cut, prose};
use crate::report::{AnomalousStretch, ChannelTrace, SeriesReport, StretchEvent, WindowExample};

/// Excerpts and windows plotted.
const STRETCHES_SHOWN: usize = 6;
const WINDOWS_SHOWN: usize = 12;
/// Channels plotted per excerpt and per window.
const STRETCH_CHANNELS: usize = 6;
const WINDOW_CHANNELS: usize = 3;
/// Channels named.
const CHANNELS_NAMED: usize = 24;
/// Events marked in an excerpt, and listed below it.
const EVENTS_MARKED: usize = 200;
const EVENTS_LISTED: usize = 10;
/// Notes listed.
const NOTES_SHOWN: usize = 12;
/// Bins of the thinned lines: for all lines of the page together, and the bounds for one line (one bin per pixel).
const TOTAL_BINS: usize = 30_000;
const MIN_BINS: usize = 652;
const MAX_BINS: usize = 2600;

/// The section.
#[derive(Template)]
#[template(path = "report/series.html", whitespace = "minimize")]
pub(super) struct SeriesSection {
    facts: Vec<Fact>,
    channels: Vec<DisplayName>,
    more_channels: usize,
    notes: Vec<Vec<TextSpan>>,
    unlisted_notes: usize,
    stretches: Vec<StretchFigure>,
    unshown_stretches: usize,
    windows: Vec<WindowFigure>,
    unshown_windows: usize,
}

struct Fact {
    name: &'static str,
    value: String,
}

/// An excerpt with its drawing and events.
pub(super) struct StretchFigure {
    pub(super) name: DisplayName,
    pub(super) title: String,
    pub(super) drawing: Option<Timeline>,
    pub(super) caption: String,
    pub(super) events: Vec<EventRow>,
    /// Number of unlisted events with its noun; empty if all are listed.
    pub(super) more_events: String,
}

pub(super) struct EventRow {
    pub(super) number: usize,
    pub(super) from: String,
    pub(super) to: String,
    pub(super) points: String,
    pub(super) peak: String,
    pub(super) channels: Vec<DisplayName>,
}

struct WindowFigure {
    title: DisplayName,
    score: String,
    drawing: Option<WindowPlot>,
    more_channels: usize,
}

impl SeriesSection {
    pub(super) fn new(series: &SeriesReport) -> SeriesSection {
        let stretches = &series.stretches[..series.stretches.len().min(STRETCHES_SHOWN)];
        let windows = &series.windows[..series.windows.len().min(WINDOWS_SHOWN)];
        let scores = column(&windows.iter().map(|window| window.score).collect::<Vec<_>>());
        SeriesSection {
            facts: facts(series),
            channels: series.channels.iter().take(CHANNELS_NAMED).map(|name| DisplayName::new(name)).collect(),
            more_channels: series.channels.len().saturating_sub(CHANNELS_NAMED),
            notes: series.notes.iter().take(NOTES_SHOWN).map(|note| prose(note, 400)).collect(),
            unlisted_notes: series.notes.len().saturating_sub(NOTES_SHOWN),
            stretches: figures(stretches),
            unshown_stretches: series.stretches.len() - stretches.len(),
            windows: windows.iter().zip(scores).map(|(window, score)| example(window, score)).collect(),
            unshown_windows: series.windows.len() - windows.len(),
        }
    }

    /// Whether the page needs the zoom script.
    pub(super) fn can_zoom(&self) -> bool {
        self.stretches.iter().any(StretchFigure::can_zoom)
    }
}

impl StretchFigure {
    /// Whether the page needs the zoom script.
    pub(super) fn can_zoom(&self) -> bool {
        self.drawing.as_ref().is_some_and(|drawing| drawing.can_zoom)
    }
}

/// Excerpts, in as much detail as a page may hold of all of them together.
pub(super) fn figures(stretches: &[AnomalousStretch]) -> Vec<StretchFigure> {
    let stretches = &stretches[..stretches.len().min(STRETCHES_SHOWN)];
    let lines: usize = stretches.iter().map(|stretch| 2 * stretch.channels.len().min(STRETCH_CHANNELS) + 1).sum();
    let bins = (TOTAL_BINS / lines.max(1)).clamp(MIN_BINS, MAX_BINS);
    stretches.iter().map(|stretch| shown(stretch, bins)).collect()
}

fn facts(series: &SeriesReport) -> Vec<Fact> {
    let points = counted(series.n_points, "point");
    let mut read = match series.n_series {
        1 => format!("1 series of {points}"),
        n => format!("{} series of {points} in total", count(n)),
    };
    if let Some(step) = &series.step {
        read.push_str(&format!(", one every {}", cut(step, 60)));
    }
    let gaps = match (series.gaps, series.gap_points) {
        (0, 0) => "none".to_owned(),
        (1, points) => format!("1, {} missing", counted(points, "point")),
        (gaps, points) => format!("{}, {} missing in total", count(gaps), counted(points, "point")),
    };
    let (window, stride) = (counted(series.window as u64, "point"), counted(series.stride as u64, "point"));
    let mut facts = vec![
        Fact { name: "read", value: read },
        Fact { name: "layout", value: cut(&series.layout, 200) },
        Fact { name: "gaps", value: gaps },
        Fact { name: "window", value: format!("{window}, stride {stride}") },
    ];
    if let Some(period) = series.period {
        facts.push(Fact { name: "period", value: counted(period as u64, "point") });
    }
    facts
}

fn shown(stretch: &AnomalousStretch, bins: usize) -> StretchFigure {
    let n = n_points(stretch);
    let channels = top_channels(stretch);
    // The events with the highest peaks in order of time, numbered among all events.
    let numbered = |most: usize| -> Vec<(usize, &StretchEvent)> {
        let mut events: Vec<(usize, &StretchEvent)> =
            stretch.events.iter().enumerate().map(|(i, event)| (i + 1, event)).collect();
        events.sort_by(|a, b| b.1.peak.total_cmp(&a.1.peak));
        events.truncate(most);
        events.sort_by_key(|(number, _)| *number);
        events
    };
    let drawing = Timeline::new(stretch, &channels, &numbered(EVENTS_MARKED), bins);
    let listed = numbered(EVENTS_LISTED);
    let peaks = column(&listed.iter().map(|(_, event)| event.peak).collect::<Vec<_>>());
    let time = |at: usize| match stretch.times.get(at) {
        Some(label) => cut(label, 40).replacen('T', " ", 1),
        None => count(at as u64),
    };
    let event = |((number, event), peak): (&(usize, &StretchEvent), String)| EventRow {
        number: *number,
        from: time(event.first),
        to: time(event.last),
        points: count((event.last.saturating_sub(event.first) as u64).saturating_add(1)),
        peak,
        channels: event.channels.iter().take(WINDOW_CHANNELS).map(|name| DisplayName::new(name)).collect(),
    };
    let more_events = (stretch.events.len() - listed.len()) as u64;
    StretchFigure {
        name: DisplayName::new(&stretch.series),
        title: cut(&stretch.title, 120),
        caption: caption(stretch, n, channels.len(), drawing.as_ref()),
        drawing,
        events: listed.iter().zip(peaks).map(event).collect(),
        more_events: if more_events > 0 { counted(more_events, "more event") } else { String::new() },
    }
}

/// The plotted channels: those most often among the top contributors of events, in file order.
fn top_channels(stretch: &AnomalousStretch) -> Vec<&ChannelTrace> {
    let n_events =
        |trace: &ChannelTrace| stretch.events.iter().filter(|event| event.channels.contains(&trace.name)).count();
    let mut channels: Vec<(usize, usize)> = stretch.channels.iter().map(n_events).enumerate().collect();
    channels.sort_by_key(|(_, times)| std::cmp::Reverse(*times));
    channels.truncate(STRETCH_CHANNELS);
    channels.sort_unstable();
    channels.into_iter().map(|(i, _)| &stretch.channels[i]).collect()
}

fn caption(stretch: &AnomalousStretch, n: usize, n_drawn: usize, drawing: Option<&Timeline>) -> String {
    let mut sentences = vec!["Vertical: units of the file.".to_owned()];
    if stretch.times.is_empty() {
        sentences[0].push_str(&format!(" Horizontal: {}, counted from the start.", counted(n as u64, "point")));
    } else {
        sentences[0].push_str(&format!(" Horizontal: time, {}.", counted(n as u64, "point")));
    }
    if drawing.is_some_and(|drawing| drawing.is_log) {
        sentences.push("Scores are on a logarithmic axis.".to_owned());
    }
    if let Some(drawing) = drawing.filter(|drawing| drawing.thinned_by > 1) {
        sentences.push(format!("Lines show the minimum and maximum of every {} points.", drawing.thinned_by));
    }
    match stretch.events.len().saturating_sub(EVENTS_MARKED) {
        0 => {}
        1 => sentences.push("One more event, with the lowest score, is not marked.".to_owned()),
        more => sentences.push(format!("{} more events, with lower scores, are not marked.", count(more as u64))),
    }
    match stretch.channels.len() - n_drawn {
        0 => {}
        1 => sentences.push("One more channel is not plotted.".to_owned()),
        more => sentences
            .push(format!("{} more channels, which contribute less often, are not plotted.", count(more as u64))),
    }
    sentences.join(" ")
}

fn example(window: &WindowExample, score: String) -> WindowFigure {
    let mut worst: Vec<(usize, f64)> = window.channels.iter().map(relative_error).enumerate().collect();
    worst.sort_by(|a, b| b.1.total_cmp(&a.1));
    worst.truncate(WINDOW_CHANNELS);
    worst.sort_by_key(|(i, _)| *i);
    let drawn: Vec<&ChannelTrace> = worst.iter().map(|(i, _)| &window.channels[*i]).collect();
    WindowFigure {
        title: DisplayName::new(&window.title),
        score,
        drawing: WindowPlot::new(&drawn, window.channels.len() > 1),
        more_channels: window.channels.len() - drawn.len(),
    }
}

/// Mean squared error of the reconstruction, relative to the squared range of signal and reconstruction.
fn relative_error(trace: &ChannelTrace) -> f64 {
    let pairs: Vec<(f64, f64)> =
        trace.signal.iter().zip(&trace.reconstruction).filter_map(|(a, b)| Some(((*a)?, (*b)?))).collect();
    let all = || pairs.iter().flat_map(|(a, b)| [*a, *b]);
    let span = all().fold(f64::NEG_INFINITY, f64::max) - all().fold(f64::INFINITY, f64::min);
    let error = pairs.iter().map(|(a, b)| ((a - b) / span).powi(2)).sum::<f64>() / pairs.len() as f64;
    if error.is_finite() { error } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    fn check(change: impl Fn(&mut SeriesReport), expected: &[&str]) -> String {
        let mut series = sample::series();
        change(&mut series);
        let html = SeriesSection::new(&series).render().unwrap().replace('\u{a0}', " ");
        for words in expected {
            assert!(html.contains(words), "`{words}` is missing");
        }
        html
    }

    #[test]
    fn series_are_described_and_plotted() {
        let html = check(
            |_| {},
            &[
                "3 series of 24,134 points in total, one every 5 minutes",
                "14, 58 points missing in total",
                "96 points, stride 24 points",
                "288 points",
                "</code> lacks 21 points",
                "2026-03-03 10:10:00",
                "minimum and maximum of every",
                "logarithmic axis",
                "Most anomalous windows",
            ],
        );
        assert_eq!(html.matches("<figure class=\"timeline\">").count(), 2);
        assert_eq!(html.matches("class=\"small\"").count(), 8);
    }

    #[test]
    fn one_series_per_row_has_windows_only() {
        let html = check(|series| series.stretches.clear(), &["Most anomalous windows"]);
        assert!(!html.contains("class=\"zoom\""));
        let html = check(
            |series| {
                series.stretches.clear();
                series.windows.clear();
                series.channels.clear();
                series.notes.clear();
                (series.step, series.period, series.gaps, series.gap_points) = (None, None, 0, 0);
                (series.n_series, series.n_points) = (1, 1);
            },
            &["1 series of 1 point<", "none", "no series excerpts"],
        );
        assert!(!html.contains("<svg"));
        check(|series| series.windows[0].channels.clear(), &["no points"]);
        check(
            |series| {
                series.stretches[0].channels.clear();
                series.stretches[0].score.clear();
            },
            &["This excerpt has no points."],
        );
    }

    #[test]
    fn omitted_parts_are_counted() {
        check(
            |series| {
                series.stretches = vec![series.stretches[0].clone(); 8];
                let event =
                    |i: usize| StretchEvent { first: i, last: i, peak: i as f64, channels: vec!["c 37".to_owned()] };
                series.stretches[0].events = (0..300).map(event).collect();
                let trace = series.stretches[0].channels[0].clone();
                let channel = |i: usize| ChannelTrace { name: format!("c {i}"), ..trace.clone() };
                series.stretches[0].channels = (0..38).map(channel).collect();
                series.windows = vec![series.windows[0].clone(); 40];
                series.windows[0].channels = series.stretches[0].channels.clone();
                series.channels = (0..38).map(|i| format!("c {i}")).collect();
                series.notes = vec!["a note".to_owned(); 20];
            },
            &[
                "2 more excerpts",
                "290 more events",
                "100 more events, with lower scores, are not marked",
                "32 more channels, which contribute less often",
                ">c 37<",
                "28 more in",
                "35 more channels with lower error",
                "and 14 more",
                "And 8 more",
            ],
        );
    }

    #[test]
    fn the_channels_with_the_largest_error_are_plotted() {
        let trace = |signal: f64, rebuilt: f64| ChannelTrace {
            name: String::new(),
            signal: vec![Some(0.0), Some(signal)],
            reconstruction: vec![Some(0.0), Some(rebuilt)],
        };
        assert!(relative_error(&trace(1.0, 0.2)) > relative_error(&trace(1000.0, 900.0)));
        assert_eq!((relative_error(&trace(0.0, 0.0)), relative_error(&trace(f64::NAN, 1.0))), (0.0, 0.0));
    }
}
