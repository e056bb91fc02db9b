//! Scores of the points that a threshold is set on: of held-out parts of series, and of those labelled anomalous.

use std::ops::Range;

use super::adapter::{SeriesAdapter, SeriesSamples};
use super::judgement::PointScore;
use super::points::{Coverage, judged, points};
use super::windowing::normal_stretches;
use crate::data;
use crate::fitted::scoring::Scorer;

/// Parts of series to set a threshold on.
pub(super) struct HeldOutPart<'a> {
    pub(super) samples: &'a SeriesSamples,
    /// By series and point.
    pub(super) is_anomalous: &'a [Vec<bool>],
    /// The part of each series.
    pub(super) ranges: Vec<Range<usize>>,
    pub(super) window: usize,
}

/// Scores of the normal points of one part of each series, at most so many; those of rows that break invariants are
/// raised, if the samples say which do.
pub(super) fn held_out_scores(
    adapter: &SeriesAdapter,
    scorer: &Scorer,
    part: &HeldOutPart<'_>,
    coverage: Coverage,
    most: usize,
) -> Vec<PointScore> {
    let HeldOutPart { samples, is_anomalous, ranges, window } = part;
    let mut scores = Vec::new();
    let k = samples.set.channels.len();
    for ((series, range), is_anomalous) in samples.set.series.iter().zip(ranges).zip(*is_anomalous) {
        for range in normal_stretches(range, is_anomalous) {
            if scores.len() >= most || range.len() < *window {
                continue;
            }
            // Some points beside those wanted, which a window at the end would cover less often.
            let wanted = (most - scores.len()).saturating_add(2 * window);
            let range = range.start..range.end.min(range.start.saturating_add(wanted));
            let values = series.values[range.start * k..range.end * k].to_vec();
            let part = data::Series { id: series.id.clone(), values, ..data::Series::default() };
            let (signal, _) = adapter.pipeline.signal(&part.id, &part.values);
            let mut found = points(adapter, scorer, &part, &signal, coverage);
            let own = series.rows.iter().enumerate().filter_map(|(p, row)| Some(((*row)?, p)));
            let rows = own.chain(series.merged.iter().copied()).filter(|(_, p)| range.contains(p));
            found.judge(rows.map(|(row, p)| (row, p - range.start)), &signal, &samples.evidence);
            scores.extend(found.parts.into_iter().filter(|parts| !parts.whole.is_nan()));
        }
    }
    scores.truncate(most);
    scores
}

/// Scores of the points labelled anomalous.
pub(super) fn anomalous_scores(
    adapter: &SeriesAdapter,
    scorer: &Scorer,
    samples: &SeriesSamples,
    is_anomalous: &[Vec<bool>],
    coverage: Coverage,
) -> Vec<PointScore> {
    let mut scores = Vec::new();
    for (number, anomalous) in is_anomalous.iter().enumerate() {
        if anomalous.contains(&true) {
            let found = judged(adapter, scorer, samples, number, coverage).parts;
            let wanted =
                found.into_iter().zip(anomalous).filter(|(parts, anomalous)| **anomalous && !parts.whole.is_nan());
            scores.extend(wanted.map(|(parts, _)| parts));
        }
    }
    scores
}
