//! Summary of the preprocessing of each column.

use serde::{Deserialize, Serialize};

use crate::data::ColumnKind;

/// Preprocessing of one column.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ColumnPrep {
    /// The column.
    pub name: String,
    /// Its kind.
    pub kind: ColumnKind,
    /// Description of the preprocessing.
    pub what: String,
    /// Missing training cells, including infinite ones.
    pub missing: u64,
    /// Levels with their own slot, for a category.
    pub n_levels: usize,
    /// Levels in the slot for rare ones, for a category.
    pub rare_levels: usize,
}

/// Summary of a fit on training rows.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PrepReport {
    /// Number of training rows.
    pub rows: usize,
    /// Preprocessing of each column.
    pub columns: Vec<ColumnPrep>,
    /// Infinite cells by column, treated as missing.
    pub infinite: Vec<(String, u64)>,
    /// Clipped cells by column.
    pub clipped: Vec<(String, u64)>,
    /// Columns that are constant in the training rows.
    pub constant: Vec<String>,
}
