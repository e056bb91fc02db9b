//! The spread of each column in the training rows, and how far a value is from another one in units of it.
//!
//! Distances are squared. A number is as far as its difference over the standard deviation. A level is as far as a
//! wrong guess of it is from a right one: 1 is a guess that is as good as knowing the shares of the levels alone, and a
//! rare level is far from the others. An angle (time of day) can be no farther than the other side of the circle, and
//! is nearer where the expectation is vague.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::block::{Block, BlockKind};
use super::prepared::Prepared;

/// The spread of each prepared value: the variance of numbers and angles, the share of ones of all others.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Spreads(Vec<f32>);

impl Spreads {
    /// Of the observed values in some rows.
    pub(crate) fn of(blocks: &[Block], prepared: &Prepared, rows: &[u32]) -> Spreads {
        let width = prepared.width;
        let (mut seen, mut sum, mut squares) = (vec![0.0_f64; width], vec![0.0_f64; width], vec![0.0_f64; width]);
        for row in rows.iter().map(|row| *row as usize) {
            let target = &prepared.target[row * width..(row + 1) * width];
            for (slot, value) in target.iter().enumerate().filter(|(_, value)| !value.is_nan()) {
                seen[slot] += 1.0;
                sum[slot] += f64::from(*value);
                squares[slot] += f64::from(*value).powi(2);
            }
        }
        let mut spreads = vec![0.0; width];
        for block in blocks {
            for slot in block.range.clone() {
                let n = seen[slot].max(1.0);
                let mean = sum[slot] / n;
                let variance = squares[slot] / n - mean * mean;
                // What was never seen is as rare as once in one row more; a constant has no spread, and gets a unit.
                let least = 1.0 / (seen[slot] + 2.0);
                spreads[slot] = match block.kind {
                    BlockKind::Levels => mean.max(least),
                    BlockKind::Flag | BlockKind::Missing => mean.clamp(least, 1.0 - least),
                    BlockKind::Number | BlockKind::Cyclic if variance > 1e-12 * (mean * mean).max(1e-12) => variance,
                    BlockKind::Number | BlockKind::Cyclic => 1.0,
                } as f32;
            }
        }
        Spreads(spreads)
    }

    /// Of rows that are not known any more: a unit for numbers and angles, equal shares for levels.
    pub(crate) fn usual(blocks: &[Block]) -> Spreads {
        let of_block = |block: &Block| {
            let spread = match block.kind {
                BlockKind::Number => 1.0,
                BlockKind::Cyclic | BlockKind::Flag | BlockKind::Missing => 0.5,
                BlockKind::Levels => 1.0 / block.range.len() as f32,
            };
            std::iter::repeat_n(spread, block.range.len())
        };
        Spreads(blocks.iter().flat_map(of_block).collect())
    }

    /// Whether none are known.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether these can be the spreads of `width` values; for spreads read from a file.
    pub(crate) fn is_sound(&self, width: usize) -> bool {
        self.is_empty() || (self.0.len() == width && self.0.iter().all(|spread| *spread > 0.0 && spread.is_finite()))
    }

    /// The squared distance of the observed values of one block, `target`, from the expected ones, both of a whole row.
    pub(crate) fn distance(&self, block: &Block, target: &[f32], expected: &[f32]) -> f64 {
        let Range { start, .. } = block.range;
        if target[start].is_nan() {
            return 0.0;
        }
        let slots =
            || block.range.clone().map(|slot| (target[slot], f64::from(expected[slot]), f64::from(self.0[slot])));
        match block.kind {
            BlockKind::Number => slots().map(|(t, e, variance)| (f64::from(t) - e).powi(2) / variance).sum(),
            BlockKind::Cyclic => {
                let (target, expected) = (&target[block.range.clone()], &expected[block.range.clone()]);
                let error: f64 = target.chunks(2).zip(expected.chunks(2)).map(|(t, e)| angle_distance(t, e)).sum();
                error / slots().map(|(_, _, variance)| variance).sum::<f64>()
            }
            BlockKind::Flag | BlockKind::Missing => {
                let Some((t, e, share)) = slots().next().filter(|(t, e, _)| (*t > 0.5) != (*e > 0.5)) else {
                    return 0.0;
                };
                (f64::from(t) - e.clamp(0.0, 1.0)).powi(2) / (share * (1.0 - share))
            }
            BlockKind::Levels => level_distance(slots()),
        }
    }
}

/// The squared distance of a point on a circle from where another one is expected, brought onto the circle. An
/// expectation near the centre is none, and its distance counts as little.
fn angle_distance(target: &[f32], expected: &[f32]) -> f64 {
    let radius = expected.iter().map(|e| f64::from(*e).powi(2)).sum::<f64>().sqrt();
    if radius == 0.0 {
        return 0.0;
    }
    let apart = target.iter().zip(expected).map(|(t, e)| (f64::from(*t) - f64::from(*e) / radius).powi(2)).sum::<f64>();
    apart * radius.min(1.0).powi(2)
}

/// The distance of the level that is 1 from the most probable one; both in the order of the slots, with their shares.
fn level_distance(slots: impl Iterator<Item = (f32, f64, f64)>) -> f64 {
    let (mut got, mut best) = ((0.0, 1.0), f64::NEG_INFINITY);
    let (mut is_expected, mut levels, mut squares) = (true, 0.0_f64, 0.0);
    for (t, e, share) in slots {
        if e > best {
            (best, is_expected) = (e, t > 0.5);
        }
        if t > 0.5 {
            got = (e.clamp(0.0, 1.0), share);
        }
        levels += 1.0;
        squares += share * share;
    }
    if is_expected {
        return 0.0;
    }
    let (probability, share) = got;
    let rarity = 1.0 / (share * (1.0 - share) * (levels - 1.0)).max(f64::MIN_POSITIVE);
    (1.0 - probability).powi(2) * rarity.max(2.0 / (1.0 - squares).max(share))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prep::PrepCounts;

    fn block(kind: BlockKind, range: Range<usize>) -> Block {
        Block { column: "x".to_owned(), kind, range, unit_interval: false }
    }

    /// The squared distance in a block of `kind`, whose training rows are `rows`.
    fn distance(kind: BlockKind, rows: &[&[f32]], target: &[f32], expected: &[f32]) -> f64 {
        let width = rows[0].len();
        let values = rows.concat();
        let (n, counts) = (rows.len(), PrepCounts::default());
        let prepared = Prepared { input: values.clone(), target: values, n, width, counts };
        let block = block(kind, 0..width);
        let all: Vec<u32> = (0..n as u32).collect();
        Spreads::of(std::slice::from_ref(&block), &prepared, &all).distance(&block, target, expected)
    }

    #[test]
    fn numbers_are_told_in_standard_deviations() {
        let rows: [&[f32]; 5] = [&[0.0], &[4.0], &[0.0], &[4.0], &[f32::NAN]];
        assert!((distance(BlockKind::Number, &rows, &[8.0], &[2.0]) - 9.0).abs() < 1e-6);
        assert_eq!(distance(BlockKind::Number, &rows, &[f32::NAN], &[2.0]), 0.0);
        // A constant has a unit.
        assert_eq!(distance(BlockKind::Number, &[&[7.0], &[7.0]], &[9.0], &[7.0]), 4.0);
    }

    #[test]
    fn a_time_is_no_farther_than_the_other_side_of_the_circle() {
        let rows: [&[f32]; 4] = [&[0.0, 1.0], &[1.0, 0.0], &[0.0, -1.0], &[-1.0, 0.0]];
        let noon = |expected: &[f32]| distance(BlockKind::Cyclic, &rows, &[0.0, 1.0], expected);
        assert!((noon(&[0.0, -1.0]) - 4.0).abs() < 1e-6);
        assert_eq!(noon(&[0.0, 0.3]), 0.0);
        assert!(noon(&[0.0, -0.1]) < 0.05 && noon(&[0.0, 0.0]) == 0.0, "what is hardly expected is hardly far");
    }

    #[test]
    fn a_level_as_expected_is_no_distance_and_a_rare_one_is_far() {
        let (a, b): (&[f32], &[f32]) = (&[1.0, 0.0, 0.0], &[0.0, 1.0, 0.0]);
        let rows: Vec<&[f32]> = (0..100).map(|i| if i < 98 { a } else { b }).collect();
        let far = |target: &[f32], expected: &[f32]| distance(BlockKind::Levels, &rows, target, expected);
        assert_eq!(far(a, &[0.6, 0.4, 0.0]), 0.0);
        let (rare, usual, unseen) = (far(b, a), far(a, b), far(&[0.0, 0.0, 1.0], a));
        assert!(rare > 20.0 && rare >= usual && unseen > rare, "{rare} {usual} {unseen}");
        assert!(far(b, &[0.6, 0.4, 0.0]) < rare, "a doubtful expectation is no far one");
        // Of many levels that are equally frequent, a wrong one is as far as another row's.
        let many: Vec<Vec<f32>> =
            (0..200).map(|i| (0..20).map(|s| f32::from(u8::from(s == i % 20))).collect()).collect();
        let rows: Vec<&[f32]> = many.iter().map(Vec::as_slice).collect();
        let wrong = distance(BlockKind::Levels, &rows, rows[0], rows[1]);
        assert!((1.0..3.0).contains(&wrong), "{wrong}");
    }

    #[test]
    fn flags_differ_or_do_not() {
        let rows: [&[f32]; 4] = [&[0.0], &[1.0], &[0.0], &[1.0]];
        assert_eq!(distance(BlockKind::Flag, &rows, &[1.0], &[0.7]), 0.0);
        assert!((distance(BlockKind::Flag, &rows, &[1.0], &[0.0]) - 4.0).abs() < 1e-6);
    }

    #[test]
    fn spreads_of_another_width_or_without_size_are_refused() {
        let blocks = [block(BlockKind::Levels, 0..2), block(BlockKind::Number, 2..3)];
        assert_eq!(Spreads::usual(&blocks), Spreads(vec![0.5, 0.5, 1.0]));
        assert!(Spreads::usual(&blocks).is_sound(3) && Spreads::default().is_sound(3));
        assert!(!Spreads::usual(&blocks).is_sound(2) && !Spreads(vec![0.0]).is_sound(1));
    }
}
