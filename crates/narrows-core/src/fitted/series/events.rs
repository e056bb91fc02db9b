//! Anomalous events in series: from first to last anomalous point, with the peak and the top contributing channels.

use super::SeriesModel;
use super::adapter::SeriesAdapter;
use super::model::point_reasons;
use super::points::{Coverage, Points, judged};
use crate::data::{Layout, Series, Table};
use crate::detect::{EventRange, Reason, events_of};
use crate::error::{Error, Result};
use crate::fitted::scoring::CalibratedThreshold;

/// A run of unscored points, such as late samples or a weekend, ends an event if it is longer than this share of a window.
const LONG_GAP: usize = 8;
/// But never if it is as short as this. Nor does a run of ordinary points as short: one fault is one event.
pub(super) const SHORT_GAP: usize = 3;

/// Maximum number of channels named for an event.
const BLAMED: usize = 3;

/// A run of points that score above the threshold.
#[derive(Debug, Clone, PartialEq)]
pub struct SeriesEvent {
    /// The series; empty if there is only one.
    pub series: String,
    /// Time of the first anomalous point, as in the data; its number if there is no time column.
    pub start: String,
    /// Time of the last anomalous point.
    pub end: String,
    /// Points from first to last, including those in gaps.
    pub points: u64,
    /// Row of the first point.
    pub first_row: u64,
    /// Row of the last point.
    pub last_row: u64,
    /// The score of the point where the event stands out most.
    pub peak: f64,
    /// Row of that point.
    pub peak_row: u64,
    /// The p-value of that score.
    pub p_value: f64,
    /// The top contributing channels at the peak, the largest first.
    pub reasons: Vec<Reason>,
}

impl SeriesModel {
    /// The anomalous events of a table of points, series by series, in temporal order.
    ///
    /// # Errors
    /// [`Error::Mismatch`] if the model is of the rows layout, or the columns do not fit.
    pub fn events(&self, table: &Table) -> Result<Vec<SeriesEvent>> {
        let adapter = &self.adapter;
        if adapter.layout != Layout::Long {
            return Err(Error::mismatch("expected a model of series in the long layout for events, got another"));
        }
        let samples = adapter.prepare(table)?;
        let mut all = Vec::new();
        for (number, series) in samples.set.series.iter().enumerate() {
            let points = judged(adapter, &self.core.scorer, &samples, number, Coverage::All);
            let found = events(adapter, &samples.set.channels, series, &points, &self.core.threshold);
            all.extend(found.into_iter().map(|found| found.event));
        }
        Ok(all)
    }
}

/// An event and its point range in the series.
pub(super) struct FoundEvent {
    pub(super) event: SeriesEvent,
    pub(super) first: usize,
    pub(super) last: usize,
}

/// The events of one series. A point without a score does not start one; few of them, or few ordinary ones, do not end one.
pub(super) fn events(
    adapter: &SeriesAdapter,
    channels: &[String],
    series: &Series,
    points: &Points,
    threshold: &CalibratedThreshold,
) -> Vec<FoundEvent> {
    let mut is_anomaly: Vec<bool> = points.score.iter().map(|score| threshold.is_anomaly(*score)).collect();
    bridge(&mut is_anomaly, &points.score, (adapter.pipeline.window() / LONG_GAP).max(SHORT_GAP));
    let found = |event: EventRange| {
        let (first, last) = (event.first, event.last);
        let higher = |a: usize, b: usize| if points.parts[b].around > points.parts[a].around { b } else { a };
        let peak = (first..=last).fold(first, higher);
        // A scored point has a row: points in gaps are unobserved.
        let row = |p: usize| series.rows[p].map_or(0, u64::from);
        let event = SeriesEvent {
            series: series.id.clone(),
            start: series.time(first).to_string(),
            end: series.time(last).to_string(),
            points: (last - first + 1) as u64,
            first_row: row(first),
            last_row: row(last),
            peak: points.score[peak],
            peak_row: row(peak),
            p_value: threshold.p_value(points.score[peak]),
            reasons: point_reasons(adapter, channels, series, points, peak, BLAMED),
        };
        FoundEvent { event, first, last }
    };
    events_of(&is_anomaly).into_iter().map(found).collect()
}

/// Marks short runs between two anomalous points: of at most [`SHORT_GAP`] ordinary points and `longest` without a score.
fn bridge(is_anomaly: &mut [bool], score: &[f64], longest: usize) {
    for pair in events_of(is_anomaly).windows(2) {
        let between = pair[0].last + 1..pair[1].first;
        let unscored = score[between.clone()].iter().filter(|score| score.is_nan()).count();
        if unscored <= longest && between.len() - unscored <= SHORT_GAP {
            is_anomaly[between].fill(true);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::judgement::{Judgement, PointScore};
    use super::*;
    use crate::choice::Choice;
    use crate::data::{Column, ColumnKind, Moment, Schema, TimeColumns};
    use crate::fitted::scoring::HeldOutScores;
    use crate::prep::{Prep, ScaleOver, SignalPipeline, Transform, Unobserved};

    const NAN: f64 = f64::NAN;

    fn adapter(channels: &[String], transform: Transform) -> SeriesAdapter {
        let stretch: Vec<f64> = (0..20).map(f64::from).collect();
        let settings = (transform, ScaleOver::All, Unobserved::Filled);
        let (pipeline, _) = SignalPipeline::fit(channels, &[("", &stretch)], 2, settings, &Prep::default()).unwrap();
        let columns = TimeColumns { channels: channels.to_vec(), ..TimeColumns::default() };
        let numeric = |name: &String| Column::new(name.as_str(), ColumnKind::Numeric);
        let schema = Schema { columns: channels.iter().map(numeric).collect() };
        SeriesAdapter {
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
        }
    }

    /// Points of channels `a` and `b` with these scores; NaN is in a gap. `b` carries three quarters of every error.
    fn check(scores: &[f64], expected: &[&str]) {
        let channels = ["a".to_owned(), "b".to_owned()];
        let n = scores.len();
        let mut rows = 10..;
        let series = Series {
            id: "m".to_owned(),
            values: [1.0, 2.0].repeat(n),
            rows: scores.iter().map(|score| if score.is_nan() { None } else { rows.next() }).collect(),
            times: (0..n).map(|p| Moment::Number(p as f64 / 2.0)).collect(),
            merged: Vec::new(),
        };
        let points = Points {
            score: scores.to_vec(),
            parts: scores.iter().map(|score| PointScore { whole: 0.0, around: *score }).collect(),
            errors: [1.0, 3.0].repeat(n),
            rebuilt: [0.5, 0.5].repeat(n),
            covered: vec![1; n],
            broken: BTreeMap::new(),
            remarks: BTreeMap::new(),
        };
        let calibration = vec![1.0, 1.0, 5.0];
        let rule = "fixed=2".parse().unwrap();
        let held_out = HeldOutScores { scores: calibration, ..HeldOutScores::default() };
        let threshold = CalibratedThreshold::set(&rule, &Choice::Auto, held_out).unwrap();
        let adapter = adapter(&channels, Transform::None);
        let shown = |found: FoundEvent| {
            let SeriesEvent { series, start, end, points, first_row, last_row, peak, peak_row, p_value, reasons } =
                found.event;
            let names: Vec<&str> = reasons.iter().map(|reason| reason.column.as_str()).collect();
            assert_eq!((series.as_str(), &names[..]), ("m", &["b", "a"][..]));
            let places = format!("{}..={} {start}..={end} rows {first_row}..={last_row}", found.first, found.last);
            format!("{places}, {points} points, peak {peak} in row {peak_row}, p {p_value}")
        };
        let found: Vec<String> =
            events(&adapter, &channels, &series, &points, &threshold).into_iter().map(shown).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn an_event_reaches_from_the_first_to_the_last_point_above_the_threshold() {
        check(&[], &[]);
        check(&[1.0, 2.0, NAN], &[]);
        check(
            &[1.0, 3.0, 9.0, 9.0, 2.0, 1.0, 1.0, 2.0, 4.0],
            &[
                "1..=3 0.5..=1.5 rows 11..=13, 3 points, peak 9 in row 12, p 0.25",
                "8..=8 4..=4 rows 18..=18, 1 points, peak 4 in row 18, p 0.5",
            ],
        );
    }

    #[test]
    fn a_fault_that_a_few_points_do_not_show_is_one_event() {
        check(&[3.0, 2.0, 1.0, 2.0, 5.0, 1.0], &["0..=4 0..=2 rows 10..=14, 5 points, peak 5 in row 14, p 0.5"]);
    }

    #[test]
    fn a_long_gap_ends_an_event_and_late_samples_do_not() {
        check(
            &[3.0, NAN, NAN, NAN, NAN, 3.0],
            &[
                "0..=0 0..=0 rows 10..=10, 1 points, peak 3 in row 10, p 0.5",
                "5..=5 2.5..=2.5 rows 11..=11, 1 points, peak 3 in row 11, p 0.5",
            ],
        );
        check(
            &[NAN, 3.0, NAN, 4.0, NAN, NAN, 3.0, NAN, 1.0, NAN, 1.0, NAN, NAN, 3.0, NAN],
            &[
                "1..=6 0.5..=3 rows 10..=12, 6 points, peak 4 in row 11, p 0.5",
                "13..=13 6.5..=6.5 rows 15..=15, 1 points, peak 3 in row 15, p 0.5",
            ],
        );
    }

    #[test]
    fn models_of_whole_rows_have_no_events() {
        let x: Vec<f64> = (0..60).map(|i| f64::from(i).sin()).collect();
        let table = Table::from_columns(vec![("x", x.clone()), ("y", x)]).unwrap();
        let mut recipe = crate::Recipe::preset(crate::Preset::Simple);
        for change in ["data=series", "data.layout=rows", "train.steps=2"] {
            recipe.set(change).unwrap();
        }
        let model = crate::fit(&recipe, table.clone(), &crate::Session::default()).unwrap().into_series().unwrap();
        let refused = model.events(&table).unwrap_err().to_string();
        assert_eq!(refused, "expected a model of series in the long layout for events, got another");
    }
}
