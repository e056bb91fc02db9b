//! Parses time limits such as `30s`, `5m`, `1h`.

use std::time::Duration;

use narrows_core::Error;

use crate::failure::Failure;

/// The longest accepted time, one year.
const LONGEST: f64 = 365.25 * 24.0 * 3600.0;

/// Parses a number with a unit.
pub(super) fn parse(text: &str) -> Result<Duration, Failure> {
    let wrong = || Error::recipe("--time-limit", format!("expected a time such as 30s, 5m or 1h, got `{text}`"));
    let text = text.trim();
    let unit = match text.chars().last() {
        Some('s') => 1.0,
        Some('m') => 60.0,
        Some('h') => 3600.0,
        _ => return Err(wrong().into()),
    };
    let number: f64 = text[..text.len() - 1].trim().parse().map_err(|_| wrong())?;
    let seconds = number * unit;
    if !(seconds > 0.0 && seconds <= LONGEST) {
        return Err(wrong().into());
    }
    Ok(Duration::from_secs_f64(seconds))
}

/// A time limit that was given by `--time`, which named it in earlier versions and names the time column now.
pub(super) fn given_as_column(limit: &Option<String>, column: &mut Option<String>) -> Option<String> {
    column.take_if(|column| limit.is_none() && parse(column).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_a_unit() {
        for (text, seconds) in [("30s", 30.0), ("5m", 300.0), ("1h", 3600.0), ("1.5m", 90.0), (" 2 h ", 7200.0)] {
            assert_eq!(parse(text).unwrap(), Duration::from_secs_f64(seconds), "{text}");
        }
    }

    #[test]
    fn a_limit_under_the_old_flag_is_recognised() {
        let check = |limit: Option<&str>, column: &str, expected: Option<&str>| {
            let found = given_as_column(&limit.map(str::to_owned), &mut Some(column.to_owned()));
            assert_eq!(found.as_deref(), expected);
        };
        check(None, "5m", Some("5m"));
        check(None, "ts", None);
        check(Some("1h"), "5m", None);
    }

    #[test]
    fn nonsense_is_no_time() {
        for text in ["", "5", "m", "0s", "-3m", "nans", "infh", "5 minutes", "1e300h", "5d", "5ö"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
