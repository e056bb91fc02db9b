//! The model file: one safetensors file whose single metadata key holds one JSON document, as `docs/model-file.md`
//! describes it.
//!
//! Loading validates before it allocates and never executes anything from the file; saving writes a temporary file and
//! renames it, so a reader sees the old file or the new one. Equal models give equal bytes.

mod atomic;
mod checkpoint;
mod coding;
mod container;
mod document;
mod encoder;
mod patches;
mod restorer;
mod subject;

pub use atomic::write_atomically;
pub use checkpoint::{FileCheckpoints, Resume};
pub use subject::{TrainingSubject, fingerprint, images_fingerprint};

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use crate::data::{shown, storage_of};
use crate::error::{Error, Result};
use crate::fitted::Model;
use document::FittedInput;

/// Longest header of a model file in bytes, as for the library that parses it.
const MOST_HEADER: u64 = 100_000_000;

/// The bytes of a file. Of another than a model no more than the first are read: a device may have no end.
fn bytes_of(path: &Path) -> io::Result<Vec<u8>> {
    let mut file: Box<dyn Read> = match storage_of(path) {
        Some((storage, address)) => storage.open(address)?.stream()?,
        None => Box::new(File::open(path)?),
    };
    let mut bytes = Vec::new();
    file.by_ref().take(8).read_to_end(&mut bytes)?;
    let header = <[u8; 8]>::try_from(bytes.as_slice()).map(u64::from_le_bytes);
    if header.is_ok_and(|header| (1..=MOST_HEADER).contains(&header)) {
        file.read_to_end(&mut bytes)?;
    }
    Ok(bytes)
}

impl Model {
    /// Loads a model. It computes on all cores; see [`Model::with_compute`].
    ///
    /// # Errors
    /// [`Error::Read`] if the file cannot be read, [`Error::ModelFile`] if it is damaged, foreign or newer.
    pub fn load(path: impl AsRef<Path>) -> Result<Model> {
        let path = path.as_ref();
        let bytes = bytes_of(path).map_err(|error| Error::read(shown(path), error))?;
        Model::from_bytes(&bytes).map_err(|message| Error::model_file(shown(path), message))
    }

    /// Saves the model, replacing an existing file.
    ///
    /// # Errors
    /// [`Error::Write`]; nothing partial is left behind.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        write_atomically(path.as_ref(), |file| std::io::Write::write_all(file, &self.to_bytes()))
    }

    /// The bytes of its file; equal models give equal bytes.
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

    /// Parses a model from the bytes of its file.
    ///
    /// # Errors
    /// A description of the problem.
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
