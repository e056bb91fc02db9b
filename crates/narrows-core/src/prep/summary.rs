//! What was done to each column, for people.

use serde::{Deserialize, Serialize};

use crate::data::ColumnKind;

/// What was done to one column.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ColumnPrep {
    /// The column.
    pub name: String,
    /// Its kind.
    pub kind: ColumnKind,
    /// What was done, in words.
    pub what: String,
    /// Training cells that were missing, infinite ones among them.
    pub missing: u64,
    /// Levels with a slot of their own, for a category.
    pub n_levels: usize,
    /// Levels that share the slot for rare ones, for a category.
    pub rare_levels: usize,
}

/// What was found in the training rows and done about it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PrepReport {
    /// The number of training rows.
    pub rows: usize,
    /// What was done to each column.
    pub columns: Vec<ColumnPrep>,
    /// Infinite cells by column, which were taken for missing.
    pub infinite: Vec<(String, u64)>,
    /// Cells by column whose scaled number was beyond the clip.
    pub clipped: Vec<(String, u64)>,
    /// Columns that are the same in every training row.
    pub constant: Vec<String>,
}
