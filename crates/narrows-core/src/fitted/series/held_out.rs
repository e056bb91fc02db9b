//! Scores of the points that a threshold is set on: of held-out parts of series, and of those labelled anomalous.

use super::adapter::{SeriesAdapter, SeriesSamples};
use super::judgement::PointScore;
use super::points::{Coverage, judged, points};
use super::windowing::{WindowPlan, normal_stretches};
use crate::data;
use crate::fitted::scoring::Scorer;

/// Scores of the normal points of one part of each series, at most so many.
pub(super) fn held_out_scores(
    adapter: &SeriesAdapter,
    scorer: &Scorer,
    samples: &SeriesSamples,
    plan: &WindowPlan,
    is_anomalous: &[Vec<bool>],
    (coverage, part): (Coverage, usize),
    most: usize,
) -> Vec<PointScore> {
    let mut scores = Vec::new();
    let k = samples.set.channels.len();
    for ((series, ranges), is_anomalous) in samples.set.series.iter().zip(&plan.ranges).zip(is_anomalous) {
        for range in normal_stretches(&ranges[part], is_anomalous) {
            if scores.len() >= most || range.len() < plan.window {
                continue;
            }
            // Some points beside those wanted, which a window at the end would cover less often.
            let wanted = (most - scores.len()).saturating_add(2 * plan.window);
            let range = range.start..range.end.min(range.start.saturating_add(wanted));
            let values = series.values[range.start * k..range.end * k].to_vec();
            let part = data::Series { id: series.id.clone(), values, ..data::Series::default() };
            let (signal, _) = adapter.pipeline.signal(&part.id, &part.values);
            let found = points(adapter, scorer, &part, &signal, coverage).parts;
            scores.extend(found.into_iter().filter(|parts| !parts.whole.is_nan()));
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
