//! Expected frequencies of one code unit: a histogram of at most [`Table::MOST_BINS`] bins.
//!
//! Bin `S` holds the symbols `s` with `(s + 2^(shift-1)) >> shift == S`, so a bin is centred on a multiple of its width.
//! The same table serves symbols of a coarser or a finer quantiser whose steps differ by a power of two ([`Table::at`]).

use crate::error::{CodecError, Result};

/// The expected counts of one code unit's symbols.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    lowest: i64,
    shift: u32,
    counts: Vec<u16>,
}

impl Table {
    /// Maximum number of bins.
    pub const MOST_BINS: usize = 64;
    /// Maximum distance of a bin from zero, in symbols.
    pub const FARTHEST: i64 = 1 << 62;

    /// The table of observed symbols, at the finest level at which they fit. Bins between the lowest and the
    /// highest symbol are never empty; without symbols the table is one bin at zero.
    pub fn from_symbols(symbols: impl IntoIterator<Item = i64>) -> Table {
        let symbols: Vec<i64> = symbols.into_iter().map(|s| s.clamp(-Self::FARTHEST, Self::FARTHEST)).collect();
        let (Some(&low), Some(&high)) = (symbols.iter().min(), symbols.iter().max()) else {
            return Table { lowest: 0, shift: 0, counts: vec![1] };
        };
        let shift = (0..=62).find(|&shift| bin(high, shift) - bin(low, shift) < Self::MOST_BINS as i128).unwrap_or(62);
        let lowest = bin(low, shift);
        let mut seen = vec![0u64; (bin(high, shift) - lowest) as usize + 1];
        for &symbol in &symbols {
            seen[(bin(symbol, shift) - lowest) as usize] += 1;
        }
        // With few observations bins are smoothed with their neighbours.
        let lent = if symbols.len() < 32 * seen.len() { 1 } else { 0 };
        let smooth: Vec<u64> = (0..seen.len())
            .map(|at| {
                let beside = if at > 0 { seen[at - 1] } else { 0 } + seen.get(at + 1).copied().unwrap_or(0);
                16 * seen[at] + 4 * lent * beside + 2
            })
            .collect();
        Table { lowest: lowest as i64, shift, counts: narrowed(&smooth) }
    }

    /// Builds a table from its parts, as stored in a file.
    ///
    /// # Errors
    ///
    /// If there are no bins or too many, a bin is empty, or the bins exceed [`Table::FARTHEST`].
    pub fn new(lowest: i64, shift: u32, counts: Vec<u16>) -> Result<Table> {
        if counts.is_empty() || counts.len() > Self::MOST_BINS {
            let expected = format!("1 to {}", Self::MOST_BINS);
            return Err(CodecError::malformed("number of bins in a table", expected, counts.len()));
        }
        if let Some(at) = counts.iter().position(|&count| count == 0) {
            return Err(CodecError::malformed(
                "counts of a table",
                "at least 1 in every bin",
                format!("0 in bin {at}"),
            ));
        }
        if shift > 62 {
            return Err(CodecError::malformed("shift of a table", "at most 62", shift));
        }
        let farthest = i128::from(Self::FARTHEST) >> shift;
        let highest = i128::from(lowest) + counts.len() as i128 - 1;
        if i128::from(lowest) < -farthest || highest > farthest {
            let expected = format!("bins within {} and {farthest}", -farthest);
            return Err(CodecError::malformed("range of a table", expected, format!("{lowest} to {highest}")));
        }
        Ok(Table { lowest, shift, counts })
    }

    /// The number of the lowest bin.
    pub fn lowest(&self) -> i64 {
        self.lowest
    }

    /// A bin covers 2^shift symbols.
    pub fn shift(&self) -> u32 {
        self.shift
    }

    /// Relative frequency of each bin; none is zero.
    pub fn counts(&self) -> &[u16] {
        &self.counts
    }

    /// The table for a quantiser with 2^`level` times the step: above zero, bins merge; below, each is split
    /// evenly among finer symbols.
    pub fn at(&self, level: i32) -> Table {
        let shift = i64::from(self.shift) - i64::from(level);
        if shift >= 0 {
            // Limit of the finest table; symbols outside are coded as escapes.
            let shift = shift.min(62) as u32;
            let farthest = Self::FARTHEST >> shift;
            let count = self.counts.len() as i64;
            let lowest = self.lowest.clamp(-farthest, (farthest - count + 1).max(-farthest));
            let beyond = (lowest + count - 1 - farthest).max(0);
            let kept = (count - beyond) as usize;
            return Table { lowest, shift, counts: self.counts[..kept].to_vec() };
        }
        let merged = (-shift).min(63) as u32;
        let lowest = bin(self.lowest, merged);
        let highest = bin(self.lowest + self.counts.len() as i64 - 1, merged);
        let mut counts = vec![0u64; (highest - lowest) as usize + 1];
        for (&count, at) in self.counts.iter().zip(self.lowest..) {
            counts[(bin(at, merged) - lowest) as usize] += u64::from(count);
        }
        Table { lowest: lowest as i64, shift: 0, counts: narrowed(&counts) }
    }
}

/// The bin of `symbol`: the nearest multiple of 2^`shift`, halves upwards.
pub(crate) fn bin(symbol: i64, shift: u32) -> i128 {
    (i128::from(symbol) + half(shift)) >> shift
}

/// Number of symbols between a bin's first symbol and its centre.
pub(crate) fn half(shift: u32) -> i128 {
    (1i128 << shift) >> 1
}

/// The same proportions in 16 bits; nonzero counts stay nonzero.
fn narrowed(counts: &[u64]) -> Vec<u16> {
    let most = counts.iter().copied().max().unwrap_or(1).max(1);
    let limit = u64::from(u16::MAX);
    let scale = |count: u64| {
        if most <= limit { count } else { (u128::from(count) * u128::from(limit) / u128::from(most)) as u64 }
    };
    counts.iter().map(|&count| scale(count).max(1) as u16).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_wide_range_is_stored_coarsely() {
        let table = Table::from_symbols([-1000, 0, 0, 5, 1000]);
        assert_eq!(table.shift(), 5);
        assert!(table.counts().len() <= Table::MOST_BINS);
        assert!(table.counts().iter().all(|&count| count > 0));
        assert_eq!(i128::from(table.lowest()), bin(-1000, 5));
    }

    #[test]
    fn coarser_levels_merge_bins() {
        let table = Table::new(-2, 0, vec![1, 2, 3, 4, 5]).unwrap();
        // -2 and -1 round to -1 and 0 in steps of two; halves go upwards.
        assert_eq!(table.at(1), Table::new(-1, 0, vec![1, 2 + 3, 4 + 5]).unwrap());
        assert_eq!(table.at(-3), Table::new(-2, 3, vec![1, 2, 3, 4, 5]).unwrap());
        assert_eq!(table.at(-3).at(3), table);
    }

    #[test]
    fn hostile_parts_are_refused() {
        for (lowest, shift, counts) in [
            (0, 0, vec![]),
            (0, 0, vec![1; 65]),
            (0, 0, vec![1, 0]),
            (0, 63, vec![1]),
            (2, 62, vec![1]),
            (i64::MAX, 0, vec![1, 1]),
            (i64::MIN, 3, vec![1]),
        ] {
            let message = Table::new(lowest, shift, counts).unwrap_err().to_string();
            assert!(message.contains("expected"), "{message}");
        }
    }

    #[test]
    fn the_farthest_symbols_have_a_table() {
        for symbol in [Table::FARTHEST, 1 - Table::FARTHEST, -Table::FARTHEST, i64::MIN, i64::MAX] {
            let table = Table::from_symbols([symbol]);
            assert_eq!(table.at(0), table, "{symbol}");
        }
    }

    proptest! {
        #[test]
        fn every_level_is_a_table(symbols in prop::collection::vec(any::<i64>(), 0..20), level in -200i32..200) {
            let table = Table::from_symbols(symbols).at(level);
            prop_assert!(Table::new(table.lowest, table.shift, table.counts.clone()).is_ok(), "{:?}", table);
        }
    }
}
