//! Summaries of the rows of partitions, which join to that of the whole.

use narrows_core::data::{DataSummary, RowKey, RowSample};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::failure::OrRaise;
use crate::table::PyTable;
use crate::threads::detached;

/// A summary; `None` once it has been made a table.
#[pyclass(name = "Summary", module = "narrows._native")]
pub(crate) struct PySummary(Option<DataSummary>);

impl PySummary {
    fn summary(&mut self) -> PyResult<&mut DataSummary> {
        self.0.as_mut().ok_or_else(taken)
    }
}

fn taken() -> PyErr {
    PyValueError::new_err("expected a summary, got one that has been made a table")
}

// Python's objects are not moved: what is taken from one leaves it empty.
#[allow(clippy::wrong_self_convention)]
#[pymethods]
impl PySummary {
    #[new]
    #[pyo3(signature = (rows, seed, key=Vec::new(), expected=None))]
    fn new(rows: u64, seed: u64, key: Vec<String>, expected: Option<u64>) -> PyResult<PySummary> {
        if rows == 0 {
            return Err(PyValueError::new_err("rows: expected at least 1, got 0"));
        }
        let summary = DataSummary::new(RowSample { rows, seed }, RowKey::of(key));
        Ok(PySummary(Some(match expected {
            Some(expected) => summary.expecting(expected),
            None => summary,
        })))
    }

    fn add(&mut self, py: Python<'_>, table: &PyTable, first_row: u64) -> PyResult<()> {
        let table = table.0.clone().starting_at(first_row);
        let summary = self.summary()?;
        detached(py, || summary.add(&table)).or_raise()
    }

    fn join(&mut self, other: &Bound<'_, PySummary>) -> PyResult<()> {
        let other = other.borrow_mut().0.take().ok_or_else(taken)?;
        self.summary()?.join(other).or_raise()
    }

    #[getter]
    fn n_rows(&mut self) -> PyResult<u64> {
        Ok(self.summary()?.n_rows())
    }

    fn to_bytes<'py>(&mut self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        let summary = self.summary()?;
        let bytes = detached(py, || summary.to_bytes()).or_raise()?;
        Ok(PyBytes::new(py, &bytes))
    }

    #[staticmethod]
    fn from_bytes(py: Python<'_>, bytes: &[u8]) -> PyResult<PySummary> {
        let summary = detached(py, || DataSummary::from_bytes(bytes)).or_raise()?;
        Ok(PySummary(Some(summary)))
    }

    fn into_table(&mut self, py: Python<'_>) -> PyResult<PyTable> {
        let summary = self.0.take().ok_or_else(taken)?;
        detached(py, || summary.into_table()).or_raise().map(PyTable)
    }
}
