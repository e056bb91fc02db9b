//! Errors, one variant per kind of failure.
//!
//! Every message says what, where, expected and got, in lower case and without a final period; a [`Error::hint`]
//! suggests what to do next. Front ends (the binary, later a server and Python) map [`Error::kind`] to an exit code, a
//! status or an exception in one match.

use std::fmt;
use std::path::{Path, PathBuf};

pub use crate::hint::{Hint, Reference};

/// The result type of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// An error with the information needed to fix it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An invalid argument or recipe field.
    #[error("{field}: {message}")]
    Recipe {
        /// Name of the argument, such as `label`, or path of the field in the recipe, such as `train.batch_size`.
        field: String,
        /// What was expected and what was got.
        message: String,
        /// What to try instead.
        hint: Option<Hint>,
    },
    /// Invalid input data.
    #[error("{place}: {message}")]
    Data {
        /// Source, column and row, as far as known.
        place: Place,
        /// What was expected and what was got.
        message: String,
        /// What to try instead.
        hint: Option<Hint>,
    },
    /// Data whose columns do not match the model's.
    #[error("{message}")]
    Mismatch {
        /// The columns that are missing or of another type.
        message: String,
        /// What to try instead.
        hint: Option<Hint>,
    },
    /// A model file that is damaged, of another format, or of a newer version.
    #[error("{}: {message}", path.display())]
    ModelFile {
        /// The file.
        path: PathBuf,
        /// What was expected and what was got.
        message: String,
    },
    /// A file that cannot be opened or read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// A file that cannot be written; no partial file remains.
    #[error("cannot write {}: {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// Training diverged despite lower learning rates.
    #[error("training diverged: {message}")]
    Diverged {
        /// The epoch and the number of attempts.
        message: String,
    },
    /// The observer stopped the work before there was a result.
    #[error("interrupted")]
    Interrupted,
}

impl From<narrows_images::Error> for Error {
    fn from(error: narrows_images::Error) -> Error {
        use narrows_images::Error as Images;
        match error {
            Images::Image { place, message } => Error::data(Place::source(place), message),
            Images::Read { path, source } => Error::Read { path, source },
            Images::Write { path, source } => Error::Write { path, source },
            Images::Setting { message } => Error::recipe("data.corrupt", message),
            other => Error::data(Place::default(), other.to_string()),
        }
    }
}

/// The kind of a failure, which front ends map to exit codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// Invalid request.
    Usage,
    /// Invalid input data, or data that does not match the model.
    Data,
    /// The model file is unreadable or of a newer version.
    ModelFile,
    /// Anything else: an output that cannot be written, training that diverged.
    Failure,
    /// The user interrupted the work.
    Interrupted,
}

impl Error {
    /// An invalid recipe field.
    pub fn recipe(field: impl Into<String>, message: impl Into<String>) -> Error {
        Error::Recipe { field: field.into(), message: message.into(), hint: None }
    }

    /// Invalid input data at a place.
    pub fn data(place: Place, message: impl Into<String>) -> Error {
        Error::Data { place, message: message.into(), hint: None }
    }

    /// Data whose columns do not match.
    pub fn mismatch(message: impl Into<String>) -> Error {
        Error::Mismatch { message: message.into(), hint: None }
    }

    /// A model file that cannot be used.
    pub fn model_file(path: impl AsRef<Path>, message: impl Into<String>) -> Error {
        Error::ModelFile { path: path.as_ref().to_path_buf(), message: message.into() }
    }

    /// A failed read of `path`.
    pub fn read(path: impl AsRef<Path>, source: std::io::Error) -> Error {
        Error::Read { path: path.as_ref().to_path_buf(), source }
    }

    /// A failed write to `path`.
    pub fn write(path: impl AsRef<Path>, source: std::io::Error) -> Error {
        Error::Write { path: path.as_ref().to_path_buf(), source }
    }

    /// The same error with a hint.
    #[must_use]
    pub fn with_hint(mut self, advice: impl Into<Hint>) -> Error {
        if let Error::Recipe { hint, .. } | Error::Data { hint, .. } | Error::Mismatch { hint, .. } = &mut self {
            *hint = Some(advice.into());
        }
        self
    }

    /// The same error with the file that a mismatch is about.
    #[must_use]
    pub fn of_file(self, path: impl AsRef<Path>) -> Error {
        match self {
            Error::Mismatch { message, hint } => {
                Error::Mismatch { message: format!("{}: {message}", path.as_ref().display()), hint }
            }
            error => error,
        }
    }

    /// The kind of the failure.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Error::Recipe { .. } => ErrorKind::Usage,
            Error::Data { .. } | Error::Mismatch { .. } | Error::Read { .. } => ErrorKind::Data,
            Error::ModelFile { .. } => ErrorKind::ModelFile,
            Error::Write { .. } | Error::Diverged { .. } => ErrorKind::Failure,
            Error::Interrupted => ErrorKind::Interrupted,
        }
    }

    /// The hint as text, with arguments under the library's own names.
    pub fn hint_text(&self) -> Option<String> {
        self.hint().map(ToString::to_string)
    }

    /// The hint, if there is one.
    pub fn hint(&self) -> Option<&Hint> {
        match self {
            Error::Recipe { hint, .. } | Error::Data { hint, .. } | Error::Mismatch { hint, .. } => hint.as_ref(),
            _ => None,
        }
    }
}

/// A location in the input; any part may be unknown.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Place {
    /// The file, or `stdin`.
    pub source: Option<String>,
    /// The column name.
    pub column: Option<String>,
    /// The row, from 0 over all rows of data, not counting the header.
    pub row: Option<u64>,
}

impl Place {
    /// A whole source.
    pub fn source(source: impl Into<String>) -> Place {
        Place { source: Some(source.into()), ..Place::default() }
    }

    /// A whole column.
    pub fn column(column: impl Into<String>) -> Place {
        Place { column: Some(column.into()), ..Place::default() }
    }

    /// One cell.
    pub fn cell(column: impl Into<String>, row: u64) -> Place {
        Place { source: None, column: Some(column.into()), row: Some(row) }
    }

    /// The same place with a source.
    #[must_use]
    pub fn of(mut self, source: impl Into<String>) -> Place {
        self.source = Some(source.into());
        self
    }

    /// The same place with a row.
    #[must_use]
    pub fn at_row(mut self, row: u64) -> Place {
        self.row = Some(row);
        self
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = [
            self.source.clone(),
            self.column.as_ref().map(|column| format!("column `{column}`")),
            self.row.map(|row| format!("row {row}")),
        ];
        let known: Vec<String> = parts.into_iter().flatten().collect();
        f.write_str(if known.is_empty() { "input".to_owned() } else { known.join(", ") }.as_str())
    }
}

/// The choices most similar to `word`, for "did you mean" hints; empty if none is similar.
pub fn nearest<'a>(word: &str, choices: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let mut near: Vec<(f64, &str)> = choices
        .into_iter()
        .map(|choice| (strsim::jaro_winkler(&word.to_lowercase(), &choice.to_lowercase()), choice))
        .filter(|(similarity, _)| *similarity > 0.7)
        .collect();
    near.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(b.1)));
    near.into_iter().take(3).map(|(_, choice)| choice.to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_names_source_column_row_expected_and_got() {
        let error = Error::data(Place::cell("amount", 17).of("a.csv"), "expected a number, got `abc`");
        assert_eq!(error.to_string(), "a.csv, column `amount`, row 17: expected a number, got `abc`");
        assert_eq!(error.kind(), ErrorKind::Data);
    }

    #[test]
    fn near_names_are_offered_and_far_ones_are_not() {
        assert_eq!(nearest("amuont", ["amount", "time", "zebra"]), ["amount"]);
        assert!(nearest("qqq", ["amount", "time"]).is_empty());
    }
}
