//! Points in time: dates, or numbers if time is counted in samples or seconds.

use std::fmt;

use jiff::Timestamp;

/// A point in time.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub enum Moment {
    /// Microseconds since 1970, UTC; shown as ISO 8601.
    Instant(i64),
    /// A number in the unit of the column.
    Number(f64),
}

impl Moment {
    /// Time since `earlier`: microseconds between dates, the difference of numbers, NaN for a date and a number.
    pub(crate) fn since(self, earlier: Moment) -> f64 {
        match (self, earlier) {
            (Moment::Instant(now), Moment::Instant(then)) => now.saturating_sub(then) as f64,
            (Moment::Number(now), Moment::Number(then)) => now - then,
            _ => f64::NAN,
        }
    }

    /// The moment later by this much, in the units of [`since`](Moment::since).
    pub(crate) fn after(self, difference: f64) -> Moment {
        match self {
            Moment::Instant(then) => Moment::Instant(then.saturating_add(difference.round() as i64)),
            Moment::Number(then) => Moment::Number(shortest(then + difference, then.abs())),
        }
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Moment::Instant(micros) => match Timestamp::from_microsecond(*micros) {
                Ok(timestamp) => timestamp.fmt(f),
                // A typed column may hold times outside the calendar's range.
                Err(_) => write!(f, "{micros} us after 1970"),
            },
            Moment::Number(number) => number.fmt(f),
        }
    }
}

/// The shortest decimal equal to `x` up to rounding at `magnitude`: 0.1 instead of 0.3 - 0.2.
pub(crate) fn shortest(x: f64, magnitude: f64) -> f64 {
    let tolerance = 4.0 * f64::EPSILON * magnitude.max(x.abs());
    let decimals = (0..17).filter_map(|digits| format!("{x:.digits$e}").parse::<f64>().ok());
    decimals.into_iter().find(|short| (short - x).abs() <= tolerance).unwrap_or(x)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_shown_as_iso_8601_and_numbers_plainly() {
        assert_eq!(Moment::Instant(1_441_108_500_000_000).to_string(), "2015-09-01T11:55:00Z");
        assert_eq!(Moment::Instant(250_000).to_string(), "1970-01-01T00:00:00.25Z");
        assert_eq!(Moment::Instant(i64::MAX).to_string(), "9223372036854775807 us after 1970");
        assert_eq!(Moment::Number(7.0).to_string(), "7");
    }

    #[test]
    fn differences_are_exact_between_dates_and_short_between_numbers() {
        let late = Moment::Instant(253_402_207_200_000_001);
        assert_eq!(late.since(Moment::Instant(253_402_207_200_000_000)), 1.0);
        assert_eq!(Moment::Instant(i64::MAX).since(Moment::Instant(i64::MIN)), i64::MAX as f64);
        assert!(Moment::Number(1.0).since(Moment::Instant(0)).is_nan());
        assert_eq!(Moment::Number(0.1).after(0.2).to_string(), "0.3");
        assert_eq!(Moment::Instant(3).after(1.6), Moment::Instant(5));
    }

    #[test]
    fn only_what_rounding_added_is_taken_away() {
        assert_eq!(shortest(0.3 - 0.2, 0.3), 0.1);
        assert_eq!(shortest(1_700_000_000.1 - 1_700_000_000.0, 1.7e9), 0.1);
        assert_eq!(shortest(0.123_456_789, 1.0), 0.123_456_789);
        assert!((shortest(1.0 / 3.0, 1.0) - 1.0 / 3.0).abs() < 1e-15);
        assert_eq!(shortest(0.0, 1.0), 0.0);
    }
}
