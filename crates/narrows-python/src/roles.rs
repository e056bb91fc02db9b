//! Data with the roles of its columns or folders, which every kind of fit takes by keyword.

use std::sync::Arc;

use narrows_core::{Dataset, Roles};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::failure::parsed;
use crate::given::folders;
use crate::images::PyImages;
use crate::table::PyTable;

/// The data with roles as they are given; those that are not have their defaults.
///
/// # Errors
/// `TypeError` for data that are neither a table nor images, a keyword that is no role, and a value of another type.
pub(crate) fn dataset(data: &Bound<'_, PyAny>, given: Option<&Bound<'_, PyDict>>) -> PyResult<Dataset> {
    let roles = roles(given)?;
    if let Ok(table) = data.cast::<PyTable>() {
        return Ok(Dataset::table(table.get().0.clone(), roles));
    }
    if let Ok(images) = data.cast::<PyImages>() {
        return Ok(Dataset::images(Arc::clone(&images.get().0), folders(roles.normal.as_deref())));
    }
    Err(PyTypeError::new_err(format!("expected a Table or Images, got {}", data.get_type().name()?)))
}

fn roles(given: Option<&Bound<'_, PyDict>>) -> PyResult<Roles> {
    let mut roles = Roles::default();
    for (name, value) in given.into_iter().flatten() {
        match name.extract::<&str>()? {
            "label" => roles.label = value.extract()?,
            "normal" => roles.normal = value.extract()?,
            "columns" => roles.columns = value.extract()?,
            "ignore" => roles.ignore = value.extract()?,
            "time" => roles.time = value.extract()?,
            "id" => roles.id = value.extract()?,
            "timezone" => roles.timezone = value.extract()?,
            "sample_key" => roles.sample_key = value.extract()?,
            "duplicates" => {
                let rule: Option<String> = value.extract()?;
                roles.duplicates = rule.as_deref().map(parsed).transpose()?.unwrap_or_default();
            }
            name => return Err(PyTypeError::new_err(format!("expected a role of columns, got the keyword `{name}`"))),
        }
    }
    Ok(roles)
}
