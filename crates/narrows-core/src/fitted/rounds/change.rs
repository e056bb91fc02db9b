//! How the rows of a part change the weights; changes of parts add up exactly, in any order.

use serde::{Deserialize, Serialize};

use crate::data::framed::{frame, refused, unframe};
use crate::error::{Error, Result};

/// What the bytes are.
const CHANGE: &str = "change of weights";
/// Sums are whole multiples of this: far below the spacing of weights and moments, and with 2^40 rows behind changes of up
/// to 2^14 still within the integers.
const UNIT: f64 = 1.0 / (1u128 << 72) as f64;
/// Losses, which may be large, are multiples of this.
const LOSS_UNIT: f64 = 1.0 / (1u64 << 40) as f64;

/// The sum of changes, each weighted with the number of rows behind it.
///
/// Sums of integers do not depend on their order, so an engine may add changes as it likes.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct WeightsChange {
    counts: ChangeCounts,
    /// Of the parameters of all members; empty without rows.
    sums: Vec<i128>,
}

/// What a change rests on.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ChangeCounts {
    /// The round, if anything was done in it.
    round: Option<u32>,
    /// Parts that trained.
    parts: u64,
    /// Rows behind the change.
    rows: u64,
    /// Steps of all parts.
    steps: u64,
    /// Sums of the members' mean losses, times rows.
    losses: Vec<i128>,
}

impl WeightsChange {
    /// The change of one part from `start` to `end` by these rows and steps, with the members' mean losses.
    pub(super) fn of_part(round: u32, (start, end): (&[f32], &[f32]), rows: u64, steps: u64, losses: &[f64]) -> Self {
        let whole = |x: f64, unit: f64| ((x / unit).round() as i128).saturating_mul(i128::from(rows));
        let change = |(start, end): (&f32, &f32)| whole(f64::from(*end) - f64::from(*start), UNIT);
        let losses = losses.iter().map(|loss| whole(*loss, LOSS_UNIT)).collect();
        WeightsChange {
            counts: ChangeCounts { round: Some(round), parts: 1, rows, steps, losses },
            sums: start.iter().zip(end).map(change).collect(),
        }
    }

    /// Adds the change of other parts.
    ///
    /// # Errors
    /// [`Error::Mismatch`] for the change of another round or network.
    pub fn add(&mut self, other: WeightsChange) -> Result<()> {
        if other.counts.round.is_none() {
            return Ok(());
        }
        if self.counts.round.is_none() {
            *self = other;
            return Ok(());
        }
        if self.counts.round != other.counts.round || self.sums.len() != other.sums.len() {
            return Err(Error::mismatch("expected changes of one round and network, got those of two"));
        }
        self.counts.parts += other.counts.parts;
        self.counts.rows += other.counts.rows;
        self.counts.steps += other.counts.steps;
        self.counts.losses.iter_mut().zip(other.counts.losses).for_each(|(sum, more)| *sum = sum.saturating_add(more));
        self.sums.iter_mut().zip(other.sums).for_each(|(sum, more)| *sum = sum.saturating_add(more));
        Ok(())
    }

    /// The round, if anything was done in it.
    pub(super) fn round(&self) -> Option<u32> {
        self.counts.round
    }

    /// Number of parts that trained.
    pub fn parts(&self) -> u64 {
        self.counts.parts
    }

    /// Number of rows behind the change.
    pub fn rows(&self) -> u64 {
        self.counts.rows
    }

    /// Steps of a part, on average.
    pub(super) fn mean_steps(&self) -> u64 {
        self.counts.steps.div_ceil(self.counts.parts.max(1))
    }

    /// The mean change of each parameter.
    pub(super) fn mean(&self) -> Vec<f64> {
        self.sums.iter().map(|sum| self.mean_of(*sum, UNIT)).collect()
    }

    /// The mean loss of each member.
    pub(super) fn losses(&self) -> Vec<f64> {
        self.counts.losses.iter().map(|sum| self.mean_of(*sum, LOSS_UNIT)).collect()
    }

    fn mean_of(&self, sum: i128, unit: f64) -> f64 {
        sum as f64 * unit / self.counts.rows.max(1) as f64
    }

    /// The change as bytes, for another process.
    pub fn to_bytes(&self) -> Vec<u8> {
        let sums: Vec<u8> = self.sums.iter().flat_map(|sum| sum.to_le_bytes()).collect();
        frame(&self.counts, &sums)
    }

    /// The change that [`to_bytes`](WeightsChange::to_bytes) gave.
    ///
    /// # Errors
    /// [`Error::Data`] for other or damaged bytes.
    pub fn from_bytes(bytes: &[u8]) -> Result<WeightsChange> {
        let (counts, sums): (ChangeCounts, _) = unframe(bytes, CHANGE)?;
        let (sums, rest) = sums.as_chunks();
        if !rest.is_empty() {
            return Err(refused(CHANGE, "others"));
        }
        Ok(WeightsChange { counts, sums: sums.iter().map(|bytes| i128::from_le_bytes(*bytes)).collect() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(rows: u64, end: f32) -> WeightsChange {
        WeightsChange::of_part(2, (&[0.1, 0.3], &[end, 0.3 - end]), rows, rows / 10, &[f64::from(end)])
    }

    #[test]
    fn changes_add_up_to_the_same_bits_in_any_order() {
        let parts = [part(100, 0.37), part(17, -0.011), part(5, 1e-7), WeightsChange::default()];
        let sum = |order: [usize; 4]| {
            let mut sum = WeightsChange::default();
            order.iter().for_each(|i| sum.add(parts[*i].clone()).unwrap());
            WeightsChange::from_bytes(&sum.to_bytes()).unwrap()
        };
        assert_eq!(sum([0, 1, 2, 3]), sum([3, 2, 1, 0]));
        assert_eq!(sum([0, 1, 2, 3]).to_bytes(), sum([2, 0, 3, 1]).to_bytes());
        let all = sum([0, 1, 2, 3]);
        assert_eq!((all.parts(), all.rows(), all.mean_steps()), (3, 122, 4));
        let expected = (100.0 * (0.37 - 0.1) + 17.0 * (-0.011 - 0.1) + 5.0 * (1e-7 - 0.1)) / 122.0;
        assert!((all.mean()[0] - expected).abs() < 1e-7);
    }

    #[test]
    fn changes_of_other_rounds_and_damaged_bytes_are_refused() {
        let mut one = part(10, 0.5);
        let other = WeightsChange::of_part(3, (&[0.0; 2], &[0.0; 2]), 1, 1, &[0.0]);
        assert!(one.add(other).is_err());
        let bytes = one.to_bytes();
        assert!(WeightsChange::from_bytes(&bytes[..bytes.len() - 1]).is_err());
    }
}
