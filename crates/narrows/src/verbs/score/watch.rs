//! Whether the rows of a stream are still like those of the fit: a report every so many rows, and one alarm.

use std::io::Write;

use clap::{Args as ClapArgs, value_parser};
use narrows_core::data::Table;
use narrows_core::drift::{DriftAlarm, DriftMonitor, DriftReport, LEVEL};
use narrows_core::range::Rate;
use narrows_core::{Error, Scores, TabularModel};
use serde::Serialize;
use serde_json::json;

use super::super::drift::promise;
use crate::escape::visible_json;
use crate::failure::Failure;
use crate::talk::{Talk, count, grouped};

/// The column that marks the row which raises the alarm.
pub(super) const ALARM: &str = "drift_alarm";

/// What to watch a stream for.
#[derive(Debug, Default, ClapArgs)]
pub(super) struct WatchArgs {
    /// With --follow: every N rows, tell on stderr whether the last N are still like those of the fit: what has moved, and
    /// whether the promise of the threshold stands
    ///
    /// The last rows of a stream are told at its end, however few they are. The output stays one line per row; with
    /// --json each report is a line of JSON on stderr, {"drift": {...}}, with the fields of `narrows drift --json` and
    /// `first_row` and `last_row`. Of unchanged windows of rows one in a hundred is reported as drift at most.
    #[arg(long, value_name = "N", requires = "follow", value_parser = value_parser!(u64).range(1..))]
    report_every: Option<u64>,
    /// With --follow: raise one alarm when the scores are no longer like those of the calibration, false in a stream that
    /// never changes with a probability of at most RATE, however long it is
    ///
    /// The output has a column `drift_alarm`, true in the row that raises it, which is written with --only-anomalies, too.
    /// Of points of a series one counts in every one to two windows, as neighbours share windows.
    #[arg(long, value_name = "RATE", requires = "follow")]
    alarm_drift: Option<String>,
    /// With --report-every or --alarm-drift: exit with code 10 at the end if drift was reported or the alarm raised
    #[arg(long, requires = "follow")]
    fail_on_drift: bool,
}

/// A stream that is watched.
pub(super) struct Watch {
    reports: Option<Windows>,
    alarm: Option<DriftAlarm>,
    fails: bool,
    has_drifted: bool,
    talk: Talk,
}

/// Windows of rows that follow each other.
struct Windows {
    every: u64,
    model: Box<dyn TabularModel>,
    level: Rate,
    current: DriftMonitor,
    /// The numbers of the first row of the window and of the last one read.
    rows: Option<(u64, u64)>,
}

/// A report as a line of JSON.
#[derive(Serialize)]
struct WindowReport<'a> {
    first_row: u64,
    last_row: u64,
    #[serde(flatten)]
    report: &'a DriftReport,
}

impl WatchArgs {
    /// Watches a stream that is scored with `model`.
    pub(super) fn watch(
        self,
        model: impl FnOnce() -> Result<Box<dyn TabularModel>, Error>,
        talk: Talk,
    ) -> Result<Watch, Failure> {
        let WatchArgs { report_every, alarm_drift, fail_on_drift, .. } = self;
        if fail_on_drift && report_every.is_none() && alarm_drift.is_none() {
            let message = "expected --report-every or --alarm-drift with it, which look for drift";
            return Err(Error::recipe("--fail-on-drift", message).into());
        }
        let rate = alarm_drift.map(|rate| rate.parse::<Rate>()).transpose();
        let rate = rate.map_err(|message| Error::recipe("--alarm-drift", message))?;
        let (mut reports, mut alarm) = (None, None);
        if report_every.is_some() || rate.is_some() {
            let model = model()?;
            alarm = rate.map(|rate| DriftAlarm::new(model.as_ref(), rate));
            if let Some(alarm) = alarm.as_ref().filter(|alarm| alarm.window() > 1) {
                let n = grouped(alarm.window());
                talk.note(format_args!(
                    "of a series one point in {n} to twice as many counts for the alarm, as neighbours share windows"
                ));
            }
            let level = Rate::try_from(LEVEL).map_err(|message| Error::recipe("level", message))?;
            reports = report_every.map(|every| Windows {
                every,
                current: DriftMonitor::of_stream(model.as_ref(), level),
                model,
                level,
                rows: None,
            });
        }
        Ok(Watch { reports, alarm, fails: fail_on_drift, has_drifted: false, talk })
    }
}

impl Watch {
    /// Whether rows say if they raise the alarm.
    pub(super) fn has_alarm(&self) -> bool {
        self.alarm.is_some()
    }

    /// Looks at row `number`, a table of one, which belongs to `series`; whether it raises the alarm.
    pub(super) fn add(&mut self, number: u64, row: &Table, series: &str, scores: &Scores) -> Result<bool, Error> {
        let mut is_raised = false;
        if let Some(alarm) = &mut self.alarm {
            is_raised = scores.score.iter().any(|score| alarm.add(series, *score));
        }
        if is_raised {
            self.has_drifted = true;
            self.tell_alarm(number, series);
        }
        if let Some(windows) = &mut self.reports {
            windows.current.add_scored(row, scores)?;
            windows.rows = Some((windows.rows.map_or(number, |(first, _)| first), number));
            if windows.current.rows() >= windows.every {
                self.report();
            }
        }
        Ok(is_raised)
    }

    /// Reports the rows since the last report.
    pub(super) fn finish(&mut self) {
        self.report();
    }

    /// Whether the run fails, as drift was found.
    pub(super) fn fails(&self) -> bool {
        self.fails && self.has_drifted
    }

    fn tell_alarm(&self, number: u64, series: &str) {
        if self.talk == Talk::Json {
            let of_series = (!series.is_empty()).then_some(series);
            tell_json(&json!({ALARM: {"row": number, "series": of_series}}));
        }
        let of_series = if series.is_empty() { String::new() } else { format!(" of series `{series}`") };
        self.talk
            .warn(format_args!("drift alarm at row {number}{of_series}: scores are no longer like those of the fit"));
    }

    fn report(&mut self) {
        let Some(windows) = &mut self.reports else { return };
        let Some((first_row, last_row)) = windows.rows.take() else { return };
        let next = DriftMonitor::of_stream(windows.model.as_ref(), windows.level);
        let report = std::mem::replace(&mut windows.current, next).finish();
        self.has_drifted |= report.has_drifted;
        if self.talk == Talk::Json {
            tell_json(&json!({"drift": WindowReport { first_row, last_row, report: &report }}));
        }
        self.talk.line(format_args!("rows {} to {}: {}", grouped(first_row), grouped(last_row), in_one_line(&report)));
    }
}

/// What has moved, and whether the promise stands.
fn in_one_line(report: &DriftReport) -> String {
    let mut parts = Vec::new();
    if report.has_drifted {
        parts.push(format!("drift: {}", report.findings.join("; ")));
    } else {
        parts.push("no drift".to_owned());
    }
    // A broken promise is among the findings.
    if report.threshold.stands {
        parts.push(promise(report));
    }
    if report.independent < report.rows - report.unscored {
        parts.push(format!("counted as {}", count(report.independent, "independent row")));
    }
    parts.join("; ")
}

fn tell_json(value: &serde_json::Value) {
    // A closed stderr is ignored.
    let _ = writeln!(std::io::stderr(), "{}", visible_json(&value.to_string()));
}
