//! One text taken apart as a date in any common form: `31.01.2025 14:05`, `1/31/2025 6:00:00 AM`, `31-Jan-2025`,
//! `Jan 31, 2025`, `2025/01/31`, `Fri, 31 Jan 2025 14:05:00 +0100`.
//!
//! `03/04/2025` is ambiguous, so a text gives a date for each order of day, month and year that it allows; the whole
//! column decides. Times without an offset are read as UTC.

use jiff::civil::{Date, Time};
use jiff::tz::Offset;

use super::clock_text::{ClockText, SECOND};
use super::month_names::{is_weekday, month_of};

/// Longest text that is taken apart.
const LONGEST: usize = 48;
/// Two-digit years from this one on belong to the last century, as in POSIX.
const PIVOT: i16 = 69;

/// The order of day, month and year in dates of digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum DateOrder {
    DayMonthYear,
    MonthDayYear,
    YearMonthDay,
}

impl DateOrder {
    pub(super) const ALL: [DateOrder; 3] = [DateOrder::DayMonthYear, DateOrder::MonthDayYear, DateOrder::YearMonthDay];
}

/// A date with an optional time of day and offset.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct DateText {
    day: Day,
    /// Microseconds since midnight, less the offset.
    time: i64,
    /// Whether the time has an offset from UTC.
    pub(super) is_zoned: bool,
    /// Whether the time of day is counted to twelve.
    pub(super) is_half_day: bool,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Day {
    /// The same in every order.
    Known(Date),
    /// Day and month in one order or the other, then the year.
    Either { first: i8, second: i8, year: i16 },
    /// Two digits each.
    Short([i8; 3]),
}

impl DateText {
    /// The parts; `None` if the text is not a date.
    pub(super) fn of(text: &str) -> Option<DateText> {
        if text.len() > LONGEST || text.len() < 6 || !text.is_char_boundary(6) {
            return None;
        }
        if let Some(extended) = extended(text) {
            return DateText::of(&extended);
        }
        let (date, time) = split(text);
        let mut clock = match time {
            Some(time) => ClockText::of(time)?,
            None => ClockText::default(),
        };
        let day = day_of(date, clock.year.take())?;
        Some(DateText {
            day,
            time: clock.micros - clock.offset.unwrap_or(0),
            is_zoned: clock.offset.is_some(),
            is_half_day: clock.is_half_day,
        })
    }

    /// Microseconds since 1970 if the date is written in this order; `None` if that gives no date.
    pub(super) fn moment(&self, order: DateOrder) -> Option<i64> {
        let date = match (self.day, order) {
            (Day::Known(date), _) => date,
            (Day::Either { first, second, year }, DateOrder::DayMonthYear) => Date::new(year, second, first).ok()?,
            (Day::Either { first, second, year }, DateOrder::MonthDayYear) => Date::new(year, first, second).ok()?,
            (Day::Either { .. }, DateOrder::YearMonthDay) => return None,
            (Day::Short([a, b, c]), DateOrder::DayMonthYear) => Date::new(century(c), b, a).ok()?,
            (Day::Short([a, b, c]), DateOrder::MonthDayYear) => Date::new(century(c), a, b).ok()?,
            (Day::Short([a, b, c]), DateOrder::YearMonthDay) => Date::new(century(a), b, c).ok()?,
        };
        let midnight = Offset::UTC.to_timestamp(date.to_datetime(Time::midnight())).ok()?;
        midnight.as_microsecond().checked_add(self.time)
    }
}

/// The date in 8 digits, with the time in 4 or 6 more: `20250131`, `20250131140500`.
pub(super) fn compact(digits: &str) -> Option<i64> {
    if !matches!(digits.len(), 8 | 12 | 14) || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let part = |from: usize, to: usize| digits.get(from..to).map_or(Some(0), |part| part.parse::<i64>().ok());
    let (year, month, day) = (part(0, 4)?, part(4, 6)?, part(6, 8)?);
    let (hour, minute, second) = (part(8, 10)?, part(10, 12)?, part(12, 14)?);
    if !(1800..=2200).contains(&year) || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let date = Date::new(year as i16, month as i8, day as i8).ok()?;
    let midnight = Offset::UTC.to_timestamp(date.to_datetime(Time::midnight())).ok()?;
    Some(midnight.as_microsecond() + (3600 * hour + 60 * minute + second) * SECOND)
}

/// The extended format of ISO 8601 for a text in the basic one, `20250131T140500Z`.
fn extended(text: &str) -> Option<String> {
    let (date, time) = text.split_once(['T', 't'])?;
    let digits = time.bytes().take_while(u8::is_ascii_digit).count();
    if date.len() != 8 || !date.bytes().all(|byte| byte.is_ascii_digit()) || !matches!(digits, 4 | 6) {
        return None;
    }
    let (hour, rest) = time.split_at(2);
    let (minute, rest) = rest.split_at(2);
    let second = if digits == 6 { ":" } else { "" };
    Some(format!("{}-{}-{} {hour}:{minute}{second}{rest}", &date[..4], &date[4..6], &date[6..]))
}

/// The date, and the time of day from its hours on.
fn split(text: &str) -> (&str, Option<&str>) {
    let Some(colon) = text.find(':') else { return (text, None) };
    let digits = text[..colon].bytes().rev().take_while(u8::is_ascii_digit).count();
    // As in the logs of web servers, 31/Jan/2025:14:05:00.
    let start = if digits > 2 { colon + 1 } else { colon - digits };
    let date = text[..start].trim_end_matches([' ', 'T', 't', ',', ':', '-', '_']);
    (date, Some(&text[start..]))
}

/// The day of a date; `year` if it stands elsewhere.
fn day_of(text: &str, year: Option<i16>) -> Option<Day> {
    let mut numbers: [(i16, usize); 3] = [(0, 0); 3];
    let mut n = 0;
    let mut month: Option<(i8, usize)> = None;
    let mut marks: [Option<char>; 2] = [None; 2];
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        if c.is_ascii_digit() {
            let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
            if n == 3 || digits == 3 || (digits > 4 && digits != 8) {
                return None;
            }
            if digits == 8 {
                return (text.len() == 8).then(|| compact_day(text)).flatten().map(Day::Known);
            }
            numbers[n] = (rest[..digits].parse().ok()?, digits);
            n += 1;
            rest = &rest[digits..];
        } else if c.is_alphabetic() {
            let length = rest.find(|c: char| !c.is_alphabetic()).unwrap_or(rest.len());
            let word = rest[..length].to_lowercase();
            match month_of(&word) {
                Some(found) if month.is_none() => month = Some((found, n)),
                _ if is_weekday(&word) && n == 0 => {}
                _ if n > 0 && matches!(word.as_str(), "st" | "nd" | "rd" | "th" | "de" | "of") => {}
                _ => return None,
            }
            rest = &rest[length..];
        } else if matches!(c, '/' | '.' | '-' | ' ' | ',') {
            if (1..=2).contains(&n) && (c != ' ' || marks[n - 1].is_none()) {
                marks[n - 1] = Some(c);
            }
            rest = &rest[1..];
        } else {
            return None;
        }
    }
    if let Some(year) = year {
        if n == 3 {
            return None;
        }
        numbers[n] = (year, 4);
        n += 1;
    }
    let known = |year: i16, month: i16, day: i16| {
        let is_year = (1000..=2999).contains(&year);
        Date::new(year, month.try_into().ok()?, day.try_into().ok()?).ok().filter(|_| is_year).map(Day::Known)
    };
    if let Some((month, place)) = month {
        let month = i16::from(month);
        return match (&numbers[..n], place) {
            ([(year, 4), (day, 1 | 2)], _) | ([(day, 1 | 2), (year, 4)], _) => known(*year, month, *day),
            // 31-Jan-25
            ([(day, 1 | 2), (year, 2)], 1) => known(century(*year as i8), month, *day),
            ([(year, 4)], _) => known(*year, month, 1),
            _ => None,
        };
    }
    let is_mark = |mark: Option<char>| matches!(mark, Some('/' | '.' | '-'));
    match &numbers[..n] {
        [(year, 4), (month, 1 | 2), (day, 1 | 2)] if is_mark(marks[0]) && marks[0] == marks[1] => {
            known(*year, *month, *day)
        }
        [(a, 1 | 2), (b, 1 | 2), (year, 4)] if is_mark(marks[0]) && marks[0] == marks[1] => {
            (1000..=2999).contains(year).then_some(Day::Either { first: *a as i8, second: *b as i8, year: *year })
        }
        [(a, first), (b, second), (c, 2)] if is_mark(marks[0]) && marks[0] == marks[1] => {
            // 1.2.10 is a version more often than a date.
            let is_full = marks[0] == Some('/') || (*first == 2 && *second == 2);
            (*first <= 2 && *second <= 2 && is_full).then_some(Day::Short([*a as i8, *b as i8, *c as i8]))
        }
        [(year, 4), (month, 1 | 2)] | [(month, 1 | 2), (year, 4)] if is_mark(marks[0]) => {
            known(*year, *month, 1).filter(|_| (1800..=2200).contains(year))
        }
        _ => None,
    }
}

fn compact_day(text: &str) -> Option<Date> {
    compact(text)?;
    Date::new(text[..4].parse().ok()?, text[4..6].parse().ok()?, text[6..8].parse().ok()?).ok()
}

fn century(year: i8) -> i16 {
    let year = i16::from(year);
    if year >= PIVOT { 1900 + year } else { 2000 + year }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    fn shown(micros: Option<i64>) -> String {
        micros.map_or("-".to_owned(), |t| Timestamp::from_microsecond(t).unwrap().to_string())
    }

    fn check(text: &str, order: DateOrder, expected: &str) {
        assert_eq!(shown(DateText::of(text).and_then(|date| date.moment(order))), expected, "{text}");
    }

    #[test]
    fn dates_of_digits_depend_on_the_order() {
        use DateOrder::{DayMonthYear, MonthDayYear, YearMonthDay};
        check("03/04/2025", DayMonthYear, "2025-04-03T00:00:00Z");
        check("03/04/2025", MonthDayYear, "2025-03-04T00:00:00Z");
        check("13/04/2025", MonthDayYear, "-");
        check("1/31/2015 6:00:00 AM", MonthDayYear, "2015-01-31T06:00:00Z");
        check("1/31/2015 12:30 AM", MonthDayYear, "2015-01-31T00:30:00Z");
        check("1/31/2015 12:30pm", MonthDayYear, "2015-01-31T12:30:00Z");
        check("31.01.2025 14:05", DayMonthYear, "2025-01-31T14:05:00Z");
        check("31.01.25", DayMonthYear, "2025-01-31T00:00:00Z");
        check("25/01/31", YearMonthDay, "2025-01-31T00:00:00Z");
        check("31-12-1999 23:59:59.25", DayMonthYear, "1999-12-31T23:59:59.25Z");
        check("31.01.2025, 14:05:00,5", DayMonthYear, "2025-01-31T14:05:00.5Z");
    }

    #[test]
    fn dates_with_names_and_with_the_year_in_front_are_the_same_in_every_order() {
        for text in [
            "2025/01/31",
            "2025.01.31",
            "31-Jan-2025",
            "31 January 2025",
            "Jan 31, 2025",
            "January 31st, 2025",
            "31-jan-25",
            "2025-Jan-31",
            "31. Januar 2025",
            "31 janv. 2025",
            "Fri, 31 Jan 2025",
            "20250131 00:00",
            "2025-01-31T00:00",
            "Fri Jan 31 00:00:00 2025",
            "31/Jan/2025:00:00:00 +0000",
            "2025/1/31 0:00 Z",
            "31/Jan/2025 02:00:00 +02:00",
        ] {
            for order in DateOrder::ALL {
                check(text, order, "2025-01-31T00:00:00Z");
            }
        }
        check("2025/01", DateOrder::DayMonthYear, "2025-01-01T00:00:00Z");
        check("Mar 2025", DateOrder::DayMonthYear, "2025-03-01T00:00:00Z");
    }

    #[test]
    fn what_is_no_date_is_none() {
        for text in [
            "1.2.10",
            "10.0.0.1",
            "2024-13-01",
            "32/01/2025",
            "B-00001",
            "12:30",
            "1/2",
            "99999999",
            "a 3 2024 b",
            "3/4/05/06",
            "2024",
            "hello world",
            "17:24:00",
            "1-2-3",
            "2025-01-31T25:00",
            "31/01/2025 13:00 PM",
            "2024-05-06-07",
        ] {
            assert!(
                DateText::of(text).is_none_or(|date| DateOrder::ALL.iter().all(|o| date.moment(*o).is_none())),
                "{text}"
            );
        }
    }

    #[test]
    fn compact_dates_are_read() {
        assert_eq!(shown(compact("20250131")), "2025-01-31T00:00:00Z");
        assert_eq!(shown(compact("20250131140500")), "2025-01-31T14:05:00Z");
        assert_eq!(compact("20251331"), None);
        let basic = |text: &str| DateText::of(text).unwrap().moment(DateOrder::YearMonthDay);
        for text in ["20250131T140500", "20250131T140500Z", "20250131T1405", "20250131T150500+01:00"] {
            assert_eq!(shown(basic(text)), "2025-01-31T14:05:00Z", "{text}");
        }
        assert_eq!(compact("99990131"), None);
    }

    #[test]
    fn an_offset_is_noticed() {
        assert!(DateText::of("31/Jan/2025 02:00:00 +0200").unwrap().is_zoned);
        assert!(!DateText::of("31.01.2025 02:00:00").unwrap().is_zoned);
        assert!(DateText::of("1/31/2025 2:00:00 AM").unwrap().is_half_day);
    }
}
