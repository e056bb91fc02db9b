//! The model file: one safetensors file whose single metadata key holds one JSON document. FORMAT.md says it in prose.
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
use crate::fitted::{Encoder, Fitted};
use crate::restorer::Restorer;

/// What a model file holds.
#[derive(Debug, Clone, PartialEq)]
pub enum Model {
    /// A model with a code.
    Fitted(Box<Fitted>),
    /// A model without one, which restores images.
    Restorer(Box<Restorer>),
    /// A model without the way back from its code.
    Encoder(Box<Encoder>),
}

/// A model that can do all that its kind can.
#[derive(Debug, Clone, PartialEq)]
pub enum Whole {
    /// A model with a code.
    Fitted(Box<Fitted>),
    /// A model without one, which restores images.
    Restorer(Box<Restorer>),
}

impl Model {
    /// The whole model with a code.
    ///
    /// # Errors
    /// [`Error::Mismatch`] where it is a restorer, or an encoder alone.
    pub fn fitted(self) -> Result<Fitted> {
        match self {
            Model::Fitted(fitted) => Ok(*fitted),
            Model::Restorer(_) => Err(no_code()),
            Model::Encoder(_) => Err(no_decoder()),
        }
    }

    /// The same, if it is not an encoder alone.
    ///
    /// # Errors
    /// [`Error::Mismatch`] where it is one.
    pub fn whole(self) -> Result<Whole> {
        match self {
            Model::Fitted(fitted) => Ok(Whole::Fitted(fitted)),
            Model::Restorer(restorer) => Ok(Whole::Restorer(restorer)),
            Model::Encoder(_) => Err(no_decoder()),
        }
    }

    /// What turns rows into codes.
    ///
    /// # Errors
    /// [`Error::Mismatch`] where it is a restorer.
    pub fn encoder(self) -> Result<Encoder> {
        match self {
            Model::Fitted(fitted) => Ok(fitted.encoder()),
            Model::Restorer(_) => Err(no_code()),
            Model::Encoder(encoder) => Ok(*encoder),
        }
    }

    /// Saves it, in place of a file of that name.
    ///
    /// # Errors
    /// [`Error::Write`]; nothing partial is left behind.
    pub fn save(&self, path: &Path) -> Result<()> {
        match self {
            Model::Fitted(fitted) => save(fitted, path),
            Model::Restorer(restorer) => save_restorer(restorer, path),
            Model::Encoder(encoder) => save_encoder(encoder, path),
        }
    }

    /// Every choice that made it.
    pub fn recipe(&self) -> &crate::recipe::Recipe {
        match self {
            Model::Fitted(fitted) => fitted.recipe(),
            Model::Restorer(restorer) => restorer.recipe(),
            Model::Encoder(encoder) => encoder.recipe(),
        }
    }
}

impl From<Whole> for Model {
    fn from(whole: Whole) -> Model {
        match whole {
            Whole::Fitted(fitted) => Model::Fitted(fitted),
            Whole::Restorer(restorer) => Model::Restorer(restorer),
        }
    }
}

impl From<Fitted> for Model {
    fn from(fitted: Fitted) -> Model {
        Model::Fitted(Box::new(fitted))
    }
}

impl From<Restorer> for Model {
    fn from(restorer: Restorer) -> Model {
        Model::Restorer(Box::new(restorer))
    }
}

impl From<Encoder> for Model {
    fn from(encoder: Encoder) -> Model {
        Model::Encoder(Box::new(encoder))
    }
}

fn no_code() -> Error {
    let error = Error::mismatch("expected a model with a code, got one that restores images and has none");
    error.with_hint("it is for: narrows restore, narrows evaluate, narrows inspect, narrows report")
}

/// What is said where a whole model is asked for and an encoder is there.
fn no_decoder() -> Error {
    let error = Error::mismatch("expected a whole model, got one without a decoder, saved with --encoder-only");
    error.with_hint("it is for: narrows encode, narrows inspect")
}

/// Saves a model with a code, in place of a file of that name.
///
/// # Errors
/// [`Error::Write`]; nothing partial is left behind.
pub fn save(fitted: &Fitted, path: &Path) -> Result<()> {
    save_bytes(&to_bytes(fitted), path)
}

/// Saves a restorer, in place of a file of that name.
///
/// # Errors
/// [`Error::Write`]; nothing partial is left behind.
pub fn save_restorer(restorer: &Restorer, path: &Path) -> Result<()> {
    save_bytes(&restorer_to_bytes(restorer), path)
}

/// Saves an encoder, in place of a file of that name.
///
/// # Errors
/// [`Error::Write`]; nothing partial is left behind.
pub fn save_encoder(encoder: &Encoder, path: &Path) -> Result<()> {
    save_bytes(&encoder_to_bytes(encoder), path)
}

fn save_bytes(bytes: &[u8], path: &Path) -> Result<()> {
    write_atomically(path, |file| std::io::Write::write_all(file, bytes))
}

/// Loads a model with a code.
///
/// # Errors
/// [`Error::Read`] where the file cannot be read, [`Error::ModelFile`] where it is damaged, foreign or newer,
/// [`Error::Mismatch`] where it is a restorer or an encoder alone.
pub fn load(path: &Path) -> Result<Fitted> {
    load_any(path)?.fitted()
}

/// Loads a model of any kind.
///
/// # Errors
/// [`Error::Read`] where the file cannot be read, [`Error::ModelFile`] where it is damaged, foreign or newer.
pub fn load_any(path: &Path) -> Result<Model> {
    let bytes = std::fs::read(path).map_err(|error| Error::read(path, error))?;
    any_from_bytes(&bytes).map_err(|message| Error::model_file(path, message))
}

/// A model with a code as the bytes of its file.
pub fn to_bytes(fitted: &Fitted) -> Vec<u8> {
    let (document, tensors) = document::write(fitted);
    container::write(&document, tensors)
}

/// A restorer as the bytes of its file.
pub fn restorer_to_bytes(restorer: &Restorer) -> Vec<u8> {
    let (document, tensors) = restorer::write(restorer);
    container::write(&document, tensors)
}

/// An encoder as the bytes of its file.
pub fn encoder_to_bytes(encoder: &Encoder) -> Vec<u8> {
    let (document, tensors) = encoder::write(encoder);
    container::write(&document, tensors)
}

/// A model with a code from the bytes of its file.
///
/// # Errors
/// What is wrong with them, in words.
pub fn from_bytes(bytes: &[u8]) -> Result<Fitted, String> {
    any_from_bytes(bytes)?.fitted().map_err(|error| error.to_string())
}

/// A model of any kind from the bytes of its file.
///
/// # Errors
/// What is wrong with them, in words.
pub fn any_from_bytes(bytes: &[u8]) -> Result<Model, String> {
    let container = container::read(bytes)?;
    let kind = document::check(&container)?;
    match kind.as_deref() {
        None => document::read(&container, bytes.len()).map(Model::from),
        Some(restorer::KIND) => restorer::read(&container, bytes.len()).map(Model::from),
        Some(encoder::KIND) => encoder::read(&container, bytes.len()).map(Model::from),
        Some(other) => Err(format!("expected a model with a code, a restorer or an encoder, got `{other}`")),
    }
}
