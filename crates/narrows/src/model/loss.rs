//! The loss axis: how a reconstruction is judged, and the output activation that belongs to it.
//!
//! `auto` reads the prepared data: cross-entropy (softmax) for categories, binary cross-entropy (sigmoid) for values
//! in [0, 1], mean squared error (identity) for everything else.

use narrows_engine::{Group, Output};
use serde::{Deserialize, Serialize};

use super::Shape;
use crate::error::{Error, Result};
use crate::prep::{Block, BlockKind};
use crate::range::{Positive, Share, lit};

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
    /// One minus the structural similarity (Wang et al. 2004), of images.
    Ssim(Structural),
    /// One minus the structural similarity at five scales (Wang et al. 2003), of images of at least 176 pixels a side.
    MsSsim(Structural),
}

/// How much a structural similarity has to say.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Structural {
    /// The structure's share of the loss; the rest is the loss of single pixels.
    pub share: Share,
    /// The loss of single pixels.
    pub pixels: Pixels,
}

impl Default for Structural {
    fn default() -> Structural {
        Structural { share: lit!(Share, 1.0), pixels: Pixels::Mse }
    }
}

/// The loss of single pixels beside a structural one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pixels {
    /// Mean squared error.
    Mse,
    /// Mean absolute error.
    Mae,
    /// Binary cross-entropy.
    Bce,
}

impl From<Pixels> for narrows_engine::Pixels {
    fn from(pixels: Pixels) -> narrows_engine::Pixels {
        match pixels {
            Pixels::Mse => Self::Mse,
            Pixels::Mae => Self::Mae,
            Pixels::Bce => Self::Bce,
        }
    }
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
            Loss::Ssim(_) => "ssim",
            Loss::MsSsim(_) => "ms_ssim",
        }
    }

    /// The structural loss, where it is one.
    fn structural(&self) -> Option<(narrows_engine::Structure, Structural)> {
        match self {
            Loss::Ssim(structural) => Some((narrows_engine::Structure::Ssim, *structural)),
            Loss::MsSsim(structural) => Some((narrows_engine::Structure::MsSsim, *structural)),
            _ => None,
        }
    }
}

fn default_delta() -> Positive {
    lit!(Positive, 1.0)
}

/// The output groups for `blocks`. Each group weighs as much as it has columns of the table, so that a category of
/// many levels counts as one column.
///
/// # Errors
/// [`Error::Recipe`] for a structural loss of anything but images.
pub(super) fn output(loss: &Loss, blocks: &[Block], shape: Shape) -> Result<Output> {
    if let Some((structure, Structural { share, pixels })) = loss.structural() {
        let Shape::Map(map) = shape else {
            let message = format!("expected {} for images only, got another kind of data", loss.name());
            return Err(Error::recipe("loss", message));
        };
        let (share, pixels) = (share.get() as f32, pixels.into());
        let similarity = narrows_engine::Similarity { map, structure, pixels, share };
        return Ok(Output::single(map.size(), narrows_engine::Loss::Similarity(similarity)));
    }
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
    Ok(Output { groups })
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
        (Loss::Ssim(_) | Loss::MsSsim(_), _) => unreachable!("a structural loss is of a whole picture, not of a block"),
    }
}

/// The losses chosen and the output activation of each, in words.
pub(crate) fn in_words(loss: &Loss, blocks: &[Block]) -> String {
    use narrows_engine::Loss as Engine;
    if let Some((_, Structural { share, pixels })) = loss.structural() {
        let rest = 1.0 - share.get();
        let pixels = match pixels {
            Pixels::Mse => "mean squared error",
            Pixels::Mae => "mean absolute error",
            Pixels::Bce => "binary cross-entropy",
        };
        let beside = if rest > 0.0 { format!(" and {rest:.2} of {pixels}") } else { String::new() };
        return format!("1 - {}, a share of {:.2}{beside}; sigmoid output", loss.name(), share.get());
    }
    let mut counts: Vec<(&str, usize)> = Vec::new();
    for block in blocks {
        let words = match of_block(loss, block) {
            Engine::Mse => "mean squared error, identity output",
            Engine::Mae => "mean absolute error, identity output",
            Engine::Huber { .. } => "huber, identity output",
            Engine::Bce => "binary cross-entropy, sigmoid output",
            Engine::CrossEntropy => "cross-entropy, softmax output",
            Engine::Similarity(_) => unreachable!("not of a block"),
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
        let groups = output(&Loss::Auto, &blocks, Shape::Row).unwrap().groups;
        let found: Vec<_> = groups.iter().map(|g| (g.columns.clone(), g.loss, g.weight)).collect();
        assert_eq!(found, [(0..2, Engine::Mse, 0.5), (2..5, Engine::CrossEntropy, 0.25), (5..6, Engine::Bce, 0.25)]);
    }

    #[test]
    fn values_in_the_unit_interval_get_bce_under_auto() {
        assert_eq!(of_block(&Loss::Auto, &block(BlockKind::Number, 0..1, true)), narrows_engine::Loss::Bce);
        assert_eq!(of_block(&Loss::Mse, &block(BlockKind::Number, 0..1, true)), narrows_engine::Loss::Mse);
    }
}
