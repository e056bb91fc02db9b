//! The model file: one safetensors file whose single metadata key holds one JSON document. FORMAT.md says it in prose.
//!
//! Loading checks before it allocates and never runs anything from the file; saving writes beside the target and
//! renames, so a reader sees the old file or the new one, never half of one. Same model, same bytes.

mod atomic;
mod checkpoint;
mod container;
mod document;

pub use atomic::write_atomically;
pub use checkpoint::{FileCheckpoints, Resume, fingerprint};

use std::path::Path;

use crate::error::{Error, Result};
use crate::fitted::Fitted;

/// Saves a model, in place of a file of that name.
///
/// # Errors
/// [`Error::Write`]; nothing partial is left behind.
pub fn save(fitted: &Fitted, path: &Path) -> Result<()> {
    let bytes = to_bytes(fitted);
    write_atomically(path, |file| std::io::Write::write_all(file, &bytes))
}

/// Loads a model.
///
/// # Errors
/// [`Error::Read`] where the file cannot be read, [`Error::ModelFile`] where it is damaged, foreign or newer.
pub fn load(path: &Path) -> Result<Fitted> {
    let bytes = std::fs::read(path).map_err(|error| Error::read(path, error))?;
    from_bytes(&bytes).map_err(|message| Error::model_file(path, message))
}

/// A model as the bytes of its file.
pub fn to_bytes(fitted: &Fitted) -> Vec<u8> {
    let (document, tensors) = document::write(fitted);
    container::write(&document, tensors)
}

/// A model from the bytes of its file.
///
/// # Errors
/// What is wrong with them, in words.
pub fn from_bytes(bytes: &[u8]) -> Result<Fitted, String> {
    let container = container::read(bytes)?;
    document::read(&container, bytes.len())
}
