//! Datetime columns: time of day, day of the week and day of the year, cyclically encoded.
//!
//! Cyclic encoding makes 23:59 adjacent to 00:00. Absolute time is not encoded: to a model fitted in March every date in
//! April would be an anomaly.

use std::f64::consts::TAU;

use arrow::array::{Array, TimestampMicrosecondArray};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::Offset;
use serde::{Deserialize, Serialize};

use super::cell::Cell;
use super::prepared::{BlockSlots, PrepTally};

/// Microseconds.
pub(crate) const DAY: i64 = 86_400_000_000;
/// The day of the year is considered if training rows span more days than this.
const HALF_A_YEAR: i64 = 180;
/// It is encoded if no more days in a row than this were never seen: the rest of the year would be an anomaly.
const UNSEEN_DAYS: usize = 31;
/// Or if rows span this many days: the season has come round, however sparse the rows.
const TWO_YEARS: i64 = 730;
/// Once rows span this many days, a day of the week that was not seen is one on which nothing happens.
const TWO_WEEKS: i64 = 14;
/// Open the remarks on cycles that were not seen as a whole.
pub(crate) const CYCLES_LEFT_OUT: [&str; 2] = ["day of the week left out", "day of the year left out"];
const WEEKDAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// The encoding of one datetime column: sine and cosine per cycle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Cycles {
    pub(crate) circles: Vec<Circle>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Circle {
    Weekday,
    DayOfYear,
    TimeOfDay,
}

impl Cycles {
    /// Fits on the training rows; returns a description, the number of missing cells, and whether all are equal.
    pub(crate) fn fit(array: &TimestampMicrosecondArray, rows: &[u32]) -> (Cycles, String, u64, bool) {
        let cells =
            || rows.iter().map(|row| *row as usize).filter(|row| array.is_valid(*row)).map(|row| array.value(row));
        let missing = (rows.len() - cells().count()) as u64;
        let (first, last) = (cells().min().unwrap_or(0), cells().max().unwrap_or(0));
        let span = last.saturating_sub(first);
        let has_times = cells().any(|t| t.rem_euclid(DAY) != 0);
        let weekdays = weekdays_seen(cells());
        // A column has at least one cycle.
        let is_week_seen = weekdays == 7 || span >= TWO_WEEKS * DAY || !has_times || first == last;
        let mut circles = if is_week_seen { vec![Circle::Weekday] } else { Vec::new() };
        let unseen = longest_unseen(cells());
        let is_season_seen = unseen <= UNSEEN_DAYS || span >= TWO_YEARS * DAY;
        if span > HALF_A_YEAR * DAY && is_season_seen {
            circles.push(Circle::DayOfYear);
        }
        if has_times {
            circles.push(Circle::TimeOfDay);
        }
        let names: Vec<&str> = circles.iter().map(|circle| circle.describe()).collect();
        let mut what = format!("{} as sine and cosine", names.join(", "));
        let [week, season] = CYCLES_LEFT_OUT;
        if !is_week_seen {
            what.push_str(&format!("; {week}, as only {weekdays} of them were seen"));
        }
        if span > HALF_A_YEAR * DAY && !is_season_seen {
            what.push_str(&format!("; {season}, as {unseen} days of it in a row were never seen"));
        }
        if missing > 0 {
            what.push_str(&format!("; {missing} missing, encoded as 0"));
        }
        (Cycles { circles }, what, missing, first == last)
    }

    /// Number of inputs.
    pub(crate) fn width(&self) -> usize {
        2 * self.circles.len()
    }

    /// Encodes the cells of rows `first..first + n`.
    pub(crate) fn write(
        &self,
        array: &TimestampMicrosecondArray,
        first: usize,
        n: usize,
        slots: &mut BlockSlots<'_>,
    ) -> PrepTally {
        let mut tally = PrepTally::default();
        for i in 0..n {
            if array.is_null(first + i) {
                tally.missing += 1;
                (0..self.width()).for_each(|slot| slots.fill(i, slot, 0.0));
                continue;
            }
            for (pair, circle) in self.circles.iter().enumerate() {
                let (sin, cos) = (TAU * circle.phase(array.value(first + i))).sin_cos();
                slots.put(i, 2 * pair, sin as f32);
                slots.put(i, 2 * pair + 1, cos as f32);
            }
        }
        tally
    }

    /// Decodes inputs.
    pub(crate) fn read(&self, features: &[f32]) -> Cell {
        let phase = |pair: usize| {
            let (sin, cos) = (f64::from(features[2 * pair]), f64::from(features[2 * pair + 1]));
            (sin.atan2(cos) / TAU).rem_euclid(1.0)
        };
        self.decode(phase)
    }

    /// Decodes a known time, in microseconds.
    pub(crate) fn observed(&self, t: i64) -> Cell {
        // The day is told as it is: of leap years, the phase says another one.
        let part = |circle: &Circle| match circle {
            Circle::DayOfYear => day_and_month(date_of(t)),
            Circle::Weekday | Circle::TimeOfDay => circle.format(circle.phase(t)),
        };
        Cell::Time(self.circles.iter().map(part).collect::<Vec<_>>().join(" "))
    }

    fn decode(&self, phase: impl Fn(usize) -> f64) -> Cell {
        let parts = self.circles.iter().enumerate().map(|(pair, circle)| circle.format(phase(pair)));
        Cell::Time(parts.collect::<Vec<_>>().join(" "))
    }
}

/// The number of different days of the week.
fn weekdays_seen(cells: impl Iterator<Item = i64>) -> u32 {
    cells.fold(0_u8, |seen, t| seen | 1 << t.div_euclid(DAY).rem_euclid(7)).count_ones()
}

/// The day of the week, from Monday, which is 0.
pub(super) fn weekday(t: i64) -> i64 {
    weekday_of(t.div_euclid(DAY))
}

/// The same of a day since 1970.
pub(super) fn weekday_of(day: i64) -> i64 {
    // 1970 began on a Thursday.
    day.saturating_add(3).rem_euclid(7)
}

impl Circle {
    /// The phase within the cycle, in [0, 1).
    fn phase(self, t: i64) -> f64 {
        match self {
            Circle::TimeOfDay => t.rem_euclid(DAY) as f64 / DAY as f64,
            Circle::Weekday => weekday(t) as f64 / 7.0,
            Circle::DayOfYear => {
                let date = date_of(t);
                f64::from(date.day_of_year() - 1) / f64::from(date.days_in_year())
            }
        }
    }

    fn format(self, phase: f64) -> String {
        match self {
            Circle::TimeOfDay => {
                let minutes = (phase * 1440.0 + 1e-9).floor() as u32 % 1440;
                format!("{:02}:{:02}", minutes / 60, minutes % 60)
            }
            Circle::Weekday => WEEKDAYS[(phase * 7.0).round() as usize % 7].to_owned(),
            Circle::DayOfYear => {
                let day = (phase * 365.0).round() as i64 % 365;
                day_and_month(date_of(day * DAY))
            }
        }
    }

    fn describe(self) -> &'static str {
        match self {
            Circle::Weekday => "day of the week",
            Circle::DayOfYear => "day of the year",
            Circle::TimeOfDay => "time of day",
        }
    }
}

fn day_and_month(date: Date) -> String {
    format!("{} {}", date.day(), MONTHS[(date.month() - 1) as usize])
}

/// The longest run of days of the year, over its end as well, on which no time falls.
fn longest_unseen(times: impl Iterator<Item = i64>) -> usize {
    const DAYS: usize = 365;
    let mut seen = [false; DAYS];
    times.for_each(|t| seen[(date_of(t).day_of_year() as usize - 1).min(DAYS - 1)] = true);
    let (mut longest, mut run) = (0, 0);
    // Twice around, so that a run over the end of the year is found as a whole.
    for day in 0..2 * DAYS {
        run = if seen[day % DAYS] { 0 } else { run + 1 };
        longest = longest.max(run);
    }
    longest.min(DAYS)
}

/// The date, UTC; times outside the calendar's range become 1970.
fn date_of(t: i64) -> Date {
    Offset::UTC.to_datetime(Timestamp::from_microsecond(t).unwrap_or_default()).date()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn micros(text: &str) -> i64 {
        text.parse::<Timestamp>().unwrap().as_microsecond()
    }

    fn check(times: &[&str], probe: &str, what: &str, text: &str) {
        let array: TimestampMicrosecondArray = times.iter().map(|text| Some(micros(text))).collect();
        let rows: Vec<u32> = (0..times.len() as u32).collect();
        let (cycles, words, ..) = Cycles::fit(&array, &rows);
        assert_eq!(words, format!("{what} as sine and cosine"));
        let width = cycles.width();
        let (mut input, mut target) = (vec![0.0; width], vec![0.0; width]);
        let mut slots = BlockSlots { input: &mut input, target: &mut target, width, start: 0 };
        cycles.write(&TimestampMicrosecondArray::from(vec![micros(probe)]), 0, 1, &mut slots);
        assert_eq!(cycles.observed(micros(probe)).to_string(), text);
        assert_eq!(cycles.read(&input).to_string(), text);
    }

    #[test]
    fn only_parts_that_vary_are_learnt_and_they_come_back() {
        let (noon, midnight, later) = ("2024-03-12T14:20:30Z", "2024-03-12T00:00:00Z", "2026-12-24T00:00:00Z");
        check(&[noon], noon, "day of the week, time of day", "Tue 14:20");
        check(&[midnight], noon, "day of the week", "Tue");
        check(&[midnight, later], "2023-12-31T00:00:00Z", "day of the week, day of the year", "Sun 31 Dec");
        let times: TimestampMicrosecondArray = [midnight, later].iter().map(|text| Some(micros(text))).collect();
        let (cycles, ..) = Cycles::fit(&times, &[0, 1]);
        // After February of a leap year.
        for (day, told) in [("2024-03-27T00:00:00Z", "Wed 27 Mar"), ("2024-02-29T00:00:00Z", "Thu 29 Feb")] {
            assert_eq!(cycles.observed(micros(day)).to_string(), told);
        }
        check(
            &[noon, later],
            "1969-12-31T23:59:30Z",
            "day of the week, day of the year, time of day",
            "Wed 31 Dec 23:59",
        );
    }

    #[test]
    fn the_week_is_learnt_only_if_it_was_seen() {
        let what = |hours: std::ops::Range<i64>, step: usize| {
            let array: TimestampMicrosecondArray =
                hours.step_by(step).map(|hour| Some(20_089 * DAY + hour * DAY / 24)).collect();
            let rows: Vec<u32> = (0..array.len() as u32).collect();
            Cycles::fit(&array, &rows).1
        };
        let learnt = "day of the week, time of day as sine and cosine";
        assert_eq!(
            what(0..90, 1),
            "time of day as sine and cosine; day of the week left out, as only 4 of them were seen"
        );
        assert_eq!(what(0..168, 1), learnt);
        // Over four weeks, always on the same day: the others are unusual.
        assert_eq!(what(1..24 * 28, 24 * 7), learnt);
    }

    #[test]
    fn the_season_is_learnt_only_if_it_was_seen() {
        let what = |days: std::ops::Range<i64>| {
            let array: TimestampMicrosecondArray = days.map(|day| Some((20_089 + day) * DAY)).collect();
            let rows: Vec<u32> = (0..array.len() as u32).collect();
            Cycles::fit(&array, &rows).1
        };
        let (learnt, left_out) =
            ("day of the week, day of the year as sine and cosine", "day of the week as sine and cosine");
        assert_eq!(what(0..365), learnt);
        // December is not known, but nearly all of the year is.
        assert_eq!(what(0..340), learnt);
        assert_eq!(what(0..120), left_out);
        let told = format!("{left_out}; day of the year left out, as 95 days of it in a row were never seen");
        assert_eq!(what(0..270), told);
        // Over the end of the year, too.
        assert_eq!(
            what(200..470),
            format!("{left_out}; day of the year left out, as 95 days of it in a row were never seen")
        );
    }

    #[test]
    fn missing_times_are_the_centre_and_not_asked_back() {
        let array = TimestampMicrosecondArray::from(vec![Some(0), None]);
        let (cycles, what, missing, _) = Cycles::fit(&array, &[0, 1]);
        assert_eq!((what.as_str(), missing), ("day of the week as sine and cosine; 1 missing, encoded as 0", 1));
        let (mut input, mut target) = (vec![9.0; 4], vec![9.0; 4]);
        let mut slots = BlockSlots { input: &mut input, target: &mut target, width: 2, start: 0 };
        assert_eq!(cycles.write(&array, 0, 2, &mut slots).missing, 1);
        assert!(input[2] == 0.0 && input[3] == 0.0 && target[2].is_nan() && target[3].is_nan());
        assert_eq!(date_of(i64::MAX).year(), 1970);
    }
}
