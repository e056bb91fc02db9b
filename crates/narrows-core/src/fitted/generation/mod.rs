//! Generation: the density of codes, draws from it, variation and interpolation of given samples, and quality metrics.

mod active_units;
mod bottleneck;
mod conditional_rows;
mod density;
mod elbo;
mod generate;
mod quality;
mod row_form;
mod variation;

pub(crate) use bottleneck::bottleneck;
pub use conditional_rows::ConditionalRows;
pub(crate) use conditional_rows::DrawnRows;
pub(crate) use density::CodeDensity;
pub(crate) use elbo::{has_bound, negative_elbo};
pub(crate) use generate::{cell_stream, decoded_draws, drawn_codes, vary};
pub(crate) use quality::{DensityCodes, FittedCodes, levels, numbers, quality, report};
pub(crate) use row_form::{RowForm, RowSketch};
pub use variation::Variation;
pub(crate) use variation::{interpolated, share};
