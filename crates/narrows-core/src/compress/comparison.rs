//! Comparison of decompressed with original rows.

use arrow::array::AsArray;
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type};

use super::coder::ChunkCoder;
use super::fidelity::{ErrorBound, Fidelity};
use crate::data::{ColumnKind, Table, conform};
use crate::error::{Error, Place, Result};
use crate::fitted::TabularModel;

/// Compares decompressed rows with the original ones.
pub struct CompressionComparison {
    coder: ChunkCoder,
    fidelity: Fidelity,
}

impl CompressionComparison {
    /// A comparison for the requested fidelity.
    ///
    /// # Errors
    /// [`Error::Mismatch`] if the model was fitted by a version without compression.
    pub fn new(model: &dyn TabularModel, fidelity: Fidelity) -> Result<CompressionComparison> {
        Ok(CompressionComparison { coder: ChunkCoder::new(model)?, fidelity })
    }

    /// Compares equally many rows.
    ///
    /// # Errors
    /// [`Error::Data`] naming the first cell outside the fidelity: numbers must be within the bound, all else
    /// identical; if only the code is stored, only columns unknown to the model are compared.
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
            match (kind, self.fidelity) {
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
        match self.fidelity {
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

fn check_same(was: &Table, is: &Table, name: &str) -> Result<()> {
    let (was_column, is_column) = (was.expect_column(name)?, is.expect_column(name)?);
    if was_column == is_column {
        return Ok(());
    }
    let text = |array: &arrow::array::ArrayRef| {
        cast(array, &DataType::Utf8).map_err(|error| Error::data(Place::column(name), error.to_string()))
    };
    let (was_text, is_text) = (text(was_column)?, text(is_column)?);
    let pairs = was_text.as_string::<i32>().iter().zip(is_text.as_string::<i32>()).enumerate();
    match pairs.into_iter().find(|(_, (was, is))| was != is) {
        None => Ok(()),
        Some((row, (before, after))) => {
            let words = |text: Option<&str>| text.map_or("nothing".to_owned(), |text| format!("`{text}`"));
            let message = format!("expected {}, got {} back", words(before), words(after));
            Err(Error::data(Place::cell(name, was.first_row() + row as u64), message))
        }
    }
}
