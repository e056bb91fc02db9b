//! The verbs around the code: rebuilding rows, encoding and decoding them.

use arrow::array::AsArray;
use arrow::datatypes::Float64Type;
use narrows_engine::Threads;

use super::Fitted;
use super::images::not_a_table;
use super::intake::Intake;
use crate::data::{Column, ColumnKind, Schema, Table, conform};
use crate::error::{Error, Place, Result};

impl Fitted {
    /// What the model makes of each row, in the columns' own units: the mean over members.
    ///
    /// # Errors
    /// [`Error::Mismatch`] or [`Error::Data`] where the table's columns do not fit.
    pub fn reconstruct(&self, table: &Table, threads: &Threads) -> Result<Table> {
        match &self.intake {
            Intake::Table(intake) => {
                let prepared = intake.prepare(table)?.prepared;
                let output = self.judge.output(&prepared, threads);
                intake.pipeline.inverse_table(&output, prepared.n)
            }
            Intake::Series(intake) => self.reconstruct_series(intake, table, threads),
            Intake::Images(_) => Err(not_a_table()),
        }
    }

    /// The code of each row, as columns `code_0`, `code_1`, ...; of series in the long layout, of each window, after
    /// columns that say which one it is.
    ///
    /// # Errors
    /// As for [`Fitted::reconstruct`].
    pub fn encode(&self, table: &Table, threads: &Threads) -> Result<Table> {
        let codes = match &self.intake {
            Intake::Table(intake) => self.judge.codes(&intake.prepare(table)?.prepared, threads),
            Intake::Series(intake) => return self.encode_series(intake, table, threads),
            Intake::Images(_) => return Err(not_a_table()),
        };
        Table::from_columns(self.code_columns(&codes))
    }

    /// Codes `[n, code_size]` as columns.
    pub(super) fn code_columns(&self, codes: &[f32]) -> Vec<(String, Vec<f64>)> {
        let k = self.code_size();
        let column = |j: usize| codes.chunks_exact(k).map(|code| f64::from(code[j])).collect();
        (0..k).map(|j| (code_name(j), column(j))).collect()
    }

    /// Rows from codes alone: a table with the columns that [`Fitted::encode`] makes.
    ///
    /// # Errors
    /// [`Error::Mismatch`] where a code column is missing, [`Error::Data`] where a code is not a finite number.
    pub fn decode(&self, codes: &Table, threads: &Threads) -> Result<Table> {
        let columns: Vec<_> =
            (0..self.code_size()).map(|j| Column { name: code_name(j), kind: ColumnKind::Numeric }).collect();
        let (typed, _) = conform(codes.clone(), &Schema { columns })?;
        let (n, k) = (typed.n_rows(), self.code_size());
        let mut flat = vec![0.0_f32; n * k];
        for j in 0..k {
            let name = code_name(j);
            let column = typed.expect_column(&name)?.as_primitive::<Float64Type>();
            for (row, value) in column.iter().enumerate() {
                let value = value.filter(|value| value.is_finite()).ok_or_else(|| {
                    let got = value.map_or("nothing".to_owned(), |v| v.to_string());
                    let place = Place::cell(&name, typed.first_row() + row as u64);
                    Error::data(place, format!("expected a finite number, got {got}"))
                })?;
                flat[row * k + j] = value as f32;
            }
        }
        self.rows_from_codes(&flat, n, threads)
    }

    /// Rows from codes `[n, code_size]`.
    pub(super) fn rows_from_codes(&self, codes: &[f32], n: usize, threads: &Threads) -> Result<Table> {
        let output = self.judge.decode(codes, n, threads);
        match &self.intake {
            Intake::Table(intake) => intake.pipeline.inverse_table(&output, n),
            Intake::Series(intake) => intake.rows_of(&output, &[], &[]),
            Intake::Images(_) => Err(not_a_table()),
        }
    }
}

fn code_name(unit: usize) -> String {
    format!("code_{unit}")
}
