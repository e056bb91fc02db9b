//! Tables.

use std::sync::Arc;

use arrow::array::{ArrayRef, ArrowPrimitiveType, PrimitiveArray, RecordBatch};
use arrow::buffer::NullBuffer;
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float32Type, Float64Type};
use narrows_core::data::{DataSummary, RowKey, RowSample, Source, Table};
use numpy::ndarray::{ArrayView2, Axis};
use numpy::{PyArray1, PyArray2, PyArrayMethods, PyReadonlyArray2};
use pyo3::exceptions::{PyIndexError, PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyCapsule;

use crate::arguments;
use crate::failure::OrRaise;
use crate::model::PyModel;
use crate::threads::detached;
use crate::{capsule, cells};

/// Rows read at a time.
const BATCH_ROWS: usize = 65_536;

/// Named columns.
#[pyclass(name = "Table", module = "narrows._native", frozen)]
pub(crate) struct PyTable(pub(crate) Table);

/// Rows of a matrix that are spread over the columns together, so that they are read as they lie in memory.
const BLOCK_ROWS: usize = 1024;

/// The columns of a matrix.
fn columns_of<T: Copy + Default>(values: &ArrayView2<'_, T>) -> Vec<Vec<T>> {
    let mut columns = vec![vec![T::default(); values.nrows()]; values.ncols()];
    for (block, rows) in values.axis_chunks_iter(Axis(0), BLOCK_ROWS).enumerate() {
        for (column, cells) in columns.iter_mut().zip(rows.columns()) {
            let first = block * BLOCK_ROWS;
            column[first..first + cells.len()].iter_mut().zip(cells).for_each(|(to, from)| *to = *from);
        }
    }
    columns
}

/// Numbers as an array; NaN is missing.
fn numbers<T: ArrowPrimitiveType>(cells: Vec<T::Native>, is_nan: impl Fn(&T::Native) -> bool) -> ArrayRef {
    let nulls = cells.iter().any(&is_nan).then(|| cells.iter().map(|cell| !is_nan(cell)).collect::<NullBuffer>());
    Arc::new(PrimitiveArray::<T>::new(cells.into(), nulls))
}

#[pymethods]
impl PyTable {
    #[staticmethod]
    fn from_arrow(stream: &Bound<'_, PyAny>, source: &str) -> PyResult<PyTable> {
        let (schema, batches) = capsule::batches(stream)?;
        let batch = match batches.len() {
            1 => batches.into_iter().next().expect("one batch"),
            0 => RecordBatch::new_empty(schema),
            _ => arrow::compute::concat_batches(&schema, &batches)
                .map_err(|error| PyValueError::new_err(error.to_string()))?,
        };
        let shown = |(name, array): (String, &ArrayRef)| match array.data_type() {
            DataType::Utf8View => cast(array, &DataType::Utf8)
                .map(|array| (name, array))
                .map_err(|error| PyValueError::new_err(error.to_string())),
            _ => Ok((name, array.clone())),
        };
        let names = batch.schema().fields().iter().map(|field| field.name().clone()).collect::<Vec<_>>();
        let rows = batch.num_rows();
        let columns = names.into_iter().zip(batch.columns()).map(shown).collect::<PyResult<Vec<_>>>()?;
        if columns.is_empty() && rows > 0 {
            return Err(PyValueError::new_err(format!("expected columns, got {rows} rows of none")));
        }
        Table::from_arrays(columns, source).or_raise().map(PyTable)
    }

    #[staticmethod]
    fn from_matrix(values: &Bound<'_, PyAny>, names: Vec<String>, source: &str) -> PyResult<PyTable> {
        let check = |columns: usize| match columns == names.len() {
            true => Ok(()),
            false => Err(PyValueError::new_err(format!("expected {columns} names of columns, got {}", names.len()))),
        };
        let arrays: Vec<ArrayRef> = if let Ok(values) = values.extract::<PyReadonlyArray2<'_, f64>>() {
            check(values.as_array().ncols())?;
            let columns = columns_of(&values.as_array());
            columns.into_iter().map(|cells| numbers::<Float64Type>(cells, |x| x.is_nan())).collect()
        } else if let Ok(values) = values.extract::<PyReadonlyArray2<'_, f32>>() {
            check(values.as_array().ncols())?;
            let columns = columns_of(&values.as_array());
            columns.into_iter().map(|cells| numbers::<Float32Type>(cells, |x| x.is_nan())).collect()
        } else {
            return Err(PyTypeError::new_err("expected a 2-D array of float32 or float64"));
        };
        Table::from_arrays(names.into_iter().zip(arrays).collect(), source).or_raise().map(PyTable)
    }

    #[staticmethod]
    fn from_columns(names: Vec<String>, columns: Vec<Bound<'_, PyAny>>, source: &str) -> PyResult<PyTable> {
        if names.len() != columns.len() {
            let message = format!("expected as many names as columns, got {} and {}", names.len(), columns.len());
            return Err(PyValueError::new_err(message));
        }
        let columns = names.into_iter().zip(&columns).map(|(name, values)| {
            let array = cells::column(&name, values)?;
            Ok((name, array))
        });
        Table::from_arrays(columns.collect::<PyResult<_>>()?, source).or_raise().map(PyTable)
    }

    #[staticmethod]
    #[pyo3(signature = (paths, wanted=None, sample=None))]
    fn read(
        py: Python<'_>,
        paths: Vec<String>,
        wanted: Option<&PyModel>,
        sample: Option<(u64, u64, Vec<String>)>,
    ) -> PyResult<(PyTable, Vec<String>, Vec<String>)> {
        let schema = wanted.map(PyModel::columns_read).transpose()?;
        let read: narrows_core::Result<_> = detached(py, || {
            let source = Source::parse(&paths)?;
            let mut reader = source.open(BATCH_ROWS, schema.as_ref())?;
            let table = match sample {
                None => reader.read_all()?,
                Some((rows, seed, key)) => {
                    let mut summary = DataSummary::new(RowSample { rows, seed }, RowKey::of(key));
                    summary.read(&mut reader, |_, _| ())?;
                    if summary.n_rows() == 0 { reader.empty() } else { summary.into_table()? }
                }
            };
            let mut notes = reader.notes().to_vec();
            notes.extend(reader.hints().iter().map(arguments::words));
            Ok((PyTable(table), notes, reader.warnings().to_vec()))
        });
        read.or_raise()
    }

    #[getter]
    fn names(&self) -> Vec<String> {
        self.0.names().into_iter().map(str::to_owned).collect()
    }

    #[getter]
    fn n_rows(&self) -> usize {
        self.0.n_rows()
    }

    fn kinds(&self) -> Vec<&'static str> {
        self.0.batch().columns().iter().map(cells::kind).collect()
    }

    fn slice(&self, offset: usize, length: usize) -> PyResult<PyTable> {
        let rows = self.0.n_rows();
        if offset.checked_add(length).is_none_or(|end| end > rows) {
            return Err(PyIndexError::new_err(format!("expected rows of 0 to {rows}, got {length} from {offset}")));
        }
        Ok(PyTable(self.0.slice(offset, length)))
    }

    fn select(&self, names: Vec<String>) -> PyResult<PyTable> {
        self.0.select(&names).or_raise().map(PyTable)
    }

    fn without(&self, names: Vec<String>) -> PyTable {
        PyTable(self.0.without(&names))
    }

    fn with_column(&self, name: &str, values: &Bound<'_, PyAny>) -> PyResult<PyTable> {
        let rest = self.0.without(&[name]);
        let kept = rest.names().into_iter().map(str::to_owned).zip(rest.batch().columns().iter().cloned());
        let columns = kept.chain([(name.to_owned(), cells::column(name, values)?)]);
        Table::from_arrays(columns.collect(), self.0.source()).or_raise().map(PyTable)
    }

    #[staticmethod]
    fn concat(tables: Vec<PyRef<'_, PyTable>>) -> PyResult<PyTable> {
        let tables: Vec<Table> = tables.iter().map(|table| table.0.clone()).collect();
        Table::concat(&tables).or_raise().map(PyTable)
    }

    fn column<'py>(&self, py: Python<'py>, i: usize) -> PyResult<Bound<'py, PyAny>> {
        let array = self.array(i)?;
        cells::values(py, self.0.names()[i], array)
    }

    fn integers<'py>(&self, py: Python<'py>, i: usize) -> PyResult<Option<(Bound<'py, PyAny>, Vec<bool>)>> {
        cells::integers(py, self.array(i)?)
    }

    fn zone(&self, i: usize) -> PyResult<Option<String>> {
        Ok(cells::zone(self.array(i)?))
    }

    fn to_matrix<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyArray2<f64>>> {
        let (rows, columns) = (self.0.n_rows(), self.0.batch().num_columns());
        let mut values = vec![f64::NAN; rows * columns];
        for (j, (name, array)) in self.0.names().into_iter().zip(self.0.batch().columns()).enumerate() {
            for (i, x) in cells::numbers(name, array)?.into_iter().enumerate() {
                values[i * columns + j] = x;
            }
        }
        PyArray1::from_vec(py, values).reshape([rows, columns])
    }

    #[pyo3(signature = (requested_schema=None))]
    fn __arrow_c_stream__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyCapsule>> {
        // A consumer may ask for other types; the protocol allows to ignore that.
        drop(requested_schema);
        capsule::stream(py, self.0.batch())
    }

    fn __arrow_c_schema__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyCapsule>> {
        capsule::schema(py, self.0.batch())
    }

    fn __len__(&self) -> usize {
        self.0.n_rows()
    }

    fn __repr__(&self) -> String {
        format!("Table({} rows, columns: {})", self.0.n_rows(), self.0.names().join(", "))
    }
}

impl PyTable {
    /// The cells of column `i`.
    fn array(&self, i: usize) -> PyResult<&ArrayRef> {
        let columns = self.0.batch().columns();
        let refusal = || PyIndexError::new_err(format!("expected a column below {}, got {i}", columns.len()));
        columns.get(i).ok_or_else(refusal)
    }
}
