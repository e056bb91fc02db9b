//! Verification of a compressed table against the original rows.

use std::io::Read;

use super::comparison::CompressionComparison;
use super::decompressor::TableDecompressor;
use super::table_fidelity::TableFidelity;
use crate::data::Table;
use crate::error::{Error, Result};
use crate::fitted::TabularModel;

/// Reads a compressed file while the original rows are passed again, in batches of any size.
pub struct TableVerification<R> {
    reader: TableDecompressor<R>,
    comparison: CompressionComparison,
    /// Decompressed rows not compared yet.
    back: Option<Table>,
}

impl<R: Read> TableVerification<R> {
    /// Starts at the header of a file written with `fidelity`.
    ///
    /// # Errors
    /// As [`TableDecompressor::new`].
    pub fn new(model: &dyn TabularModel, fidelity: impl Into<TableFidelity>, source: R) -> Result<Self> {
        let reader = TableDecompressor::new(model, source)?;
        Ok(TableVerification { reader, comparison: CompressionComparison::new(model, fidelity)?, back: None })
    }

    /// Compares the next original rows.
    ///
    /// # Errors
    /// As [`CompressionComparison::compare`]; [`Error::Mismatch`] if the file has fewer rows.
    pub fn push(&mut self, table: &Table) -> Result<()> {
        let mut first = 0;
        while first < table.n_rows() {
            let held = match self.back.take().filter(|table| table.n_rows() > 0) {
                Some(held) => held,
                None => self
                    .reader
                    .next_table()?
                    .ok_or_else(|| Error::mismatch("the compressed file has fewer rows than the input"))?,
            };
            let n = held.n_rows().min(table.n_rows() - first);
            self.comparison.compare(&table.slice(first, n), &held.slice(0, n))?;
            self.back = Some(held.slice(n, held.n_rows() - n));
            first += n;
        }
        Ok(())
    }

    /// Checks that the file has no further rows.
    ///
    /// # Errors
    /// [`Error::Mismatch`] if it has more rows.
    pub fn finish(mut self) -> Result<()> {
        let left = self.back.map_or(0, |table| table.n_rows());
        if left > 0 || self.reader.next_table()?.is_some() {
            return Err(Error::mismatch("the compressed file has more rows than the input"));
        }
        Ok(())
    }
}
