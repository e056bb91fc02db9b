//! Training in rounds on the partitions of an engine.

use narrows_core::train::NoCheckpoints;
use narrows_core::{Dataset, Model, RoundJob, RoundsFit, Session, WeightsChange};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};

use crate::failure::OrRaise;
use crate::given::compute;
use crate::listener::watched;
use crate::model::PyModel;
use crate::recipe::PyRecipe;
use crate::roles::dataset;
use crate::table::PyTable;
use crate::threads::detached;

/// A fit in rounds; `None` once it is finished.
#[pyclass(name = "RoundsFit", module = "narrows._native")]
pub(crate) struct PyRoundsFit {
    fit: Option<RoundsFit>,
    threads: Option<usize>,
}

impl PyRoundsFit {
    fn fit(&mut self) -> PyResult<&mut RoundsFit> {
        self.fit.as_mut().ok_or_else(finished)
    }
}

fn finished() -> PyErr {
    PyValueError::new_err("expected a fit in rounds, got one that is finished")
}

#[pymethods]
impl PyRoundsFit {
    #[new]
    #[pyo3(signature = (recipe, sample, *, threads=None, listener=None, **roles))]
    fn new(
        py: Python<'_>,
        recipe: &PyRecipe,
        sample: &Bound<'_, PyAny>,
        threads: Option<usize>,
        listener: Option<&Bound<'_, PyAny>>,
        roles: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<PyRoundsFit> {
        let Dataset::Table(sample, roles) = dataset(sample, roles)? else {
            return Err(PyValueError::new_err("expected a table, got images"));
        };
        let compute = compute(threads)?;
        let (fit, _) = watched(py, listener, |bridge| {
            let session = Session { compute, observer: bridge, checkpoints: &NoCheckpoints };
            RoundsFit::start(&recipe.0, sample, &roles, &session)
        })?;
        Ok(PyRoundsFit { fit: Some(fit.or_raise()?), threads })
    }

    #[getter]
    fn model(&mut self) -> PyResult<PyModel> {
        let threads = self.threads;
        Ok(PyModel::of(Model::from(self.fit()?.model().clone()), threads))
    }

    #[getter]
    fn rounds_done(&mut self) -> PyResult<u32> {
        Ok(self.fit()?.rounds_done())
    }

    fn job<'py>(&mut self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyBytes>>> {
        Ok(self.fit()?.job().map(|job| PyBytes::new(py, &job.to_bytes())))
    }

    #[pyo3(signature = (change, listener=None))]
    fn end_round(&mut self, py: Python<'_>, change: &[u8], listener: Option<&Bound<'_, PyAny>>) -> PyResult<()> {
        let change = WeightsChange::from_bytes(change).or_raise()?;
        let compute = compute(self.threads)?;
        let fit = self.fit()?;
        let (ended, _) = watched(py, listener, |bridge| {
            let session = Session { compute, observer: bridge, checkpoints: &NoCheckpoints };
            fit.end_round(&change, &session)
        })?;
        ended.or_raise().map(drop)
    }

    fn state<'py>(&mut self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        Ok(PyBytes::new(py, &self.fit()?.state()))
    }

    fn resume(&mut self, state: &[u8]) -> PyResult<()> {
        self.fit()?.resume(state).or_raise()
    }

    #[pyo3(signature = (listener=None))]
    fn finish(&mut self, py: Python<'_>, listener: Option<&Bound<'_, PyAny>>) -> PyResult<(PyModel, bool)> {
        let fit = self.fit.take().ok_or_else(finished)?;
        let (compute, threads) = (compute(self.threads)?, self.threads);
        let (model, is_interrupted) = watched(py, listener, |bridge| {
            let session = Session { compute, observer: bridge, checkpoints: &NoCheckpoints };
            fit.finish(&session)
        })?;
        Ok((PyModel::of(model.or_raise()?, threads), is_interrupted))
    }
}

/// The rows of a partition in a round, and their training.
#[pyclass(name = "RoundPart", module = "narrows._native")]
pub(crate) struct PyRoundPart {
    job: RoundJob,
    rows: Option<narrows_core::data::RoundRows>,
}

#[pymethods]
impl PyRoundPart {
    #[new]
    fn new(job: &[u8]) -> PyResult<PyRoundPart> {
        let job = RoundJob::from_bytes(job).or_raise()?;
        let rows = Some(job.rows());
        Ok(PyRoundPart { job, rows })
    }

    fn add(&mut self, py: Python<'_>, table: &PyTable, first_row: u64) -> PyResult<()> {
        let table = table.0.clone().starting_at(first_row);
        let rows = self.rows.as_mut().ok_or_else(trained)?;
        detached(py, || rows.add(&table)).or_raise()
    }

    fn train<'py>(&mut self, py: Python<'py>, model: &PyModel) -> PyResult<Bound<'py, PyBytes>> {
        let rows = self.rows.take().ok_or_else(trained)?;
        let model = model.model.clone().into_table().or_raise()?;
        let change = detached(py, || model.train_part(&self.job, rows)).or_raise()?;
        Ok(PyBytes::new(py, &change.to_bytes()))
    }
}

fn trained() -> PyErr {
    PyValueError::new_err("expected the rows of a partition, got one that has been trained")
}

/// The sum of two changes.
#[pyfunction]
pub(crate) fn add_changes<'py>(py: Python<'py>, one: &[u8], other: &[u8]) -> PyResult<Bound<'py, PyBytes>> {
    let mut sum = WeightsChange::from_bytes(one).or_raise()?;
    sum.add(WeightsChange::from_bytes(other).or_raise()?).or_raise()?;
    Ok(PyBytes::new(py, &sum.to_bytes()))
}
