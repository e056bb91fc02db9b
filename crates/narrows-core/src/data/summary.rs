//! What a fit needs of its data, by one pass: a uniform sample of rows, and counts over all of them.
//!
//! Summaries of parts join to the summary of the whole, to the last bit, however the parts were cut and in whatever order
//! they come: files on one machine, or partitions of an engine, which move summaries as bytes.

use std::io::Cursor;

use arrow::array::{Array, ArrayRef, AsArray, UInt64Array};
use arrow::datatypes::UInt64Type;
use arrow::ipc::reader::StreamReader;
use arrow::ipc::writer::StreamWriter;
use narrows_images::guarded;
use serde::{Deserialize, Serialize};

use super::framed::{frame, refused, unframe};
use super::population::{ColumnTally, Population};
use super::row_key::RowKey;
use super::sample::{RowSample, Sampler};
use super::table::{Table, different_columns};
use crate::error::{Error, Place, Result};

/// What the bytes are.
const SUMMARY: &str = "summary";
/// The column that holds the rows' numbers in the bytes of a summary.
const NUMBERS: &str = "\u{1}row";

/// The rows of a table, or of a part of one, summarised.
#[derive(Debug, Clone)]
pub struct DataSummary {
    sampler: Sampler,
    /// The columns of the first rows, and where those came from.
    names: Option<(Vec<String>, String)>,
    tallies: Vec<ColumnTally>,
}

/// The part of the bytes that is text.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SummaryHeader {
    sample: u64,
    seed: u64,
    key: Vec<String>,
    rows: u64,
    names: Option<(Vec<String>, String)>,
    tallies: Vec<ColumnTally>,
    /// The source of the rows that were kept, if there are any.
    kept: Option<String>,
}

impl DataSummary {
    /// The summary of no rows; `key` identifies rows.
    pub fn new(sample: RowSample, key: RowKey) -> DataSummary {
        DataSummary { sampler: Sampler::new(sample, key), names: None, tallies: Vec::new() }
    }

    /// The same for a part of `rows` rows in all: it then keeps few more rows than its share of the sample.
    #[must_use]
    pub fn expecting(self, rows: u64) -> DataSummary {
        DataSummary { sampler: self.sampler.expecting(rows), ..self }
    }

    /// Adds the rows of a table. Without a key, their numbers say which rows of the whole they are.
    ///
    /// # Errors
    /// [`Error::Mismatch`] for other columns than before; [`Error::Data`] for a column of nested values.
    pub fn add(&mut self, table: &Table) -> Result<()> {
        let in_order;
        let table = match &self.names {
            None => {
                self.names = Some((owned(&table.names()), table.source().to_owned()));
                self.tallies = vec![ColumnTally::default(); table.names().len()];
                table
            }
            Some((names, _)) if names.iter().map(String::as_str).eq(table.names()) => table,
            Some((names, _)) => {
                in_order = reordered(table, names)?;
                &in_order
            }
        };
        for ((tally, name), array) in self.tallies.iter_mut().zip(table.names()).zip(table.batch().columns()) {
            tally.add(array, &Place::column(name).of(table.source()))?;
        }
        self.sampler.push(table)
    }

    /// Adds the summary of other rows of the same data.
    ///
    /// # Errors
    /// [`Error::Mismatch`] if the columns differ, or what is sampled.
    pub fn join(&mut self, other: DataSummary) -> Result<()> {
        if other.sampler.sample() != self.sampler.sample() || other.sampler.key() != self.sampler.key() {
            let message = "expected summaries of one sample, got two of different size, seed or key";
            return Err(Error::mismatch(message));
        }
        match (&self.names, &other.names) {
            (_, None) => {}
            (None, Some(_)) => (self.names, self.tallies) = (other.names, other.tallies),
            (Some((names, _)), Some((others, source))) => {
                if others.len() != names.len() || !names.iter().all(|name| others.contains(name)) {
                    return Err(different_columns(&texts(names), &texts(others), source));
                }
                for (name, tally) in names.iter().zip(&mut self.tallies) {
                    let place = others.iter().position(|other| other == name).expect("the same columns");
                    tally.join(&other.tallies[place]);
                }
            }
        }
        self.sampler.join(other.sampler);
        Ok(())
    }

    /// Most rows that are kept.
    pub(super) fn sample_rows(&self) -> u64 {
        self.sampler.sample().rows
    }

    /// Number of rows so far.
    pub fn n_rows(&self) -> u64 {
        self.sampler.n_seen()
    }

    /// The sample as a table, with its [`population`](Table::population) unless it is all rows.
    ///
    /// # Errors
    /// [`Error::Data`] without rows, or if a column's type differs between parts.
    pub fn into_table(self) -> Result<Table> {
        let rows = self.n_rows();
        let Some((names, source)) = self.names else {
            return Err(Error::data(Place::default(), "expected at least one row of data, got none"));
        };
        let Some(table) = self.sampler.finish()? else {
            return Err(Error::data(Place::source(source), "expected at least one row of data, got none"));
        };
        let sampled = table.n_rows() as u64;
        if sampled == rows {
            return Ok(table);
        }
        let columns = self.tallies.iter().zip(&names).map(|(tally, name)| tally.column(name)).collect();
        Ok(table.sampled_from(Population { rows, sampled, columns }))
    }

    /// The summary as bytes, for another process.
    ///
    /// # Errors
    /// [`Error::Data`] if a column's type differs between the rows.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        let kept: Vec<Table> = self.sampler.kept().cloned().collect();
        let kept = if kept.is_empty() { None } else { Some(Table::concat(&kept)?) };
        let RowSample { rows: sample, seed } = self.sampler.sample();
        let header = SummaryHeader {
            sample,
            seed,
            key: match self.sampler.key() {
                RowKey::Position => Vec::new(),
                RowKey::Columns(columns) => columns.clone(),
            },
            rows: self.n_rows(),
            names: self.names.clone(),
            tallies: self.tallies.clone(),
            kept: kept.as_ref().map(|table| table.source().to_owned()),
        };
        let mut rows = Vec::new();
        if let Some(table) = kept {
            let names = table.names().into_iter().map(str::to_owned).zip(table.batch().columns().iter().cloned());
            let numbers: ArrayRef = std::sync::Arc::new(UInt64Array::from(table.row_numbers()));
            let columns = names.chain([(NUMBERS.to_owned(), numbers)]).collect();
            let table = Table::from_arrays(columns, table.source())?;
            let written = StreamWriter::try_new(&mut rows, table.batch().schema_ref())
                .and_then(|mut writer| writer.write(table.batch()).and_then(|()| writer.finish()));
            written.map_err(|error| Error::data(Place::source(table.source()), error.to_string()))?;
        }
        Ok(frame(&header, &rows))
    }

    /// The summary that [`to_bytes`](DataSummary::to_bytes) gave.
    ///
    /// # Errors
    /// [`Error::Data`] for other or damaged bytes.
    pub fn from_bytes(bytes: &[u8]) -> Result<DataSummary> {
        let wrong = |got: &str| refused(SUMMARY, got);
        let (header, rows): (SummaryHeader, _) = unframe(bytes, SUMMARY)?;
        let sample = RowSample { rows: header.sample, seed: header.seed };
        let mut sampler = Sampler::new(sample, RowKey::of(header.key));
        if let Some(source) = &header.kept {
            let read = guarded(|| StreamReader::try_new(Cursor::new(rows), None)?.collect::<Result<Vec<_>, _>>());
            let batches = read.map_err(|panic| wrong(&panic))?.map_err(|error| wrong(&error.to_string()))?;
            for batch in batches {
                let numbered = Table::new(batch, source, 0);
                let numbers = numbered.expect_column(NUMBERS)?.as_primitive_opt::<UInt64Type>();
                let numbers = numbers.filter(|numbers| numbers.null_count() == 0).ok_or_else(|| wrong("no numbers"))?;
                let numbers = numbers.values().to_vec();
                sampler.push(&numbered.without(&[NUMBERS]).with_numbers(numbers))?;
            }
        }
        let sampler = sampler.having_seen(header.rows);
        Ok(DataSummary { sampler, names: header.names, tallies: header.tallies })
    }
}

impl Table {
    /// A sample of at most so many of the rows, with its population; the table itself if there are no more.
    ///
    /// # Errors
    /// [`Error::Data`] for a column of nested values.
    pub fn sampled(self, sample: RowSample, key: RowKey) -> Result<Table> {
        if key == RowKey::Position && self.n_rows() as u64 <= sample.rows {
            return Ok(self);
        }
        let mut summary = DataSummary::new(sample, key);
        summary.add(&self)?;
        drop(self);
        summary.into_table()
    }
}

fn owned(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn texts(names: &[String]) -> Vec<&str> {
    names.iter().map(String::as_str).collect()
}

fn reordered(table: &Table, names: &[String]) -> Result<Table> {
    let wrong = || different_columns(&texts(names), &table.names(), table.source());
    if table.names().len() != names.len() {
        return Err(wrong());
    }
    table.select(names).map_err(|_| wrong())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        let of = |scale: f64| (0..9_000).map(|i| if i % 50 == 7 { f64::NAN } else { f64::from(i) * scale }).collect();
        Table::from_columns(vec![("a", of(1.0)), ("b", of(-2.0))]).unwrap()
    }

    fn summary(parts: &[(usize, usize)]) -> DataSummary {
        let mut summary = DataSummary::new(RowSample { rows: 200, seed: 4 }, RowKey::Position);
        parts.iter().for_each(|(first, rows)| summary.add(&table().slice(*first, *rows)).unwrap());
        summary
    }

    #[test]
    fn summaries_of_parts_are_the_summary_of_the_whole_also_as_bytes() {
        let whole = summary(&[(0, 9_000)]).into_table().unwrap();
        let population = whole.population().unwrap();
        assert_eq!((population.rows, population.sampled, whole.n_rows()), (9_000, 200, 200));
        assert_eq!((population.columns[1].missing, population.columns[1].smallest), (180, Some(-17_998.0)));
        let mut parts = [summary(&[(5_000, 4_000)]), summary(&[]), summary(&[(0, 2_000), (2_000, 3_000)])]
            .map(|part| DataSummary::from_bytes(&part.to_bytes().unwrap()).unwrap());
        let mut joined = parts[0].clone();
        parts[1..].iter_mut().for_each(|part| joined.join(part.clone()).unwrap());
        assert_eq!(joined.into_table().unwrap(), whole);
    }

    #[test]
    fn summaries_join_in_any_order_and_grouping() {
        let moved = |summary: DataSummary| DataSummary::from_bytes(&summary.to_bytes().unwrap()).unwrap();
        let together = |mut one: DataSummary, other: DataSummary| {
            one.join(other).unwrap();
            moved(one)
        };
        let parts = || [(0, 1_000), (1_000, 3_000), (4_000, 10), (4_010, 4_990)].map(|part| moved(summary(&[part])));
        let whole = summary(&[(0, 9_000)]).into_table().unwrap();
        let [a, b, c, d] = parts();
        assert_eq!(together(together(d, b), together(c, a)).into_table().unwrap(), whole);
        let [a, b, c, d] = parts();
        assert_eq!(together(together(together(d, c), a), b).into_table().unwrap(), whole);
    }

    #[test]
    fn few_rows_are_all_taken_as_they_came() {
        let sample = RowSample { rows: 9_000, seed: 0 };
        assert_eq!(table().sampled(sample, RowKey::Position).unwrap(), table());
        let mut summary = DataSummary::new(sample, RowKey::Position);
        [(0, 10), (10, 8_990)].iter().for_each(|(first, rows)| summary.add(&table().slice(*first, *rows)).unwrap());
        assert_eq!(summary.into_table().unwrap(), table());
    }

    #[test]
    fn other_columns_other_samples_and_damaged_bytes_are_refused() {
        let mut one = summary(&[(0, 10)]);
        let error = one.add(&Table::from_columns(vec![("a", vec![1.0])]).unwrap()).unwrap_err().to_string();
        assert!(error.contains("lacks `b`"), "{error}");
        let mut other = DataSummary::new(RowSample { rows: 200, seed: 4 }, RowKey::Position);
        other.add(&Table::from_columns(vec![("a", vec![1.0]), ("c", vec![1.0])]).unwrap()).unwrap();
        assert!(one.join(other).unwrap_err().to_string().contains("lacks `b` and has `c` in addition"));
        let other = DataSummary::new(RowSample { rows: 100, seed: 4 }, RowKey::Position);
        assert!(one.join(other).unwrap_err().to_string().contains("different size, seed or key"));
        let mut bytes = one.to_bytes().unwrap();
        assert!(DataSummary::from_bytes(&bytes[..20]).is_err());
        bytes[30] ^= 1;
        assert!(DataSummary::from_bytes(&bytes).unwrap_err().to_string().contains("damaged"));
        assert!(DataSummary::from_bytes(b"something else").is_err());
        let empty = DataSummary::new(RowSample { rows: 1, seed: 0 }, RowKey::Position);
        assert!(empty.into_table().unwrap_err().to_string().contains("at least one row"));
    }
}
