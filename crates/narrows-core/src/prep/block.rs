//! Blocks: the mapping between network inputs and columns.

use std::ops::Range;

use serde::{Deserialize, Serialize};

/// Adjacent inputs that encode one property of one column.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Block {
    /// The column.
    pub column: String,
    /// The property encoded.
    pub kind: BlockKind,
    /// Positions among all inputs.
    pub range: Range<usize>,
    /// Whether every prepared training value lies in [0, 1].
    pub unit_interval: bool,
}

/// What a block encodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BlockKind {
    /// One scaled number.
    Number,
    /// A boolean as 0 or 1.
    Flag,
    /// One-hot: one slot per level.
    Levels,
    /// Pairs of sine and cosine.
    Cyclic,
    /// 1 if the column's cell is missing.
    Missing,
}
