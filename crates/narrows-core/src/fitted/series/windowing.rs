//! Window placement and split in time: training, validation and calibration, in this order, separated by gaps of one
//! window.

use std::ops::Range;

use narrows_engine::rng::{Purpose, Stream};

use super::adapter::{SeriesAdapter, SeriesSamples};
use crate::choice::Choice;
use crate::data::{Series, SeriesSet, split_in_time};
use crate::error::{Error, Place, Result};
use crate::fitted::split::Split;
use crate::prep::{Windows, period};
use crate::recipe::{Recipe, SeriesSettings};

/// Indices of the parts among the ranges of a series.
pub(super) const TRAIN: usize = 0;
pub(super) const CALIBRATION: usize = 2;

/// Approximate number of training windows if the stride is automatic.
const ENOUGH_WINDOWS: usize = 20_000;
/// The period if none is detected, as in the TSB-AD benchmark.
const USUAL_PERIOD: usize = 125;
/// The automatic window is the least multiple of the period from here on: shorter ones see too little of a pattern.
const LONG_WINDOW: usize = 96;
/// The longest automatic window.
const LONGEST: usize = 128;
/// An automatic window fits this many times into the longest series, so that calibration gets one of them.
const FITS: usize = 5;
/// A series of fewer windows has no validation part.
const ROOM_FOR_VALIDATION: usize = 20;

/// A series shorter than this many windows is not split in time: it is assigned to one part as a whole.
const LONG_ENOUGH: usize = 3;
/// Maximum number of channels used to detect the period.
const ASKED_CHANNELS: usize = 16;

/// Windows and split of the series of a fit.
pub(super) struct WindowPlan {
    pub(super) window: usize,
    /// Stride between training windows.
    pub(super) stride: usize,
    pub(super) period: Option<usize>,
    /// Training, validation and calibration of each series.
    pub(super) ranges: Vec<[Range<usize>; 3]>,
    /// The choices made, as text.
    pub(super) notes: Vec<String>,
}

impl WindowPlan {
    /// Chooses window, stride and split.
    pub(super) fn new(recipe: &Recipe, settings: &SeriesSettings, set: &SeriesSet) -> Result<WindowPlan> {
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
        Ok(WindowPlan { window, stride, period, ranges, notes })
    }
}

/// Share of the training parts of a fit that a search holds out.
const SEARCH_SHARE: f64 = 0.2;

impl WindowPlan {
    /// Number of windows of one part that share no point.
    pub(super) fn apart(&self, part: usize) -> usize {
        self.ranges.iter().map(|ranges| ranges[part].len() / self.window).sum()
    }

    /// The plan of a recipe search: the calibration part of a fit is left out and replaced by the end of its training
    /// part; for series too short to be split, by every fifth one.
    pub(super) fn for_search(mut self) -> Result<WindowPlan> {
        let every = (1.0 / SEARCH_SHARE) as usize;
        let mut whole = 0;
        for ranges in &mut self.ranges {
            let train = ranges[TRAIN].clone();
            ranges[CALIBRATION] = train.end..train.end;
            if train.len() >= LONG_ENOUGH * self.window {
                let parts = (1.0 - SEARCH_SHARE, 0.0, SEARCH_SHARE);
                let [first, _, last] = split_in_time(train.len(), parts, self.window - 1)?;
                ranges[TRAIN] = train.start + first.start..train.start + first.end;
                ranges[CALIBRATION] = train.start + last.start..train.start + last.end;
            } else if !train.is_empty() {
                whole += 1;
                if whole % every == 2 {
                    (ranges[TRAIN], ranges[CALIBRATION]) = (train.start..train.start, train);
                }
            }
        }
        Ok(self)
    }
}

/// The median of the periods detected in the channels of the longest series.
fn dominant_period(set: &SeriesSet) -> Option<usize> {
    let series = set.series.iter().max_by_key(|series| series.n_points())?;
    let k = set.channels.len();
    let found = |c: usize| {
        let values = || series.values.iter().skip(c).step_by(k).copied();
        let seen = || values().filter(|x| x.is_finite());
        let mean = seen().sum::<f64>() / seen().count() as f64;
        // The mean is uncorrelated with everything. Dropping missing points would shift the others in time.
        period(&values().map(|x| if x.is_finite() { x } else { mean }).collect::<Vec<f64>>())
    };
    let mut periods: Vec<usize> = (0..k.min(ASKED_CHANNELS)).filter_map(found).collect();
    periods.sort_unstable();
    periods.get(periods.len() / 2).copied()
}

/// Parts of each series in temporal order; a series too short to be split is assigned to one part as a whole.
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
    let of_series = |(s, series): (usize, &Series)| {
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

/// The windows of a fit and their split.
pub(super) struct WindowedSeries {
    pub(super) windows: Windows,
    pub(super) split: Split,
    /// Windows without an anomalous point.
    pub(super) normal: Vec<u32>,
    /// Windows with an anomalous point, which belong to no part.
    pub(super) anomalous: Vec<u32>,
    /// Number of windows left out because nothing in them was observed.
    pub(super) unseen: u64,
}

/// Cuts the windows; those that contain a point labelled anomalous are excluded from every part.
pub(super) fn cut(
    adapter: &SeriesAdapter,
    samples: &SeriesSamples,
    plan: &WindowPlan,
    is_anomalous: &[Vec<bool>],
) -> Result<WindowedSeries> {
    let mut windows = adapter.pipeline.no_windows(0);
    let mut parts: [Vec<u32>; 3] = [vec![], vec![], vec![]];
    let mut anomalous = Vec::new();
    let mut unseen = 0;
    let k = adapter.pipeline.n_channels();
    for ((signal, ranges), is_anomalous) in samples.signals.iter().zip(&plan.ranges).zip(is_anomalous) {
        for (part, range) in ranges.iter().enumerate() {
            for first in adapter.firsts(range.len(), plan.stride).into_iter().map(|first| range.start + first) {
                if signal.observed[first * k..(first + plan.window) * k].iter().all(|x| x.is_nan()) {
                    unseen += 1;
                    continue;
                }
                let number = windows.prepared.n as u32;
                let has_anomaly = is_anomalous[first..first + plan.window].contains(&true);
                if has_anomaly {
                    anomalous.push(number)
                } else {
                    parts[part].push(number)
                }
                adapter.pipeline.cut(signal, std::iter::once(first), &mut windows);
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
    Ok(WindowedSeries { windows, split: Split { train, validation, calibration }, normal, anomalous, unseen })
}

/// Whether each point of each series is anomalous, given whether each row of the table is normal.
pub(super) fn anomalous_points(set: &SeriesSet, is_normal: &[bool]) -> Vec<Vec<bool>> {
    let of_point = |row: &Option<u32>| row.is_some_and(|row| !is_normal[row as usize]);
    let of_series = |series: &Series| {
        let mut points: Vec<bool> = series.rows.iter().map(of_point).collect();
        series.merged.iter().for_each(|(row, point)| points[*point] |= !is_normal[*row as usize]);
        points
    };
    set.series.iter().map(of_series).collect()
}

/// The subranges of a range without an anomalous point, from which normal windows are cut.
pub(super) fn normal_stretches(range: &Range<usize>, is_anomalous: &[bool]) -> Vec<Range<usize>> {
    let mut stretches = Vec::new();
    let mut start = range.start;
    for stretch in is_anomalous[range.clone()].split(|anomalous| *anomalous) {
        stretches.extend((!stretch.is_empty()).then(|| start..start + stretch.len()));
        start += stretch.len() + 1;
    }
    stretches
}

/// The training points of a series, with anomalous ones as missing.
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

#[cfg(test)]
mod tests {
    use super::super::judgement::Judgement;
    use super::*;
    use crate::data::{self, Column, ColumnKind, Layout, Schema, TimeColumns};
    use crate::prep::{Prep, ScaleOver, SignalPipeline, Transform, Unobserved};

    /// Series of one channel whose values are `value(t)`.
    fn set(lengths: &[usize], value: impl Fn(usize) -> f64) -> SeriesSet {
        let series = |(s, n): (usize, &usize)| data::Series {
            id: format!("s{s}"),
            values: (0..*n).map(&value).collect(),
            rows: (0..*n as u32).map(Some).collect(),
            ..data::Series::default()
        };
        SeriesSet {
            channels: vec!["x".to_owned()],
            series: lengths.iter().enumerate().map(series).collect(),
            ..SeriesSet::default()
        }
    }

    fn ramp(t: usize) -> f64 {
        t as f64
    }

    fn wave(t: usize) -> f64 {
        (std::f64::consts::TAU * t as f64 / 12.0).sin()
    }

    fn plan(set: &SeriesSet, window: Choice<usize>) -> Result<WindowPlan> {
        WindowPlan::new(&Recipe::default(), &SeriesSettings { window, ..SeriesSettings::default() }, set)
    }

    fn check_ranges(lengths: &[usize], window: usize, expected: &str) {
        let got = match plan(&set(lengths, ramp), Choice::Given(window)) {
            Ok(plan) => format!("{:?}", plan.ranges),
            Err(error) => error.to_string(),
        };
        assert_eq!(got, expected, "{lengths:?} by {window}");
    }

    #[test]
    fn a_search_cuts_what_trains_and_leaves_calibration_alone() {
        let fit = plan(&set(&[200], ramp), Choice::Given(10)).unwrap();
        let [train, validation, calibration] = fit.ranges[0].clone();
        let [search, unchanged, held_out] = fit.for_search().unwrap().ranges[0].clone();
        assert_eq!((validation, search.start), (unchanged, train.start));
        assert!(search.end + 9 <= held_out.start && held_out.end <= train.end, "{search:?} {held_out:?} {train:?}");
        assert!(held_out.len() >= 10 && held_out.end <= calibration.start);
        let short = plan(&set(&[12; 10], ramp), Choice::Given(10)).unwrap();
        let parts = |ranges: &[[Range<usize>; 3]], part: usize| ranges.iter().filter(|r| !r[part].is_empty()).count();
        let trained = parts(&short.ranges, TRAIN);
        let calibrated: Vec<usize> = (0..10).filter(|s| !short.ranges[*s][CALIBRATION].is_empty()).collect();
        let search = short.for_search().unwrap();
        assert_eq!(parts(&search.ranges, TRAIN) + parts(&search.ranges, CALIBRATION), trained);
        assert!(calibrated.iter().all(|s| search.ranges[*s].iter().all(|range| range.is_empty())));
        assert!(parts(&search.ranges, CALIBRATION) > 0);
    }

    #[test]
    fn a_long_series_has_all_parts_a_window_apart() {
        check_ranges(&[200], 10, "[[0..131, 140..155, 164..200]]");
        // Too short for a validation part.
        check_ranges(&[199], 10, "[[0..152, 152..152, 161..199]]");
        check_ranges(&[100], 10, "[[0..73, 73..73, 82..100]]");
        check_ranges(&[30], 10, "[[0..11, 11..11, 20..30]]");
        check_ranges(&[20], 1, "[[0..14, 14..16, 16..20]]");
    }

    #[test]
    fn a_short_series_has_one_part_as_a_whole() {
        check_ranges(&[20, 100], 10, "[[0..20, 0..0, 0..0], [0..73, 73..73, 82..100]]");
        let lengths = [20, 15, 10, 29, 20, 20, 20, 20, 20, 20, 9];
        let plan = plan(&set(&lengths, ramp), Choice::Given(10)).unwrap();
        let count = |part: usize| plan.ranges.iter().filter(|ranges| !ranges[part].is_empty()).count();
        assert_eq!((count(TRAIN), count(1), count(CALIBRATION)), (7, 1, 2));
        for (ranges, n) in plan.ranges.iter().zip(lengths) {
            let full: Vec<_> = ranges.iter().filter(|range| !range.is_empty()).collect();
            assert!(if n < 10 { full.is_empty() } else { full == [&(0..n)] }, "{ranges:?}");
        }
        assert!(plan.notes.contains(&"1 of 11 series left out: shorter than a window".to_owned()), "{:?}", plan.notes);
    }

    #[test]
    fn two_short_series_train_and_calibrate() {
        let plan = plan(&set(&[20, 15], ramp), Choice::Given(10)).unwrap();
        let mut parts: Vec<usize> =
            plan.ranges.iter().map(|ranges| ranges.iter().position(|range| !range.is_empty()).unwrap()).collect();
        parts.sort_unstable();
        assert_eq!(parts, [TRAIN, CALIBRATION]);
    }

    #[test]
    fn series_that_windows_do_not_fit_into_are_refused() {
        check_ranges(&[9], 10, "input: expected a series of at least 10 points, a window, got 9");
        check_ranges(&[4, 9, 7], 10, "input: expected a series of at least 10 points, a window, got 9");
        check_ranges(&[29], 10, "input: expected at least 30 points, 3 windows of 10, got 29");
        check_ranges(&[29, 9], 10, "input: expected at least 30 points, 3 windows of 10, got 29");
        let error = plan(&set(&[9], ramp), Choice::Given(10)).err().unwrap();
        assert_eq!(error.hint_text().as_deref(), Some("take shorter windows: data.window"));
    }

    #[test]
    fn the_window_follows_the_period_and_the_length() {
        let chosen = |n: usize, value: fn(usize) -> f64| {
            let plan = plan(&set(&[n], value), Choice::Auto).unwrap();
            (plan.window, plan.period, plan.notes.join("; "))
        };
        let note = |words: &str| words.to_owned();
        assert_eq!(chosen(2000, wave), (96, Some(12), note("windows of 96 points: the period is about 12")));
        assert_eq!(
            chosen(400, wave),
            (80, Some(12), note("windows of 80 points: the period is about 12, and the series is short"))
        );
        assert_eq!(chosen(2000, ramp), (125, None, note("windows of 125 points: no period was found")));
        assert_eq!(chosen(10, ramp).0, 2);
        let long = |t: usize| (std::f64::consts::TAU * t as f64 / 300.0).sin();
        assert_eq!(chosen(4000, long).0, LONGEST);
    }

    #[test]
    fn the_stride_gives_enough_windows_and_no_more() {
        let stride = |n: usize| plan(&set(&[n], ramp), Choice::Given(10)).unwrap().stride;
        assert_eq!((stride(500), stride(100_000)), (1, 4));
    }

    #[test]
    fn missing_points_do_not_hide_the_period() {
        let gappy = |t: usize| if t % 50 == 7 { f64::NAN } else { wave(t) };
        assert_eq!(plan(&set(&[30, 2000], gappy), Choice::Auto).unwrap().period, Some(12));
        let empty = |_: usize| f64::NAN;
        assert_eq!(plan(&set(&[2000], empty), Choice::Auto).unwrap().period, None);
    }

    /// Checks the first points of the windows of each part, and of those that contain an anomalous point.
    fn check_cut(n: usize, window: usize, stride: usize, anomalous: &[usize]) -> [Vec<usize>; 4] {
        let set = set(&[n], ramp);
        let settings = SeriesSettings {
            window: Choice::Given(window),
            stride: Choice::Given(stride),
            ..SeriesSettings::default()
        };
        let plan = WindowPlan::new(&Recipe::default(), &settings, &set).unwrap();
        let (adapter, samples) = prepared(set, window);
        let is_anomalous: Vec<bool> = (0..n).map(|t| anomalous.contains(&t)).collect();
        let cut = cut(&adapter, &samples, &plan, &[is_anomalous]).unwrap();
        // The values are the points' numbers, which identify a window's start.
        let first = |w: &u32| {
            let z = cut.windows.prepared.input[*w as usize * window];
            adapter.pipeline.backward("s0", 0, z).round() as usize
        };
        let firsts = |windows: &[u32]| windows.iter().map(first).collect::<Vec<usize>>();
        let Split { train, validation, calibration } = &cut.split;
        let all: usize = [train, validation, calibration, &cut.anomalous].iter().map(|part| part.len()).sum();
        assert_eq!((all, cut.normal.len()), (cut.windows.prepared.n, all - cut.anomalous.len()));
        [firsts(train), firsts(validation), firsts(calibration), firsts(&cut.anomalous)]
    }

    fn prepared(set: SeriesSet, window: usize) -> (SeriesAdapter, SeriesSamples) {
        let stretches: Vec<_> = set.series.iter().map(|s| (s.id.as_str(), s.values.as_slice())).collect();
        let settings = (Transform::None, ScaleOver::All, Unobserved::Filled);
        let (pipeline, _) = SignalPipeline::fit(&set.channels, &stretches, window, settings, &Prep::default()).unwrap();
        let columns = TimeColumns { channels: set.channels.clone(), ..TimeColumns::default() };
        let schema = Schema { columns: vec![Column::new("x", ColumnKind::Numeric)] };
        let adapter = SeriesAdapter {
            schema,
            layout: Layout::Long,
            columns,
            step: None,
            pipeline,
            stride: 1,
            by_observed: true,
            errors: None,
            judgement: Judgement::default(),
            runs: None,
            levels: None,
            invariants: None,
        };
        let samples = adapter.signals(set, Vec::new());
        (adapter, samples)
    }

    #[test]
    fn no_window_of_one_part_shares_a_point_with_a_window_of_another() {
        for (n, window, stride) in [(100, 5, 1), (100, 5, 3), (300, 10, 7), (60, 20, 1), (21, 7, 50), (20, 1, 1)] {
            let [train, validation, calibration, anomalous] = check_cut(n, window, stride, &[]);
            let span = |firsts: &[usize]| {
                firsts.iter().min().copied().unwrap_or(n)..firsts.iter().max().map_or(0, |m| m + window)
            };
            let parts = [span(&train), span(&validation), span(&calibration)];
            let full: Vec<_> = parts.iter().filter(|part| !part.is_empty()).collect();
            assert!(full.windows(2).all(|pair| pair[0].end <= pair[1].start), "{n} {window} {stride}: {parts:?}");
            assert_eq!((full[0].start, full[full.len() - 1].end), (0, n), "{n} {window} {stride}: {parts:?}");
            assert!(anomalous.is_empty());
        }
    }

    #[test]
    fn windows_that_touch_an_anomalous_point_have_no_part() {
        let [train, _, calibration, anomalous] = check_cut(100, 5, 1, &[30, 90]);
        let touches = |first: &usize| (*first..first + 5).any(|t| t == 30 || t == 90);
        assert!(!train.iter().chain(&calibration).any(touches));
        assert!(anomalous.iter().all(touches));
        assert_eq!(anomalous.len(), 10);
    }

    #[test]
    fn windows_without_an_observed_point_are_left_out_and_counted() {
        let set = set(&[200], |t| if (40..60).contains(&t) { f64::NAN } else { ramp(t) });
        let plan = plan(&set, Choice::Given(10)).unwrap();
        let (adapter, samples) = prepared(set, 10);
        let cut = cut(&adapter, &samples, &plan, &[vec![false; 200]]).unwrap();
        assert_eq!(cut.unseen, 11);
        let seen = |w: &[f32]| w.iter().any(|x| !x.is_nan());
        assert!(cut.windows.prepared.target.chunks_exact(10).all(seen));
        assert_eq!(cut.normal.len(), cut.windows.prepared.n);
    }

    #[test]
    fn stretches_lie_between_anomalous_points() {
        let check = |anomalous: &[usize], expected: &str| {
            let is_anomalous: Vec<bool> = (0..10).map(|t| anomalous.contains(&t)).collect();
            assert_eq!(format!("{:?}", normal_stretches(&(3..9), &is_anomalous)), expected, "{anomalous:?}");
        };
        check(&[], "[3..9]");
        check(&[0, 9], "[3..9]");
        check(&[3, 5, 6], "[4..5, 7..9]");
        check(&[8], "[3..8]");
        check(&[3, 4, 5, 6, 7, 8], "[]");
    }

    #[test]
    fn too_few_normal_points_are_refused_with_the_number_of_windows() {
        let set = set(&[40], ramp);
        let plan = plan(&set, Choice::Given(8)).unwrap();
        let (adapter, samples) = prepared(set, 8);
        let refused = |is_anomalous: Vec<bool>| match cut(&adapter, &samples, &plan, &[is_anomalous]) {
            Ok(_) => "fine".to_owned(),
            Err(error) => error.to_string(),
        };
        assert_eq!(refused(vec![false; 40]), "fine");
        assert_eq!(
            refused((0..40).map(|t| t >= 30).collect()),
            "input: expected windows of 8 normal points to train and to calibrate, got 18 and 0"
        );
    }

    #[test]
    fn scales_know_nothing_of_anomalous_points_nor_of_other_parts() {
        let values: Vec<f64> = (0..12).map(f64::from).collect();
        let is_anomalous = [false, true, false, false, true, false];
        let kept = without_anomalies(&values, &is_anomalous, &[1..4, 4..5, 5..6], 2);
        assert!(kept[0].is_nan() && kept[1].is_nan());
        assert_eq!(kept[2..], [4.0, 5.0, 6.0, 7.0]);
    }
}
