//! The fidelity of compression: quality, bound or lossless.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::codec::{Lattice, Quantiser, Span};
use crate::error::{Error, Hint, Result};

/// How closely the data is reconstructed.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub enum Fidelity {
    /// Only the code is stored, quantised at this detail.
    Code(CodeDetail),
    /// Every number within an error bound. The quantisation of the code minimises the file size.
    Within(ErrorBound),
    /// Lossless: integers and images through the model, other numbers stored verbatim.
    Lossless,
}

/// Quantisation of the code.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub enum CodeDetail {
    /// From 1 to 10; each increment halves the steps. 5 is the default, which adds a tenth to the reconstruction error.
    Quality(u8),
    /// Maximum bits per code unit, averaged over training codes.
    Bits(f64),
    /// The model's default.
    #[default]
    Own,
}

/// A bound on the error of a number.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub enum ErrorBound {
    /// In the unit of the data; for images, in levels of 255, whatever the bit depth.
    Absolute(f64),
    /// As a share of the column's range in training; for images, of white.
    Share(f64),
}

/// The range of qualities.
const QUALITIES: std::ops::RangeInclusive<u8> = 1..=10;
/// The range of bits per code unit.
const BITS: std::ops::RangeInclusive<f64> = 0.01..=24.0;

impl CodeDetail {
    /// Rejects values out of range.
    ///
    /// # Errors
    /// [`Error::Recipe`] with the expected range.
    pub fn check(self) -> Result<()> {
        match self {
            CodeDetail::Quality(quality) if !QUALITIES.contains(&quality) => {
                Err(Error::recipe("quality", format!("expected a whole number from 1 to 10, got {quality}")))
            }
            CodeDetail::Bits(bits) if !BITS.contains(&bits) => {
                Err(Error::recipe("bits", format!("expected 0.01 to 24 bits a code unit, got {bits}")))
            }
            _ => Ok(()),
        }
    }
}

impl CodeDetail {
    /// Doublings of the model's steps.
    pub(super) fn level(self, quantiser: &Quantiser) -> i32 {
        match self {
            CodeDetail::Own => 0,
            CodeDetail::Quality(quality) => 5 - i32::from(quality),
            CodeDetail::Bits(bits) => quantiser.level_of(bits),
        }
    }
}

impl FromStr for ErrorBound {
    type Err = Error;

    /// `0.5%` is a share, `0.5` is absolute.
    fn from_str(text: &str) -> Result<ErrorBound> {
        let (number, is_share) = match text.trim().strip_suffix('%') {
            Some(number) => (number.trim_end(), true),
            None => (text.trim(), false),
        };
        let refuse = |expected: &str| Error::recipe("max_error", format!("expected {expected}, got `{text}`"));
        let value: f64 =
            number.parse().map_err(|_| refuse("a number, or a number and % of a column's range in training"))?;
        if value == 0.0 {
            return Err(refuse("a bound above 0").with_hint(Hint::of("no error at all: [lossless]")));
        }
        if !(value.is_finite() && value > 0.0) {
            return Err(refuse("a finite bound above 0"));
        }
        if is_share && value > 100.0 {
            return Err(refuse("at most 100%"));
        }
        Ok(if is_share { ErrorBound::Share(value / 100.0) } else { ErrorBound::Absolute(value) })
    }
}

impl fmt::Display for ErrorBound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ErrorBound::Absolute(bound) => write!(f, "{bound}"),
            ErrorBound::Share(share) => write!(f, "{}% of the range in training", share * 100.0),
        }
    }
}

impl Fidelity {
    /// The width of pixel cells, in levels up to `white`; `None` if only the code is stored.
    pub(super) fn image_step(&self, white: u32) -> Option<u32> {
        let bound = match self {
            Fidelity::Code(_) => return None,
            Fidelity::Lossless => 0.0,
            Fidelity::Within(ErrorBound::Absolute(levels)) => levels / 255.0 * f64::from(white),
            Fidelity::Within(ErrorBound::Share(share)) => share * f64::from(white),
        };
        // Tolerates the rounding of a division by 255.
        Some(2 * (bound + 1e-6).min(f64::from(white)) as u32 + 1)
    }

    /// The bound on a pixel, as a share of white; infinite if only the code is stored.
    pub(super) fn image_bound(&self) -> f64 {
        match self {
            Fidelity::Code(_) => f64::INFINITY,
            Fidelity::Lossless => 0.0,
            Fidelity::Within(ErrorBound::Share(share)) => *share,
            Fidelity::Within(ErrorBound::Absolute(bound)) => bound / 255.0,
        }
    }

    /// The lattice of a column with this span; `None` if its numbers are stored verbatim.
    pub(super) fn lattice(&self, span: &Span) -> Option<Lattice> {
        let bound = match self {
            Fidelity::Code(_) => return None,
            Fidelity::Lossless if span.whole => 0.0,
            Fidelity::Lossless => return None,
            Fidelity::Within(ErrorBound::Absolute(bound)) => *bound,
            Fidelity::Within(ErrorBound::Share(share)) => share * span.width(),
        };
        if span.whole {
            // Half of all floats are larger: the bound is vacuous, and one cell holds everything.
            return Some(Lattice::whole(bound.min(2.0_f64.powi(62))));
        }
        // A constant column has no range, and an error would save nothing.
        let lattice = Lattice::within(bound);
        (bound > 0.0 && lattice.step.is_finite() && lattice.step > 0.0).then_some(lattice)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_are_read_and_refused() {
        assert_eq!("0.5%".parse::<ErrorBound>().unwrap(), ErrorBound::Share(0.005));
        assert_eq!(" 2 ".parse::<ErrorBound>().unwrap(), ErrorBound::Absolute(2.0));
        for (text, part) in [
            ("0", "above 0"),
            ("0%", "above 0"),
            ("-1", "finite bound"),
            ("nan", "finite bound"),
            ("inf%", "finite"),
            ("x", "a number"),
            ("101%", "at most"),
        ] {
            let error = text.parse::<ErrorBound>().unwrap_err().to_string();
            assert!(error.contains(part) && error.contains(text), "{error}");
        }
        assert!(CodeDetail::Quality(0).check().is_err() && CodeDetail::Quality(11).check().is_err());
        assert!(CodeDetail::Bits(f64::NAN).check().is_err() && CodeDetail::Bits(4.0).check().is_ok());
    }

    #[test]
    fn lossless_is_for_whole_numbers() {
        let span = |whole| Span { lowest: 0.0, highest: 10.0, whole };
        assert_eq!(Fidelity::Lossless.lattice(&span(true)), Some(Lattice::whole(0.0)));
        assert_eq!(Fidelity::Lossless.lattice(&span(false)), None);
        assert_eq!(Fidelity::Within(ErrorBound::Share(0.01)).lattice(&span(false)), Some(Lattice::within(0.1)));
        let flat = Span { lowest: 2.5, highest: 2.5, whole: false };
        assert_eq!(Fidelity::Within(ErrorBound::Share(0.01)).lattice(&flat), None);
    }
}
