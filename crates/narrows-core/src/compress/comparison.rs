//! Comparison of decompressed with original rows.

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::Float64Type;
use arrow::util::display::{ArrayFormatter, FormatOptions};

use super::coder::ChunkCoder;
use super::fidelity::{ErrorBound, Fidelity};
use super::restore::differing;
use super::stored::StoredArray;
use super::table_fidelity::TableFidelity;
use crate::data::{ColumnKind, Table, conform};
use crate::error::{Error, Place, Result};
use crate::fitted::TabularModel;

/// Compares decompressed rows with the original ones.
pub struct CompressionComparison {
    coder: ChunkCoder,
    fidelity: TableFidelity,
}

impl CompressionComparison {
    /// A comparison for the requested fidelity.
    ///
    /// # Errors
    /// [`Error::Mismatch`] if the model was fitted by a version without compression.
    pub fn new(model: &dyn TabularModel, fidelity: impl Into<TableFidelity>) -> Result<CompressionComparison> {
        Ok(CompressionComparison { coder: ChunkCoder::new(model)?, fidelity: fidelity.into() })
    }

    /// Compares equally many rows.
    ///
    /// # Errors
    /// [`Error::Data`] naming the first cell outside the fidelity: numbers must be within the bound, all else
    /// identical in type and cells; of a lossless file everything must be, to the spelling of numbers in text. If only
    /// the code is stored, only columns unknown to the model are compared.
    ///
    /// # Panics
    /// If the tables differ in length.
    pub fn compare(&self, was: &Table, is: &Table) -> Result<()> {
        assert_eq!(was.n_rows(), is.n_rows(), "as many rows");
        if was.names() != is.names() {
            return Err(Error::mismatch("other columns came back than went in"));
        }
        let schema = self.coder.adapter.schema();
        let (was_typed, _) = conform(was.clone(), schema)?;
        let (is_typed, _) = conform(is.clone(), schema)?;
        for name in was.names() {
            let kind = schema.get(name).map(|column| column.kind);
            let is_special = self.coder.adapter.index_columns().iter().any(|special| special == name);
            match (kind, self.fidelity.of(name)) {
                (_, Fidelity::Lossless) => check_same(was, is, name)?,
                (Some(ColumnKind::Numeric), _) if !is_special => {
                    let bound = self.bound(name);
                    check_numbers(&was_typed, &is_typed, name, bound, was.first_row())?;
                }
                (Some(kind), Fidelity::Code(_)) if !is_special && kind != ColumnKind::Datetime => {}
                _ => check_same(was, is, name)?,
            }
        }
        Ok(())
    }

    fn bound(&self, name: &str) -> f64 {
        match self.fidelity.of(name) {
            Fidelity::Code(_) => f64::INFINITY,
            Fidelity::Lossless => 0.0,
            Fidelity::Within(ErrorBound::Absolute(bound)) => bound,
            Fidelity::Within(ErrorBound::Share(share)) => {
                let feature = self.coder.features().into_iter().find(|feature| feature.column.name == name);
                share * feature.and_then(|feature| feature.span).map_or(0.0, |span| span.width())
            }
        }
    }
}

fn check_numbers(was: &Table, is: &Table, name: &str, bound: f64, first_row: u64) -> Result<()> {
    let (was, is) = (was.expect_column(name)?, is.expect_column(name)?);
    let (was, is) = (was.as_primitive::<Float64Type>(), is.as_primitive::<Float64Type>());
    for (row, (was, is)) in was.iter().zip(is).enumerate() {
        let missing = |x: Option<f64>| x.filter(|x| !x.is_nan());
        let fits = match (missing(was), missing(is)) {
            (None, None) => true,
            (Some(was), Some(is)) => was == is || (was - is).abs() <= bound,
            _ => false,
        };
        if !fits {
            let words = |x: Option<f64>| x.map_or("nothing".to_owned(), |x| x.to_string());
            let message = format!("expected {} within {bound}, got {} back", words(was), words(is));
            return Err(Error::data(Place::cell(name, first_row + row as u64), message));
        }
    }
    Ok(())
}

/// Checks that a column came back in its type, and every cell to the bit.
fn check_same(was: &Table, is: &Table, name: &str) -> Result<()> {
    let (was_column, is_column) = (was.expect_column(name)?, is.expect_column(name)?);
    if was_column == is_column {
        return Ok(());
    }
    // What is stored has no metadata of nested fields.
    let plain = StoredArray::of(was_column).ok().and_then(|stored| stored.array(was.n_rows()));
    let was_column = plain.as_ref().unwrap_or(was_column);
    if was_column.data_type() != is_column.data_type() {
        let message = format!("expected the type {}, got {} back", was_column.data_type(), is_column.data_type());
        return Err(Error::data(Place::column(name), message));
    }
    let Some(row) = differing(was_column, is_column).first().map(|row| *row as usize) else { return Ok(()) };
    let options = FormatOptions::default();
    let words = |column: &ArrayRef| match ArrayFormatter::try_new(column, &options) {
        Ok(text) if column.is_valid(row) => format!("`{}`", text.value(row)),
        _ => "nothing".to_owned(),
    };
    let message = format!("expected {}, got {} back", words(was_column), words(is_column));
    Err(Error::data(Place::cell(name, was.first_row() + row as u64), message))
}
