//! What a report shows of points that the model was not fitted to: events, the highest points with their reasons, and
//! whole series to draw.

use super::SeriesModel;
use super::adapter::SeriesAdapter;
use super::events::FoundEvent;
use super::model::{expected, point_reasons};
use super::summary::{ScoredSeries, rounded, scored, stretches, top_events};
use crate::data::Table;
use crate::detect::Reason;
use crate::error::Result;
use crate::report::{AnomalousStretch, ChannelTrace, DrawnSeries, StretchEvent, TopRow};

/// What a report shows of points that the model was not fitted to.
pub(in crate::fitted) struct NewPoints {
    /// The peaks of the highest events.
    pub(in crate::fitted) top: Vec<TopRow>,
    /// The ranges around the highest peaks.
    pub(in crate::fitted) stretches: Vec<AnomalousStretch>,
    /// The points that score highest, highest first, if they were asked for.
    pub(in crate::fitted) highest: Vec<PointDetail>,
    /// Every series, if they were asked for.
    pub(in crate::fitted) drawn: Vec<DrawnSeries>,
}

/// How much is asked of points beside their events.
#[derive(Debug, Clone, Copy)]
pub(in crate::fitted) struct PointsAsked {
    /// Points that are explained.
    pub(in crate::fitted) points: usize,
    /// Reasons of each.
    pub(in crate::fitted) reasons: usize,
    /// Values that are drawn: points times channels.
    pub(in crate::fitted) values: usize,
}

/// One point with its reasons and its channels, in the file's units.
#[derive(Debug)]
pub(in crate::fitted) struct PointDetail {
    /// Row of the table.
    pub(in crate::fitted) row: u32,
    pub(in crate::fitted) reasons: Vec<Reason>,
    pub(in crate::fitted) got: Vec<f64>,
    pub(in crate::fitted) expected: Vec<f64>,
}

/// The events and the highest peaks of points that the model was not fitted to.
pub(in crate::fitted) fn new_points(
    model: &SeriesModel,
    table: &Table,
    asked: Option<PointsAsked>,
) -> Result<NewPoints> {
    let (adapter, core) = (model.adapter.as_ref(), &model.core);
    let samples = adapter.prepare(table)?;
    let channels = &samples.set.channels;
    let scored = scored(adapter, &core.scorer, &core.threshold, &samples);
    let top = top_events(&scored, &core.threshold);
    let stretches = stretches(adapter, channels, &scored, core.threshold.decision.threshold);
    let (highest, drawn) = match asked {
        None => (Vec::new(), Vec::new()),
        Some(asked) => {
            (highest_points(adapter, channels, &scored, asked), drawn(adapter, channels, &scored, asked, table))
        }
    };
    Ok(NewPoints { top, stretches, highest, drawn })
}

/// The points that score highest, with their reasons.
fn highest_points(
    adapter: &SeriesAdapter,
    channels: &[String],
    scored: &[ScoredSeries<'_>],
    asked: PointsAsked,
) -> Vec<PointDetail> {
    let points = scored.iter().enumerate().flat_map(|(s, one)| {
        let known = move |(p, row): (usize, &Option<u32>)| Some((one.points.score[p], s, p, (*row)?));
        one.series.rows.iter().enumerate().filter_map(known).filter(|point| !point.0.is_nan())
    });
    let mut order: Vec<(f64, usize, usize, u32)> = points.collect();
    order.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.3.cmp(&b.3)));
    order.truncate(asked.points);
    let k = channels.len();
    let detail = |(_, s, p, row): (f64, usize, usize, u32)| {
        let ScoredSeries { series, points, .. } = &scored[s];
        PointDetail {
            row,
            reasons: point_reasons(adapter, channels, series, points, p, asked.reasons),
            got: series.values[p * k..(p + 1) * k].to_vec(),
            expected: (0..k).map(|c| expected(adapter, series, points, p, c)).collect(),
        }
    };
    order.into_iter().map(detail).collect()
}

/// Every series, thinned so that all together have at most the values asked for: of so many neighbouring points, that of the
/// highest score is kept, so no peak is lost.
fn drawn(
    adapter: &SeriesAdapter,
    channels: &[String],
    scored: &[ScoredSeries<'_>],
    asked: PointsAsked,
    table: &Table,
) -> Vec<DrawnSeries> {
    let k = channels.len();
    let all: usize = scored.iter().map(|one| one.series.n_points() * k).sum();
    let step = all.div_ceil(asked.values.max(1)).max(1);
    let most_series = asked.values.div_ceil(k.max(1));
    let of_series = |one: &ScoredSeries<'_>| {
        let ScoredSeries { series, points, events } = one;
        let n = series.n_points();
        let rank = |p: usize| if points.score[p].is_nan() { f64::NEG_INFINITY } else { points.score[p] };
        let highest = |first: usize| {
            (first..(first + step).min(n))
                .reduce(|best, p| if rank(p) > rank(best) { p } else { best })
                .unwrap_or(first)
        };
        let kept: Vec<usize> = (0..n).step_by(step).map(highest).collect();
        let trace = |c: usize| ChannelTrace {
            name: channels[c].clone(),
            signal: kept.iter().map(|p| rounded(series.values[p * k + c])).collect(),
            reconstruction: kept.iter().map(|p| rounded(expected(adapter, series, points, *p, c))).collect(),
        };
        let span = |found: &FoundEvent| StretchEvent {
            first: found.first / step,
            last: found.last / step,
            peak: found.event.peak,
            channels: found.event.reasons.iter().map(|reason| reason.column.clone()).collect(),
        };
        DrawnSeries {
            name: series.id.clone(),
            of: n as u64,
            step: step as u64,
            times: kept.iter().map(|p| series.time(*p).to_string()).collect(),
            rows: kept.iter().map(|p| series.rows[*p].map(|row| table.row_number(row as usize))).collect(),
            score: kept.iter().map(|p| rounded(points.score[*p])).collect(),
            channels: (0..k).map(trace).collect(),
            events: events.iter().map(span).collect(),
        }
    };
    scored.iter().take(most_series).map(of_series).collect()
}
