//! The part of the report specific to series.

use std::ops::Range;

use super::adapter::{SeriesAdapter, SeriesSamples};
use super::events::{FoundEvent, events};
use super::model::{expected, row_reasons};
use super::points::{self, Coverage, Points};
use crate::data::Series;
use crate::detect::explain;
use crate::fitted::invariants::Invariants;
use crate::fitted::scoring::{CalibratedThreshold, ScoreDetail, Scorer};
use crate::fitted::selection::ColumnSelection;
use crate::fitted::summary::{
    HeldOut, KindReport, ReportInputs, columns, notes, rows as row_counts, top_row, top_samples,
};
use crate::prep::{ColumnPrep, PrepReport};
use crate::report::{
    AnomalousStretch, ChannelTrace, ColumnReport, Role, SeriesReport, StretchEvent, TopRow, WindowExample,
};

/// Ranges of series that are drawn, and points of each.
const STRETCHES: usize = 3;
const STRETCH_POINTS: usize = 1500;
/// Channels per drawn range: the top contributing ones.
const DRAWN_CHANNELS: usize = 4;
/// Windows that are drawn.
const DRAWN_WINDOWS: usize = 6;
/// Top contributing steps per row.
const TOP_REASONS: usize = 3;
/// Number of events in the list of top events.
const TOP_EVENTS: usize = 20;

/// Automatic choices of a fit to points in time.
pub(super) struct Chosen<'a> {
    pub(super) notes: &'a [String],
    pub(super) period: Option<usize>,
    pub(super) train_stride: usize,
}

/// The report of a fit to the rows layout.
pub(super) fn rows(
    inputs: &ReportInputs<'_>,
    held_out: &HeldOut,
    selection: &ColumnSelection,
    adapter: &SeriesAdapter,
    samples: &SeriesSamples,
    prep: &PrepReport,
) -> KindReport {
    let top = top_samples(inputs);
    let scored = inputs.scorer.score_with(&inputs.prepared.take(&top), ScoreDetail::Shares);
    let reasons = row_reasons(inputs.scorer, adapter, samples, &top, &scored.shares, TOP_REASONS);
    let top_rows: Vec<TopRow> = top
        .iter()
        .zip(inputs.evidence.judged(top.iter().copied(), scored.scores))
        .zip(reasons)
        .map(|((row, score), reasons)| {
            let reasons = inputs.evidence.reasons(*row, reasons, TOP_REASONS);
            top_row(inputs.threshold, u64::from(*row), score, reasons)
        })
        .collect();
    KindReport {
        population: None,
        source: selection.table.source().to_owned(),
        label: selection.label.clone(),
        rows: row_counts(selection, inputs.split),
        columns: folded_columns(selection, prep, adapter.invariants.as_ref(), rebuilt_quality(held_out)),
        notes: notes(selection, prep),
        top: top_rows,
        series: Some(SeriesReport {
            layout: "rows".to_owned(),
            channels: samples.set.channels.clone(),
            step: None,
            n_series: samples.set.counts.series,
            n_points: samples.set.counts.points,
            gaps: 0,
            gap_points: 0,
            window: adapter.pipeline.window(),
            stride: adapter.stride,
            period: None,
            notes: Vec::new(),
            stretches: Vec::new(),
            windows: window_examples(inputs, adapter, samples, &top),
        }),
        images: None,
    }
}

/// Every input column, with the steps of a row folded into one.
fn folded_columns(
    selection: &ColumnSelection,
    prep: &PrepReport,
    invariants: Option<&Invariants>,
    quality: Option<f64>,
) -> Vec<ColumnReport> {
    let names = selection.features();
    let step = |name: &str| ColumnPrep { name: name.to_owned(), missing: 0, ..prep.columns[0].clone() };
    let steps: Vec<ColumnPrep> = names.iter().map(|name| step(name)).collect();
    let mut folded: Vec<ColumnReport> = Vec::new();
    for column in columns(selection, &steps.iter().collect::<Vec<_>>(), invariants, |_| None) {
        let is_step = column.role == Role::Feature;
        if !is_step || !folded.iter().any(|known| known.role == Role::Feature) {
            folded.push(column);
        }
    }
    if let (Some(column), [first, .., last]) =
        (folded.iter_mut().find(|column| column.role == Role::Feature), names.as_slice())
    {
        column.name = format!("{first} to {last}");
        column.words = format!("{} steps of a row; {}", names.len(), column.words);
        column.missing = prep.columns[0].missing;
        column.quality = quality;
    }
    folded
}

/// 1 - error / variance of reconstructed held-out rows, in prepared units.
fn rebuilt_quality(held_out: &HeldOut) -> Option<f64> {
    let pairs = || held_out.rows.target.iter().zip(&held_out.output).filter(|(t, _)| !t.is_nan());
    let n = pairs().count() as f64;
    let mean = pairs().map(|(t, _)| f64::from(*t)).sum::<f64>() / n;
    let variance: f64 = pairs().map(|(t, _)| (f64::from(*t) - mean).powi(2)).sum();
    let error: f64 = pairs().map(|(t, o)| f64::from(t - o).powi(2)).sum();
    (variance > 1e-12 * n).then(|| 1.0 - error / variance)
}

/// The highest-scoring rows with their reconstructions.
fn window_examples(
    inputs: &ReportInputs<'_>,
    adapter: &SeriesAdapter,
    samples: &SeriesSamples,
    top: &[u32],
) -> Vec<WindowExample> {
    let top = &top[..top.len().min(DRAWN_WINDOWS)];
    let prepared = inputs.prepared.take(top);
    let windows = adapter.whole_of(samples, top);
    let output = inputs.scorer.ensemble.output(&prepared.input);
    let scores = inputs.scores(top);
    let steps = adapter.pipeline.window();
    let example = |(i, row): (usize, &u32)| {
        let series = &samples.set.series[*row as usize];
        let n = series.n_points();
        let rebuilt = |t: usize| {
            let z = windows.levels[i].put_back(output[i * steps + t], t, n);
            rounded(adapter.pipeline.backward(&series.id, 0, z))
        };
        WindowExample {
            title: format!("row {row}"),
            score: scores[i],
            channels: vec![ChannelTrace {
                name: samples.set.channels[0].clone(),
                signal: series.values.iter().map(|x| rounded(*x)).collect(),
                reconstruction: (0..n).map(rebuilt).collect(),
            }],
        }
    };
    top.iter().enumerate().map(example).collect()
}

/// The report of a fit to points in time.
pub(super) fn points(
    inputs: &ReportInputs<'_>,
    _held_out: &HeldOut,
    selection: &ColumnSelection,
    adapter: &SeriesAdapter,
    samples: &SeriesSamples,
    prep: &PrepReport,
    chosen: &Chosen<'_>,
) -> KindReport {
    let scored = scored(adapter, inputs.scorer, inputs.threshold, samples);
    let counts = &samples.set.counts;
    KindReport {
        population: None,
        source: selection.table.source().to_owned(),
        label: selection.label.clone(),
        rows: row_counts(selection, inputs.split),
        columns: columns(selection, &adapter.pipeline.columns(), adapter.invariants.as_ref(), |channel| {
            quality(samples, &scored, channel)
        }),
        notes: notes(selection, prep).into_iter().chain(chosen.notes.iter().cloned()).collect(),
        top: top_events(&scored, inputs.threshold),
        series: Some(SeriesReport {
            layout: "long".to_owned(),
            channels: samples.set.channels.clone(),
            step: samples.set.step.map(|step| step.to_string()),
            n_series: counts.series,
            n_points: counts.points,
            gaps: counts.gaps,
            gap_points: counts.gap_points,
            window: adapter.pipeline.window(),
            stride: chosen.train_stride,
            period: chosen.period,
            notes: chosen.notes.to_vec(),
            stretches: stretches(adapter, &samples.set.channels, &scored, inputs.threshold.decision.threshold),
            windows: Vec::new(),
        }),
        images: None,
    }
}

/// One series and its scores.
pub(super) struct ScoredSeries<'a> {
    pub(super) series: &'a Series,
    pub(super) points: Points,
    pub(super) events: Vec<FoundEvent>,
}

/// Every series with its scores.
pub(super) fn scored<'a>(
    adapter: &SeriesAdapter,
    scorer: &Scorer,
    threshold: &CalibratedThreshold,
    samples: &'a SeriesSamples,
) -> Vec<ScoredSeries<'a>> {
    let of_series = |(number, series): (usize, &'a Series)| {
        let points = points::judged(adapter, scorer, samples, number, Coverage::All);
        let events = events(adapter, &samples.set.channels, series, &points, threshold);
        ScoredSeries { series, points, events }
    };
    samples.set.series.iter().enumerate().map(of_series).collect()
}

/// The peaks of the highest events.
pub(super) fn top_events(scored: &[ScoredSeries<'_>], threshold: &CalibratedThreshold) -> Vec<TopRow> {
    let events = scored.iter().flat_map(|scored| &scored.events).map(|found| &found.event);
    let mut top: Vec<TopRow> =
        events.map(|event| top_row(threshold, event.peak_row, event.peak, event.reasons.clone())).collect();
    top.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.row.cmp(&b.row)));
    top.truncate(TOP_EVENTS);
    top
}

/// 1 - error / variance of a channel's reconstruction, over all points of all series.
fn quality(samples: &SeriesSamples, scored: &[ScoredSeries<'_>], channel: &str) -> Option<f64> {
    let k = samples.set.channels.len();
    let c = samples.set.channels.iter().position(|name| name == channel)?;
    let pairs = || {
        scored.iter().flat_map(move |scored| {
            let values = scored.series.values.iter().skip(c).step_by(k);
            let rebuilt = scored.points.rebuilt.iter().skip(c).step_by(k);
            values.zip(rebuilt).filter(|(x, y)| x.is_finite() && y.is_finite()).map(|(x, y)| (*x, *y))
        })
    };
    let n = pairs().count() as f64;
    let mean = pairs().map(|(x, _)| x).sum::<f64>() / n;
    let variance: f64 = pairs().map(|(x, _)| (x - mean).powi(2)).sum();
    let error: f64 = pairs().map(|(x, y)| (x - y).powi(2)).sum();
    (variance > 1e-12 * n).then(|| 1.0 - error / variance)
}

/// The ranges around the highest peaks, one per series.
pub(super) fn stretches(
    adapter: &SeriesAdapter,
    channels: &[String],
    scored: &[ScoredSeries<'_>],
    threshold: f64,
) -> Vec<AnomalousStretch> {
    let peak = |scored: &ScoredSeries<'_>| {
        let best = |best: usize, p: usize| if scored.points.score[p] > scored.points.score[best] { p } else { best };
        let scored = (0..scored.points.score.len()).filter(|p| !scored.points.score[*p].is_nan());
        scored.reduce(best)
    };
    let mut peaks: Vec<(&ScoredSeries<'_>, usize)> = scored.iter().filter_map(|j| Some((j, peak(j)?))).collect();
    peaks.sort_by(|(a, p), (b, q)| b.points.score[*q].total_cmp(&a.points.score[*p]));
    peaks.truncate(STRETCHES);
    peaks.into_iter().map(|(scored, peak)| stretch(adapter, channels, scored, peak, threshold)).collect()
}

fn stretch(
    adapter: &SeriesAdapter,
    channels: &[String],
    scored: &ScoredSeries<'_>,
    peak: usize,
    threshold: f64,
) -> AnomalousStretch {
    let ScoredSeries { series, points, events } = scored;
    let (n, k) = (series.n_points(), channels.len());
    let first = peak.saturating_sub(STRETCH_POINTS / 2).min(n.saturating_sub(STRETCH_POINTS));
    let range: Range<usize> = first..(first + STRETCH_POINTS).min(n);
    let shares = explain::shares(&points.errors[peak * k..(peak + 1) * k]);
    let mut drawn = explain::top_k(&shares, DRAWN_CHANNELS);
    drawn.sort_unstable();
    let trace = |c: usize| ChannelTrace {
        name: channels[c].clone(),
        signal: range.clone().map(|p| rounded(series.values[p * k + c])).collect(),
        reconstruction: range.clone().map(|p| rounded(expected(adapter, series, points, p, c))).collect(),
    };
    let inside = events.iter().filter(|found| found.last >= range.start && found.first < range.end);
    let span = |found: &FoundEvent| StretchEvent {
        first: found.first.max(range.start) - range.start,
        last: found.last.min(range.end - 1) - range.start,
        peak: found.event.peak,
        channels: found.event.reasons.iter().map(|reason| reason.column.clone()).collect(),
    };
    let whole = if range.len() == n { "" } else { ", around its highest score" };
    AnomalousStretch {
        series: series.id.clone(),
        title: if series.id.is_empty() { format!("the series{whole}") } else { format!("series {}{whole}", series.id) },
        times: range.clone().map(|p| series.time(p).to_string()).collect(),
        channels: drawn.into_iter().map(trace).collect(),
        score: range.clone().map(|p| rounded(points.score[p])).collect(),
        threshold,
        events: inside.map(span).collect(),
    }
}

/// Rounds to six significant digits: enough for plotting, and the model file stays small.
pub(super) fn rounded(x: f64) -> Option<f64> {
    x.is_finite().then(|| format!("{x:.5e}").parse().unwrap_or(x))
}
