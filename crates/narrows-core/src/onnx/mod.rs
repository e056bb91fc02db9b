//! Models as ONNX files: one graph with everything that a score needs, for runtimes that know nothing of Narrows.
//!
//! A graph of a table reads typed columns: numbers, flags (0 and 1) and moments (seconds since 1970, UTC) as doubles with NaN
//! for missing, and words as text, empty for missing. It prepares them, runs the networks, combines errors and distances to
//! known rows, compares what never changed, and gives
//!
//! - `scores`, `[N, 1]` double: 1 is a typical row; NaN for rows without any value;
//! - `label`, `[N, 1]` integer: 1 above the threshold, else 0;
//! - `p_values`, `[N, 1]` double: conformal, as [`Calibration::p_value`](crate::detect::Calibration::p_value);
//! - `reconstruction`, `[N, width]` float: the mean of the members' outputs, in prepared units;
//! - `embedding`, `[N, code_size]` float: the code of the first member;
//! - `feature_score`, `[N, columns]` float: the squared error of each column in units of a typical row's mean.
//!
//! A graph of images reads `images`, `[N, C, H, W]` float in 0 to 1, of one size. Its reconstruction is images; where the
//! network sees patches, the embedding is `[N, patches, code_size]`; `feature_score` is `[N, H, W]`, the heat map. One of series
//! reads `windows`, `[N, points, C]` double, complete and in the units of the data, as its reconstruction is. In the rows layout
//! it gives what the score of a row is; in the long layout the score of each window as a whole, without a label. Encoders give
//! the embedding alone; restorers `restored`, for `images` of any size.
//!
//! Entries `narrows.*` of the file's metadata describe inputs, prepared units and the threshold; `docs/guide/onnx.md` lists them.
//!
//! Operators are those of the default domain, of version 17, or 19 where text is compared.

mod cells;
mod feed;
mod image_feed;
mod images;
mod invariants;
mod metadata;
mod neighbours;
mod patches;
mod pixels;
mod prep;
mod restorer;
mod samples;
mod scorer;
mod series;
mod series_feed;
mod table;
mod terms;
mod threshold;
mod windows;

use std::fmt;
use std::str::FromStr;

use narrows_images::Image;

use crate::data::Table;
use crate::error::{Error, Result};
use crate::fitted::{Encoder, EncoderInput, Model};

pub use feed::{OnnxFeed, OnnxValues};

/// What a graph of a table reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnnxInputs {
    /// An input for each column, named as it is, `[N, 1]`.
    #[default]
    Columns,
    /// One input `rows`, `[N, width]` float: rows prepared before, NaN for what was not observed. What never changed in
    /// training is not compared.
    Matrix,
}

impl fmt::Display for OnnxInputs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            OnnxInputs::Columns => "columns",
            OnnxInputs::Matrix => "matrix",
        })
    }
}

impl FromStr for OnnxInputs {
    type Err = Error;

    fn from_str(text: &str) -> Result<OnnxInputs> {
        match text {
            "columns" => Ok(OnnxInputs::Columns),
            "matrix" => Ok(OnnxInputs::Matrix),
            _ => Err(Error::recipe("inputs", format!("expected `columns` or `matrix`, got `{text}`"))),
        }
    }
}

impl Model {
    /// The model as the bytes of an ONNX file.
    ///
    /// # Errors
    /// [`Error::Mismatch`] if a part of it has no counterpart in ONNX, which the message names.
    pub fn to_onnx(&self, inputs: OnnxInputs) -> Result<Vec<u8>> {
        match self {
            Model::Table(model) => table::graph(model, inputs),
            Model::Encoder(Encoder { input: EncoderInput::Table(adapter), ensemble, .. }) => {
                table::encoder(adapter, ensemble, inputs)
            }
            Model::Images(model) => images::graph(model),
            Model::Encoder(Encoder { input: EncoderInput::Images(adapter), ensemble, .. }) => {
                images::encoder(adapter, ensemble)
            }
            Model::Restorer(restorer) => restorer::graph(restorer),
            Model::Series(model) => series::graph(model),
            Model::Encoder(Encoder { input: EncoderInput::Series(adapter), ensemble, .. }) => {
                series::encoder(adapter, ensemble)
            }
        }
    }

    /// The inputs of the graph for the rows of a table, read as for scoring; of series in the long layout the windows that follow
    /// each other without overlap.
    ///
    /// # Errors
    /// As scoring, and [`Error::Mismatch`] for models that read no tables.
    pub fn onnx_feeds(&self, table: &Table, inputs: OnnxInputs) -> Result<Vec<OnnxFeed>> {
        match self {
            Model::Table(model) => feed::rows(&model.adapter, table, inputs),
            Model::Encoder(Encoder { input: EncoderInput::Table(adapter), .. }) => feed::rows(adapter, table, inputs),
            Model::Series(model) => Ok(vec![series_feed::windows(&model.adapter, table)?]),
            Model::Encoder(Encoder { input: EncoderInput::Series(adapter), .. }) => {
                Ok(vec![series_feed::windows(adapter, table)?])
            }
            Model::Encoder(_) | Model::Images(_) | Model::Restorer(_) => {
                Err(Error::mismatch("expected a model of tables or of series"))
            }
        }
    }

    /// The input of the graph for images: those of a model of the graph's size; samples cut from images of any size where the
    /// graph reads samples; those of a restorer of one size, whatever it is.
    ///
    /// # Errors
    /// [`Error::Mismatch`] for images of another size, and for models that read no images.
    pub fn onnx_image_feeds(&self, images: &[Image]) -> Result<Vec<OnnxFeed>> {
        let feed = match self {
            Model::Images(model) => image_feed::of_model(model, images)?,
            Model::Encoder(Encoder { input: EncoderInput::Images(adapter), .. }) => {
                image_feed::samples(adapter, images)
            }
            Model::Restorer(restorer) => image_feed::of_restorer(restorer, images)?,
            Model::Encoder(_) | Model::Series(_) | Model::Table(_) => {
                return Err(Error::mismatch("expected a model of images"));
            }
        };
        Ok(vec![feed])
    }
}
