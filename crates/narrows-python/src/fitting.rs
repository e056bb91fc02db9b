//! Fits.

use narrows_core::train::NoCheckpoints;
use narrows_core::{Model, Session};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::failure::OrRaise;
use crate::given::compute;
use crate::listener::watched;
use crate::model::PyModel;
use crate::recipe::PyRecipe;
use crate::roles::dataset;
use crate::table::PyTable;

/// Fits a model; whether Ctrl-C ended its training.
#[pyfunction]
#[pyo3(signature = (recipe, data, *, threads=None, listener=None, validation=None, **roles))]
pub(crate) fn fit(
    py: Python<'_>,
    recipe: &PyRecipe,
    data: &Bound<'_, PyAny>,
    threads: Option<usize>,
    listener: Option<&Bound<'_, PyAny>>,
    validation: Option<&PyTable>,
    roles: Option<&Bound<'_, PyDict>>,
) -> PyResult<(PyModel, bool)> {
    let dataset = dataset(data, roles)?;
    let dataset = match validation {
        Some(validation) => dataset.with_validation(&validation.0).or_raise()?,
        None => dataset,
    };
    let compute = compute(threads)?;
    let (model, is_interrupted) = watched(py, listener, |bridge| {
        let session = Session { compute, observer: bridge, checkpoints: &NoCheckpoints };
        narrows_core::fit(&recipe.0, dataset, &session)
    })?;
    let model: Model = model.or_raise()?;
    Ok((PyModel::of(model, threads), is_interrupted))
}
