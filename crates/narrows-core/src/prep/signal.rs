//! Preprocessing of series: windows as network inputs, scaled by training points and transformed per window.
//!
//! A window is one row of inputs, time-major: the channels of step 0, then those of step 1, and so on.

use std::collections::BTreeMap;

use arrow::array::Float64Array;
use serde::{Deserialize, Serialize};

use super::block::{Block, BlockKind};
use super::number::{NumberEncoder, Seen};
use super::prepared::{PrepCounts, PrepTally, Prepared};
use super::window::{Level, Transform};
use super::{ColumnPrep, Prep, PrepReport};
use crate::data::ColumnKind;
use crate::error::{Error, Result};

/// The points that a channel's scale is computed from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ScaleOver {
    /// One scale for all series.
    #[default]
    All,
    /// One scale per series: for machines that differ in size but not in pattern.
    Each,
}

/// Network input for missing points.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unobserved {
    /// Linear interpolation.
    Filled,
    /// NaN in all values of a group of points that a recurrent layer reads at once, if none of them is observed:
    /// the layer carries its state over them. Otherwise linear interpolation.
    Absent {
        /// Points per step.
        points: usize,
    },
}

/// Preprocessing of the channels of series, fitted on training points.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignalPipeline {
    channels: Vec<Channel>,
    /// Scales of single series, one per channel.
    each: BTreeMap<String, Vec<NumberEncoder>>,
    transform: Transform,
    unobserved: Unobserved,
    /// Window length in points.
    window: usize,
    blocks: Vec<Block>,
    /// Whether scores are spared what nobody measured, and infinite values are anomalies by themselves; neither in files
    /// of older versions.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    spares_gaps: bool,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Channel {
    summary: ColumnPrep,
    number: NumberEncoder,
}

/// One series in prepared units.
#[derive(Debug, Clone, PartialEq)]
pub struct Signal {
    /// `[n, channels]`, missing values filled.
    pub filled: Vec<f32>,
    /// `[n, channels]`, NaN for missing values.
    pub observed: Vec<f32>,
    /// Number of points.
    pub n: usize,
    /// Infinite values in channels without any in training, by index in `observed`, with their errors: they are missing
    /// to the network and anomalies by themselves.
    pub infinite: Vec<(usize, f64)>,
}

/// Windows of series as rows for a network.
#[derive(Debug, Clone, PartialEq)]
pub struct Windows {
    /// The rows, `[n, steps * channels]`.
    pub prepared: Prepared,
    /// `[n, channels]`, the removed level of each window.
    pub levels: Vec<Level>,
}

/// Training points of one series: its name and its values `[n, channels]`, NaN for missing values.
pub type Stretch<'a> = (&'a str, &'a [f64]);

impl SignalPipeline {
    /// Fits on the training ranges only.
    ///
    /// # Errors
    /// [`Error::Recipe`] for an empty window; [`Error::Mismatch`] without channels.
    pub fn fit(
        channels: &[String],
        stretches: &[Stretch<'_>],
        window: usize,
        settings: (Transform, ScaleOver, Unobserved),
        prep: &Prep,
    ) -> Result<(SignalPipeline, PrepReport)> {
        let (transform, over, unobserved) = settings;
        if window == 0 {
            return Err(Error::recipe("data.window", "expected at least 1 point, got 0"));
        }
        if channels.is_empty() {
            return Err(Error::mismatch("expected at least one channel to learn from, got none"));
        }
        let k = channels.len();
        let changed: Vec<(&str, Vec<f64>)> =
            stretches.iter().map(|(id, values)| (*id, changed(values, k, transform))).collect();
        let number = |c: usize, only: Option<&str>| -> (NumberEncoder, Seen) {
            let points = changed.iter().filter(|(id, _)| only.is_none_or(|only| only == *id));
            let values: Vec<f64> = points.flat_map(|(_, values)| values.iter().skip(c).step_by(k).copied()).collect();
            let rows: Vec<u32> = (0..values.len() as u32).collect();
            let array = Float64Array::from(values);
            // A single channel outweighs no other.
            if k == 1 { NumberEncoder::fit_alone(&array, &rows, prep) } else { NumberEncoder::fit(&array, &rows, prep) }
        };
        let mut report = PrepReport { rows: changed.iter().map(|(_, v)| v.len() / k).sum(), ..PrepReport::default() };
        let mut pipeline = SignalPipeline {
            channels: Vec::with_capacity(k),
            each: BTreeMap::new(),
            transform,
            unobserved,
            window,
            blocks: Vec::with_capacity(window * k),
            spares_gaps: true,
        };
        for (c, name) in channels.iter().enumerate() {
            let (mut number, mut seen) = number(c, None);
            let cells = stretches.iter().flat_map(|(_, values)| values.iter().skip(c).step_by(k));
            seen.infinite = cells.filter(|x| x.is_infinite()).count() as u64;
            number.note_infinite(seen.infinite);
            let of_each = if over == ScaleOver::Each { ", per series" } else { "" };
            // Windows are interpolated, without indicators.
            let words = seen.what.split("; ").filter(|part| !part.contains(" filled with ")).collect::<Vec<_>>();
            let summary = ColumnPrep {
                name: name.clone(),
                kind: ColumnKind::Numeric,
                what: format!("{}{of_each}; {}", words.join("; "), transform.describe()),
                missing: seen.missing,
                n_levels: 0,
                rare_levels: 0,
            };
            report.infinite.extend((seen.infinite > 0).then(|| (name.clone(), seen.infinite)));
            report.clipped.extend((seen.clipped > 0).then(|| (name.clone(), seen.clipped)));
            report.constant.extend(seen.is_constant.then(|| name.clone()));
            report.columns.push(summary.clone());
            pipeline.channels.push(Channel { summary, number });
        }
        if over == ScaleOver::Each {
            for (id, _) in &changed {
                let of_series = || (0..k).map(|c| number(c, Some(id)).0).collect();
                pipeline.each.entry((*id).to_owned()).or_insert_with(of_series);
            }
        }
        pipeline.blocks = pipeline.layout();
        Ok((pipeline, report))
    }

    /// Rejects an inconsistent pipeline; for pipelines read from a file.
    ///
    /// # Errors
    /// [`Error::Mismatch`] with the inconsistency.
    pub fn check(&self, channels: &[String]) -> Result<()> {
        let names: Vec<&str> = self.channels.iter().map(|channel| channel.summary.name.as_str()).collect();
        let fits = names == channels
            && self.window > 0
            && self.window.checked_mul(names.len()).is_some_and(|width| width == self.blocks.len())
            && self.each.values().all(|numbers| numbers.len() == names.len())
            && self.unobserved != (Unobserved::Absent { points: 0 })
            && self.blocks == self.layout();
        if fits { Ok(()) } else { Err(Error::mismatch("the channels of the prepared series do not fit together")) }
    }

    /// Window length in points.
    pub fn window(&self) -> usize {
        self.window
    }

    /// Number of channels.
    pub fn n_channels(&self) -> usize {
        self.channels.len()
    }

    /// Number of inputs per window.
    pub fn width(&self) -> usize {
        self.window * self.n_channels()
    }

    /// Blocks of inputs by channel.
    pub fn blocks(&self) -> &[Block] {
        &self.blocks
    }

    /// Summary of each channel, in order.
    pub fn columns(&self) -> Vec<&ColumnPrep> {
        self.channels.iter().map(|channel| &channel.summary).collect()
    }

    /// Whether scales are per series and this series has none.
    pub fn is_unknown(&self, id: &str) -> bool {
        !self.each.is_empty() && !self.each.contains_key(id)
    }

    /// One series, `values` of shape `[n, channels]`, in prepared units; clipped values are counted.
    pub fn signal(&self, id: &str, values: &[f64]) -> (Signal, PrepCounts) {
        let k = self.n_channels();
        let changed = changed(values, k, self.transform);
        let mut observed = Vec::with_capacity(changed.len());
        let mut tallies = vec![PrepTally::default(); k];
        for point in changed.chunks_exact(k) {
            for (c, (x, tally)) in point.iter().zip(&mut tallies).enumerate() {
                if x.is_finite() {
                    let (z, clipped) = self.number(id, c).forward(*x);
                    tally.clipped += u64::from(clipped);
                    observed.push(z);
                } else {
                    tally.missing += 1;
                    observed.push(f32::NAN);
                }
            }
        }
        let counts = PrepCounts::of(
            tallies.iter().zip(&self.channels).map(|(tally, channel)| tally.of(&channel.summary.name)).collect(),
        );
        let mut filled = observed.clone();
        (0..k).for_each(|c| fill(&mut filled, c, k));
        let is_infinite = |(_, x): &(usize, &f64)| self.spares_gaps && x.is_infinite();
        let error = |(i, _): (usize, &f64)| Some((i, self.channels[i % k].number.infinite_error()?));
        let infinite = values.iter().enumerate().filter(is_infinite).filter_map(error).collect();
        (Signal { filled, observed, n: changed.len() / k, infinite }, counts)
    }

    /// Appends the windows starting at `firsts` to `windows`; points beyond the end are missing.
    pub fn cut(&self, signal: &Signal, firsts: impl Iterator<Item = usize>, windows: &mut Windows) {
        let (k, steps) = (self.n_channels(), self.window);
        for first in firsts {
            let there = steps.min(signal.n.saturating_sub(first));
            let observed = &signal.observed[first * k..(first + there) * k];
            let start = windows.levels.len();
            windows.levels.extend((0..k).map(|c| Level::of(self.transform, there, |t| observed[t * k + c])));
            let levels = &windows.levels[start..];
            let is_unseen = |t: usize| (0..k).all(|c| t >= there || observed[t * k + c].is_nan());
            let mut is_absent = false;
            for t in 0..steps {
                if let Unobserved::Absent { points } = self.unobserved
                    && t.is_multiple_of(points)
                {
                    is_absent = (t..(t + points).min(steps)).all(is_unseen);
                }
                for (c, level) in levels.iter().enumerate() {
                    let at = (first + t.min(there.saturating_sub(1))) * k + c;
                    let input = match self.unobserved {
                        Unobserved::Absent { .. } if is_absent => f32::NAN,
                        _ if there == 0 => 0.0,
                        _ => level.take(signal.filled[at], t, there),
                    };
                    let target = if t < there { level.take(observed[t * k + c], t, there) } else { f32::NAN };
                    windows.prepared.input.push(input);
                    windows.prepared.target.push(target);
                }
            }
            windows.prepared.n += 1;
        }
    }

    /// Fills the values that are missing at the end of each window with the last that was observed, as where nothing comes
    /// after it.
    pub(crate) fn end_here(&self, windows: &mut Windows) {
        let (k, steps, width) = (self.n_channels(), self.window, self.width());
        let Windows { prepared, levels } = windows;
        let rows = prepared.input.chunks_exact_mut(width).zip(prepared.target.chunks_exact(width));
        for ((input, target), levels) in rows.zip(levels.chunks_exact(k)) {
            for (c, level) in levels.iter().enumerate() {
                let Some(last) = (0..steps).rev().find(|t| !target[t * k + c].is_nan()) else { continue };
                let value = level.put_back(target[last * k + c], last, steps);
                for t in last + 1..steps {
                    // An absent step stays absent.
                    let x = &mut input[t * k + c];
                    *x = if x.is_nan() { *x } else { level.take(value, t, steps) };
                }
            }
        }
    }

    /// Takes the levels out of a window anew, without the values that are `hidden`, `[steps * channels]`.
    pub(crate) fn level_without(&self, windows: &mut Windows, window: usize, hidden: &[bool]) {
        let (k, steps, width) = (self.n_channels(), self.window, self.width());
        let prepared = &mut windows.prepared;
        let (input, target) = (&mut prepared.input[window * width..], &mut prepared.target[window * width..]);
        for c in 0..k {
            let before = windows.levels[window * k + c];
            let raw = |x: f32, t: usize| before.put_back(x, t, steps);
            let seen = |t: usize| if hidden[t * k + c] { f32::NAN } else { raw(target[t * k + c], t) };
            let level = Level::of(self.transform, steps, seen);
            if level == before {
                continue;
            }
            for t in 0..steps {
                let slot = t * k + c;
                input[slot] = level.take(raw(input[slot], t), t, steps);
                target[slot] = level.take(raw(target[slot], t), t, steps);
            }
            windows.levels[window * k + c] = level;
        }
    }

    /// An empty set with capacity for `n` windows.
    pub fn no_windows(&self, n: usize) -> Windows {
        let values = || Vec::with_capacity(n * self.width());
        Windows {
            prepared: Prepared {
                input: values(),
                target: values(),
                n: 0,
                width: self.width(),
                counts: PrepCounts::default(),
            },
            levels: Vec::with_capacity(n * self.n_channels()),
        }
    }

    /// A prepared value of channel `c` in that channel's unit; with the difference transform, a difference.
    pub fn backward(&self, id: &str, c: usize, z: f32) -> f64 {
        self.number(id, c).backward(z)
    }

    /// Whether a gap must not raise an alarm beside it: the network's expectation stands in for what was not observed,
    /// and complete windows have the last word.
    pub(crate) fn spares_gaps(&self) -> bool {
        self.spares_gaps
    }

    /// The scale of each channel; `None` if series have scales of their own.
    pub(crate) fn common_scales(&self) -> Option<Vec<&NumberEncoder>> {
        self.each.is_empty().then(|| self.channels.iter().map(|channel| &channel.number).collect())
    }

    /// What the network reads where nothing was observed.
    pub(crate) fn unobserved(&self) -> Unobserved {
        self.unobserved
    }

    /// The transform of the whole series.
    pub fn transform(&self) -> Transform {
        self.transform
    }

    fn number(&self, id: &str, c: usize) -> &NumberEncoder {
        match self.each.get(id) {
            Some(numbers) => &numbers[c],
            None => &self.channels[c].number,
        }
    }

    fn layout(&self) -> Vec<Block> {
        let k = self.n_channels();
        (0..self.window * k)
            .map(|slot| {
                let Channel { summary, number } = &self.channels[slot % k];
                Block {
                    column: summary.name.clone(),
                    kind: BlockKind::Number,
                    range: slot..slot + 1,
                    unit_interval: number.is_unit && self.transform == Transform::None && self.each.is_empty(),
                }
            })
            .collect()
    }
}

/// The values `[n, channels]`, differenced if requested; infinite ones count as missing.
fn changed(values: &[f64], channels: usize, transform: Transform) -> Vec<f64> {
    if transform != Transform::Difference {
        return values.iter().map(|x| if x.is_finite() { *x } else { f64::NAN }).collect();
    }
    let mut before = vec![f64::NAN; channels];
    let mut differences = Vec::with_capacity(values.len());
    for point in values.chunks_exact(channels) {
        for (before, x) in before.iter_mut().zip(point) {
            differences.push(if x.is_finite() { x - *before } else { f64::NAN });
            if x.is_finite() {
                *before = *x;
            }
        }
    }
    differences
}

/// Interpolates NaN in one channel linearly in time, at the ends with the nearest value.
fn fill(values: &mut [f32], channel: usize, channels: usize) {
    let n = values.len() / channels;
    let at = |t: usize| t * channels + channel;
    let mut before: Option<usize> = None;
    for t in 0..=n {
        if t < n && values[at(t)].is_nan() {
            continue;
        }
        let gap = before.map_or(0, |before| before + 1)..t;
        for missing in gap.clone() {
            values[at(missing)] = match (before, t < n) {
                (Some(before), true) => {
                    let share = (missing - before) as f32 / (t - before) as f32;
                    values[at(before)] + share * (values[at(t)] - values[at(before)])
                }
                (Some(before), false) => values[at(before)],
                (None, true) => values[at(t)],
                (None, false) => 0.0,
            };
        }
        before = Some(t);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAN: f64 = f64::NAN;

    fn fitted(transform: Transform, over: ScaleOver, unobserved: Unobserved) -> SignalPipeline {
        let names = ["a".to_owned(), "b".to_owned()];
        let values = [0.0, 10.0, 2.0, 30.0, 0.0, 10.0, 2.0, 30.0];
        let other = [100.0, 0.0, 300.0, 2.0, 100.0, 0.0, 300.0, 2.0];
        let settings = (transform, over, unobserved);
        SignalPipeline::fit(&names, &[("m", &values), ("o", &other)], 3, settings, &Prep::default()).unwrap().0
    }

    fn windows(pipeline: &SignalPipeline, id: &str, values: &[f64], firsts: &[usize]) -> Windows {
        let (signal, _) = pipeline.signal(id, values);
        let mut windows = pipeline.no_windows(firsts.len());
        pipeline.cut(&signal, firsts.iter().copied(), &mut windows);
        windows
    }

    #[test]
    fn windows_are_time_major_and_scales_may_be_a_series_own() {
        let pipeline = fitted(Transform::None, ScaleOver::Each, Unobserved::Filled);
        let cut = windows(&pipeline, "m", &[0.0, 10.0, 2.0, 30.0, 0.0, 30.0, 2.0, 10.0], &[0, 1]);
        assert_eq!(cut.prepared.n, 2);
        assert_eq!(cut.prepared.input[..6], [-1.0, -1.0, 1.0, 1.0, -1.0, 1.0]);
        assert_eq!(cut.prepared.input[6..], [1.0, 1.0, -1.0, 1.0, 1.0, -1.0]);
        assert_eq!(windows(&pipeline, "o", &[100.0, 0.0, 300.0, 2.0, 100.0, 2.0], &[0]).prepared.input[..2], [-1.0; 2]);
        assert!(pipeline.is_unknown("new") && !pipeline.is_unknown("m"));
        assert!((pipeline.backward("o", 0, 1.0) - 300.0).abs() < 1e-9);
    }

    #[test]
    fn gaps_are_filled_along_a_line_and_never_asked_back() {
        let pipeline = fitted(Transform::None, ScaleOver::Each, Unobserved::Filled);
        let values = [0.0, NAN, NAN, 20.0, 2.0, NAN];
        let cut = windows(&pipeline, "m", &values, &[0]).prepared;
        assert_eq!(cut.input, [-1.0, 0.0, 0.0, 0.0, 1.0, 0.0]);
        let unseen: Vec<bool> = cut.target.iter().map(|t| t.is_nan()).collect();
        assert_eq!(unseen, [false, true, true, false, false, true]);
        let (_, counts) = pipeline.signal("m", &values);
        assert_eq!((counts.missing, counts.columns.len()), (3, 2));
    }

    #[test]
    fn steps_at_which_nothing_was_seen_may_be_marked_absent() {
        let absent = |points| fitted(Transform::None, ScaleOver::Each, Unobserved::Absent { points });
        let cut = windows(&absent(1), "m", &[0.0, 10.0, NAN, NAN], &[0]).prepared;
        assert_eq!(cut.input[..2], [-1.0, -1.0]);
        assert!(cut.input[2..].iter().all(|x| x.is_nan()), "the gap, and what lies beyond the end");
        let cut = windows(&absent(2), "m", &[0.0, 10.0, NAN, NAN], &[0]).prepared;
        assert_eq!(cut.input[2..4], [-1.0, -1.0], "read together with a point that was observed");
        assert!(cut.input[4..].iter().all(|x| x.is_nan()));
    }

    #[test]
    fn a_level_shift_becomes_one_point_under_difference() {
        let pipeline = fitted(Transform::Difference, ScaleOver::All, Unobserved::Filled);
        let cut = windows(&pipeline, "m", &[5.0, 0.0, 5.0, 0.0, 905.0, 0.0], &[0]).prepared;
        assert!(cut.target[0].is_nan(), "the first point has none before it");
        assert_eq!(cut.target[2], cut.input[2]);
        assert!(cut.input[4] > 3.0 * cut.input[2].abs());
    }

    #[test]
    fn a_pipeline_goes_through_json_and_is_checked() {
        let pipeline = fitted(Transform::Detrend, ScaleOver::Each, Unobserved::Filled);
        let text = serde_json::to_string(&pipeline).unwrap();
        let mut back: SignalPipeline = serde_json::from_str(&text).unwrap();
        assert_eq!(back, pipeline);
        assert!(back.check(&["a".to_owned(), "b".to_owned()]).is_ok());
        assert!(back.check(&["a".to_owned()]).is_err());
        back.window = usize::MAX;
        assert!(back.check(&["a".to_owned(), "b".to_owned()]).is_err());
    }
}
