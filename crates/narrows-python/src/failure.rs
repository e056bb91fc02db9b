//! Errors of the library as exceptions of Python.

use std::str::FromStr;

use narrows_core::{Error, ErrorKind};
use pyo3::PyErr;
use pyo3::create_exception;
use pyo3::exceptions::{PyKeyboardInterrupt, PyOSError, PyRuntimeError, PyValueError};

use crate::arguments;

create_exception!(narrows, ModelFileError, PyValueError, "A model file that is damaged, of another format, or newer.");

/// An error as the exception that Python's users expect: `ValueError` for arguments and data, `OSError` with its number
/// for files, [`ModelFileError`] for model files, `RuntimeError` for a training that diverged.
pub(crate) fn exception(error: Error) -> PyErr {
    match error {
        Error::Read { path, source } | Error::Write { path, source } => match source.raw_os_error() {
            Some(number) => PyOSError::new_err((number, reason(&source), path.display().to_string())),
            None if source.kind() == std::io::ErrorKind::NotFound => {
                let reason = source.get_ref().map(ToString::to_string);
                let reason = reason.unwrap_or_else(|| "No such file or directory".to_owned());
                PyOSError::new_err((2, reason, path.display().to_string()))
            }
            None => PyOSError::new_err(format!("{}: {source}", path.display())),
        },
        error => {
            let message = arguments::message(&error);
            match error.kind() {
                ErrorKind::Usage | ErrorKind::Data => PyValueError::new_err(message),
                ErrorKind::ModelFile => ModelFileError::new_err(message),
                ErrorKind::Failure => PyRuntimeError::new_err(message),
                ErrorKind::Interrupted => PyKeyboardInterrupt::new_err(message),
            }
        }
    }
}

/// The system's words, without the number that Rust appends.
fn reason(error: &std::io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or_default().to_owned()
}

/// Converts the error of a result.
pub(crate) trait OrRaise<T> {
    /// The value, or an exception.
    fn or_raise(self) -> Result<T, PyErr>;
}

impl<T> OrRaise<T> for narrows_core::Result<T> {
    fn or_raise(self) -> Result<T, PyErr> {
        self.map_err(exception)
    }
}

impl<T> OrRaise<T> for Result<T, narrows_core::images::Error> {
    fn or_raise(self) -> Result<T, PyErr> {
        self.map_err(|error| exception(error.into()))
    }
}

/// A value by its text.
pub(crate) fn parsed<T>(text: &str) -> Result<T, PyErr>
where
    T: FromStr,
    Error: From<T::Err>,
{
    text.parse::<T>().map_err(|error| exception(error.into()))
}
