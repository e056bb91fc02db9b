//! From windows to points: every point of a series gets what the windows that cover it say of it.
//!
//! A window's score is in units of squared errors. A point's is the square of the mean root over the windows that cover
//! it, so that an anomaly stands out against all of them and not only one.

use narrows_engine::{Ready, Threads};

use super::intake::SeriesIntake;
use super::judge::{Detail, Judge, Judged};
use crate::prep::{Prepared, Signal};

/// Windows judged together, so that memory does not grow with the length of a series times its window.
const CHUNK: usize = 4096;

/// What is said of the points of one series.
pub(super) struct Points {
    /// `[n]`, 1 being an ordinary point; NaN where nothing was observed or no window covers the point.
    pub(super) score: Vec<f64>,
    /// `[n, channels]`, the mean over windows of each value's squared error, 1 being ordinary.
    pub(super) errors: Vec<f64>,
    /// `[n, channels]`, the mean over windows of what was rebuilt, in the channels' own units; where differences were
    /// taken, the difference.
    pub(super) rebuilt: Vec<f64>,
    /// `[n]`, windows that cover the point.
    pub(super) covered: Vec<u32>,
}

/// Which windows have a say in a point's score.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Say {
    /// The mean over all windows that cover it: for a series that has come to its end.
    All,
    /// The window that ends with it: for a stream, in which no later one exists yet.
    Last,
}

/// Judges every point of one series.
pub(super) fn points(
    intake: &SeriesIntake,
    judge: &Judge,
    id: &str,
    signal: &Signal,
    say: Say,
    threads: &Threads,
) -> Points {
    let stride = if say == Say::Last { 1 } else { intake.stride };
    let judged = |windows: &Prepared| judge.judge(windows, Detail::Trace, threads);
    heard(intake, id, signal, say, &intake.firsts(signal.n, stride), judged)
}

/// Judges the last point of one series alone, by members that are ready, as [`points`] does where only the last window
/// has a say; of the other points, and of a series shorter than a window, nothing is known.
pub(super) fn last_point(
    intake: &SeriesIntake,
    judge: &Judge,
    members: &[Ready<'_>],
    id: &str,
    signal: &Signal,
    threads: &Threads,
) -> Points {
    let first: Vec<usize> = signal.n.checked_sub(intake.pipeline.window()).into_iter().collect();
    let judged = |windows: &Prepared| judge.judge_by(members, windows, Detail::Trace, threads);
    heard(intake, id, signal, Say::Last, &first, judged)
}

/// What the windows that begin at `firsts` say.
fn heard(
    intake: &SeriesIntake,
    id: &str,
    signal: &Signal,
    say: Say,
    firsts: &[usize],
    judged: impl Fn(&Prepared) -> Judged,
) -> Points {
    let (k, steps) = (intake.pipeline.n_channels(), intake.pipeline.window());
    let mut sums = Sums::new(signal.n, k);
    for firsts in firsts.chunks(CHUNK) {
        let mut windows = intake.pipeline.no_windows(firsts.len());
        intake.pipeline.cut(signal, firsts.iter().copied(), &mut windows);
        let judged = judged(&windows.prepared);
        for (w, first) in firsts.iter().enumerate() {
            let root = judged.scores[w].sqrt();
            let from = if say == Say::Last { steps - 1 } else { 0 };
            for t in from..steps {
                let p = first + t;
                sums.covered[p] += 1;
                sums.roots[p] += root;
                for c in 0..k {
                    let slot = (w * steps + t) * k + c;
                    let level = windows.levels[w * k + c];
                    sums.errors[p * k + c] += f64::from(judged.trace[slot]);
                    let rebuilt = level.put_back(judged.output[slot], t, steps);
                    sums.rebuilt[p * k + c] += intake.pipeline.backward(id, c, rebuilt);
                }
            }
        }
    }
    sums.finish(signal, k)
}

/// What `rate` says of windows, brought to the points they cover by the mean: for what a user would compare with.
pub(super) fn spread<const N: usize>(
    intake: &SeriesIntake,
    signal: &Signal,
    rate: impl Fn(&Prepared) -> [Vec<f64>; N],
) -> [Vec<f64>; N] {
    let mut sums = [(); N].map(|()| vec![0.0; signal.n]);
    let mut covered = vec![0.0; signal.n];
    for firsts in intake.firsts(signal.n, intake.stride).chunks(CHUNK) {
        let mut windows = intake.pipeline.no_windows(firsts.len());
        intake.pipeline.cut(signal, firsts.iter().copied(), &mut windows);
        let rates = rate(&windows.prepared);
        for (w, first) in firsts.iter().enumerate() {
            for p in *first..first + intake.pipeline.window() {
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
    roots: Vec<f64>,
    errors: Vec<f64>,
    rebuilt: Vec<f64>,
}

impl Sums {
    fn new(n: usize, k: usize) -> Sums {
        Sums { covered: vec![0; n], roots: vec![0.0; n], errors: vec![0.0; n * k], rebuilt: vec![0.0; n * k] }
    }

    fn finish(mut self, signal: &Signal, k: usize) -> Points {
        let n = self.covered.len();
        let mut score = vec![f64::NAN; n];
        for p in 0..n {
            let values = p * k..(p + 1) * k;
            let covered = f64::from(self.covered[p]);
            // Where no window lies, 0 / 0 is NaN: nothing is known.
            self.errors[values.clone()].iter_mut().for_each(|e| *e /= covered);
            self.rebuilt[values.clone()].iter_mut().for_each(|r| *r /= covered);
            let observed = signal.observed[values.clone()].iter().filter(|x| !x.is_nan()).count();
            if self.covered[p] > 0 && observed > 0 {
                // The mean of roots: a few windows far off do not speak for all, as they would in a mean of squares.
                score[p] = (self.roots[p] / covered).powi(2);
            }
        }
        Points { score, errors: self.errors, rebuilt: self.rebuilt, covered: self.covered }
    }
}
