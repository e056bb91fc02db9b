//! The command `narrows`, which the package carries.

use std::ffi::OsString;

use pyo3::prelude::*;

/// Runs the command with arguments and returns its exit code.
#[pyfunction]
#[pyo3(name = "main")]
pub(crate) fn run_command(py: Python<'_>, arguments: Vec<OsString>) -> u8 {
    py.detach(|| narrows::run(arguments))
}
