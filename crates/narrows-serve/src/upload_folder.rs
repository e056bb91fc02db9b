//! The folder that uploaded models go to.

use std::path::{Path, PathBuf};

use axum::http::StatusCode;
use tokio::sync::Mutex;

use crate::refusal::Refusal;

/// Where uploaded models go, one request at a time.
#[derive(Debug)]
pub(crate) struct UploadFolder {
    folder: Option<PathBuf>,
    pub(crate) turn: Mutex<()>,
}

impl UploadFolder {
    pub(crate) fn new(folder: Option<PathBuf>) -> UploadFolder {
        UploadFolder { folder, turn: Mutex::new(()) }
    }

    /// The folder, if one was named.
    pub(crate) fn folder(&self) -> Result<&Path, Refusal> {
        self.folder.as_deref().ok_or_else(|| {
            let message = "models can be uploaded and deleted only if the server was started with a folder for uploads";
            Refusal::new(
                StatusCode::FORBIDDEN,
                format!("{message}, got none; put the file into a folder that is served"),
            )
        })
    }
}
