//! The training range of a numeric column, to which relative error bounds refer.

use serde::{Deserialize, Serialize};

/// The range of a column's numbers.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Span {
    pub(crate) lowest: f64,
    pub(crate) highest: f64,
    /// Whether all of them were integers.
    pub(crate) whole: bool,
}

impl Span {
    /// The span of the finite `values`; `None` without any.
    pub(crate) fn of(values: impl IntoIterator<Item = f64>) -> Option<Span> {
        values.into_iter().filter(|x| x.is_finite()).fold(None, |span, x| {
            let Span { lowest, highest, whole } = span.unwrap_or(Span { lowest: x, highest: x, whole: true });
            Some(Span { lowest: lowest.min(x), highest: highest.max(x), whole: whole && x.fract() == 0.0 })
        })
    }

    /// Difference between maximum and minimum.
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
