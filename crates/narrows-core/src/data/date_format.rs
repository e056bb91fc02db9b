//! How the dates of a column are written. ISO 8601 has no format.

use std::fmt;
use std::str::FromStr;

use jiff::fmt::strtime;
use jiff::tz::Offset;
use serde::{Deserialize, Serialize};

use super::clock_text::time_of_day;
use super::date_text::{DateOrder, DateText, compact};
use super::token::{self, Instant};
use crate::error::{Error, Hint};

/// How the dates of a column are written.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DateFormat {
    /// Day, month, year: `31.01.2025 14:05`.
    DayFirst,
    /// Month, day, year: `1/31/2025 2:05 PM`.
    MonthFirst,
    /// Year, month, day: `2025/01/31`.
    YearFirst,
    /// Digits alone: `20250131`, `202501311405` or `20250131140500`.
    Compact,
    /// A time without a day: `17:24:00`.
    TimeOfDay,
    /// Seconds since 1970.
    EpochS,
    /// Milliseconds since 1970.
    EpochMs,
    /// Microseconds since 1970.
    EpochUs,
    /// Nanoseconds since 1970.
    EpochNs,
    /// A pattern of `strftime`, such as `%d.%m.%Y %H:%M`.
    Pattern(String),
}

/// The formats that are given by a word.
const WORDS: [(DateFormat, &str); 9] = [
    (DateFormat::DayFirst, "day-first"),
    (DateFormat::MonthFirst, "month-first"),
    (DateFormat::YearFirst, "year-first"),
    (DateFormat::Compact, "compact"),
    (DateFormat::TimeOfDay, "time-of-day"),
    (DateFormat::EpochS, "epoch-s"),
    (DateFormat::EpochMs, "epoch-ms"),
    (DateFormat::EpochUs, "epoch-us"),
    (DateFormat::EpochNs, "epoch-ns"),
];

/// What is read as a date without a word about it, for hints.
pub(crate) const KNOWN_DATES: &str = "dates are read in ISO 8601 (2024-03-12T14:20:00Z), as 31.01.2025 14:05, 1/31/2025 2:05 PM, 2025/01/31, \
     31-Jan-2025 or 20250131, and in other forms with [date_format=%d.%m.%Y]";

impl DateFormat {
    /// The date in a text; ISO 8601 is read beside day, month and year in any order. `text` is trimmed.
    pub(crate) fn read(&self, text: &str) -> Option<Instant> {
        let local = |micros| Instant { micros, is_zoned: false };
        let ordered = |order| match token::instant(text) {
            Some(instant) => Some(instant),
            None => {
                let date = DateText::of(text)?;
                Some(Instant { micros: date.moment(order)?, is_zoned: date.is_zoned })
            }
        };
        match self {
            DateFormat::DayFirst => ordered(DateOrder::DayMonthYear),
            DateFormat::MonthFirst => ordered(DateOrder::MonthDayYear),
            DateFormat::YearFirst => ordered(DateOrder::YearMonthDay),
            DateFormat::Compact => compact(text).map(local),
            DateFormat::TimeOfDay => time_of_day(text).map(local),
            DateFormat::EpochS | DateFormat::EpochMs | DateFormat::EpochUs | DateFormat::EpochNs => {
                self.read_number(token::number(text)?).map(local)
            }
            DateFormat::Pattern(pattern) => by_pattern(pattern, text),
        }
    }

    /// The date that a number denotes; `None` if dates are not written as numbers.
    pub(crate) fn read_number(&self, number: f64) -> Option<i64> {
        let micros = match self {
            DateFormat::EpochS => number * 1e6,
            DateFormat::EpochMs => number * 1e3,
            DateFormat::EpochUs => number,
            DateFormat::EpochNs => number / 1e3,
            DateFormat::Compact if number.fract() == 0.0 && (0.0..1e15).contains(&number) => {
                return compact(&format!("{number:.0}"));
            }
            _ => return None,
        };
        // As far as the calendar goes.
        (micros.abs() < 2.5e17).then_some(micros.round() as i64)
    }

    /// The order of day and month, if the format says no more.
    pub(super) fn of_order(order: DateOrder) -> DateFormat {
        match order {
            DateOrder::DayMonthYear => DateFormat::DayFirst,
            DateOrder::MonthDayYear => DateFormat::MonthFirst,
            DateOrder::YearMonthDay => DateFormat::YearFirst,
        }
    }
}

fn by_pattern(pattern: &str, text: &str) -> Option<Instant> {
    let parts = strtime::parse(pattern, text).ok()?;
    if let Ok(timestamp) = parts.to_timestamp() {
        return Some(Instant { micros: timestamp.as_microsecond(), is_zoned: true });
    }
    let day = match (parts.to_date(), parts.to_time()) {
        (Ok(date), Ok(time)) => date.to_datetime(time),
        (Ok(date), Err(_)) => date.to_datetime(jiff::civil::Time::midnight()),
        (Err(_), Ok(time)) => jiff::civil::date(1970, 1, 1).to_datetime(time),
        (Err(_), Err(_)) => return None,
    };
    let micros = Offset::UTC.to_timestamp(day).ok()?.as_microsecond();
    Some(Instant { micros, is_zoned: false })
}

impl fmt::Display for DateFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self, WORDS.iter().find(|(format, _)| format == self)) {
            (DateFormat::Pattern(pattern), _) => f.write_str(pattern),
            (_, Some((_, word))) => f.write_str(&word.replace('-', " ")),
            (_, None) => f.write_str("dates"),
        }
    }
}

impl FromStr for DateFormat {
    type Err = Error;

    fn from_str(text: &str) -> Result<DateFormat, Error> {
        let plain = text.trim();
        if let Some((format, _)) = WORDS.iter().find(|(_, word)| word.eq_ignore_ascii_case(plain)) {
            return Ok(format.clone());
        }
        // A sample is written with the pattern, so that an unknown directive is found before any data is read.
        let sample = jiff::civil::date(2025, 1, 31).at(14, 5, 0, 0).to_zoned(jiff::tz::TimeZone::UTC);
        let is_pattern =
            plain.contains('%') && sample.is_ok_and(|sample| jiff::fmt::strtime::format(plain, &sample).is_ok());
        if is_pattern {
            return Ok(DateFormat::Pattern(plain.to_owned()));
        }
        let words: Vec<&str> = WORDS.iter().map(|(_, word)| *word).collect();
        let message =
            format!("expected a pattern such as %d.%m.%Y %H:%M, or one of {}, got `{plain}`", words.join(", "));
        Err(Error::recipe("date_format", message).with_hint(Hint::of("for example [date_format=%d.%m.%Y]")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(format: DateFormat, text: &str, expected: Option<i64>) {
        assert_eq!(format.read(text).map(|instant| instant.micros), expected, "{text} as {format}");
    }

    #[test]
    fn every_format_reads_its_dates_and_no_others() {
        let day = 1_738_281_600_000_000; // 2025-01-31
        check(DateFormat::DayFirst, "31.01.2025", Some(day));
        check(DateFormat::DayFirst, "2025-01-31", Some(day));
        check(DateFormat::MonthFirst, "1/31/2025", Some(day));
        check(DateFormat::MonthFirst, "31/1/2025", None);
        check(DateFormat::Compact, "20250131", Some(day));
        check(DateFormat::TimeOfDay, "00:00:01", Some(1_000_000));
        check(DateFormat::EpochS, "1738281600", Some(day));
        check(DateFormat::EpochMs, "1738281600000", Some(day));
        check(DateFormat::EpochUs, "1738281600000000", Some(day));
        check(DateFormat::EpochNs, "1738281600000000000", Some(day));
        check(DateFormat::EpochS, "today", None);
        assert_eq!(DateFormat::Compact.read_number(20_250_131.0), Some(day));
        assert_eq!(DateFormat::DayFirst.read_number(1.0), None);
    }

    #[test]
    fn patterns_are_those_of_strftime() {
        let at = |text: &str| text.parse::<DateFormat>().unwrap();
        let afternoon = 1_738_332_300_000_000; // 2025-01-31T14:05:00Z
        check(at("%d.%m.%Y %H:%M"), "31.01.2025 14:05", Some(afternoon));
        check(at("%d.%m.%Y %H:%M"), "31/01/2025 14:05", None);
        check(at("%m/%d/%Y %I:%M %p"), "1/31/2025 2:05 PM", Some(afternoon));
        check(at("%d.%m.%Y %H:%M %z"), "31.01.2025 15:05 +0100", Some(afternoon));
        check(at("%Y%m%d"), "20250131", Some(afternoon - 50_700_000_000));
        check(at("%H:%M"), "00:01", Some(60_000_000));
        assert_eq!(at("Day-First"), DateFormat::DayFirst);
        for text in ["", "dd.mm.yyyy", "%d.%"] {
            assert!(text.parse::<DateFormat>().unwrap_err().to_string().contains("expected a pattern"), "{text}");
        }
    }

    #[test]
    fn a_format_goes_through_json() {
        for (format, expected) in
            [(DateFormat::EpochMs, r#""epoch_ms""#), (DateFormat::Pattern("%d".to_owned()), r#"{"pattern":"%d"}"#)]
        {
            let text = serde_json::to_string(&format).unwrap();
            assert_eq!(text, expected);
            assert_eq!(serde_json::from_str::<DateFormat>(&text).unwrap(), format);
        }
    }
}
