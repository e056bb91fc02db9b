//! Errors of this crate.

use std::path::{Path, PathBuf};

/// The result type of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// An error; messages say what, where, expected and got, in lower case and without a final period.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file that is not an image, is damaged, or exceeds the limits.
    #[error("{place}: {message}")]
    Image {
        /// The file, and the index of the image in files with several.
        place: String,
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
    /// An invalid setting, such as an unknown corruption.
    #[error("{message}")]
    Setting {
        /// What was expected and what was got.
        message: String,
    },
}

impl Error {
    /// An image that cannot be used.
    pub fn image(place: impl Into<String>, message: impl Into<String>) -> Error {
        Error::Image { place: place.into(), message: message.into() }
    }

    /// A failed read of `path`.
    pub fn read(path: impl AsRef<Path>, source: std::io::Error) -> Error {
        Error::Read { path: path.as_ref().to_path_buf(), source }
    }

    /// A failed write of `path`.
    pub fn write(path: impl AsRef<Path>, source: std::io::Error) -> Error {
        Error::Write { path: path.as_ref().to_path_buf(), source }
    }

    /// An invalid setting.
    pub fn setting(message: impl Into<String>) -> Error {
        Error::Setting { message: message.into() }
    }
}
