//! Windows without the values that stand out of them.
//!
//! One bad reading makes its whole window odd: the error of the window is that of the reading, and the network, which
//! has read it, rebuilds its neighbours badly too. A value whose error is far beyond what held-out windows have is
//! therefore hidden, as if nobody had measured it, and the window is scored again. What is ordinary then is spared; the
//! hidden value has its error against what the network expects there. A form that is wrong as a whole has no such
//! values, and its window keeps the score.

use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

use super::adapter::SeriesAdapter;
use super::holes::completed;
use crate::fitted::scoring::{ScoreDetail, Scored, Scorer};
use crate::prep::{Level, Prepared, Windows};

/// A value is a suspect if its squared error is this many times the held-out quantile of its channel.
const BEYOND: f64 = 2.0;
/// But no smaller than this share of a typical row's mean, however well a channel is rebuilt.
const LEAST: f32 = 1e-6;
/// The quantile.
const QUANTILE: f64 = 0.99;
/// Of the suspects of a window only those are hidden at once whose error is at least this share of the largest: the
/// others may be its consequence.
const DOMINANT: f32 = 0.25;
/// Number of times that suspects are looked for.
const ROUNDS: usize = 4;
/// A window is ordinary without its suspects, too, if what is left of the logarithm of its score is at most this share.
const UNEXPLAINED: f64 = 0.15;
/// A window of which more than this share stands out is wrong as a whole: nothing is hidden.
const MOST: f64 = 0.5;
/// So is one of a single channel of which more values than this stand out in a row: they are a form of their own, and
/// nothing beside them says what they should have been.
const READINGS: usize = 3;

/// What held-out windows showed of the errors of single values.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ValueErrors {
    /// The error from which on a value of a channel is a suspect, in units of a typical row's mean.
    limits: Vec<f32>,
    /// The score up to which a window without its suspects is ordinary: the held-out quantile.
    ordinary: f64,
    /// In the first files of format 5; what it did is now the work of [`Judgement`](super::Judgement).
    #[serde(default, skip_serializing)]
    ceiling: IgnoredAny,
}

/// With fewer held-out windows, quantiles are those of chance.
const FEWEST_WINDOWS: usize = 50;

/// Windows scored as they are, and without their suspects.
#[derive(Clone)]
pub(super) struct JudgedWindows {
    /// `[n]`, of all values.
    pub(super) scores: Vec<f64>,
    /// `[n]`, without suspects.
    pub(super) spared: Vec<f64>,
    /// `[n, width]`, the error of each value against what the network expects without the suspects.
    pub(super) trace: Vec<f32>,
    /// `[n, width]`, what it expects.
    pub(super) output: Vec<f32>,
    /// `[n, channels]`, the levels that were taken out for that.
    pub(super) levels: Vec<Level>,
    /// `[n, width]`, which values are suspects.
    pub(super) suspects: Vec<bool>,
    /// `[n]`, what became of each window.
    pub(super) kinds: Vec<WindowKind>,
}

/// What became of a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum WindowKind {
    /// It has no suspects.
    Plain,
    /// It is ordinary without them.
    Spared,
    /// It is odd without them, too.
    Odd,
}

impl ValueErrors {
    /// Fits on windows that did not train; `None` if they are too few.
    pub(super) fn fit(adapter: &SeriesAdapter, scorer: &Scorer, held_out: &Prepared) -> Option<ValueErrors> {
        if held_out.n < FEWEST_WINDOWS {
            return None;
        }
        let k = adapter.pipeline.n_channels();
        let Scored { scores, trace, .. } = scorer.score_with(&completed(adapter, scorer, held_out), ScoreDetail::Trace);
        let limit = |c: usize| {
            let observed = trace.iter().zip(&held_out.target).skip(c).step_by(k).filter(|(_, t)| !t.is_nan());
            BEYOND as f32 * quantile(observed.map(|(error, _)| f64::from(*error)).collect()) as f32
        };
        Some(ValueErrors { limits: (0..k).map(limit).collect(), ordinary: quantile(scores), ceiling: IgnoredAny })
    }

    /// Whether there is a limit for each channel.
    pub(super) fn fits(&self, channels: usize) -> bool {
        self.limits.len() == channels && self.limits.iter().all(|limit| *limit >= 0.0)
    }

    /// Marks the suspects among the values of a window that are not marked yet; returns whether there were any.
    fn mark(&self, trace: &[f32], suspects: &mut [bool]) -> bool {
        let k = self.limits.len();
        let ratio = |slot: usize| trace[slot] / self.limits[slot % k].max(LEAST);
        let open: Vec<usize> = (0..trace.len()).filter(|slot| !suspects[*slot]).collect();
        let largest = open.iter().map(|slot| ratio(*slot)).fold(0.0, f32::max);
        let least = (DOMINANT * largest).max(1.0);
        open.iter().for_each(|slot| suspects[*slot] = ratio(*slot) > least);
        largest > 1.0
    }

    /// Whether suspects are so few that what is left of their window can say what they should have been.
    fn are_few(&self, suspects: &[bool]) -> bool {
        let count = suspects.iter().filter(|suspect| **suspect).count();
        let in_a_row = suspects.chunk_by(|a, b| a == b).filter(|run| run[0]).map(<[bool]>::len).max();
        let is_single = self.limits.len() == 1;
        count as f64 <= MOST * suspects.len() as f64 && !(is_single && in_a_row > Some(READINGS))
    }
}

/// The quantile of what was held out; infinite if nothing was.
fn quantile(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    let at = ((values.len() as f64 * QUANTILE) as usize).min(values.len().saturating_sub(1));
    values.get(at).copied().unwrap_or(f64::MAX)
}

/// Scores windows, and those that are ordinary without their suspects without them.
pub(super) fn judged_windows(adapter: &SeriesAdapter, scorer: &Scorer, windows: &Windows) -> JudgedWindows {
    let whole = completed(adapter, scorer, &windows.prepared);
    let Scored { scores, trace, output, .. } = scorer.score_with(&whole, ScoreDetail::Trace);
    let (levels, suspects) = (windows.levels.clone(), vec![false; trace.len()]);
    let kinds = vec![WindowKind::Plain; scores.len()];
    let mut judged = JudgedWindows { spared: scores.clone(), scores, trace, output, levels, suspects, kinds };
    let Some(errors) = &adapter.errors else { return judged };
    let (k, width) = (adapter.pipeline.n_channels(), windows.prepared.width);

    let mut without = judged.clone();
    let mut open: Vec<u32> = (0..windows.prepared.n as u32).collect();
    for _ in 0..ROUNDS {
        open.retain(|w| {
            let values = *w as usize * width..(*w as usize + 1) * width;
            let marked = errors.mark(&without.trace[values.clone()], &mut without.suspects[values.clone()]);
            let are_few = errors.are_few(&without.suspects[values]);
            if !are_few {
                without.spared[*w as usize] = f64::INFINITY;
            }
            marked && are_few
        });
        if open.is_empty() {
            break;
        }
        let levels = open.iter().flat_map(|w| windows.levels[*w as usize * k..][..k].to_vec()).collect();
        without.hide(adapter, scorer, Windows { prepared: whole.take(&open), levels }, &open);
    }
    for (w, suspects) in without.suspects.chunks_exact(width).enumerate().filter(|(_, s)| s.contains(&true)) {
        let (spared, score) = (without.spared[w], judged.scores[w]);
        if spared <= errors.ordinary || spared.ln() <= UNEXPLAINED * score.ln() {
            judged.kinds[w] = WindowKind::Spared;
            judged.take(&without, w, (suspects.len(), k));
        } else {
            judged.kinds[w] = WindowKind::Odd;
        }
    }
    judged
}

impl JudgedWindows {
    /// Scores the windows numbered `open`, given as they were cut, without their suspects.
    fn hide(&mut self, adapter: &SeriesAdapter, scorer: &Scorer, mut windows: Windows, open: &[u32]) {
        let (k, width) = (adapter.pipeline.n_channels(), windows.prepared.width);
        let steps = width / k;
        for (i, w) in open.iter().map(|w| *w as usize).enumerate() {
            let suspects = &self.suspects[w * width..(w + 1) * width];
            adapter.pipeline.level_without(&mut windows, i, suspects);
            // The last expectation is a better beginning than the value.
            for slot in (0..width).filter(|slot| suspects[*slot]) {
                let (t, c) = (slot / k, slot % k);
                let rebuilt = self.levels[w * k + c].put_back(self.output[w * width + slot], t, steps);
                windows.prepared.input[i * width + slot] = windows.levels[i * k + c].take(rebuilt, t, steps);
            }
        }
        let target = windows.prepared.target.clone();
        for (i, w) in open.iter().map(|w| *w as usize).enumerate() {
            let hidden =
                windows.prepared.target[i * width..].iter_mut().zip(&self.suspects[w * width..(w + 1) * width]);
            hidden.filter(|(_, suspect)| **suspect).for_each(|(target, _)| *target = f32::NAN);
        }
        let spared = completed(adapter, scorer, &windows.prepared).into_owned();
        let scores = scorer.score_with(&spared, ScoreDetail::Scores).scores;
        // The suspects, too, against what is expected without them.
        let Scored { trace, output, .. } = scorer.score_with(&Prepared { target, ..spared }, ScoreDetail::Trace);
        for (i, w) in open.iter().map(|w| *w as usize).enumerate() {
            let (from, to) = (i * width..(i + 1) * width, w * width..(w + 1) * width);
            self.spared[w] = scores[i];
            self.trace[to.clone()].copy_from_slice(&trace[from.clone()]);
            self.output[to].copy_from_slice(&output[from]);
            self.levels[w * k..(w + 1) * k].copy_from_slice(&windows.levels[i * k..(i + 1) * k]);
        }
    }

    /// Takes over what another has of a window.
    fn take(&mut self, other: &JudgedWindows, w: usize, (width, k): (usize, usize)) {
        let (values, levels) = (w * width..(w + 1) * width, w * k..(w + 1) * k);
        self.spared[w] = other.spared[w];
        self.trace[values.clone()].copy_from_slice(&other.trace[values.clone()]);
        self.output[values.clone()].copy_from_slice(&other.output[values.clone()]);
        self.suspects[values.clone()].copy_from_slice(&other.suspects[values]);
        self.levels[levels.clone()].copy_from_slice(&other.levels[levels]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Marks of a window of two channels, whose limits are 1 and 10.
    fn check(trace: &[f32], marked: &[usize], expected: &[usize]) {
        let errors = ValueErrors { limits: vec![1.0, 10.0], ordinary: 1.0, ceiling: IgnoredAny };
        let mut suspects: Vec<bool> = (0..trace.len()).map(|slot| marked.contains(&slot)).collect();
        let more = errors.mark(trace, &mut suspects);
        let found: Vec<usize> = (0..trace.len()).filter(|slot| suspects[*slot]).collect();
        assert_eq!((found.as_slice(), more), (expected, expected.len() > marked.len()));
    }

    #[test]
    fn suspects_are_beyond_the_limit_of_their_channel_and_near_the_worst() {
        check(&[1.0, 10.0, 0.5, 2.0], &[], &[]);
        check(&[1.5, 10.0, 0.5, 12.0], &[], &[0, 3]);
        // The second is far beyond its limit, too, but hardly beside the first.
        check(&[100.0, 2.0, 20.0, 300.0], &[], &[0, 3]);
        check(&[100.0, 2.0, 20.0, 300.0], &[0, 3], &[0, 2, 3]);
        check(&[0.0, 0.0], &[], &[]);
    }

    #[test]
    fn limits_are_quantiles_of_what_was_held_out() {
        assert_eq!(quantile((0..200).map(f64::from).collect()), 198.0);
        assert_eq!((quantile(vec![3.0]), quantile(Vec::new())), (3.0, f64::MAX));
    }
}
