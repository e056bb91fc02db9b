//! A time of day taken apart: `14:05`, `2:05:30.5 PM`, `14:05:00 +01:00`.

/// Microseconds.
pub(super) const SECOND: i64 = 1_000_000;

/// A time of day.
#[derive(Debug, Default)]
pub(super) struct ClockText {
    pub(super) micros: i64,
    /// Microseconds east of UTC.
    pub(super) offset: Option<i64>,
    /// A year behind the time, as in `Fri Jan 31 14:05:00 2025`.
    pub(super) year: Option<i16>,
    /// Whether it is counted to twelve.
    pub(super) is_half_day: bool,
}

impl ClockText {
    pub(super) fn of(text: &str) -> Option<ClockText> {
        let (mut hour, rest) = number(text, 2)?;
        let (minute, mut rest) = number(rest.strip_prefix(':')?, 2)?;
        let (mut second, mut micros) = (0, 0);
        if let Some(after) = rest.strip_prefix(':') {
            (second, rest) = number(after, 2)?;
            if let Some(after) = rest.strip_prefix(['.', ',']) {
                let digits = after.bytes().take_while(u8::is_ascii_digit).count();
                let fraction: f64 = format!("0.{}", &after[..digits]).parse().ok()?;
                micros = (fraction * 1e6) as i64;
                rest = &after[digits..];
            }
        }
        let mut is_half_day = false;
        rest = rest.trim_start();
        let half = rest.get(..2).map(str::to_ascii_lowercase);
        if let Some(is_late) = half.and_then(|half| ["am", "pm"].iter().position(|other| *other == half)) {
            if !(1..=12).contains(&hour) {
                return None;
            }
            hour = hour % 12 + 12 * is_late as i64;
            rest = rest[2..].trim_start();
            is_half_day = true;
        }
        if hour > 23 || minute > 59 || second > 60 {
            return None;
        }
        let mut clock = ClockText {
            micros: (3600 * hour + 60 * minute + second) * SECOND + micros,
            offset: None,
            year: None,
            is_half_day,
        };
        for word in rest.split_ascii_whitespace() {
            match offset(word) {
                Some(offset) if clock.offset.is_none() => clock.offset = Some(offset),
                _ if clock.year.is_none() && word.len() == 4 => clock.year = Some(word.parse().ok()?),
                _ => return None,
            }
        }
        Some(clock)
    }
}

/// The offset from UTC in microseconds: `Z`, `UTC`, `+02:00`, `-0500`, `+01`.
fn offset(word: &str) -> Option<i64> {
    if ["z", "utc", "gmt"].iter().any(|zero| word.eq_ignore_ascii_case(zero)) {
        return Some(0);
    }
    let sign = match word.as_bytes().first()? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let digits = word[1..].replacen(':', "", 1);
    let (hours, minutes) = match digits.len() {
        2 => (digits.parse::<i64>().ok()?, 0),
        4 => (digits[..2].parse::<i64>().ok()?, digits[2..].parse::<i64>().ok()?),
        _ => return None,
    };
    (hours <= 14 && minutes <= 59).then_some(sign * (3600 * hours + 60 * minutes) * SECOND)
}

/// A number of at most `most` digits, and what follows.
fn number(text: &str, most: usize) -> Option<(i64, &str)> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    if digits == 0 || digits > most {
        return None;
    }
    Some((text[..digits].parse().ok()?, &text[digits..]))
}

/// A time of day alone, such as `17:24:00` or `5:24 PM`, in microseconds since midnight.
pub(super) fn time_of_day(text: &str) -> Option<i64> {
    let clock = ClockText::of(text)?;
    (clock.offset.is_none() && clock.year.is_none()).then_some(clock.micros)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_day_are_counted_to_twelve_or_to_twenty_four() {
        assert_eq!(time_of_day("17:24:00"), Some(62_640 * SECOND));
        assert_eq!(time_of_day("5:24 PM"), Some(62_640 * SECOND));
        assert_eq!(time_of_day("25:00"), None);
        assert_eq!(time_of_day("36:15:00"), None);
    }

    #[test]
    fn offsets_are_counted_east_of_utc() {
        let offset = |text: &str| ClockText::of(text).unwrap().offset;
        assert_eq!(offset("14:05Z"), Some(0));
        assert_eq!(offset("14:05 +01:00"), Some(3600 * SECOND));
        assert_eq!(offset("14:05:00 -0530"), Some(-19_800 * SECOND));
        assert_eq!(offset("14:05"), None);
        assert!(ClockText::of("14:05 +99:00").is_none());
        assert_eq!(ClockText::of("14:05:00 2025").unwrap().year, Some(2025));
    }
}
