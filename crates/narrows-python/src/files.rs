//! Files that the package writes beside models.

use std::path::Path;

use pyo3::prelude::*;

use crate::failure::OrRaise;
use crate::threads::detached;

/// Writes a file whole or not at all.
#[pyfunction]
pub(crate) fn write_file(py: Python<'_>, path: &str, content: &[u8]) -> PyResult<()> {
    detached(py, || narrows_core::file::write_atomically(Path::new(path), |file| file.write_all(content))).or_raise()
}
