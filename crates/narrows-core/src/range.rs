//! Numbers with a validated range.

use serde::{Deserialize, Serialize};

macro_rules! ranged {
    // Shares may be written as per cent, as in `1%`.
    (share $(#[$doc:meta])* $name:ident, $expected:literal, |$x:ident| $ok:expr) => {
        ranged!("Written", share, $(#[$doc])* $name, $expected, |$x| $ok);

        impl TryFrom<Written> for $name {
            type Error = String;

            fn try_from(written: Written) -> Result<Self, String> {
                match written {
                    Written::Number(x) => $name::try_from(x),
                    Written::Text(text) => text.parse(),
                }
            }
        }
    };
    ($(#[$doc:meta])* $name:ident, $expected:literal, |$x:ident| $ok:expr) => {
        ranged!("f64", plain, $(#[$doc])* $name, $expected, |$x| $ok);
    };
    ($from:literal, $read:ident, $(#[$doc:meta])* $name:ident, $expected:literal, |$x:ident| $ok:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Serialize, Deserialize)]
        #[serde(try_from = $from, into = "f64")]
        pub struct $name(f64);

        impl $name {
            /// The number.
            pub const fn get(self) -> f64 {
                self.0
            }
        }

        impl TryFrom<f64> for $name {
            type Error = String;

            fn try_from($x: f64) -> Result<Self, String> {
                if $ok { Ok($name($x)) } else { Err(format!(concat!("expected ", $expected, ", got {}"), $x)) }
            }
        }

        impl From<$name> for f64 {
            fn from(value: $name) -> f64 {
                value.0
            }
        }

        impl std::str::FromStr for $name {
            type Err = String;

            fn from_str(text: &str) -> Result<Self, String> {
                let number = $read(text).ok_or_else(|| format!(concat!("expected ", $expected, ", got `{}`"), text))?;
                $name::try_from(number)
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

/// A share in a document: a number, or text such as `1%`.
#[derive(Deserialize)]
#[serde(untagged)]
enum Written {
    Number(f64),
    Text(String),
}

/// A number.
fn plain(text: &str) -> Option<f64> {
    text.trim().parse().ok()
}

/// A number, or per cent of one.
fn share(text: &str) -> Option<f64> {
    let text = text.trim();
    match text.strip_suffix('%').map(str::trim_end) {
        None => plain(text),
        // The decimal point is moved in the text, so that `0.3%` is the same number as `0.003`.
        Some(percent) => plain(&format!("{percent}e-2")).or_else(|| Some(plain(percent)? / 100.0)),
    }
}

ranged! {
    share
    /// A number strictly between 0 and 1: a false-alarm rate, a quantile.
    Rate, "a number between 0 and 1, both excluded", |x| x > 0.0 && x < 1.0
}
ranged! {
    share
    /// A share in [0, 1): a dropout rate, a corruption rate.
    Fraction, "a number from 0 up to but not including 1", |x| (0.0..1.0).contains(&x)
}
ranged! {
    share
    /// A share in [0, 1].
    Share, "a number from 0 to 1", |x| (0.0..=1.0).contains(&x)
}
ranged! {
    share
    /// A share of anomalies in the training rows, in [0, 0.5).
    Contamination, "a number from 0 up to but not including 0.5", |x| (0.0..0.5).contains(&x)
}
ranged! {
    /// A finite number above zero: a learning rate, a scale.
    Positive, "a finite number above 0", |x| x > 0.0 && x.is_finite()
}
ranged! {
    /// A finite number of at least zero: a weight, a strength.
    NonNegative, "a finite number of at least 0", |x| x >= 0.0 && x.is_finite()
}
ranged! {
    /// Any finite number.
    Finite, "a finite number", |x| x.is_finite()
}

/// Converts a literal known to be in range; panics otherwise.
macro_rules! lit {
    ($kind:ident, $x:expr) => {
        match $crate::range::$kind::try_from($x) {
            Ok(value) => value,
            Err(_) => unreachable!("a literal out of its range"),
        }
    };
}
pub(crate) use lit;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_out_of_range_are_refused_with_expected_and_got() {
        assert_eq!(Rate::try_from(1.0).unwrap_err(), "expected a number between 0 and 1, both excluded, got 1");
        assert!(Rate::try_from(f64::NAN).is_err());
        assert!(Fraction::try_from(0.0).is_ok());
        assert!(Contamination::try_from(0.5).is_err());
        assert!(Positive::try_from(f64::INFINITY).is_err());
        assert!(NonNegative::try_from(-0.1).is_err());
        assert_eq!("0.01".parse::<Rate>().unwrap().get(), 0.01);
        assert!("nan".parse::<Finite>().is_err());
    }

    #[test]
    fn shares_may_be_written_as_per_cent() {
        for (text, value) in [("1%", 0.01), ("0.3 %", 0.003), ("1e-1%", 0.001), (" 99.5% ", 0.995), ("0.25", 0.25)] {
            assert_eq!(text.parse::<Rate>().unwrap().get(), value, "{text}");
            assert_eq!(serde_json::from_value::<Rate>(text.into()).unwrap().get(), value, "{text}");
        }
        assert_eq!(serde_json::from_str::<Share>("1").unwrap().get(), 1.0);
        assert_eq!("100%".parse::<Rate>().unwrap_err(), "expected a number between 0 and 1, both excluded, got 1");
        assert!("%".parse::<Rate>().is_err() && "1%".parse::<Positive>().is_err());
        assert!(serde_json::from_value::<Positive>("1".into()).is_err());
    }
}
