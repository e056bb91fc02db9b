//! Numbers with a validated range.

use serde::{Deserialize, Serialize};

macro_rules! ranged {
    ($(#[$doc:meta])* $name:ident, $expected:literal, |$x:ident| $ok:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Serialize, Deserialize)]
        #[serde(try_from = "f64", into = "f64")]
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
                let number: f64 = text.trim().parse().map_err(|_| format!(concat!("expected ", $expected, ", got `{}`"), text))?;
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

ranged! {
    /// A number strictly between 0 and 1: a false-alarm rate, a quantile.
    Rate, "a number between 0 and 1, both excluded", |x| x > 0.0 && x < 1.0
}
ranged! {
    /// A share in [0, 1): a dropout rate, a corruption rate.
    Fraction, "a number from 0 up to but not including 1", |x| (0.0..1.0).contains(&x)
}
ranged! {
    /// A share in [0, 1].
    Share, "a number from 0 to 1", |x| (0.0..=1.0).contains(&x)
}
ranged! {
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
}
