//! Files that the package writes beside models.

use std::path::Path;

use pyo3::prelude::*;

use crate::failure::OrRaise;

/// Writes a file whole or not at all.
#[pyfunction]
pub(crate) fn write_file(py: Python<'_>, path: &str, content: &[u8]) -> PyResult<()> {
    py.detach(|| narrows_core::file::write_atomically(Path::new(path), |file| file.write_all(content))).or_raise()
}
