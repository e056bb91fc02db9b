//! The loss axis: how a reconstruction is judged, and the output activation that belongs to it.
//!
//! `auto` reads the prepared data: cross-entropy (softmax) for categories, binary cross-entropy (sigmoid) for values
//! in [0, 1], mean squared error (identity) for everything else.

use narrows_engine::{Group, Output};
use serde::{Deserialize, Serialize};

use crate::prep::{Block, BlockKind};
use crate::range::{Positive, lit};

/// How a reconstruction is judged.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Loss {
    /// By the type and range of each column.
    #[default]
    Auto,
    /// Mean squared error.
    Mse,
    /// Mean absolute error.
    Mae,
    /// Squared near zero, absolute beyond `delta` (Huber 1964).
    Huber {
        /// Where the two meet, in prepared units.
        #[serde(default = "default_delta")]
        delta: Positive,
    },
    /// Binary cross-entropy: prepared values must lie in [0, 1], see `prep.scaling = "minmax"`.
    Bce,
}

impl Loss {
    /// The name, as in files and on the command line.
    pub fn name(&self) -> &'static str {
        match self {
            Loss::Auto => "auto",
            Loss::Mse => "mse",
            Loss::Mae => "mae",
            Loss::Huber { .. } => "huber",
            Loss::Bce => "bce",
        }
    }
}

fn default_delta() -> Positive {
    lit!(Positive, 1.0)
}

/// The output groups for `blocks`. Each group weighs as much as it has columns of the table, so that a category of
/// many levels counts as one column.
pub(super) fn output(loss: &Loss, blocks: &[Block]) -> Output {
    let n_blocks = blocks.len().max(1) as f32;
    let mut groups: Vec<Group> = Vec::new();
    for block in blocks {
        let loss = of_block(loss, block);
        let weight = 1.0 / n_blocks;
        match groups.last_mut() {
            Some(last)
                if last.loss == loss
                    && is_elementwise(&loss)
                    && block.range.len() == 1
                    && last.columns.end == block.range.start =>
            {
                last.columns.end = block.range.end;
                last.weight += weight;
            }
            _ => groups.push(Group { columns: block.range.clone(), loss, weight }),
        }
    }
    Output { groups }
}

fn is_elementwise(loss: &narrows_engine::Loss) -> bool {
    !matches!(loss, narrows_engine::Loss::CrossEntropy)
}

/// The engine's loss for one block.
pub(crate) fn of_block(loss: &Loss, block: &Block) -> narrows_engine::Loss {
    use narrows_engine::Loss as Engine;
    match (loss, block.kind) {
        (_, BlockKind::Levels) => Engine::CrossEntropy,
        (_, BlockKind::Flag | BlockKind::Missing) => Engine::Bce,
        (Loss::Auto, _) if block.unit_interval => Engine::Bce,
        (Loss::Auto | Loss::Mse, _) => Engine::Mse,
        (Loss::Mae, _) => Engine::Mae,
        (Loss::Huber { delta }, _) => Engine::Huber { delta: delta.get() as f32 },
        (Loss::Bce, BlockKind::Cyclic) => Engine::Mse,
        (Loss::Bce, _) => Engine::Bce,
    }
}

/// The losses chosen and the output activation of each, in words.
pub(crate) fn in_words(loss: &Loss, blocks: &[Block]) -> String {
    use narrows_engine::Loss as Engine;
    let mut counts: Vec<(&str, usize)> = Vec::new();
    for block in blocks {
        let words = match of_block(loss, block) {
            Engine::Mse => "mean squared error, identity output",
            Engine::Mae => "mean absolute error, identity output",
            Engine::Huber { .. } => "huber, identity output",
            Engine::Bce => "binary cross-entropy, sigmoid output",
            Engine::CrossEntropy => "cross-entropy, softmax output",
        };
        match counts.iter_mut().find(|(known, _)| *known == words) {
            Some((_, count)) => *count += 1,
            None => counts.push((words, 1)),
        }
    }
    let parts: Vec<String> =
        counts.iter().map(|(words, count)| format!("{words} ({count} of {})", blocks.len())).collect();
    parts.join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(kind: BlockKind, range: std::ops::Range<usize>, unit_interval: bool) -> Block {
        Block { column: format!("c{}", range.start), kind, range, unit_interval }
    }

    #[test]
    fn neighbouring_numbers_share_a_group_and_categories_stand_alone() {
        use narrows_engine::Loss as Engine;
        let blocks = [
            block(BlockKind::Number, 0..1, false),
            block(BlockKind::Number, 1..2, false),
            block(BlockKind::Levels, 2..5, true),
            block(BlockKind::Flag, 5..6, true),
        ];
        let groups = output(&Loss::Auto, &blocks).groups;
        let found: Vec<_> = groups.iter().map(|g| (g.columns.clone(), g.loss, g.weight)).collect();
        assert_eq!(found, [(0..2, Engine::Mse, 0.5), (2..5, Engine::CrossEntropy, 0.25), (5..6, Engine::Bce, 0.25)]);
    }

    #[test]
    fn values_in_the_unit_interval_get_bce_under_auto() {
        assert_eq!(of_block(&Loss::Auto, &block(BlockKind::Number, 0..1, true)), narrows_engine::Loss::Bce);
        assert_eq!(of_block(&Loss::Mse, &block(BlockKind::Number, 0..1, true)), narrows_engine::Loss::Mse);
    }
}
