//! One value in the units of the data, for display.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::instant::iso;

/// One value of one column.
///
/// Serialised as a plain JSON value: number, boolean, text, or null for a missing cell.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Cell {
    /// A number in the column's unit.
    Number(f64),
    /// True or false.
    Flag(bool),
    /// The name of a category's level.
    Level(String),
    /// The encoded parts of a datetime, such as `Tue 14:20`.
    Time(String),
    /// A point in time, in microseconds since 1970, UTC.
    #[serde(serialize_with = "as_iso")]
    Instant(i64),
    /// Missing.
    Missing,
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Cell::Number(x) => f.write_str(&short(*x)),
            Cell::Flag(flag) => flag.fmt(f),
            Cell::Level(text) | Cell::Time(text) => f.write_str(text),
            Cell::Instant(t) => f.write_str(&iso(*t)),
            Cell::Missing => f.write_str("missing"),
        }
    }
}

fn as_iso<S: serde::Serializer>(t: &i64, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&iso(*t))
}

/// Formats a number with about five significant digits; integers in full.
pub(crate) fn short(x: f64) -> String {
    let size = x.abs();
    if !x.is_finite() || x == 0.0 {
        return format!("{x}");
    }
    if !(1e-3..1e6).contains(&size) {
        if x.fract() == 0.0 && size < 1e15 {
            return format!("{x:.0}");
        }
        return format!("{x:.3e}");
    }
    if x.fract() == 0.0 {
        return format!("{x:.0}");
    }
    let decimals = match size {
        10_000.0.. => 0,
        1000.0.. => 1,
        1.0.. => 2,
        0.1.. => 4,
        _ => 5,
    };
    format!("{x:.decimals$}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        for (x, text) in [
            (41.2, "41.20"),
            (980.0, "980"),
            (0.0, "0"),
            (12345.678, "12346"),
            (1234.56, "1234.6"),
            (0.12345, "0.1235"),
            (0.01234, "0.01234"),
            (1e-7, "1.000e-7"),
            (-2.5e9, "-2500000000"),
            (1.5e300, "1.500e300"),
            (f64::INFINITY, "inf"),
        ] {
            assert_eq!(Cell::Number(x).to_string(), text);
        }
    }

    #[test]
    fn json_is_plain_values() {
        let cells = vec![Cell::Number(1.5), Cell::Flag(true), Cell::Level("tcp".to_owned()), Cell::Missing];
        let text = serde_json::to_string(&cells).unwrap();
        assert_eq!(text, r#"[1.5,true,"tcp",null]"#);
        assert_eq!(serde_json::from_str::<Vec<Cell>>(&text).unwrap(), cells);
    }
}
