//! Which of a network's inputs belong to which column.

use std::ops::Range;

use serde::{Deserialize, Serialize};

/// Neighbouring inputs that say one thing about one column.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Block {
    /// The column.
    pub column: String,
    /// What the inputs say.
    pub kind: BlockKind,
    /// Their places among all inputs.
    pub range: Range<usize>,
    /// Whether every prepared training value lies in [0, 1].
    pub unit_interval: bool,
}

/// What the inputs of a block say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BlockKind {
    /// One scaled number.
    Number,
    /// 0 or 1 for false or true.
    Flag,
    /// One slot a level, one of them 1.
    Levels,
    /// Pairs of sine and cosine.
    Cyclic,
    /// 1 where the column's cell is missing.
    Missing,
}
