//! Where windows are cut and which part each of them has: stretches of time for training, for choosing when to stop, and
//! for calibration, in this order, with a gap of a window between them.

use std::ops::Range;

use narrows_engine::rng::{Purpose, Stream};

use super::intake::{SeriesIntake, SeriesSamples};
use super::split::Split;
use crate::choice::Choice;
use crate::data::{SeriesSet, split_in_time};
use crate::error::{Error, Place, Result};
use crate::prep::{Windows, period};
use crate::recipe::{Recipe, Series};

/// Places of the parts among the ranges of a series.
pub(super) const TRAIN: usize = 0;
pub(super) const CALIBRATION: usize = 2;

/// About as many training windows are cut where the stride is left to the program.
const ENOUGH_WINDOWS: usize = 20_000;
/// What stands for a period where none is found, as in the TSB-AD benchmark.
const USUAL_PERIOD: usize = 125;
/// A window is the least multiple of the period from here on: shorter ones see too little of a pattern.
const LONG_WINDOW: usize = 96;
/// The longest window that is chosen.
const LONGEST: usize = 256;
/// A chosen window fits so often into the longest series, so that calibration gets several of them.
const FITS: usize = 8;
/// A series that fewer windows fit into has none to spare for choosing when to stop.
const ROOM_FOR_VALIDATION: usize = 20;

/// A series shorter than this many windows is not cut in time: the whole of it has one part.
const LONG_ENOUGH: usize = 3;
/// Channels that are asked for a period.
const ASKED_CHANNELS: usize = 16;

/// How the series of a fit are cut.
pub(super) struct Plan {
    pub(super) window: usize,
    /// From one training window to the next.
    pub(super) stride: usize,
    pub(super) period: Option<usize>,
    /// Training, validation and calibration of each series.
    pub(super) ranges: Vec<[Range<usize>; 3]>,
    /// What was chosen, in words.
    pub(super) notes: Vec<String>,
}

impl Plan {
    /// Chooses window, stride and parts.
    pub(super) fn new(recipe: &Recipe, settings: &Series, set: &SeriesSet) -> Result<Plan> {
        let mut notes = Vec::new();
        let longest = set.series.iter().map(|series| series.n_points()).max().unwrap_or(0);
        let period = dominant_period(set);
        let window = match settings.window {
            Choice::Given(window) => window,
            Choice::Auto => {
                let usual = period.unwrap_or(USUAL_PERIOD);
                let wanted = (usual * LONG_WINDOW.div_ceil(usual)).min(LONGEST);
                let window = wanted.min(longest / FITS).max(2);
                let why = match period {
                    Some(period) => format!("the period is about {period}"),
                    None => "no period was found".to_owned(),
                };
                let short = if window < wanted { ", and the series is short" } else { "" };
                notes.push(format!("windows of {window} points: {why}{short}"));
                window
            }
        };
        let too_short = set.series.iter().filter(|series| series.n_points() < window).count();
        if too_short == set.series.len() {
            let message = format!("expected a series of at least {window} points, a window, got {longest}");
            return Err(Error::data(Place::default(), message).with_hint("take shorter windows: data.window"));
        }
        if too_short > 0 {
            notes.push(format!("{too_short} of {} series left out: shorter than a window", set.series.len()));
        }
        let ranges = ranges(recipe, set, window)?;
        let points: usize = ranges.iter().map(|ranges| ranges[TRAIN].len()).sum();
        let stride = settings.stride.or_else(|| points.div_ceil(ENOUGH_WINDOWS).max(1));
        Ok(Plan { window, stride, period, ranges, notes })
    }
}

/// The period that most channels of the longest series agree on; the median of those found.
fn dominant_period(set: &SeriesSet) -> Option<usize> {
    let series = set.series.iter().max_by_key(|series| series.n_points())?;
    let k = set.channels.len();
    let found = |c: usize| {
        let values = || series.values.iter().skip(c).step_by(k).copied();
        let seen = || values().filter(|x| x.is_finite());
        let mean = seen().sum::<f64>() / seen().count() as f64;
        // The mean is like nothing. Left out, missing points would pull the others nearer to each other in time.
        period(&values().map(|x| if x.is_finite() { x } else { mean }).collect::<Vec<f64>>())
    };
    let mut periods: Vec<usize> = (0..k.min(ASKED_CHANNELS)).filter_map(found).collect();
    periods.sort_unstable();
    periods.get(periods.len() / 2).copied()
}

/// Parts of each series in time order; a series too short for that has one part as a whole.
fn ranges(recipe: &Recipe, set: &SeriesSet, window: usize) -> Result<Vec<[Range<usize>; 3]>> {
    let calibration = recipe.detect.calibration.get();
    let validation = recipe.train.validation.get() * (1.0 - calibration);
    let parts = |n: usize| {
        let validation = if n >= ROOM_FOR_VALIDATION * window { validation } else { 0.0 };
        (1.0 - calibration - validation, validation, calibration)
    };
    let is_long = |n: usize| n >= LONG_ENOUGH * window;
    let n_points = |s: u32| set.series[s as usize].n_points();
    let mut short: Vec<u32> =
        (0..set.series.len() as u32).filter(|s| !is_long(n_points(*s)) && n_points(*s) >= window).collect();
    if short.len() == 1 && !set.series.iter().any(|series| is_long(series.n_points())) {
        let needed = LONG_ENOUGH * window;
        let got = n_points(short[0]);
        let message = format!("expected at least {needed} points, {LONG_ENOUGH} windows of {window}, got {got}");
        return Err(Error::data(Place::default(), message).with_hint("take shorter windows: data.window"));
    }
    Stream::new(recipe.seed, Purpose::Split, 0, 0).shuffle(&mut short);
    let n_calibration = ((short.len() as f64 * calibration).round() as usize).max(usize::from(short.len() > 1));
    let n_validation = (short.len() as f64 * validation).round() as usize;
    let part_of = |s: usize| match short.iter().position(|short| *short as usize == s) {
        Some(place) if place < n_calibration => 2,
        Some(place) if place < n_calibration + n_validation => 1,
        _ => 0,
    };
    let of_series = |(s, series): (usize, &crate::data::Series)| {
        let n = series.n_points();
        if is_long(n) {
            return split_in_time(n, parts(n), window - 1);
        }
        let mut ranges = [0..0, 0..0, 0..0];
        if n >= window {
            ranges[part_of(s)] = 0..n;
        }
        Ok(ranges)
    };
    set.series.iter().enumerate().map(of_series).collect()
}

/// The windows of a fit and the part each has.
pub(super) struct Cut {
    pub(super) windows: Windows,
    pub(super) split: Split,
    /// Windows without an anomalous point.
    pub(super) normal: Vec<u32>,
    /// Windows with one, which have no part.
    pub(super) anomalous: Vec<u32>,
}

/// Cuts the windows; those that touch a point the label calls anomalous stay out of every part.
pub(super) fn cut(
    intake: &SeriesIntake,
    samples: &SeriesSamples,
    plan: &Plan,
    is_anomalous: &[Vec<bool>],
) -> Result<Cut> {
    let mut windows = intake.pipeline.no_windows(0);
    let mut parts: [Vec<u32>; 3] = [vec![], vec![], vec![]];
    let mut anomalous = Vec::new();
    for ((signal, ranges), is_anomalous) in samples.signals.iter().zip(&plan.ranges).zip(is_anomalous) {
        for (part, range) in ranges.iter().enumerate() {
            for first in intake.firsts(range.len(), plan.stride).into_iter().map(|first| range.start + first) {
                let number = windows.prepared.n as u32;
                let has_anomaly = is_anomalous[first..first + plan.window].contains(&true);
                if has_anomaly {
                    anomalous.push(number)
                } else {
                    parts[part].push(number)
                }
                intake.pipeline.cut(signal, std::iter::once(first), &mut windows);
            }
        }
    }
    let [train, validation, calibration] = parts;
    if train.is_empty() || calibration.is_empty() {
        let message = format!(
            "expected windows of {} normal points to train and to calibrate, got {} and {}",
            plan.window,
            train.len(),
            calibration.len()
        );
        return Err(
            Error::data(Place::default(), message).with_hint("give more normal points, or take shorter windows")
        );
    }
    let mut normal = [train.as_slice(), &validation, &calibration].concat();
    normal.sort_unstable();
    Ok(Cut { windows, split: Split { train, validation, calibration }, normal, anomalous })
}

/// The stretches of a range without an anomalous point: only in these do windows lie that say what is ordinary.
pub(super) fn normal_stretches(range: &Range<usize>, is_anomalous: &[bool]) -> Vec<Range<usize>> {
    let mut stretches = Vec::new();
    let mut start = range.start;
    for stretch in is_anomalous[range.clone()].split(|anomalous| *anomalous) {
        stretches.extend((!stretch.is_empty()).then(|| start..start + stretch.len()));
        start += stretch.len() + 1;
    }
    stretches
}

/// The training points of a series, anomalous ones as missing.
pub(super) fn without_anomalies(
    values: &[f64],
    is_anomalous: &[bool],
    ranges: &[Range<usize>; 3],
    channels: usize,
) -> Vec<f64> {
    let range = &ranges[TRAIN];
    let points = values[range.start * channels..range.end * channels].chunks_exact(channels);
    let known = points.zip(&is_anomalous[range.clone()]);
    known.flat_map(|(point, anomalous)| point.iter().map(|x| if *anomalous { f64::NAN } else { *x })).collect()
}
