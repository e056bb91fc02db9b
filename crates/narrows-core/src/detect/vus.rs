//! Range-AUC and the volume under the surface (VUS), of Paparrizos et al. 2022, "Volume Under the Surface: A New
//! Accuracy Evaluation Measure for Time-Series Anomaly Detection".
//!
//! Event boundaries are rarely exact, so labels get ramps: the point at distance d from an
//! event counts sqrt(1 - d / buffer) of an anomaly, up to d = buffer / 2 on either side, and 1 where ramps add up to
//! more. At a threshold, with P labelled points and R the sum of the ramps' flagged points:
//!
//! - true positives = R + flagged labelled points; false positives = all flagged points - true positives
//! - positives = P + R / 2; negatives = all points - positives
//! - recall = min(true positives / positives, 1) * the share of ranges with any flagged point, a range being
//!   an event with its ramps, or several with touching ramps (existence reward)
//! - precision = true positives / flagged points
//!
//! Range-AUC-ROC and Range-AUC-PR are the areas under these curves over 250 thresholds; VUS is their mean over
//! buffers from 0 to a maximum, usually the period of the series.
//!
//! The values are those of `RangeAUC_volume_opt` in the authors' packages `vus` and `TSB-AD`, with the same choices:
//! thresholds are the scores at even steps of the rank, the area under precision is stepwise, and R counts flagged
//! points only, where the paper has whole ramps. With a buffer, a constant score has a ROC area above 0.5. Range-AUC is
//! the slice of the surface at one buffer; the packages' own `RangeAUC` detects ranges by label jumps of exactly 1,
//! which ramps do not have, and divides by zero if every event has ramps.
//!
//! Their code visits all points for each buffer and threshold. Here each point is assigned once to the first threshold
//! that flags it, and the curves are cumulative sums.

use rayon::prelude::*;

use super::event::{EventRange, events_of};
use super::ranking::{Above, Ranking};
use crate::error::Result;

/// Number of thresholds.
const N_THRESHOLDS: usize = 250;

/// Areas under the range-based curves at one buffer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RangeAuc {
    /// Range-AUC-ROC.
    pub roc: f64,
    /// Range-AUC-PR.
    pub pr: f64,
}

/// Volumes under the range-based surfaces: means of [`RangeAuc`] over buffers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Vus {
    /// VUS-ROC.
    pub roc: f64,
    /// VUS-PR.
    pub pr: f64,
}

/// Areas at one buffer, in points, half of it on each side of an event.
///
/// # Errors
/// If lengths differ, a score is NaN, or there is only one class.
pub fn range_auc(scores: &[f64], labels: &[bool], buffer: usize) -> Result<RangeAuc> {
    Ok(Surface::new("range-AUC", scores, labels, buffer)?.at(buffer))
}

/// Volumes over the buffers 0 to `buffer`, in points. Time is proportional to points times buffers.
///
/// # Errors
/// If lengths differ, a score is NaN, or there is only one class.
pub fn vus(scores: &[f64], labels: &[bool], buffer: usize) -> Result<Vus> {
    let surface = Surface::new("VUS", scores, labels, buffer)?;
    let areas: Vec<RangeAuc> = (0..=buffer).into_par_iter().map(|buffer| surface.at(buffer)).collect();
    let mean = |which: fn(&RangeAuc) -> f64| areas.iter().map(which).sum::<f64>() / areas.len() as f64;
    Ok(Vus { roc: mean(|area| area.roc), pr: mean(|area| area.pr) })
}

/// The part shared by the curves of all buffers.
struct Surface {
    events: Vec<EventRange>,
    /// Cumulative counts at each threshold, highest first.
    above: Vec<Above>,
    /// For each point, the index of the first threshold that flags it.
    flagged_by: Vec<u8>,
    /// Points that may lie on a ramp.
    near: Vec<Near>,
}

/// A point outside all events but near one.
struct Near {
    /// Distance from the nearest end of an event.
    nearest: usize,
    /// Distance from the second nearest.
    second: usize,
    flagged_by: u8,
}

impl Surface {
    /// Ranks scores and computes distances up to half of the largest `buffer`.
    fn new(what: &str, scores: &[f64], labels: &[bool], buffer: usize) -> Result<Surface> {
        let ranking = Ranking::new(scores, labels)?;
        ranking.tally.needs_both(what)?;
        let groups: Vec<Above> = ranking.tally.cumulative().collect();
        let (mut above, mut thresholds) = (Vec::new(), Vec::new());
        for rank in ranks(scores.len()) {
            let group = groups.partition_point(|group| group.anomalies + group.normals <= rank);
            above.push(groups[group]);
            thresholds.push(ranking.scores[group]);
        }
        // The last threshold is the lowest score, so it flags every point.
        let flagged_by = scores.iter().map(|score| thresholds.partition_point(|t| t > score) as u8).collect();
        let mut surface = Surface { events: events_of(labels), above, flagged_by, near: Vec::new() };
        surface.near = surface.near(buffer / 2);
        Ok(surface)
    }

    /// The points outside all events at distances of at most `reach`.
    fn near(&self, reach: usize) -> Vec<Near> {
        let mut near = Vec::new();
        for gap in 0..=self.events.len() {
            let (behind, ahead) = self.events.split_at(gap);
            let from = behind.last().map_or(0, |event| event.last + 1);
            let to = ahead.first().map_or(self.flagged_by.len(), |event| event.first);
            for at in from..to {
                let behind = behind.iter().rev().take(2).map(|event| at - event.last);
                let ahead = ahead.iter().take(2).map(|event| event.first - at);
                let (mut nearest, mut second) = (usize::MAX, usize::MAX);
                for distance in behind.chain(ahead) {
                    second = second.min(nearest.max(distance));
                    nearest = nearest.min(distance);
                }
                if nearest <= reach {
                    near.push(Near { nearest, second, flagged_by: self.flagged_by[at] });
                }
            }
        }
        near
    }

    /// The areas under the curves at one buffer.
    fn at(&self, buffer: usize) -> RangeAuc {
        let ramps = self.ramps(buffer);
        let ranges = self.ranges(buffer);
        let n_ranges: f64 = ranges.iter().sum();
        let total = self.above[N_THRESHOLDS - 1];
        let n_points = (total.anomalies + total.normals) as f64;
        let (mut ramp, mut found) = (0.0, 0.0);
        let (mut recall, mut false_alarm_rate) = (0.0, 0.0);
        let mut area = RangeAuc { roc: 0.0, pr: 0.0 };
        for (at, above) in self.above.iter().enumerate() {
            ramp += ramps[at];
            found += ranges[at];
            let flagged = (above.anomalies + above.normals) as f64;
            let true_positives = ramp + above.anomalies as f64;
            let positives = total.anomalies as f64 + 0.5 * ramp;
            let before = (recall, false_alarm_rate);
            recall = (true_positives / positives).min(1.0) * found / n_ranges;
            false_alarm_rate = (flagged - true_positives) / (n_points - positives);
            area.roc += (false_alarm_rate - before.1) * 0.5 * (recall + before.0);
            area.pr += (recall - before.0) * true_positives / flagged;
        }
        // Ramps are partial positives, so the curve would end short of (1, 1).
        area.roc += (1.0 - false_alarm_rate) * 0.5 * (1.0 + recall);
        area
    }

    /// Sum of ramp values first flagged at each threshold.
    fn ramps(&self, buffer: usize) -> [f64; N_THRESHOLDS] {
        let mut ramps = [0.0; N_THRESHOLDS];
        for near in self.near.iter().filter(|near| near.nearest <= buffer / 2) {
            // A ramp is at least sqrt(0.5) high, so two of them are more than 1.
            let is_on_two = near.second <= buffer / 2;
            let height = if is_on_two { 1.0 } else { (1.0 - near.nearest as f64 / buffer as f64).sqrt() };
            ramps[usize::from(near.flagged_by)] += height;
        }
        ramps
    }

    /// Number of ranges first detected at each threshold.
    fn ranges(&self, buffer: usize) -> [f64; N_THRESHOLDS] {
        let half = buffer / 2;
        let mut ranges = [0.0; N_THRESHOLDS];
        for range in self.events.chunk_by(|a, b| b.first - a.last <= 2 * half) {
            let from = range[0].first.saturating_sub(half);
            let to = self.flagged_by.len().min(range[range.len() - 1].last + half + 1);
            let found_by = self.flagged_by[from..to].iter().min().copied().unwrap_or(0);
            ranges[usize::from(found_by)] += 1.0;
        }
        ranges
    }
}

/// The ranks of the scores used as thresholds, 0 the highest: NumPy's `linspace` truncated to integers, including
/// the order of its rounding.
fn ranks(n_points: usize) -> impl Iterator<Item = u64> {
    let last = n_points - 1;
    let step = last as f64 / (N_THRESHOLDS - 1) as f64;
    (0..N_THRESHOLDS).map(move |at| if at == N_THRESHOLDS - 1 { last as u64 } else { (at as f64 * step) as u64 })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::baseline::golden::{check_near, golden};
    use crate::detect::metrics::{average_precision, roc_auc};

    /// Summation order differs from NumPy's.
    const TOLERANCE: f64 = 1e-11;

    #[test]
    fn areas_and_volumes_are_those_of_the_authors() {
        for golden in golden("surfaces") {
            let (scores, labels) = (golden.numbers("scores"), golden.labels("labels"));
            let area = range_auc(&scores, &labels, golden.count("buffer")).unwrap();
            let volume = vus(&scores, &labels, golden.count("buffer")).unwrap();
            let got = [area.roc, area.pr, volume.roc, volume.pr];
            let expected = ["range_auc_roc", "range_auc_pr", "vus_roc", "vus_pr"].map(|field| golden.number(field));
            check_near(&got, &expected, TOLERANCE);
        }
    }

    /// Random scores with ten events of ten points.
    fn drawn(n: usize) -> (Vec<f64>, Vec<bool>) {
        ((0..n).map(|at| ((at * 7919) % n) as f64).collect(), (0..n).map(|at| at % (n / 10) < 10).collect())
    }

    #[test]
    fn one_event_without_a_buffer_has_the_plain_areas() {
        // Fewer points than thresholds, and one event, whose existence reward is 1 as soon as recall is positive.
        let (scores, _) = drawn(200);
        let labels: Vec<bool> = (0..200).map(|at| (20..30).contains(&at)).collect();
        let area = range_auc(&scores, &labels, 0).unwrap();
        check_near(&[area.roc], &[roc_auc(&scores, &labels).unwrap()], 1e-12);
        check_near(&[area.pr], &[average_precision(&scores, &labels).unwrap()], 1e-12);
    }

    #[test]
    fn a_volume_depends_on_order_alone_and_not_on_threads() {
        let (scores, labels) = drawn(3_000);
        let stretched: Vec<f64> = scores.iter().map(|score| (score / 3_000.0).exp()).collect();
        let with = |threads: usize, scores: &[f64]| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| vus(scores, &labels, 25).unwrap())
        };
        assert_eq!(with(1, &scores), with(4, &scores));
        assert_eq!(with(1, &scores), with(1, &stretched));
    }

    #[test]
    fn a_late_score_gains_by_a_buffer() {
        let labels: Vec<bool> = (0..100).map(|at| (40..50).contains(&at)).collect();
        let late: Vec<f64> = (0..100).map(|at| f64::from(u8::from((45..55).contains(&at)))).collect();
        let roc = |buffer| range_auc(&late, &labels, buffer).unwrap().roc;
        assert!(roc(0) < roc(5) && roc(5) < roc(10), "{} {} {}", roc(0), roc(5), roc(10));
    }

    #[test]
    fn bounds_hold_with_any_buffer() {
        let scores = [f64::INFINITY, -0.0, 0.0, f64::NEG_INFINITY, 1.0];
        let labels = [true, false, false, true, false];
        for buffer in [0, 1, 2, 3, 10, 1_000_000, usize::MAX] {
            let area = range_auc(&scores, &labels, buffer).unwrap();
            assert!((0.0..=1.0).contains(&area.roc) && (0.0..=1.0).contains(&area.pr), "{buffer}: {area:?}");
        }
    }

    #[test]
    fn what_is_undefined_is_said_in_words() {
        let message = |scores: &[f64], labels: &[bool]| vus(scores, labels, 3).unwrap_err().to_string();
        assert_eq!(
            message(&[1.0, 2.0], &[true, true]),
            "input: VUS: expected normal rows and anomalies, got 0 normal rows and 2 anomalies"
        );
        assert!(message(&[1.0], &[true]).contains("expected normal rows and anomalies"));
        assert!(message(&[], &[]).contains("expected normal rows and anomalies"));
        assert_eq!(message(&[1.0, f64::NAN], &[true, false]), "row 1: expected a score, got NaN");
        assert_eq!(message(&[1.0], &[]), "input: expected a label for each of 1 scores, got 0 labels");
        let error = range_auc(&[1.0], &[false], 0).unwrap_err();
        assert!(error.to_string().starts_with("input: range-AUC: expected"));
    }
}
