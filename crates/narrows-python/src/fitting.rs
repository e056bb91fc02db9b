//! Fits.

use std::sync::Arc;

use narrows_core::train::NoCheckpoints;
use narrows_core::{Dataset, Model, Roles, Session};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;

use crate::failure::{OrRaise, parsed};
use crate::given::{GivenRoles, compute, folders};
use crate::images::PyImages;
use crate::listener::watched;
use crate::model::PyModel;
use crate::recipe::PyRecipe;
use crate::table::PyTable;

impl GivenRoles {
    /// The data with these roles.
    pub(crate) fn dataset(self, data: &Bound<'_, PyAny>) -> PyResult<Dataset> {
        if let Ok(table) = data.cast::<PyTable>() {
            let GivenRoles { label, normal, columns, ignore, time, id, timezone, duplicates, sample_key } = self;
            let duplicates = duplicates.as_deref().map(parsed).transpose()?.unwrap_or_default();
            let columns = Roles { label, normal, columns, ignore, time, id, timezone, duplicates, ..Roles::default() };
            let roles = Roles { sample_key, ..columns };
            return Ok(Dataset::table(table.get().0.clone(), roles));
        }
        if let Ok(images) = data.cast::<PyImages>() {
            return Ok(Dataset::images(Arc::clone(&images.get().0), folders(self.normal.as_deref())));
        }
        Err(PyTypeError::new_err(format!("expected a Table or Images, got {}", data.get_type().name()?)))
    }
}

/// Fits a model; whether Ctrl-C ended its training.
#[pyfunction]
#[pyo3(signature = (
    recipe, data, *, label=None, normal=None, columns=Vec::new(), ignore=Vec::new(), time=None, id=Vec::new(),
    timezone=None, duplicates=None, threads=None, listener=None, validation=None, sample_key=Vec::new()
))]
pub(crate) fn fit(
    py: Python<'_>,
    recipe: &PyRecipe,
    data: &Bound<'_, PyAny>,
    label: Option<String>,
    normal: Option<String>,
    columns: Vec<String>,
    ignore: Vec<String>,
    time: Option<String>,
    id: Vec<String>,
    timezone: Option<String>,
    duplicates: Option<String>,
    threads: Option<usize>,
    listener: Option<&Bound<'_, PyAny>>,
    validation: Option<&PyTable>,
    sample_key: Vec<String>,
) -> PyResult<(PyModel, bool)> {
    let roles = GivenRoles { label, normal, columns, ignore, time, id, timezone, duplicates, sample_key };
    let dataset = roles.dataset(data)?;
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
