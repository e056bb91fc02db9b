//! Point scores from the scores of the windows that cover a point.
//!
//! A point has two scores, each the square of a mean root over the windows that cover it, so that a few extreme windows do
//! not dominate. That of the windows, `whole`, ranks points best: an anomalous pattern is odd as a whole. The other,
//! `around`, locates: each window contributes the geometric mean of its score and of its error around the point, and values
//! that stand out (`suspects.rs`) only their own. A point is an anomaly if the score around it is above the threshold; on
//! either side, points are ranked by their windows (`judgement.rs`). Beside a gap, scores are no higher than
//! those of windows without one: what nobody measured must not raise an alarm.

use std::collections::BTreeMap;

use super::adapter::{SeriesAdapter, SeriesSamples};
use super::holes::{beside_gaps, is_complete};
use super::judgement::{Judgement, PointScore};
use super::remarks::{Remark, remarks};
use super::suspects::{WindowKind, judged_windows};
use crate::data::Series;
use crate::fitted::invariants::{Broken, Evidence};
use crate::fitted::scoring::Scorer;
use crate::prep::{Level, Prepared, Signal};

/// Windows scored together, which bounds memory for long series.
const CHUNK: usize = 4096;

/// The error around a point is a mean over a sixteenth of a window before and after it.
const AROUND: usize = 16;

/// Scores of the points of one series.
pub(super) struct Points {
    /// `[n]`, 1 for a typical point; NaN if nothing was observed or no window covers the point.
    pub(super) score: Vec<f64>,
    /// `[n]`, what it is made of.
    pub(super) parts: Vec<PointScore>,
    /// `[n, channels]`, each value's squared error, averaged over windows, 1 for a typical value.
    pub(super) errors: Vec<f64>,
    /// `[n, channels]`, the reconstruction averaged over windows, in the channels' own units; differences if those were
    /// taken.
    pub(super) rebuilt: Vec<f64>,
    /// `[n]`, number of windows that cover the point.
    pub(super) covered: Vec<u32>,
    /// What is odd about points although they are rebuilt well.
    pub(super) remarks: BTreeMap<usize, Vec<Remark>>,
    /// The invariants that points break.
    pub(super) broken: BTreeMap<usize, Broken>,
}

/// Scores of the points of one series of a table, raised where they break invariants.
pub(super) fn judged(
    adapter: &SeriesAdapter,
    scorer: &Scorer,
    samples: &SeriesSamples,
    number: usize,
    coverage: Coverage,
) -> Points {
    let (series, signal) = (&samples.set.series[number], &samples.signals[number]);
    let mut points = points(adapter, scorer, series, signal, coverage);
    let rows = series.rows.iter().enumerate().filter_map(|(p, row)| Some(((*row)?, p)));
    points.judge(rows.chain(series.merged.iter().copied()), signal, &samples.evidence);
    points
}

impl Points {
    /// Raises the scores of points by what their rows, given with them, break.
    pub(super) fn judge(
        &mut self,
        rows: impl Iterator<Item = (u32, usize)> + Clone,
        signal: &Signal,
        evidence: &Evidence,
    ) {
        if evidence.decides_alone() {
            let k = signal.observed.len() / signal.n.max(1);
            let is_observed = |p: usize| signal.observed[p * k..(p + 1) * k].iter().any(|x| !x.is_nan());
            rows.clone().for_each(|(_, p)| self.score[p] = if is_observed(p) { 1.0 } else { f64::NAN });
            self.parts = self.score.iter().map(|one| PointScore { whole: *one, around: *one }).collect();
        }
        if evidence.is_silent() {
            return;
        }
        let own = self.score.clone();
        for (row, p) in rows {
            let Some(broken) = evidence.broken(row) else { continue };
            let raised = broken.raised(own[p]);
            if self.score[p].is_nan() || raised > self.score[p] {
                self.score[p] = raised;
                self.parts[p] = self.parts[p].raised(raised);
                self.broken.insert(p, broken.clone());
            }
        }
    }
}

/// Which windows contribute to the score of a point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Coverage {
    /// The mean over all windows that cover it: for complete series.
    All,
    /// The window that ends with it: for a stream, in which no later one exists yet.
    Last,
}

/// Scores every point of one series.
pub(super) fn points(
    adapter: &SeriesAdapter,
    scorer: &Scorer,
    series: &Series,
    signal: &Signal,
    coverage: Coverage,
) -> Points {
    let stride = if coverage == Coverage::Last { 1 } else { adapter.stride };
    let mut firsts = adapter.firsts(signal.n, stride);
    if coverage == Coverage::All {
        beside_gaps(adapter, signal, &mut firsts);
    }
    covered_points(adapter, scorer, series, signal, coverage, &firsts)
}

/// Scores only the last point of one series, as [`points`] does with the last window alone; the other points, and all
/// points of a series shorter than a window, have no score.
pub(super) fn last_point(adapter: &SeriesAdapter, scorer: &Scorer, series: &Series, signal: &Signal) -> Points {
    let first: Vec<usize> = signal.n.checked_sub(adapter.pipeline.window()).into_iter().collect();
    covered_points(adapter, scorer, series, signal, Coverage::Last, &first)
}

/// Points from the windows that start at `firsts`.
fn covered_points(
    adapter: &SeriesAdapter,
    scorer: &Scorer,
    series: &Series,
    signal: &Signal,
    coverage: Coverage,
    firsts: &[usize],
) -> Points {
    let (k, steps) = (adapter.pipeline.n_channels(), adapter.pipeline.window());
    let mut sums = Sums::new(signal.n, k);
    for firsts in firsts.chunks(CHUNK) {
        let mut windows = adapter.pipeline.no_windows(firsts.len());
        adapter.pipeline.cut(signal, firsts.iter().copied(), &mut windows);
        if coverage == Coverage::Last && adapter.by_observed {
            adapter.pipeline.end_here(&mut windows);
        }
        let judged = judged_windows(adapter, scorer, &windows);
        for (w, first) in firsts.iter().enumerate() {
            let width = steps * k;
            let values = w * width..(w + 1) * width;
            let window = Window {
                score: judged.scores[w],
                spared: judged.spared[w],
                trace: &judged.trace[values.clone()],
                target: &windows.prepared.target[values.clone()],
                suspects: &judged.suspects[values],
                channels: k,
            };
            let is_complete = !adapter.pipeline.spares_gaps() || is_complete(window.target, k);
            let from = if coverage == Coverage::Last { steps - 1 } else { 0 };
            let level = window.mean(judged.levels[w * k], &judged.output[w * width..(w + 1) * width]);
            let level = adapter.levels.as_ref().map(|range| (range.score(level), level));
            let around = window.around();
            for (t, around) in around.into_iter().enumerate().skip(from) {
                let p = first + t;
                sums.covered[p] += 1;
                let own = window.own(t);
                let root = match own {
                    Some(own) => (window.score * own.max(around)).sqrt().sqrt(),
                    // The root of the geometric mean.
                    None => (window.spared * around).sqrt().sqrt(),
                };
                sums.roots[p] += root;
                // A value that stands out does so from its neighbours, whose windows it has made as odd.
                let whole = if own.is_some() { root.max(window.score.sqrt()) } else { window.score.sqrt() };
                sums.whole_roots[p] += whole;
                if is_complete {
                    sums.complete[p] += 1;
                    sums.complete_roots[p] += root;
                    sums.complete_whole_roots[p] += whole;
                }
                // Of the windows with and without a new level, those without have the last word.
                sums.levels[p] = level.into_iter().chain(sums.levels[p]).min_by(|a, b| a.0.total_cmp(&b.0));
                match judged.kinds[w] {
                    WindowKind::Odd => sums.odd[p] += 1,
                    kind => {
                        sums.spared[p] += u32::from(kind == WindowKind::Spared);
                        sums.other_roots[p] += root;
                    }
                }
                for c in 0..k {
                    let slot = (w * steps + t) * k + c;
                    let level = judged.levels[w * k + c];
                    sums.errors[p * k + c] += f64::from(judged.trace[slot]);
                    let rebuilt = level.put_back(judged.output[slot], t, steps);
                    sums.rebuilt[p * k + c] += adapter.pipeline.backward(&series.id, c, rebuilt);
                }
            }
        }
    }
    let remarks = remarks(adapter, series, coverage, &sums.levels);
    let judgement = if coverage == Coverage::All { adapter.judgement } else { Judgement::Around };
    let mut points = sums.finish(signal, k);
    for (p, remarks) in &remarks {
        // Not those without a score, to which `max` would give one.
        if !points.parts[*p].whole.is_nan() {
            let least = remarks.iter().fold(0.0, |least: f64, remark| least.max(remark.score));
            points.parts[*p] = points.parts[*p].raised(least);
        }
    }
    points.score = points.parts.iter().map(|parts| judgement.score(*parts)).collect();
    points.remarks = remarks;
    points
}

/// What a window says of its points.
struct Window<'a> {
    score: f64,
    spared: f64,
    trace: &'a [f32],
    target: &'a [f32],
    suspects: &'a [bool],
    channels: usize,
}

impl Window<'_> {
    /// The mean of all values of the first channel, those that are unobserved or suspect as they are expected; the mean of
    /// the others is the `level`.
    fn mean(&self, level: Level, output: &[f32]) -> f64 {
        let slots = (0..self.target.len()).step_by(self.channels);
        let absent = slots.clone().filter(|slot| self.target[*slot].is_nan() || self.suspects[*slot]);
        f64::from(level.offset) + absent.map(|slot| f64::from(output[slot])).sum::<f64>() / slots.len() as f64
    }

    /// The error of the suspects at a step, as a mean over what was observed there; `None` without one.
    fn own(&self, t: usize) -> Option<f64> {
        let slots = t * self.channels..(t + 1) * self.channels;
        if !self.suspects[slots.clone()].contains(&true) {
            return None;
        }
        let observed = slots.clone().filter(|slot| !self.target[*slot].is_nan()).count() as f64;
        let errors = slots.filter(|slot| self.suspects[*slot]).map(|slot| f64::from(self.trace[slot]));
        Some(errors.sum::<f64>() / observed)
    }

    /// The mean error of the observed values near each step, without suspects; zero where there are none.
    fn around(&self) -> Vec<f64> {
        let steps = self.trace.len() / self.channels;
        let reach = steps / AROUND;
        // Prefix sums and counts.
        let mut before = Vec::with_capacity(steps + 1);
        before.push((0.0, 0_u32));
        for t in 0..steps {
            let (sum, count) = before[t];
            let slots = t * self.channels..(t + 1) * self.channels;
            let counted = slots.filter(|slot| !self.target[*slot].is_nan() && !self.suspects[*slot]);
            let (mut error, mut observed) = (0.0, 0);
            for slot in counted {
                error += f64::from(self.trace[slot]);
                observed += 1;
            }
            before.push((sum + error, count + observed));
        }
        let mean = |t: usize| {
            let (first, end) = (t.saturating_sub(reach), (t + reach + 1).min(steps));
            (before[end].0 - before[first].0).max(0.0) / f64::from((before[end].1 - before[first].1).max(1))
        };
        (0..steps).map(mean).collect()
    }
}

/// Averages the window values of `rate` over the windows that cover each point, for the baselines.
pub(super) fn spread<const N: usize>(
    adapter: &SeriesAdapter,
    signal: &Signal,
    rate: impl Fn(&Prepared) -> [Vec<f64>; N],
) -> [Vec<f64>; N] {
    let mut sums = [(); N].map(|()| vec![0.0; signal.n]);
    let mut covered = vec![0.0; signal.n];
    for firsts in adapter.firsts(signal.n, adapter.stride).chunks(CHUNK) {
        let mut windows = adapter.pipeline.no_windows(firsts.len());
        adapter.pipeline.cut(signal, firsts.iter().copied(), &mut windows);
        let rates = rate(&windows.prepared);
        for (w, first) in firsts.iter().enumerate() {
            for p in *first..first + adapter.pipeline.window() {
                covered[p] += 1.0;
                sums.iter_mut().zip(&rates).for_each(|(sum, rate)| sum[p] += rate[w]);
            }
        }
    }
    for sum in &mut sums {
        sum.iter_mut().zip(&covered).for_each(|(sum, n)| *sum /= n);
    }
    sums
}

struct Sums {
    covered: Vec<u32>,
    /// Around points.
    roots: Vec<f64>,
    /// Of whole windows, with their suspects.
    whole_roots: Vec<f64>,
    /// Over complete windows.
    complete: Vec<u32>,
    complete_roots: Vec<f64>,
    complete_whole_roots: Vec<f64>,
    errors: Vec<f64>,
    rebuilt: Vec<f64>,
    /// Windows that are odd without their suspects, and those that are not; the roots of all but the odd ones.
    odd: Vec<u32>,
    spared: Vec<u32>,
    other_roots: Vec<f64>,
    /// The most ordinary level of the windows: its score, and itself.
    levels: Vec<Option<(f64, f64)>>,
}

impl Sums {
    fn new(n: usize, k: usize) -> Sums {
        Sums {
            covered: vec![0; n],
            roots: vec![0.0; n],
            whole_roots: vec![0.0; n],
            complete: vec![0; n],
            complete_roots: vec![0.0; n],
            complete_whole_roots: vec![0.0; n],
            errors: vec![0.0; n * k],
            rebuilt: vec![0.0; n * k],
            odd: vec![0; n],
            spared: vec![0; n],
            other_roots: vec![0.0; n],
            levels: vec![None; n],
        }
    }

    fn finish(mut self, signal: &Signal, k: usize) -> Points {
        let mut parts = vec![PointScore::NONE; self.covered.len()];
        for (p, parts) in parts.iter_mut().enumerate() {
            let values = p * k..(p + 1) * k;
            let covered = f64::from(self.covered[p]);
            // Without a window, 0 / 0 is NaN: no score.
            self.errors[values.clone()].iter_mut().for_each(|e| *e /= covered);
            self.rebuilt[values.clone()].iter_mut().for_each(|r| *r /= covered);
            let observed = signal.observed[values.clone()].iter().filter(|x| !x.is_nan()).count();
            if self.covered[p] > 0 && observed > 0 {
                let mut root = self.roots[p] / covered;
                // If most of the windows that have suspects are ordinary without them, the others have no say.
                if self.odd[p] > 0 && self.spared[p] > self.odd[p] {
                    root = self.other_roots[p] / f64::from(self.covered[p] - self.odd[p]);
                }
                let mut whole = self.whole_roots[p] / covered;
                if self.complete[p] > 0 && self.complete[p] < self.covered[p] {
                    let complete = f64::from(self.complete[p]);
                    root = root.min(self.complete_roots[p] / complete);
                    whole = whole.min(self.complete_whole_roots[p] / complete);
                }
                *parts = PointScore { whole: whole.powi(2), around: root.powi(2) };
            }
        }
        // An infinite value is missing to the network, and an anomaly by itself.
        for (value, error) in &signal.infinite {
            let p = value / k;
            if self.covered[p] > 0 {
                self.errors[*value] = self.errors[*value].max(*error);
                parts[p] = parts[p].raised(*error);
            }
        }
        let (errors, rebuilt, covered) = (self.errors, self.rebuilt, self.covered);
        Points { score: Vec::new(), parts, errors, rebuilt, covered, remarks: BTreeMap::new(), broken: BTreeMap::new() }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use super::super::SeriesModel;
    use super::super::holes::completed;
    use super::*;
    use crate::data::Table;
    use crate::fitted::scoring::ScoreDetail;
    use crate::{Preset, Recipe, Session, fit};

    const WINDOW: usize = 6;
    const NAN: f64 = f64::NAN;

    /// Two waves; points in `lost` are missing in both channels.
    fn waves(n: usize, lost: &[usize]) -> Table {
        let wave = |shift: f64, size: f64| {
            let value = |t: usize| if lost.contains(&t) { NAN } else { 5.0 + size * (t as f64 / 1.9 + shift).sin() };
            (0..n).map(value).collect::<Vec<f64>>()
        };
        Table::from_columns(vec![("a", wave(0.0, 1.0)), ("b", wave(1.0, 3.0))]).unwrap()
    }

    static FITTED: LazyLock<SeriesModel> = LazyLock::new(|| {
        let mut recipe = Recipe::preset(Preset::Deep);
        for change in ["data=series", "train.steps=150", "train.learning_rate=0.01", "backbone.code_size=6"] {
            recipe.set(change).unwrap();
        }
        recipe.set(&format!("data.window={WINDOW}")).unwrap();
        fit(&recipe, waves(200, &[]), &Session::default()).unwrap().into_series().unwrap()
    });

    /// All windows with all of their values.
    static PLAIN: LazyLock<SeriesAdapter> = LazyLock::new(|| SeriesAdapter {
        errors: None,
        judgement: Judgement::default(),
        runs: None,
        levels: None,
        ..SeriesAdapter::clone(&FITTED.adapter)
    });

    fn adapter() -> &'static SeriesAdapter {
        &PLAIN
    }

    fn samples(table: &Table) -> SeriesSamples {
        adapter().prepare(table).unwrap()
    }

    fn scored(samples: &SeriesSamples, coverage: Coverage) -> Points {
        points(adapter(), &FITTED.core.scorer, &samples.set.series[0], &samples.signals[0], coverage)
    }

    /// Compares a point's score, errors and reconstruction with windows scored one at a time.
    fn check(n: usize, lost: &[usize], coverage: Coverage) {
        let samples = samples(&waves(n, lost));
        let found = scored(&samples, coverage);
        for p in 0..n {
            let covers = |first: &usize| match coverage {
                Coverage::All => (*first..first + WINDOW).contains(&p),
                Coverage::Last => first + WINDOW == p + 1,
            };
            let firsts: Vec<usize> = (0..(n + 1).saturating_sub(WINDOW)).filter(covers).collect();
            assert_eq!(found.covered[p] as usize, firsts.len(), "point {p}");
            if firsts.is_empty() || lost.contains(&p) {
                assert!(found.score[p].is_nan(), "point {p}");
                continue;
            }
            let (mut roots, mut complete, mut complete_roots) = (0.0, 0, 0.0);
            for first in &firsts {
                let mut window = adapter().pipeline.no_windows(1);
                adapter().pipeline.cut(&samples.signals[0], std::iter::once(*first), &mut window);
                let scored = completed(adapter(), &FITTED.core.scorer, &window.prepared);
                let scored = FITTED.core.scorer.score_with(&scored, ScoreDetail::Trace);
                let (t, reach) = (p - first, WINDOW / AROUND);
                let near = t.saturating_sub(reach)..(t + reach + 1).min(WINDOW);
                let k = adapter().pipeline.n_channels();
                let near = near.start * k..near.end * k;
                let observed: Vec<usize> = near.filter(|slot| !window.prepared.target[*slot].is_nan()).collect();
                let error: f64 = observed.iter().map(|slot| f64::from(scored.trace[*slot])).sum();
                let root = (scored.scores[0] * error / observed.len() as f64).sqrt().sqrt();
                roots += root;
                if is_complete(&window.prepared.target, k) {
                    complete += 1;
                    complete_roots += root;
                }
            }
            let mut root = roots / firsts.len() as f64;
            if complete > 0 && complete < firsts.len() {
                root = root.min(complete_roots / complete as f64);
            }
            let expected = root.powi(2);
            assert!((found.score[p] - expected).abs() <= 1e-6 * expected, "point {p}: {} {expected}", found.score[p]);
        }
    }

    #[test]
    fn a_score_is_the_square_of_the_mean_root_over_the_windows_that_have_a_say() {
        for coverage in [Coverage::All, Coverage::Last] {
            check(40, &[], coverage);
            check(40, &[0, 7, 8, 39], coverage);
            check(WINDOW, &[], coverage);
            check(WINDOW - 1, &[], coverage);
            check(1, &[], coverage);
        }
    }

    #[test]
    fn memory_is_bounded_by_pieces_that_nobody_can_tell() {
        let table = waves(CHUNK + 60, &[]);
        let whole = scored(&samples(&table), Coverage::All);
        let (from, n) = (CHUNK - 40, 80);
        let part = scored(&samples(&table.slice(from, n)), Coverage::All);
        for p in WINDOW..n - WINDOW {
            assert_eq!(part.score[p].to_bits(), whole.score[from + p].to_bits(), "point {p}");
            assert_eq!(part.rebuilt[2 * p].to_bits(), whole.rebuilt[2 * (from + p)].to_bits(), "point {p}");
        }
    }

    #[test]
    fn what_is_rebuilt_is_in_the_channels_own_units_and_what_is_missing_has_no_error() {
        let table = waves(60, &[20]);
        let found = scored(&samples(&table), Coverage::All);
        assert_eq!(found.errors[40..42], [0.0, 0.0]);
        let (mut error, mut errors) = (0.0, 0.0);
        for (p, (rebuilt, errors_of)) in found.rebuilt.chunks(2).zip(found.errors.chunks(2)).enumerate() {
            let truth = [5.0 + (p as f64 / 1.9).sin(), 5.0 + 3.0 * (p as f64 / 1.9 + 1.0).sin()];
            error += rebuilt.iter().zip(truth).map(|(x, y)| (x - y).powi(2)).sum::<f64>() / 120.0;
            errors += errors_of.iter().sum::<f64>() / 120.0;
        }
        assert!(error.sqrt() < 0.5, "{error}");
        assert!((0.1..10.0).contains(&errors), "1 is ordinary: {errors}");
    }

    #[test]
    fn a_gap_raises_no_alarm_beside_it() {
        let n = 80;
        let of = |lost: &[usize]| scored(&samples(&waves(n, lost)), Coverage::All).score;
        let (whole, holed) = (of(&[]), of(&[40, 41, 42]));
        let highest = |scores: &[f64]| scores.iter().copied().filter(|s| !s.is_nan()).fold(0.0, f64::max);
        assert!(highest(&holed) < 1.5 * highest(&whole), "{} {}", highest(&holed), highest(&whole));
        // Far from the gap nothing changes, not even by rounding.
        for p in (0..40 - WINDOW).chain(43 + WINDOW..n) {
            assert_eq!(whole[p].to_bits(), holed[p].to_bits(), "point {p}");
        }
    }

    #[test]
    fn an_infinite_value_is_an_anomaly_and_its_neighbours_are_none() {
        let table = |x: f64| {
            let of = |shift: f64, size: f64| (0..60).map(move |t| 5.0 + size * (f64::from(t) / 1.9 + shift).sin());
            let b: Vec<f64> = of(1.0, 3.0).enumerate().map(|(t, y)| if t == 33 { x } else { y }).collect();
            Table::from_columns(vec![("a", of(0.0, 1.0).collect()), ("b", b)]).unwrap()
        };
        let found = scored(&samples(&table(f64::INFINITY)), Coverage::All);
        let missing = scored(&samples(&table(NAN)), Coverage::All);
        assert_eq!((found.score[33], found.errors[2 * 33 + 1]), (1e6, 1e6));
        assert!((0..60).filter(|p| *p != 33).all(|p| found.score[p].to_bits() == missing.score[p].to_bits()));
    }

    #[test]
    fn an_odd_value_has_the_largest_error() {
        let mut b: Vec<f64> = (0..60).map(|t| 5.0 + 3.0 * (f64::from(t) / 1.9 + 1.0).sin()).collect();
        b[33] += 12.0;
        let a: Vec<f64> = (0..60).map(|t| 5.0 + (f64::from(t) / 1.9).sin()).collect();
        let found = scored(&samples(&Table::from_columns(vec![("a", a), ("b", b)]).unwrap()), Coverage::All);
        let largest = (0..120).max_by(|i, j| found.errors[*i].total_cmp(&found.errors[*j])).unwrap();
        assert_eq!(largest, 2 * 33 + 1);
        let highest = (0..60).max_by(|i, j| found.score[*i].total_cmp(&found.score[*j])).unwrap();
        assert!((33 - WINDOW..=33 + WINDOW).contains(&highest), "{highest}");
    }

    #[test]
    fn what_rivals_say_of_windows_is_brought_to_points_by_the_mean() {
        let samples = samples(&waves(10, &[]));
        let [numbers, ones] = spread(adapter(), &samples.signals[0], |windows| {
            [(0..windows.n).map(|w| w as f64).collect(), vec![1.0; windows.n]]
        });
        assert_eq!(numbers, [0.0, 0.5, 1.0, 1.5, 2.0, 2.0, 2.5, 3.0, 3.5, 4.0]);
        assert_eq!(ones, [1.0; 10]);
        let short = self::samples(&waves(WINDOW - 1, &[]));
        let [none] = spread(adapter(), &short.signals[0], |windows| [vec![1.0; windows.n]]);
        assert!(none.len() == WINDOW - 1 && none.iter().all(|x| x.is_nan()));
    }
}
