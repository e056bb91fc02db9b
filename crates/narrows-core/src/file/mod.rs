//! The model file: one safetensors file whose single metadata key holds one JSON document, as `docs/model-file.md`
//! describes it.
//!
//! Loading checks before it allocates and never runs anything from the file; saving writes beside the target and
//! renames, so a reader sees the old file or the new one, never half of one. Same model, same bytes.

mod atomic;
mod checkpoint;
mod coding;
mod container;
mod document;
mod encoder;
mod restorer;

pub use atomic::write_atomically;
pub use checkpoint::{FileCheckpoints, Resume, fingerprint, images_fingerprint};

use std::path::Path;

use crate::error::{Error, Result};
use crate::fitted::Model;
use document::FittedInput;

impl Model {
    /// Loads a model. It computes on all cores; see [`Model::with_compute`].
    ///
    /// # Errors
    /// [`Error::Read`] where the file cannot be read, [`Error::ModelFile`] where it is damaged, foreign or newer.
    pub fn load(path: impl AsRef<Path>) -> Result<Model> {
        let path = path.as_ref();
        let bytes = std::fs::read(path).map_err(|error| Error::read(path, error))?;
        Model::from_bytes(&bytes).map_err(|message| Error::model_file(path, message))
    }

    /// Saves it, in place of a file of that name.
    ///
    /// # Errors
    /// [`Error::Write`]; nothing partial is left behind.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        write_atomically(path.as_ref(), |file| std::io::Write::write_all(file, &self.to_bytes()))
    }

    /// The bytes of its file; the same model gives the same bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let (document, tensors) = match self {
            Model::Table(model) => document::write(&model.core, FittedInput::Table(&model.adapter)),
            Model::Series(model) => document::write(&model.core, FittedInput::Series(&model.adapter)),
            Model::Images(model) => document::write(&model.core, FittedInput::Images(&model.adapter)),
            Model::Restorer(model) => restorer::write(model),
            Model::Encoder(model) => encoder::write(model),
        };
        container::write(&document, tensors)
    }

    /// A model from the bytes of its file.
    ///
    /// # Errors
    /// A description of what is wrong with them.
    pub fn from_bytes(bytes: &[u8]) -> Result<Model, String> {
        let container = container::read(bytes)?;
        let kind = document::check(&container)?;
        match kind.as_deref() {
            None => document::read(&container, bytes.len()),
            Some(restorer::KIND) => restorer::read(&container, bytes.len()).map(Model::from),
            Some(encoder::KIND) => encoder::read(&container, bytes.len()).map(Model::from),
            Some(other) => Err(format!("expected a model with a code, a restorer or an encoder, got `{other}`")),
        }
    }
}
