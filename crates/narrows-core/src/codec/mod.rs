//! Codes and cells as whole numbers, and back: how finely a code unit is rounded, and what lies within a bound.
//!
//! Here numbers meet integers; what integers become as bytes is the business of `narrows-codec`. All arithmetic is
//! addition, multiplication, division and rounding, which IEEE 754 fixes to the bit, so that every machine agrees.

mod lattice;
mod quantiser;
mod span;

pub(crate) use lattice::Lattice;
pub(crate) use quantiser::Quantiser;
pub(crate) use span::Span;

/// What a model knows for compression, learnt when it is fitted.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Coding {
    pub(crate) quantiser: Quantiser,
    /// Where numbers lay in training: of tables one a column of the schema, of series one a channel; none where a column
    /// holds no numbers.
    pub(crate) spans: Vec<Option<Span>>,
}
