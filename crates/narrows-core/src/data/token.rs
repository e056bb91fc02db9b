//! Parsing one text cell as missing value, number, boolean or moment.
//!
//! Strict on purpose: `1,000` is not a number and `01/02/2024` is not a date, because a cell alone does not say which;
//! the column does, see `number_format.rs` and `date_format.rs`.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::Offset;

/// Whether the text denotes a missing cell. `text` is trimmed.
pub(crate) fn is_missing(text: &str) -> bool {
    const TOKENS: [&str; 8] = ["na", "n/a", "nan", "null", "none", "?", "#n/a", "<na>"];
    text.is_empty()
        || (text.len() <= 4 && (text == "??" || TOKENS.iter().any(|token| text.eq_ignore_ascii_case(token))))
}

/// The number; NaN for `nan`, infinite for `inf`. `text` is trimmed.
pub(crate) fn number(text: &str) -> Option<f64> {
    // Fast path: most cells that are not numbers fail on their first byte.
    match text.as_bytes().first()? {
        b'0'..=b'9' | b'+' | b'-' | b'.' | b'i' | b'I' | b'n' | b'N' => text.parse().ok(),
        _ => None,
    }
}

/// The value of `true`, `yes`, `t`, `y` and their opposites, in any case. `text` is trimmed.
pub(crate) fn flag(text: &str) -> Option<bool> {
    if text.len() > 5 {
        return None;
    }
    let is = |words: [&str; 4]| words.iter().any(|word| text.eq_ignore_ascii_case(word));
    if is(["true", "yes", "t", "y"]) {
        Some(true)
    } else if is(["false", "no", "f", "n"]) {
        Some(false)
    } else {
        None
    }
}

/// The ISO 8601 date or datetime in microseconds since 1970, UTC; UTC without a zone. `text` is trimmed.
pub(crate) fn moment(text: &str) -> Option<i64> {
    let bytes = text.as_bytes();
    // Fast path: only text that starts like `2024-` is parsed.
    if bytes.len() < 8 || bytes[4] != b'-' || !bytes[..4].iter().all(u8::is_ascii_digit) {
        return None;
    }
    let timestamp = if bytes.len() == 10 {
        Offset::UTC.to_timestamp(text.parse::<Date>().ok()?.to_datetime(jiff::civil::Time::midnight())).ok()?
    } else if let Ok(timestamp) = text.parse::<Timestamp>() {
        timestamp
    } else if text.ends_with(']') {
        // A zone given by name only, such as `[Europe/Paris]`: it would be ignored and the time read as UTC.
        return None;
    } else {
        Offset::UTC.to_timestamp(text.parse::<DateTime>().ok()?).ok()?
    };
    Some(timestamp.as_microsecond())
}

/// A point in time, in microseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Instant {
    pub(crate) micros: i64,
    /// Whether the text names an offset from UTC.
    pub(crate) is_zoned: bool,
}

/// As [`moment`], with whether the time has an offset from UTC.
pub(crate) fn instant(text: &str) -> Option<Instant> {
    let micros = moment(text)?;
    // After the date a time without an offset has none of these bytes, so it is not parsed again.
    let may = text.bytes().skip(10).any(|byte| matches!(byte, b'Z' | b'z' | b'+' | b'-'));
    Some(Instant { micros, is_zoned: may && text.parse::<Timestamp>().is_ok() })
}

/// Whether the text is a UUID: 8-4-4-4-12 hexadecimal digits.
pub(crate) fn is_uuid(text: &str) -> bool {
    let dash = |i: usize| matches!(i, 8 | 13 | 18 | 23);
    text.len() == 36
        && text.bytes().enumerate().all(|(i, byte)| if dash(i) { byte == b'-' } else { byte.is_ascii_hexdigit() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_tokens_are_known_in_any_case() {
        for text in ["", "NA", "na", "NaN", "nan", "null", "NULL", "None", "?", "??", "N/A", "#N/A", "<NA>"] {
            assert!(is_missing(text), "{text}");
        }
        for text in ["0", "nano", "-", "missing", "none of it"] {
            assert!(!is_missing(text), "{text}");
        }
    }

    #[test]
    fn numbers_are_plain_numbers() {
        for (text, value) in [("1", 1.0), ("-2.5e3", -2500.0), (".5", 0.5), ("+7", 7.0), ("inf", f64::INFINITY)] {
            assert_eq!(number(text), Some(value), "{text}");
        }
        for text in ["", "1,000", "1 000", "abc", "12a", "0x10", "1,5", "None", "e5"] {
            assert_eq!(number(text), None, "{text}");
        }
    }

    #[test]
    fn words_of_truth_are_known_and_digits_are_not() {
        assert_eq!(flag("True"), Some(true));
        assert_eq!(flag("NO"), Some(false));
        assert_eq!(flag("t"), Some(true));
        assert_eq!(flag("1"), None);
        assert_eq!(flag("maybe"), None);
    }

    #[test]
    fn moments_are_iso_dates_with_or_without_time_and_zone() {
        let day = 1_710_201_600_000_000; // 2024-03-12
        assert_eq!(moment("2024-03-12"), Some(day));
        assert_eq!(moment("2024-03-12 00:00:01"), Some(day + 1_000_000));
        assert_eq!(moment("2024-03-12T02:00:00+02:00"), Some(day));
        assert_eq!(moment("2024-03-12T00:00:00.5Z"), Some(day + 500_000));
        assert_eq!(moment("2024-03-12T01:00:00+01:00[Europe/Paris]"), Some(day));
        for text in ["12/03/2024", "2024-13-01", "20240312", "2024", "2024-03-12x", "1234-5678"] {
            assert_eq!(moment(text), None, "{text}");
        }
        assert_eq!(moment("2024-03-12T00:00:00[Europe/Paris]"), None);
    }

    #[test]
    fn uuids_are_told_from_other_text() {
        assert!(is_uuid("123e4567-e89b-12d3-a456-426614174000"));
        assert!(!is_uuid("123e4567-e89b-12d3-a456-42661417400g"));
    }
}
