//! Quantisation of codes and cells to integers, and back.
//!
//! `narrows-codec` codes the integers as bytes. All arithmetic here is
//! addition, multiplication, division and rounding, which IEEE 754 defines to the bit, so that every machine agrees.

pub(crate) mod blocks;
mod lattice;
mod quantiser;
mod span;

use narrows_codec::MapPrior;

pub(crate) use lattice::Lattice;
pub(crate) use quantiser::Quantiser;
pub(crate) use span::Span;

/// Compression parameters of a model, computed when it is fitted.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Coding {
    pub(crate) quantiser: Quantiser,
    /// Training ranges of numeric values: one per column of a table's schema, one per channel of series; `None` for
    /// non-numeric columns.
    pub(crate) spans: Vec<Option<Span>>,
    /// What is known of the coefficients of images, if the code is made of them.
    pub(crate) maps: Option<MapPrior>,
}
