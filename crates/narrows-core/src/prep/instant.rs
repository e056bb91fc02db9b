//! Dates by their place in the training range, for generation: day, day of the week, and time of day.
//!
//! A date that never comes before another one, such as a departure after an arrival, is encoded as how much later it is,
//! so that generated rows keep the order, and the distance. Days beyond the training range count as unobserved: a model
//! fitted in March would find every date in April an anomaly.

use arrow::array::{Array, TimestampMicrosecondArray};
use jiff::tz::Offset;
use jiff::{SignedDuration, Timestamp};
use narrows_engine::rng::Stream;
use serde::{Deserialize, Serialize};

use super::block::BlockKind;
use super::cell::Cell;
use super::cycle::{DAY, weekday, weekday_of};
use super::prepared::{BlockSlots, PrepTally};
use super::shape::ShapeEncoder;
use crate::range::Positive;

/// Steps that times may be written with, in microseconds.
const STEPS: [i64; 6] = [DAY, 3_600_000_000, 60_000_000, 1_000_000, 1_000, 1];
/// A date that comes this many days after another one, in the median, has a time of day of its own.
const LONG_AFTER: i64 = 2;
/// With fewer rows that know both dates, their order is chance.
const FEWEST_ORDERED: usize = 20;

/// The encoding of one datetime column by its place.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "StoredInstant")]
pub(crate) struct InstantEncoder {
    /// The column that is never later.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) after: Option<String>,
    /// The unit of the place, in microseconds: days since 1970, or steps after the other column.
    pub(crate) unit: i64,
    /// The step of all cells, in microseconds.
    pub(crate) step: i64,
    /// The first and the last place in training rows.
    pub(crate) range: [i64; 2],
    /// The first and the last date in training rows.
    dates: [i64; 2],
    pub(crate) place: ShapeEncoder,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) weekday: Option<ShapeEncoder>,
    /// In steps from `start` on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) time: Option<ShapeEncoder>,
    /// A time of day at which nothing happens, in steps.
    pub(crate) start: i64,
}

/// The unvalidated content of a file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredInstant {
    #[serde(default)]
    after: Option<String>,
    unit: i64,
    step: i64,
    range: [i64; 2],
    dates: [i64; 2],
    place: ShapeEncoder,
    #[serde(default)]
    weekday: Option<ShapeEncoder>,
    #[serde(default)]
    time: Option<ShapeEncoder>,
    start: i64,
}

impl TryFrom<StoredInstant> for InstantEncoder {
    type Error = String;

    fn try_from(stored: StoredInstant) -> Result<InstantEncoder, String> {
        let StoredInstant { after, unit, step, range, dates, place, weekday, time, start } = stored;
        let is_sound = STEPS.contains(&unit) && STEPS.contains(&step) && range[0] <= range[1] && dates[0] <= dates[1];
        if !is_sound || !(0..DAY / step).contains(&start) {
            return Err(format!("expected dates in steps of a day or a part of it, got {step} in units of {unit}"));
        }
        Ok(InstantEncoder { after, unit, step, range, dates, place, weekday, time, start })
    }
}

/// A column, and the one that it is encoded after.
#[derive(Clone, Copy)]
pub(crate) struct Dates<'a> {
    pub(crate) own: &'a TimestampMicrosecondArray,
    /// With the name of its column.
    pub(crate) after: Option<(&'a str, &'a TimestampMicrosecondArray)>,
}

/// What was seen while fitting.
pub(crate) struct InstantSeen {
    pub(crate) what: String,
    pub(crate) missing: u64,
    pub(crate) is_constant: bool,
}

impl InstantEncoder {
    /// Fits on the training rows.
    pub(crate) fn fit(dates: Dates<'_>, rows: &[u32], clip: Positive) -> (InstantEncoder, InstantSeen) {
        let own = || rows.iter().filter_map(|row| moment(dates.own, *row));
        let step = STEPS.into_iter().find(|step| own().all(|t| t.rem_euclid(*step) == 0)).unwrap_or(1);
        let unit = match dates.after {
            None => DAY,
            Some((_, base)) => {
                let mut gaps: Vec<i64> = rows.iter().filter_map(|row| gap(dates.own, base, *row)).collect();
                gaps.sort_unstable();
                let is_long = gaps.get(gaps.len() / 2).is_none_or(|gap| *gap >= LONG_AFTER * DAY);
                if is_long { DAY } else { step }
            }
        };
        let of = InstantParts { unit, step, start: 0 };
        let start = emptiest(own().map(|t| of.time(t)), DAY / step);
        let of = InstantParts { start, ..of };
        let base = |row: u32| dates.after.and_then(|(_, base)| moment(base, row));
        let is_alone = dates.after.is_none();
        let places = |row: &u32| {
            let (own, base) = (moment(dates.own, *row)?, base(*row));
            if is_alone { Some(of.day(own)) } else { Some(of.after(own, base?)) }
        };
        let known = || rows.iter().filter_map(places);
        let range = [known().min().unwrap_or(0), known().max().unwrap_or(0)];
        // Missing is what the date is, not what the date before it is.
        let counted = rows.iter().filter(|row| moment(dates.own, **row).is_none() || places(row).is_some());
        let (place, seen) = ShapeEncoder::fit(counted.map(|row| places(row).map(|place| place as f64)), clip);
        let has_weekday = is_alone && range[1] - range[0] >= 14;
        let fit = |part: &dyn Fn(i64) -> i64| ShapeEncoder::fit(own().map(|t| Some(part(t) as f64)), clip).0;
        let weekday = has_weekday.then(|| fit(&weekday));
        let time = (step < DAY && unit == DAY).then(|| fit(&|t| of.time(t)));
        let mut what = match dates.after {
            None => "its day".to_owned(),
            Some((name, _)) => format!("how long after `{name}`"),
        };
        what.push_str(if weekday.is_some() { ", day of the week" } else { "" });
        what.push_str(if time.is_some() { ", time of day" } else { "" });
        what = format!("{what}: {}", seen.what);
        let after = dates.after.map(|(name, _)| name.to_owned());
        let dates = [own().min().unwrap_or(0), own().max().unwrap_or(0)];
        let is_constant = range[0] == range[1] && dates[0] == dates[1];
        let missing = (rows.len() - own().count()) as u64;
        (
            InstantEncoder { after, unit, step, range, dates, place, weekday, time, start },
            InstantSeen { what, missing, is_constant },
        )
    }

    /// Kinds and widths of the blocks.
    pub(crate) fn layout(&self) -> Vec<(BlockKind, usize, bool)> {
        self.parts().flat_map(ShapeEncoder::layout).collect()
    }

    /// Encodes one row into slots that are all 0.
    pub(crate) fn write(&self, dates: Dates<'_>, row: usize, slot_row: usize, slots: &mut BlockSlots<'_>) -> PrepTally {
        let own = moment(dates.own, row as u32);
        let of = self.parts_of();
        let base = dates.after.map(|(_, base)| moment(base, row as u32));
        let place = match (own, base) {
            (Some(own), None) => Some(of.day(own)),
            (Some(own), Some(Some(base))) => Some(of.after(own, base)),
            _ => None,
        };
        let is_beyond =
            self.after.is_none() && place.is_some_and(|place| !(self.range[0]..=self.range[1]).contains(&place));
        let is_unknown = place.is_none() && own.is_some();
        let mut at = 0;
        if is_beyond || is_unknown {
            self.place.hide(slot_row, at, slots);
        } else {
            self.place.write(place.map(|place| place as f64), slot_row, at, slots);
        }
        at += self.place.width();
        if let Some(part) = &self.weekday {
            part.write(own.map(|t| weekday(t) as f64), slot_row, at, slots);
            at += part.width();
        }
        if let Some(part) = &self.time {
            part.write(own.map(|t| of.time(t) as f64), slot_row, at, slots);
        }
        PrepTally { missing: u64::from(own.is_none()), ..PrepTally::default() }
    }

    /// The most probable date, given the one that it comes after.
    pub(crate) fn read(&self, features: &[f32], base: Option<i64>) -> Option<i64> {
        let mut at = 0;
        let mut next = |part: &ShapeEncoder| {
            let value = part.read(&features[at..at + part.width()]);
            at += part.width();
            value
        };
        let place = next(&self.place);
        let weekday = self.weekday.as_ref().and_then(&mut next);
        let time = self.time.as_ref().and_then(&mut next);
        self.joined(place?, weekday, time, base)
    }

    /// Samples a date, given the one that it comes after, in place; `noise` is that of the inputs.
    pub(crate) fn draw(
        &self,
        features: &mut [f32],
        noise: &[f32],
        base: Option<i64>,
        stream: &mut Stream,
    ) -> Option<i64> {
        let mut at = 0;
        let mut next = |part: &ShapeEncoder, range: [f64; 2]| {
            let slots = at..at + part.width();
            at = slots.end;
            let noise = noise.get(slots.start).copied().unwrap_or(0.0);
            part.draw(&mut features[slots], noise, |x| x.round().clamp(range[0], range[1]), stream)
        };
        let place = next(&self.place, self.range.map(|place| place as f64));
        let weekday = self.weekday.as_ref().and_then(|part| next(part, [0.0, 6.0]));
        let time = self.time.as_ref().and_then(|part| next(part, [0.0, (DAY / self.step - 1) as f64]));
        self.joined(place?, weekday, time, base)
    }

    /// As far as it is told: the date, or how long after the other one.
    pub(crate) fn told(&self, place: Option<i64>, own: Option<i64>) -> Cell {
        match (&self.after, place, own) {
            (Some(after), Some(place), _) => {
                Cell::Time(format!("{} after `{after}`", SignedDurationText(place.saturating_mul(self.unit))))
            }
            (None, _, Some(own)) => Cell::Instant(own),
            _ => Cell::Missing,
        }
    }

    /// The date expected by these outputs, for reasons.
    pub(crate) fn expected(&self, features: &[f32]) -> Cell {
        match &self.after {
            Some(_) => self.told(self.place.read(&features[..self.place.width()]).map(|x| x.round() as i64), None),
            None => self.told(None, self.read(features, None)),
        }
    }

    /// The date of a row, for reasons.
    pub(crate) fn observed(&self, dates: Dates<'_>, row: usize) -> Cell {
        let own = moment(dates.own, row as u32);
        let base = dates.after.and_then(|(_, base)| moment(base, row as u32));
        let place = own.zip(base).map(|(own, base)| self.parts_of().after(own, base));
        match (place, own) {
            (None, Some(own)) => Cell::Instant(own),
            (place, own) => self.told(place, own),
        }
    }

    fn joined(&self, place: f64, weekday: Option<f64>, time: Option<f64>, base: Option<i64>) -> Option<i64> {
        let place = (place.round() as i64).clamp(self.range[0], self.range[1]);
        let time = time
            .map_or(0, |time| (time.round() as i64).saturating_add(self.start).rem_euclid(DAY / self.step) * self.step);
        if self.after.is_none() {
            let day = weekday.map_or(place, |wanted| self.moved(place, (wanted as i64).rem_euclid(7)));
            return day.checked_mul(DAY)?.checked_add(time);
        }
        let base = base?;
        let own = match self.unit < DAY {
            true => base.checked_add(place.checked_mul(self.unit)?)?,
            false => base.div_euclid(DAY).checked_add(place)?.checked_mul(DAY)?.checked_add(time)?,
        };
        let own = own.clamp(self.dates[0], self.dates[1]);
        // On the same day, and at the end of the range, the order could be lost.
        let least = if self.step == DAY { base.div_euclid(DAY).saturating_mul(DAY) } else { base };
        if self.range[0] < 0 || own >= least {
            return Some(own);
        }
        least.checked_add(least.wrapping_neg().rem_euclid(self.step))
    }

    /// The nearest day that is this day of the week, within the range.
    fn moved(&self, day: i64, wanted: i64) -> i64 {
        let by = (wanted - weekday_of(day) + 3).rem_euclid(7) - 3;
        let moved = [day.saturating_add(by), day.saturating_add(by - 7 * by.signum())];
        moved.into_iter().find(|day| (self.range[0]..=self.range[1]).contains(day)).unwrap_or(day)
    }

    /// What a date is taken apart into, in the order of the inputs.
    pub(crate) fn parts(&self) -> impl Iterator<Item = &ShapeEncoder> {
        std::iter::once(&self.place).chain(&self.weekday).chain(&self.time)
    }

    fn parts_of(&self) -> InstantParts {
        InstantParts { unit: self.unit, step: self.step, start: self.start }
    }
}

/// For each datetime column the one that it is encoded after: the nearest that is never later in these rows.
pub(crate) fn orders(columns: &[(&str, &TimestampMicrosecondArray)], rows: &[u32]) -> Vec<Option<usize>> {
    let usual: Vec<i64> = columns
        .iter()
        .map(|(_, array)| {
            let mut known: Vec<i64> = rows.iter().filter_map(|row| moment(array, *row)).collect();
            known.sort_unstable();
            known.get(known.len() / 2).copied().unwrap_or(0)
        })
        .collect();
    let is_day = |array: &TimestampMicrosecondArray| {
        rows.iter().filter_map(|row| moment(array, *row)).all(|t| t.rem_euclid(DAY) == 0)
    };
    // A day is not before a time on that day.
    let days: Vec<bool> = columns.iter().map(|(_, array)| is_day(array)).collect();
    let gap_after = |own: usize, base: usize| {
        let distance = |row: &u32| {
            let (own_t, base_t) = (moment(columns[own].1, *row)?, moment(columns[base].1, *row)?);
            let base_t = if days[own] { base_t.div_euclid(DAY).saturating_mul(DAY) } else { base_t };
            Some(own_t.saturating_sub(base_t))
        };
        let mut gaps: Vec<i64> = rows.iter().filter_map(distance).collect();
        let is_ordered = gaps.len() >= FEWEST_ORDERED && gaps.iter().all(|gap| *gap >= 0);
        // A cell whose other date is missing could not be read back.
        let is_whole =
            rows.iter().all(|row| columns[own].1.is_null(*row as usize) || columns[base].1.is_valid(*row as usize));
        gaps.sort_unstable();
        (is_ordered && is_whole).then(|| gaps[gaps.len() / 2])
    };
    let base_of = |own: usize| {
        let earlier = (0..columns.len()).filter(|base| (usual[*base], *base) < (usual[own], own));
        earlier.filter_map(|base| Some((gap_after(own, base)?, base))).min().map(|(_, base)| base)
    };
    (0..columns.len()).map(base_of).collect()
}

/// How a moment is taken apart.
#[derive(Clone, Copy)]
struct InstantParts {
    unit: i64,
    step: i64,
    start: i64,
}

impl InstantParts {
    fn day(self, t: i64) -> i64 {
        t.div_euclid(DAY)
    }

    fn after(self, own: i64, base: i64) -> i64 {
        if self.unit == DAY { self.day(own) - self.day(base) } else { own.saturating_sub(base).div_euclid(self.unit) }
    }

    /// The time of day in steps from the start on.
    fn time(self, t: i64) -> i64 {
        (t.rem_euclid(DAY) / self.step - self.start).rem_euclid(DAY / self.step)
    }
}

fn moment(array: &TimestampMicrosecondArray, row: u32) -> Option<i64> {
    array.is_valid(row as usize).then(|| array.value(row as usize))
}

fn gap(own: &TimestampMicrosecondArray, base: &TimestampMicrosecondArray, row: u32) -> Option<i64> {
    Some(moment(own, row)?.saturating_sub(moment(base, row)?))
}

/// The step of the day at which the longest pause of all times ends.
fn emptiest(times: impl Iterator<Item = i64>, steps: i64) -> i64 {
    let mut times: Vec<i64> = times.collect();
    times.sort_unstable();
    times.dedup();
    let Some((first, last)) = times.first().copied().zip(times.last().copied()) else { return 0 };
    let over_midnight = (first + steps - last, first);
    let pauses = times.windows(2).map(|pair| (pair[1] - pair[0], pair[1]));
    // At midnight unless another pause is longer.
    pauses.fold(over_midnight, |longest, pause| if pause.0 > longest.0 { pause } else { longest }).1
}

/// A point in time, as ISO 8601 has it.
pub(crate) fn iso(t: i64) -> String {
    let Ok(timestamp) = Timestamp::from_microsecond(t) else { return t.to_string() };
    let moment = Offset::UTC.to_datetime(timestamp);
    if t.rem_euclid(DAY) == 0 { moment.date().to_string() } else { moment.to_string().replace('T', " ") }
}

/// A duration in the largest unit that it is a whole number of, from days on.
struct SignedDurationText(i64);

impl std::fmt::Display for SignedDurationText {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            micros if micros % DAY == 0 => match micros / DAY {
                1 => f.write_str("1 day"),
                days => write!(f, "{days} days"),
            },
            micros => write!(f, "{:#}", SignedDuration::from_micros(micros)),
        }
    }
}

#[cfg(test)]
mod tests {
    use narrows_engine::rng::Purpose;

    use super::*;
    use crate::range::lit;

    const HOUR: i64 = DAY / 24;

    fn array(times: Vec<Option<i64>>) -> TimestampMicrosecondArray {
        TimestampMicrosecondArray::from(times)
    }

    fn write(instant: &InstantEncoder, dates: Dates<'_>, row: usize) -> (Vec<f32>, Vec<f32>) {
        let width = instant.layout().iter().map(|(_, width, _)| width).sum();
        let (mut input, mut target) = (vec![0.0; width], vec![0.0; width]);
        instant.write(dates, row, 0, &mut BlockSlots { input: &mut input, target: &mut target, width, start: 0 });
        (input, target)
    }

    /// Arrivals at full hours of the day over two years, and departures some nights later.
    fn stays(n: usize) -> (TimestampMicrosecondArray, TimestampMicrosecondArray) {
        let mut stream = Stream::new(1, Purpose::Sample, 0, 0);
        let mut arrive = || (19_000 + i64::from(stream.below(700))) * DAY + i64::from(9 + stream.below(9)) * HOUR;
        let arrivals: Vec<i64> = (0..n).map(|_| arrive()).collect();
        let departures = arrivals.iter().enumerate().map(|(i, t)| t.div_euclid(DAY) * DAY + (1 + i as i64 % 5) * DAY);
        (array(arrivals.iter().copied().map(Some).collect()), array(departures.map(Some).collect()))
    }

    #[test]
    fn dates_are_read_back_and_drawn_in_their_order_and_range() {
        let n = 1000;
        let (arrivals, departures) = stays(n);
        let rows: Vec<u32> = (0..n as u32).collect();
        let after = orders(&[("departure", &departures), ("arrival", &arrivals)], &rows);
        assert_eq!(after, [Some(1), None]);
        let clip = lit!(Positive, 1e3);
        let alone = Dates { own: &arrivals, after: None };
        let (arrival, _) = InstantEncoder::fit(alone, &rows, clip);
        let behind = Dates { own: &departures, after: Some(("arrival", &arrivals)) };
        let (departure, seen) = InstantEncoder::fit(behind, &rows, clip);
        assert!(seen.what.starts_with("how long after `arrival`"), "{}", seen.what);
        let mut stream = Stream::new(2, Purpose::Sample, 0, 0);
        for row in 0..n {
            let (own, next) = (arrivals.value(row), departures.value(row));
            assert_eq!(arrival.read(&write(&arrival, alone, row).0, None), Some(own), "{}", iso(own));
            let mut encoded = write(&departure, behind, row).0;
            assert_eq!(departure.read(&encoded, Some(own)), Some(next), "{}", iso(next));
            let mut outputs = write(&arrival, alone, row).0;
            let noise: Vec<f32> = outputs.iter().map(|_| stream.normal()).collect();
            let drawn = arrival.draw(&mut outputs, &noise, None, &mut stream).unwrap();
            assert!((19_000 * DAY..19_700 * DAY).contains(&drawn) && drawn % HOUR == 0, "{}", iso(drawn));
            let later = departure.draw(&mut encoded, &[], Some(drawn), &mut stream).unwrap();
            assert!(later > drawn - DAY && later % DAY == 0 && later <= 19_705 * DAY, "{} {}", iso(drawn), iso(later));
        }
        assert_eq!(departure.observed(behind, 1), Cell::Time("2 days after `arrival`".to_owned()));
        let text = serde_json::to_string(&departure).unwrap();
        assert_eq!(serde_json::from_str::<InstantEncoder>(&text).unwrap(), departure);
    }

    #[test]
    fn days_beyond_the_range_are_unobserved_and_missing_ones_are_missing() {
        let (arrivals, _) = stays(300);
        let rows: Vec<u32> = (0..300).collect();
        let (instant, _) = InstantEncoder::fit(Dates { own: &arrivals, after: None }, &rows, lit!(Positive, 1e3));
        let later = array(vec![Some(25_000 * DAY + 10 * HOUR), None]);
        let dates = Dates { own: &later, after: None };
        let (input, target) = write(&instant, dates, 0);
        assert!(input.iter().all(|x| x.is_finite()) && target[0].is_nan());
        assert!(target.iter().any(|x| !x.is_nan()), "day of the week and time of day are judged");
        assert!(write(&instant, dates, 1).1.iter().all(|x| x.is_nan()));
    }

    #[test]
    fn short_distances_keep_their_minutes() {
        let start: Vec<Option<i64>> = (0..200).map(|i| Some(i * 7 * HOUR)).collect();
        let end: Vec<Option<i64>> = (0..200).map(|i| Some(i * 7 * HOUR + (5 + i * i % 83) * 60_000_000)).collect();
        let (start, end) = (array(start), array(end));
        let rows: Vec<u32> = (0..200).collect();
        let dates = Dates { own: &end, after: Some(("start", &start)) };
        let (instant, _) = InstantEncoder::fit(dates, &rows, lit!(Positive, 1e3));
        let found = instant.read(&write(&instant, dates, 3).0, Some(start.value(3))).unwrap();
        assert!((found - end.value(3)).abs() <= 60_000_000, "{}", iso(found));
    }
}
