//! Tables of numbers as a NumPy array `[rows, columns]`.
//!
//! The header of the file holds the number of rows, so they are kept until the end.

use std::io::{self, Write};

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type, Schema};
use arrow::error::ArrowError;

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

    /// Writes the array: version 1.0 of the format, little-endian, in row-major order.
    pub(super) fn write(self, out: &mut impl Write) -> io::Result<()> {
        out.write_all(&self.head())?;
        let mut bytes = Vec::new();
        for values in self.values.chunks(1 << 16) {
            bytes.clear();
            if self.is_single {
                values.iter().for_each(|x| bytes.extend_from_slice(&(*x as f32).to_le_bytes()));
            } else {
                values.iter().for_each(|x| bytes.extend_from_slice(&x.to_le_bytes()));
            }
            out.write_all(&bytes)?;
        }
        Ok(())
    }

    /// Magic number, version, length, and a description padded so that the numbers begin at a multiple of 64.
    fn head(&self) -> Vec<u8> {
        let kind = if self.is_single { "<f4" } else { "<f8" };
        let (rows, columns) = (self.values.len() / self.columns.max(1), self.columns);
        let mut text = format!("{{'descr': '{kind}', 'fortran_order': False, 'shape': ({rows}, {columns}), }}");
        while !(10 + text.len() + 1).is_multiple_of(64) {
            text.push(' ');
        }
        text.push('\n');
        let mut head = b"\x93NUMPY\x01\x00".to_vec();
        // Two numbers and fixed words: always far below the limit of 65,535 bytes.
        head.extend_from_slice(&(text.len() as u16).to_le_bytes());
        head.extend_from_slice(text.as_bytes());
        head
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, BooleanArray, Float32Array, Int64Array, StringArray};

    use super::*;
    use crate::data::{Format, Source};
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
        let bytes = written(&[("code_0", a.clone()), ("code_1", b)]).unwrap();
        let head = "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 2), }";
        assert_eq!((&bytes[..10], &bytes[10..10 + head.len()]), (&b"\x93NUMPY\x01\x00\x76\x00"[..], head.as_bytes()));
        assert_eq!((bytes.len(), bytes[127]), (128 + 3 * 2 * 4, b'\n'));
        let number = |at: usize| f32::from_le_bytes(bytes[128 + 4 * at..132 + 4 * at].try_into().unwrap());
        assert_eq!([number(0), number(1), number(2)], [0.5, 2.0, 1.5]);
        assert!(number(3).is_nan());
        let n: ArrayRef = Arc::new(Int64Array::from(vec![7, 8]));
        let flags: ArrayRef = Arc::new(BooleanArray::from(vec![true, false]));
        let bytes = written(&[("a", a), ("n", n), ("flag", flags)]).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.npy");
        std::fs::write(&path, bytes).unwrap();
        let table = Source::parse(&[path.display().to_string()]).unwrap().open(9, None).unwrap().read_all().unwrap();
        let values = |name: usize| table.batch().column(name).as_primitive::<Float64Type>().values().to_vec();
        assert_eq!((values(0), values(1), values(2)), (vec![0.5, 1.5, 1.5], vec![7.0, 8.0, 8.0], vec![1.0, 0.0, 0.0]));
    }

    #[test]
    fn text_is_refused_by_the_name_of_its_column() {
        let text: ArrayRef = Arc::new(StringArray::from(vec!["a", "b"]));
        let error = written(&[("country", text)]).unwrap_err();
        assert!(error.to_string().contains("`country`"), "{error}");
    }
}
