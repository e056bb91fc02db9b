//! A compressed table read again, beside the rows that it was made from.

use std::io::Read;

use super::comparison::CompressionComparison;
use super::decompressor::TableDecompressor;
use super::fidelity::Fidelity;
use crate::data::Table;
use crate::error::{Error, Result};
use crate::fitted::TabularModel;

/// Reads a compressed file as the rows that went in come by once more, in portions of any size.
pub struct TableVerification<R> {
    reader: TableDecompressor<R>,
    comparison: CompressionComparison,
    /// Rows that were read and not compared yet.
    back: Option<Table>,
}

impl<R: Read> TableVerification<R> {
    /// Begins at the head of a file of which `fidelity` was asked.
    ///
    /// # Errors
    /// As [`TableDecompressor::new`].
    pub fn new(model: &dyn TabularModel, fidelity: Fidelity, source: R) -> Result<Self> {
        let reader = TableDecompressor::new(model, source)?;
        Ok(TableVerification { reader, comparison: CompressionComparison::new(model, fidelity)?, back: None })
    }

    /// Compares the next rows that went in.
    ///
    /// # Errors
    /// As [`CompressionComparison::compare`]; [`Error::Mismatch`] where the file has fewer rows.
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

    /// Sees that the file ends where the rows do.
    ///
    /// # Errors
    /// [`Error::Mismatch`] where it has more rows.
    pub fn finish(mut self) -> Result<()> {
        let left = self.back.map_or(0, |table| table.n_rows());
        if left > 0 || self.reader.next_table()?.is_some() {
            return Err(Error::mismatch("the compressed file has more rows than the input"));
        }
        Ok(())
    }
}
