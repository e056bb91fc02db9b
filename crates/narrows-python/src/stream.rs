//! Points scored as they arrive.

use std::sync::Mutex;

use narrows_core::StreamScorer;
use pyo3::prelude::*;
use serde_json::json;

use crate::failure::OrRaise;
use crate::listener::object;
use crate::scores;
use crate::table::PyTable;
use crate::threads::detached;

/// Scores points as they arrive.
#[pyclass(name = "Stream", module = "narrows._native", frozen)]
pub(crate) struct PyStream(pub(crate) Mutex<StreamScorer>);

impl PyStream {
    fn with<T>(&self, change: impl FnOnce(&mut StreamScorer) -> T) -> T {
        change(&mut self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner()))
    }
}

#[pymethods]
impl PyStream {
    fn push<'py>(&self, py: Python<'py>, row: &PyTable) -> PyResult<Bound<'py, PyAny>> {
        let row = &row.0;
        let scored = detached(py, || self.with(|stream| stream.push(row))).or_raise()?;
        let known = |x: f64| if x.is_nan() { None } else { Some(x) };
        let result = json!({
            "series": scored.series,
            "time": scored.time,
            "score": known(scored.score),
            "p_value": known(scored.p_value),
            "is_anomaly": scored.is_anomaly,
            "flag": scored.flag.word(),
            "reasons": scored.reasons,
        });
        object(py, &result)
    }

    fn remember(&self, py: Python<'_>, row: &PyTable) -> PyResult<()> {
        let row = &row.0;
        detached(py, || self.with(|stream| stream.remember(row))).or_raise()
    }

    #[getter]
    fn counts<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let counted = self.with(|stream| stream.counts().clone());
        scores::counts(py, &counted)
    }
}
