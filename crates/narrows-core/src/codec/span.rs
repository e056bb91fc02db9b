//! Where the numbers of a column lay in training: what a bound in per cent is per cent of.

use serde::{Deserialize, Serialize};

/// The range of a column's numbers.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Span {
    pub(crate) lowest: f64,
    pub(crate) highest: f64,
    /// Whether all of them were whole.
    pub(crate) whole: bool,
}

impl Span {
    /// The span of the finite ones among `values`; none where there are none.
    pub(crate) fn of(values: impl IntoIterator<Item = f64>) -> Option<Span> {
        values.into_iter().filter(|x| x.is_finite()).fold(None, |span, x| {
            let Span { lowest, highest, whole } = span.unwrap_or(Span { lowest: x, highest: x, whole: true });
            Some(Span { lowest: lowest.min(x), highest: highest.max(x), whole: whole && x.fract() == 0.0 })
        })
    }

    /// From the lowest to the highest.
    pub(crate) fn width(&self) -> f64 {
        self.highest - self.lowest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_holds_what_is_finite() {
        assert_eq!(
            Span::of([f64::NAN, 3.0, -1.0, f64::INFINITY]),
            Some(Span { lowest: -1.0, highest: 3.0, whole: true })
        );
        assert!(!Span::of([0.5, 1.0]).unwrap().whole);
        assert_eq!(Span::of([f64::NAN]), None);
    }
}
