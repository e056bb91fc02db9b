//! A uniform sample of rows that depends on nothing but the seed and the rows' numbers.

use super::table::Table;
use crate::error::Result;

/// How many rows to choose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RowSample {
    /// The number of rows; all, if there are fewer.
    pub rows: u64,
    /// Another seed chooses other rows.
    pub seed: u64,
}

/// Rows kept beyond the sample before they are thinned out.
const SPARE: usize = 8192;

/// Chooses rows while they are read: those of the smallest hashes, in the order of the file.
pub(super) struct Sampler {
    sample: RowSample,
    /// Hashes of rows to keep are below.
    bound: u64,
    kept: Vec<(Table, Vec<u64>)>,
    n_kept: usize,
    n_seen: u64,
}

impl Sampler {
    pub(super) fn new(sample: RowSample) -> Sampler {
        Sampler { sample, bound: u64::MAX, kept: Vec::new(), n_kept: 0, n_seen: 0 }
    }

    /// Considers the rows of a table.
    pub(super) fn push(&mut self, table: &Table) {
        self.n_seen += table.n_rows() as u64;
        let hashes: Vec<u64> = (0..table.n_rows()).map(|i| hash(self.sample.seed, table.row_number(i))).collect();
        self.keep(table, &hashes);
        if self.n_kept > self.target().saturating_mul(2).max(self.target().saturating_add(SPARE)) {
            self.thin();
        }
    }

    /// What was chosen.
    pub(super) fn note(&self) -> String {
        format!("a sample of {} of {} rows is read", self.n_seen.min(self.sample.rows), self.n_seen)
    }

    /// The sample; `None` without rows.
    pub(super) fn finish(mut self) -> Result<Option<Table>> {
        self.thin();
        let tables: Vec<Table> = self.kept.into_iter().map(|(table, _)| table).collect();
        if tables.is_empty() { Ok(None) } else { Table::concat(&tables).map(Some) }
    }

    fn target(&self) -> usize {
        usize::try_from(self.sample.rows).unwrap_or(usize::MAX)
    }

    fn keep(&mut self, table: &Table, hashes: &[u64]) {
        let rows: Vec<u32> = (0..).zip(hashes).filter(|(_, hash)| **hash < self.bound).map(|(row, _)| row).collect();
        if !rows.is_empty() {
            self.n_kept += rows.len();
            let hashes = rows.iter().map(|row| hashes[*row as usize]).collect();
            self.kept.push((table.numbered().take(&rows), hashes));
        }
    }

    /// Drops what cannot be in the sample.
    fn thin(&mut self) {
        let mut hashes: Vec<u64> = self.kept.iter().flat_map(|(_, hashes)| hashes).copied().collect();
        if hashes.len() <= self.target() {
            return;
        }
        // Hashes of different rows differ: the hash is a bijection for each seed.
        self.bound = *hashes.select_nth_unstable(self.target()).1;
        self.n_kept = 0;
        for (table, hashes) in std::mem::take(&mut self.kept) {
            self.keep(&table, &hashes);
        }
    }
}

/// The output function of SplitMix64 (Steele, Lea and Flood 2014), a bijection of `row`.
fn hash(seed: u64, row: u64) -> u64 {
    let mix = |x: u64| {
        let x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        x ^ (x >> 31)
    };
    mix(row.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ mix(seed.wrapping_add(0x5851_f42d_4c95_7f2d)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(n: u64, batch: usize, sample: RowSample) -> Vec<u64> {
        let whole = Table::from_columns(vec![("x", (0..n).map(|i| i as f64).collect())]).unwrap();
        let mut sampler = Sampler::new(sample);
        for start in (0..n as usize).step_by(batch) {
            sampler.push(&whole.slice(start, batch.min(n as usize - start)));
        }
        let table = sampler.finish().unwrap().unwrap();
        (0..table.n_rows()).map(|i| table.row_number(i)).collect()
    }

    #[test]
    fn a_sample_is_the_same_however_rows_are_read_and_keeps_their_numbers_in_order() {
        let sample = RowSample { rows: 100, seed: 1 };
        let rows = chosen(40_000, 997, sample);
        assert_eq!((rows.len(), rows.is_sorted()), (100, true));
        assert_eq!(rows, chosen(40_000, 40_000, sample));
        assert_ne!(rows, chosen(40_000, 997, RowSample { seed: 2, ..sample }));
        let mean = rows.iter().sum::<u64>() as f64 / 100.0;
        assert!((mean - 20_000.0).abs() < 5_000.0, "{mean}");
        assert_eq!(chosen(5, 2, sample), [0, 1, 2, 3, 4]);
    }
}
