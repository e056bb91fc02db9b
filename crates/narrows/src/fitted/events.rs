//! Anomalous stretches of series: from first to last anomalous point, with the peak and the channels to blame.

use narrows_engine::Threads;

use super::Fitted;
use super::intake::{Intake, SeriesIntake};
use super::points::{Points, Say, points};
use super::series::point_reasons;
use crate::data::{Layout, Series, Table};
use crate::detect::{Calibration, Event, Reason, events_of};
use crate::error::{Error, Result};

/// Most channels named for an event.
const BLAMED: usize = 3;

/// A stretch of points that score above the threshold.
#[derive(Debug, Clone, PartialEq)]
pub struct SeriesEvent {
    /// The series; empty where there is only one.
    pub series: String,
    /// Time of the first anomalous point, as the data has it; its number where no column says.
    pub start: String,
    /// Time of the last one.
    pub end: String,
    /// Points from first to last, those in gaps between them included.
    pub points: u64,
    /// Row of the first point.
    pub first_row: u64,
    /// Row of the last point.
    pub last_row: u64,
    /// The highest score.
    pub peak: f64,
    /// Row of the highest score.
    pub peak_row: u64,
    /// The p-value of the highest score.
    pub p_value: f64,
    /// The channels to blame at the peak, the most first.
    pub reasons: Vec<Reason>,
}

impl Fitted {
    /// The anomalous stretches of a table of points in time, series by series, in the order of time.
    ///
    /// # Errors
    /// [`Error::Mismatch`] where the model is not one of points in time, or the columns do not fit.
    pub fn events(&self, table: &Table, threads: &Threads) -> Result<Vec<SeriesEvent>> {
        let intake = match &self.intake {
            Intake::Series(intake) if intake.layout == Layout::Long => intake,
            _ => return Err(Error::mismatch("expected a model of series in the long layout for events, got another")),
        };
        let samples = intake.prepare(table)?;
        let mut all = Vec::new();
        for (series, signal) in samples.set.series.iter().zip(&samples.signals) {
            let points = points(intake, &self.judge, &series.id, signal, Say::All, threads);
            let found = events(intake, &samples.set.channels, series, &points, &self.calibration, self.threshold());
            all.extend(found.into_iter().map(|found| found.event));
        }
        Ok(all)
    }
}

/// An event and its points' numbers in the series.
pub(super) struct Found {
    pub(super) event: SeriesEvent,
    pub(super) first: usize,
    pub(super) last: usize,
}

/// The events of one series. A point without a score neither begins nor ends one.
pub(super) fn events(
    intake: &SeriesIntake,
    channels: &[String],
    series: &Series,
    points: &Points,
    calibration: &Calibration,
    threshold: f64,
) -> Vec<Found> {
    let is_anomaly: Vec<bool> = points.score.iter().map(|score| *score > threshold).collect();
    let found = |event: Event| {
        let (first, last) = (event.first, event.last);
        let higher = |a: usize, b: usize| if points.score[b] > points.score[a] { b } else { a };
        let peak = (first..=last).fold(first, higher);
        // A scored point has a row: what lies in a gap is not observed.
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
            p_value: calibration.p_value(points.score[peak]),
            reasons: point_reasons(intake, channels, series, points, peak, BLAMED),
        };
        Found { event, first, last }
    };
    events_of(&is_anomaly).into_iter().map(found).collect()
}
