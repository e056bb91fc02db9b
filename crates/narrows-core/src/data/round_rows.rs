//! The rows that a partition trains on in a round: each row beyond the sample that a fit rests on belongs to one round.
//!
//! Which rows these are depends on their numbers or keys alone, not on how the data is cut.

use serde::{Deserialize, Serialize};

use super::row_key::RowKey;
use super::sample::{RowSample, Sampler};
use super::table::Table;
use crate::error::{Error, Result};

/// Which rows belong to a round.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RoundShare {
    /// The seed of the sample.
    seed: u64,
    /// The columns that identify a row; without any, its number.
    key: Vec<String>,
    /// Hashes of rows beyond the sample are above.
    beyond: u64,
    /// Number of rounds.
    rounds: u32,
}

impl RoundShare {
    /// The shares of `rounds` rounds in the rows beyond a sample.
    ///
    /// # Errors
    /// [`Error::Data`] if the sample is all rows.
    pub(crate) fn beyond(sample: &Table, key: &[String], seed: u64, rounds: u32) -> Result<RoundShare> {
        if sample.population().is_none() {
            let message = format!("expected more rows than the sample that a fit takes, got {}", sample.n_rows());
            let error = Error::recipe("train.rounds.count", message);
            return Err(
                error.with_hint("all rows train without rounds; a smaller train.sample_rows leaves rows to them")
            );
        }
        let beyond = RowKey::of(key.to_vec()).last(sample, seed)?;
        Ok(RoundShare { seed, key: key.to_vec(), beyond, rounds })
    }

    /// The hashes of the rows of a round, from 0.
    fn hashes(&self, round: u32) -> std::ops::Range<u64> {
        let span = u128::from(u64::MAX - self.beyond);
        let end = |round: u32| self.beyond + (span * u128::from(round) / u128::from(self.rounds.max(1))) as u64;
        let first = end(round).saturating_add(u64::from(round == 0));
        first..end(round + 1)
    }
}

/// Gathers the rows of a round from a partition while it is read, in bounded memory.
#[derive(Debug)]
pub struct RoundRows {
    sampler: Sampler,
}

impl RoundRows {
    /// At most so many rows; those of the smallest hashes.
    pub(crate) fn new(share: &RoundShare, round: u32, most: u64) -> RoundRows {
        let sample = RowSample { rows: most, seed: share.seed };
        let sampler = Sampler::new(sample, RowKey::of(share.key.clone())).within(share.hashes(round));
        RoundRows { sampler }
    }

    /// Considers the rows of a table, by their numbers in the whole data.
    ///
    /// # Errors
    /// If it lacks a column of the key.
    pub fn add(&mut self, table: &Table) -> Result<()> {
        self.sampler.push(table)
    }

    /// The rows; `None` if there are none.
    pub(crate) fn into_table(self) -> Result<Option<Table>> {
        self.sampler.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_beyond_the_sample_belongs_to_one_round_however_the_data_is_cut() {
        let whole = Table::from_columns(vec![("x", (0..9_000).map(f64::from).collect())]).unwrap();
        let sample = whole.clone().sampled(RowSample { rows: 500, seed: 3 }, RowKey::Position).unwrap();
        let share = RoundShare::beyond(&sample, &[], 3, 7).unwrap();
        let mut seen = sample.row_numbers();
        for round in 0..7 {
            let mut parts = Vec::new();
            for (first, rows) in [(0, 100), (100, 5_000), (5_100, 3_900)] {
                let mut gathered = RoundRows::new(&share, round, 10_000);
                gathered.add(&whole.slice(first, rows)).unwrap();
                parts.extend(gathered.into_table().unwrap().map(|table| table.row_numbers()).unwrap_or_default());
            }
            assert!((parts.len() as f64 / (8_500.0 / 7.0) - 1.0).abs() < 0.15, "{}", parts.len());
            seen.extend(parts);
        }
        seen.sort_unstable();
        assert_eq!(seen, (0..9_000).collect::<Vec<u64>>());
        assert!(RoundShare::beyond(&whole, &[], 3, 7).unwrap_err().to_string().contains("got 9000"));
    }
}
