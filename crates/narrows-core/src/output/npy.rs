//! Tables of numbers as a NumPy array `[rows, columns]`.
//!
//! The header of the file holds the number of rows, so they are kept until the end.

use std::io::{self, Write};

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type, Schema};
use arrow::error::ArrowError;
use ndarray::Array2;
use ndarray_npy::WriteNpyExt;

use crate::error::{Error, Hint, Result};

/// Rows of numbers, missing cells as NaN.
#[derive(Debug)]
pub(super) struct NpyRows {
    columns: usize,
    /// Whether all columns are single precision, as codes are.
    is_single: bool,
    /// `[rows, columns]`
    values: Vec<f64>,
}

impl NpyRows {
    /// No rows of these columns.
    ///
    /// # Errors
    /// [`Error::Recipe`] if a column holds no numbers.
    pub(super) fn new(schema: &Schema) -> Result<NpyRows> {
        let is_number = |kind: &DataType| kind.is_numeric() || *kind == DataType::Boolean;
        if let Some(field) = schema.fields().iter().find(|field| !is_number(field.data_type())) {
            let message = format!("expected columns of numbers for npy, got `{}`, which holds others", field.name());
            return Err(
                Error::recipe("format", message).with_hint(Hint::of("with another [format], all columns are written"))
            );
        }
        let is_single = schema.fields().iter().all(|field| *field.data_type() == DataType::Float32);
        Ok(NpyRows { columns: schema.fields().len(), is_single, values: Vec::new() })
    }

    /// Appends the rows of a batch.
    pub(super) fn add(&mut self, batch: &RecordBatch) -> std::result::Result<(), ArrowError> {
        let columns = batch
            .columns()
            .iter()
            .map(|column| cast(column, &DataType::Float64))
            .collect::<std::result::Result<Vec<_>, _>>()?;
        let columns: Vec<_> = columns.iter().map(|column| column.as_primitive::<Float64Type>()).collect();
        for row in 0..batch.num_rows() {
            self.values
                .extend(columns.iter().map(|column| if column.is_null(row) { f64::NAN } else { column.value(row) }));
        }
        Ok(())
    }

    /// Writes the array.
    pub(super) fn write(self, out: &mut impl Write) -> io::Result<()> {
        let shape = (self.values.len() / self.columns.max(1), self.columns);
        let array = Array2::from_shape_vec(shape, self.values).map_err(io::Error::other)?;
        let written = if self.is_single { array.mapv(|x| x as f32).write_npy(out) } else { array.write_npy(out) };
        written.map_err(|error| match error {
            ndarray_npy::WriteNpyError::Io(error) => error,
            error => io::Error::other(error),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, BooleanArray, Float32Array, Int64Array, StringArray};
    use ndarray_npy::ReadNpyExt;

    use super::*;
    use crate::data::Format;
    use crate::output::{TableWriter, batch};

    fn written(columns: &[(&str, ArrayRef)]) -> Result<Vec<u8>> {
        let columns = columns.iter().map(|(name, array)| ((*name).to_owned(), Arc::clone(array))).collect();
        let rows = batch(columns);
        let mut bytes = Vec::new();
        let mut writer = TableWriter::new(&mut bytes, Format::Npy)?;
        writer.write(&rows)?;
        writer.write(&rows.slice(1, 1))?;
        writer.finish()?;
        Ok(bytes)
    }

    #[test]
    fn codes_are_single_precision_and_other_numbers_double() {
        let (a, b): (ArrayRef, ArrayRef) =
            (Arc::new(Float32Array::from(vec![0.5, 1.5])), Arc::new(Float32Array::from(vec![Some(2.0), None])));
        let array =
            Array2::<f32>::read_npy(written(&[("code_0", a.clone()), ("code_1", b)]).unwrap().as_slice()).unwrap();
        assert_eq!(array.shape(), [3, 2]);
        assert!(array[[0, 0]] == 0.5 && array[[0, 1]] == 2.0 && array[[1, 0]] == 1.5 && array[[2, 1]].is_nan());
        let n: ArrayRef = Arc::new(Int64Array::from(vec![7, 8]));
        let flags: ArrayRef = Arc::new(BooleanArray::from(vec![true, false]));
        let array =
            Array2::<f64>::read_npy(written(&[("a", a), ("n", n), ("flag", flags)]).unwrap().as_slice()).unwrap();
        assert_eq!(array.row(2).to_vec(), [1.5, 8.0, 0.0]);
    }

    #[test]
    fn text_is_refused_by_the_name_of_its_column() {
        let text: ArrayRef = Arc::new(StringArray::from(vec!["a", "b"]));
        let error = written(&[("country", text)]).unwrap_err();
        assert!(error.to_string().contains("`country`"), "{error}");
    }
}
