//! A uniform sample of rows that depends on nothing but the seed and what identifies a row.
//!
//! Every row has a place, a hash of the seed and of its number or key, and the sample is the rows of the smallest places
//! (bottom-k sampling). Samples of parts join to the sample of the whole, in whatever order they come.

use super::row_key::RowKey;
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

/// Rows kept beyond the sample before they are thinned out: so many, or this share of it.
const SPARE: usize = 8192;
const SPARE_SHARE: usize = 8;
/// Standard deviations by which more rows are kept of a part than its share in the whole.
const MARGIN: f64 = 8.0;

/// Where a row stands among all: by its number or key, then, for rows of one key, by its cells.
type RowPlace = (u64, u64);

const LAST: RowPlace = (u64::MAX, u64::MAX);

/// Chooses rows while they are read.
#[derive(Debug, Clone)]
pub(super) struct Sampler {
    sample: RowSample,
    key: RowKey,
    /// Hashes of rows to keep are not below.
    from: u64,
    /// Places of rows to keep are below.
    bound: RowPlace,
    kept: Vec<(Table, Vec<RowPlace>)>,
    n_kept: usize,
    n_seen: u64,
}

impl Sampler {
    pub(super) fn new(sample: RowSample, key: RowKey) -> Sampler {
        Sampler { sample, key, from: 0, bound: LAST, kept: Vec::new(), n_kept: 0, n_seen: 0 }
    }

    /// Of the rows whose hashes are in this range, its end excluded, instead of all.
    pub(super) fn within(mut self, hashes: std::ops::Range<u64>) -> Sampler {
        self.from = hashes.start;
        self.bound = (hashes.end, 0);
        self
    }

    /// Keeps of a part little more than what of `rows` rows in all can be in the sample.
    ///
    /// Only where places are of single rows: of those that share a key, many may come at once.
    pub(super) fn expecting(mut self, rows: u64) -> Sampler {
        let target = self.sample.rows as f64;
        let share = (target + MARGIN * target.sqrt() + MARGIN * MARGIN) / rows.max(1) as f64;
        if self.key == RowKey::Position && share < 1.0 {
            // Casts saturate.
            self.bound = ((share * u64::MAX as f64) as u64, 0);
        }
        self
    }

    /// With the number of rows considered, where only those kept are at hand.
    pub(super) fn having_seen(mut self, rows: u64) -> Sampler {
        self.n_seen = rows;
        self
    }

    /// The sample that is drawn.
    pub(super) fn sample(&self) -> RowSample {
        self.sample
    }

    /// What identifies a row.
    pub(super) fn key(&self) -> &RowKey {
        &self.key
    }

    /// The number of rows considered.
    pub(super) fn n_seen(&self) -> u64 {
        self.n_seen
    }

    /// The rows kept so far.
    pub(super) fn kept(&self) -> impl Iterator<Item = &Table> {
        self.kept.iter().map(|(table, _)| table)
    }

    /// Considers the rows of a table.
    ///
    /// # Errors
    /// If it lacks a column of the key.
    pub(super) fn push(&mut self, table: &Table) -> Result<()> {
        self.n_seen += table.n_rows() as u64;
        let hashes = self.key.hashes(table, self.sample.seed)?;
        let wanted = self.from..=self.bound.0;
        let rows: Vec<u32> =
            (0..).zip(&hashes).filter(|(_, hash)| wanted.contains(*hash)).map(|(row, _)| row).collect();
        if rows.is_empty() {
            return Ok(());
        }
        let chosen = table.numbered_rows(&rows);
        let cells = self.key.cells(&chosen)?;
        let places = rows.iter().map(|row| hashes[*row as usize]).zip(cells).collect::<Vec<RowPlace>>();
        self.keep(&chosen, &places, &mut 0);
        self.thin_if_many();
        Ok(())
    }

    /// Adds what another sampler has considered: other rows of the same data.
    pub(super) fn join(&mut self, other: Sampler) {
        self.n_seen += other.n_seen;
        self.bound = self.bound.min(other.bound);
        for (table, places) in std::mem::take(&mut self.kept).into_iter().chain(other.kept) {
            self.kept.push((table, places));
        }
        self.n_kept += other.n_kept;
        self.thin_if_many();
    }

    /// What was chosen.
    pub(super) fn note(&self) -> String {
        format!("a sample of {} of {} rows is read", self.n_seen.min(self.sample.rows), self.n_seen)
    }

    /// The sample, in the order of row numbers, or of places where a key identifies rows; `None` without rows.
    pub(super) fn finish(mut self) -> Result<Option<Table>> {
        self.thin();
        self.kept.retain(|(table, _)| table.n_rows() > 0);
        self.kept.sort_by_key(|(table, _)| table.first_row());
        let (tables, places): (Vec<Table>, Vec<Vec<RowPlace>>) = self.kept.into_iter().unzip();
        if tables.is_empty() {
            return Ok(None);
        }
        let table = Table::concat(&tables)?;
        drop(tables);
        if self.key == RowKey::Position {
            // Of what has been moved as bytes, rows of one table may lie between those of another.
            let numbers = table.row_numbers();
            let table = if numbers.is_sorted() { table } else { table.numbered_rows(&order_of(&numbers)) };
            return Ok(Some(table.renumbered()));
        }
        let places: Vec<RowPlace> = places.into_iter().flatten().collect();
        Ok(Some(table.take(&order_of(&places)).in_new_order()))
    }

    fn target(&self) -> usize {
        usize::try_from(self.sample.rows).unwrap_or(usize::MAX)
    }

    /// Keeps rows of places below the bound, and as many at the bound as `at_bound` says.
    fn keep(&mut self, table: &Table, places: &[RowPlace], at_bound: &mut usize) {
        let mut is_kept = |place: &RowPlace| {
            let is_at_bound = *place == self.bound && *at_bound > 0;
            *at_bound -= usize::from(is_at_bound);
            *place < self.bound || is_at_bound
        };
        let rows: Vec<u32> = (0..).zip(places).filter(|(_, place)| is_kept(place)).map(|(row, _)| row).collect();
        if !rows.is_empty() {
            self.n_kept += rows.len();
            let places = rows.iter().map(|row| places[*row as usize]).collect();
            let is_all = rows.len() == table.n_rows();
            self.kept.push((if is_all { table.clone() } else { table.take(&rows) }, places));
        }
    }

    fn thin_if_many(&mut self) {
        let target = self.target();
        if self.n_kept > target.saturating_add(SPARE.max(target / SPARE_SHARE)) {
            self.thin();
        }
    }

    /// Drops what cannot be in the sample.
    fn thin(&mut self) {
        let mut places: Vec<RowPlace> = self.kept.iter().flat_map(|(_, places)| places).copied().collect();
        let target = self.target();
        if places.len() <= target || target == 0 {
            return;
        }
        // Rows of one place are alike, so any of those at the bound will do.
        self.bound = *places.select_nth_unstable(target - 1).1;
        let mut at_bound = target - places.iter().filter(|place| **place < self.bound).count();
        self.n_kept = 0;
        for (table, places) in std::mem::take(&mut self.kept) {
            self.keep(&table, &places, &mut at_bound);
        }
    }
}

/// The indices of values in ascending order; those of equal ones stay in theirs.
fn order_of<T: Ord + Copy>(values: &[T]) -> Vec<u32> {
    let mut order: Vec<u32> = (0..values.len() as u32).collect();
    order.sort_by_key(|i| values[*i as usize]);
    order
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, StringArray};

    use super::*;

    fn whole(n: u64) -> Table {
        Table::from_columns(vec![("x", (0..n).map(|i| i as f64).collect())]).unwrap()
    }

    fn sampler(table: &Table, batch: usize, sample: RowSample, key: &RowKey) -> Sampler {
        let mut sampler = Sampler::new(sample, key.clone());
        for start in (0..table.n_rows()).step_by(batch) {
            sampler.push(&table.slice(start, batch.min(table.n_rows() - start))).unwrap();
        }
        sampler
    }

    fn chosen(n: u64, batch: usize, sample: RowSample) -> Vec<u64> {
        sampler(&whole(n), batch, sample, &RowKey::Position).finish().unwrap().unwrap().row_numbers()
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

    #[test]
    fn all_rows_are_the_table_itself_and_no_sample() {
        let table = sampler(&whole(50), 7, RowSample { rows: 50, seed: 1 }, &RowKey::Position).finish().unwrap();
        let table = table.unwrap();
        assert!(!table.is_sample());
        assert_eq!(table, whole(50));
    }

    #[test]
    fn samples_of_parts_join_to_that_of_the_whole_in_any_order() {
        let (table, sample) = (whole(50_000), RowSample { rows: 300, seed: 3 });
        let expected = sampler(&table, 8192, sample, &RowKey::Position).finish().unwrap().unwrap();
        for order in [[0, 1, 2, 3], [3, 1, 0, 2]] {
            let cuts = [0, 11, 11, 40_000, 50_000];
            let part = |i: usize| {
                let mut sampler = Sampler::new(sample, RowKey::Position).expecting(50_000);
                sampler.push(&table.slice(cuts[i], cuts[i + 1] - cuts[i])).unwrap();
                sampler
            };
            let joined = order.map(part).into_iter().reduce(|mut joined, next| {
                joined.join(next);
                joined
            });
            let joined = joined.unwrap();
            assert!(joined.n_kept < 600, "{} rows kept of parts whose number is known", joined.n_kept);
            assert_eq!(joined.n_seen(), 50_000);
            assert_eq!(joined.finish().unwrap().unwrap(), expected, "{order:?}");
        }
    }

    /// Rows of a key each, of which a third are alike.
    fn keyed(order: impl Iterator<Item = u32>) -> Table {
        let key = |i: u32| if i.is_multiple_of(3) { "same".to_owned() } else { format!("k{i}") };
        let order: Vec<u32> = order.collect();
        let keys: ArrayRef = Arc::new(StringArray::from_iter_values(order.iter().map(|i| key(*i))));
        let cells = order.iter().map(|i| Some(f64::from(i % 3)));
        let cells: ArrayRef = Arc::new(cells.collect::<arrow::array::Float64Array>());
        Table::from_arrays(vec![("key".to_owned(), keys), ("x".to_owned(), cells)], "made").unwrap()
    }

    #[test]
    fn a_key_makes_the_sample_independent_of_the_order_of_rows() {
        let key = RowKey::Columns(vec!["key".to_owned()]);
        let sample = RowSample { rows: 500, seed: 0 };
        let one = sampler(&keyed(0..30_000), 997, sample, &key).finish().unwrap().unwrap();
        let other = sampler(&keyed((0..30_000).rev()), 4000, sample, &key).finish().unwrap().unwrap();
        assert_eq!(one.n_rows(), 500);
        assert_eq!(one.batch(), other.batch());
        let few = sampler(&keyed(0..90), 10, sample, &key).finish().unwrap().unwrap();
        assert_eq!(few.batch(), sampler(&keyed((0..90).rev()), 90, sample, &key).finish().unwrap().unwrap().batch());
        let unknown = RowKey::Columns(vec!["kay".to_owned()]);
        let error = Sampler::new(sample, unknown).push(&keyed(0..9)).unwrap_err();
        assert!(error.hint_text().unwrap().contains("key"), "{error}");
    }
}
