//! A part of a large input: one of n shards, each a run of the units that can be read by themselves.
//!
//! Units are row groups of Parquet files, record batches of Arrow files, and other files whole. Which units a shard has
//! follows from their sizes and from n alone, so that every machine comes to the same division.

use std::fmt;
use std::ops::Range;
use std::str::FromStr;

/// One of `count` shards, counted from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Shard {
    index: u64,
    count: u64,
}

impl Shard {
    /// Most shards.
    const MOST: u64 = 1_000_000;

    /// Shard `index` of `count`; `None` unless `index < count`, and for more than a million.
    pub fn new(index: u64, count: u64) -> Option<Shard> {
        (index < count && count <= Shard::MOST).then_some(Shard { index, count })
    }

    /// The number of the shard, from 0.
    pub fn index(self) -> u64 {
        self.index
    }

    /// The number of shards.
    pub fn count(self) -> u64 {
        self.count
    }

    /// The units of this shard, given the size of each: a unit belongs to the shard in whose share of the whole its middle
    /// lies.
    pub(super) fn units(self, sizes: &[u64]) -> Range<usize> {
        let total: u128 = sizes.iter().map(|size| u128::from(*size)).sum();
        let mut before = 0u128;
        let owners: Vec<u128> = sizes
            .iter()
            .map(|size| {
                // Twice the middle, so that it is whole.
                let middle = 2 * before + u128::from(*size);
                before += u128::from(*size);
                (middle * u128::from(self.count) / (2 * total).max(1)).min(u128::from(self.count) - 1)
            })
            .collect();
        let index = u128::from(self.index);
        owners.partition_point(|owner| *owner < index)..owners.partition_point(|owner| *owner <= index)
    }
}

impl FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> Result<Shard, String> {
        let parts = text.split_once('/').map(|(index, count)| (index.trim().parse(), count.trim().parse()));
        match parts {
            Some((Ok(index), Ok(count))) => Shard::new(index, count).ok_or_else(|| {
                format!("expected a shard from 0 to n-1 of at most a million, such as 0/8 to 7/8, got `{text}`")
            }),
            _ => Err(format!("expected a shard and how many there are, such as 0/8, got `{text}`")),
        }
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.index, self.count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(sizes: &[u64], count: u64) -> Vec<Range<usize>> {
        let shards: Vec<Range<usize>> = (0..count).map(|i| Shard::new(i, count).unwrap().units(sizes)).collect();
        let mut next = 0;
        for shard in &shards {
            assert_eq!(shard.start, next, "{shards:?}");
            next = shard.end;
        }
        assert_eq!(next, sizes.len());
        shards
    }

    #[test]
    fn shards_are_runs_of_units_that_together_are_all() {
        assert_eq!(check(&[10; 8], 4), [0..2, 2..4, 4..6, 6..8]);
        assert_eq!(check(&[10; 3], 1).first(), Some(&(0..3)));
        assert_eq!(check(&[100, 1, 1], 2), [0..1, 1..3]);
        assert_eq!(check(&[], 2), [0..0, 0..0]);
        check(&[0, 0, 0], 3);
        check(&[u64::MAX; 5], 7);
        for count in 1..12 {
            let sizes: Vec<u64> = (0..100).map(|i| 1000 + i * 37 % 11).collect();
            let largest = check(&sizes, count).into_iter().map(|units| sizes[units].iter().sum::<u64>()).max();
            let even = sizes.iter().sum::<u64>() / count;
            assert!(largest.unwrap() <= even + 1011, "{count}");
        }
    }

    #[test]
    fn a_shard_is_written_as_a_fraction_from_zero() {
        assert_eq!("3/8".parse::<Shard>().unwrap().to_string(), "3/8");
        for text in ["8/8", "3", "a/b", "-1/2", "0/0", "0/1000001"] {
            assert!(text.parse::<Shard>().is_err(), "{text}");
        }
    }
}
