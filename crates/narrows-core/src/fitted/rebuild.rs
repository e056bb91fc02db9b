//! The verbs around the code: rebuilding rows, encoding and decoding them.

use arrow::array::AsArray;
use arrow::datatypes::Float64Type;
use narrows_engine::Threads;

use super::Fitted;
use super::adapter::Adapter;
use super::encoder::code_name;
use super::images::not_a_table;
use crate::data::{Column, ColumnKind, Schema, Table, conform};
use crate::error::{Error, Place, Result};
use crate::prep::Cell;

impl Fitted {
    /// What the model makes of each row, in the columns' own units: the mean over members.
    ///
    /// # Errors
    /// [`Error::Mismatch`] or [`Error::Data`] where the table's columns do not fit.
    pub fn reconstruct(&self, table: &Table, threads: &Threads) -> Result<Table> {
        match &self.adapter {
            Adapter::Table(adapter) => {
                let prepared = adapter.prepare(table)?.prepared;
                let output = self.scorer.output(&prepared, threads);
                adapter.pipeline.inverse_table(&output, prepared.n)
            }
            Adapter::Series(adapter) => self.reconstruct_series(adapter, table, threads),
            Adapter::Images(_) => Err(not_a_table()),
        }
    }

    /// The code of each row, as columns `code_0`, `code_1`, ...; of series in the long layout, of each window, after
    /// columns that say which one it is.
    ///
    /// # Errors
    /// As for [`Fitted::reconstruct`].
    pub fn encode(&self, table: &Table, threads: &Threads) -> Result<Table> {
        self.encoding().table(table, threads)
    }

    /// Rows from codes alone: a table with the columns that [`Fitted::encode`] makes.
    ///
    /// # Errors
    /// As for [`Fitted::codes_of`].
    pub fn decode(&self, codes: &Table, threads: &Threads) -> Result<Table> {
        self.rows_from_codes(&self.codes_of(codes)?, codes.n_rows(), threads)
    }

    /// The codes in a table with the columns that [`Fitted::encode`] makes, `[n, code_size]`; other columns are passed over.
    ///
    /// # Errors
    /// [`Error::Mismatch`] where a code column is missing or there is one too many, [`Error::Data`] where a code is not a
    /// finite number.
    pub fn codes_of(&self, table: &Table) -> Result<Vec<f32>> {
        let (n, k) = (table.n_rows(), self.code_size());
        let unit = |name: &str| name.strip_prefix("code_").and_then(|unit| unit.parse::<usize>().ok());
        if let Some(extra) = table.names().into_iter().find(|name| unit(name).is_some_and(|unit| unit >= k)) {
            let message = format!("expected codes of {k} units, up to `{}`, got a column `{extra}`", code_name(k - 1));
            return Err(Error::mismatch(message).with_hint("the codes are those of another model"));
        }
        let columns = (0..k).map(|j| Column { name: code_name(j), kind: ColumnKind::Numeric }).collect();
        let (typed, _) = conform(table.clone(), &Schema { columns })?;
        let mut flat = vec![0.0_f32; n * k];
        for j in 0..k {
            let name = code_name(j);
            let column = typed.expect_column(&name)?.as_primitive::<Float64Type>();
            for (row, value) in column.iter().enumerate() {
                // What no float can hold would be infinite to the network.
                let value = value.map(|value| value as f32).filter(|value| value.is_finite()).ok_or_else(|| {
                    let got = value.map_or("nothing".to_owned(), |v| Cell::Number(v).to_string());
                    let place = Place::cell(&name, typed.first_row() + row as u64);
                    Error::data(place, format!("expected a finite number, got {got}"))
                })?;
                flat[row * k + j] = value;
            }
        }
        Ok(flat)
    }

    /// Rows from codes `[n, code_size]`.
    pub(crate) fn rows_from_codes(&self, codes: &[f32], n: usize, threads: &Threads) -> Result<Table> {
        let output = self.scorer.decode(codes, n, threads);
        match &self.adapter {
            Adapter::Table(adapter) => adapter.pipeline.inverse_table(&output, n),
            Adapter::Series(adapter) => adapter.rows_of(&output, &[], &[]),
            Adapter::Images(_) => Err(not_a_table()),
        }
    }
}
