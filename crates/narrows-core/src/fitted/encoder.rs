//! The encoder without its decoder: maps data to codes. It computes no scores and stores no training rows; it is meant
//! for programs that use the codes as features.

use std::sync::Arc;

use arrow::array::AsArray;
use arrow::datatypes::Float64Type;
use narrows_engine::{Latent, Layer, Loss, Network, Output, Params, Repeat};
use narrows_images::Image;

use super::adapter::{Adapter, TabularAdapter};
use super::core::Fitted;
use super::images::{ImageAdapter, ImageModel};
use super::series::{SeriesAdapter, SeriesModel};
use super::table::{TableAdapter, TableModel};
use crate::compute::Compute;
use crate::data::{Column, ColumnKind, Schema, Table, conform};
use crate::ensemble::Ensemble;
use crate::error::{Error, Place, Result};
use crate::prep::Cell;
use crate::recipe::Recipe;

/// A model without its decoder, of any kind of data.
#[derive(Debug, Clone, PartialEq)]
pub struct Encoder {
    pub(crate) recipe: Recipe,
    pub(crate) input: EncoderInput,
    /// The encoder's layers with the weights of the first member, whose code is the model's; the decoder is replaced by
    /// the identity.
    pub(crate) ensemble: Ensemble,
    /// Description of the training data, as given.
    pub(crate) source: String,
}

/// The kind of input of an encoder.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum EncoderInput {
    Table(Arc<TableAdapter>),
    Series(Arc<SeriesAdapter>),
    Images(Arc<ImageAdapter>),
}

impl EncoderInput {
    pub(crate) fn adapter(&self) -> &dyn Adapter {
        match self {
            EncoderInput::Table(table) => table.as_ref(),
            EncoderInput::Series(series) => series.as_ref(),
            EncoderInput::Images(images) => images.as_ref(),
        }
    }

    fn tabular(&self) -> Option<&dyn TabularAdapter> {
        match self {
            EncoderInput::Table(table) => Some(table.as_ref()),
            EncoderInput::Series(series) => Some(series.as_ref()),
            EncoderInput::Images(_) => None,
        }
    }
}

impl Encoder {
    /// The encoder of a network, its decoder replaced by the identity.
    ///
    /// # Errors
    /// If the layers do not fit together; those of a valid network do.
    pub(crate) fn network(whole: &Network) -> Result<Network> {
        let k = whole.code_size();
        let pass_on = vec![Layer::Repeat(Repeat { width: k, steps: 1 })];
        Network::new(whole.encoder.clone(), whole.latent, pass_on, Output::single(k, Loss::Mse))
            .map_err(|error| Error::mismatch(error.to_string()))
    }

    /// The recipe that the model was fitted with.
    pub fn recipe(&self) -> &Recipe {
        &self.recipe
    }

    /// The schema of the columns that it reads; `None` for images.
    pub fn schema(&self) -> Option<&Schema> {
        self.input.tabular().map(TabularAdapter::schema)
    }

    /// Number of code units.
    pub fn code_size(&self) -> usize {
        self.ensemble.code_size()
    }

    /// Number of trainable parameters.
    pub fn n_parameters(&self) -> usize {
        self.ensemble.network.n_params()
    }

    /// Description of the training data, as given.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Descriptions of the layers, from input to code.
    pub fn layers(&self) -> Vec<String> {
        self.ensemble.network.encoder.iter().map(|layer| layer.to_string().to_lowercase()).collect()
    }

    /// Whether the code is a distribution; its mean is returned.
    pub fn is_gaussian(&self) -> bool {
        self.ensemble.network.latent == Latent::Gaussian
    }

    /// Whether it reads images.
    pub fn reads_images(&self) -> bool {
        matches!(self.input, EncoderInput::Images(_))
    }

    /// Whether a sample is a patch of an image rather than the whole image.
    pub fn sees_patches(&self) -> bool {
        matches!(&self.input, EncoderInput::Images(images) if images.sees_patches())
    }

    /// Whether a row's code is independent of other rows, so that rows may be passed in batches.
    pub fn rows_are_independent(&self) -> bool {
        self.input.tabular().is_none_or(TabularAdapter::rows_are_independent)
    }

    /// The codes of a table, bit-identical to the full model's.
    ///
    /// # Errors
    /// [`Error::Mismatch`] if it reads images, [`Error::Mismatch`] or [`Error::Data`] if the columns do not fit.
    pub fn encode(&self, table: &Table) -> Result<Table> {
        match self.input.tabular() {
            Some(adapter) => adapter.encode(&self.ensemble, table),
            None => Err(not_a_table()),
        }
    }

    /// The codes of an image's samples, bit-identical to those of the full model.
    ///
    /// # Errors
    /// [`Error::Mismatch`] if the encoder reads tables or series.
    pub fn encode_image(&self, image: &Image) -> Result<Vec<Vec<f32>>> {
        Ok(self.encode_batch(std::slice::from_ref(image))?.pop().expect("codes for an image"))
    }

    /// As [`Encoder::encode_image`], of many images at once, which is faster.
    ///
    /// # Errors
    /// As [`Encoder::encode_image`].
    pub fn encode_batch(&self, images: &[Image]) -> Result<Vec<Vec<Vec<f32>>>> {
        match &self.input {
            EncoderInput::Images(adapter) => Ok(adapter.encode(&self.ensemble, images)),
            EncoderInput::Table(_) => Err(not_images("tables")),
            EncoderInput::Series(_) => Err(not_images("series")),
        }
    }

    /// Returns the encoder with another compute backend; results do not change.
    #[must_use]
    pub fn with_compute(mut self, compute: &Compute) -> Encoder {
        self.ensemble.set_compute(compute);
        self
    }
}

impl<A> Fitted<A> {
    /// The model without its decoder, reading `input`.
    fn encoder_of(&self, input: EncoderInput) -> Encoder {
        let whole = &self.core.scorer.ensemble;
        let network = Encoder::network(&whole.network).expect("the layers of a network");
        let mut params: Params = network.init(0);
        for entry in whole.members[0].entries().filter(|entry| entry.name.starts_with("encoder.")) {
            params.set(entry.name, entry.shape, entry.data).expect("the encoder's own weights");
        }
        let ensemble = Ensemble::new(network, vec![params], whole.compute().clone());
        Encoder { recipe: self.core.recipe.clone(), input, ensemble, source: self.core.report.source.clone() }
    }
}

impl From<&TableModel> for Encoder {
    fn from(model: &TableModel) -> Encoder {
        // Range and decimals are only used for decoding, invariants for scores.
        let adapter = TableAdapter {
            grains: Vec::new(),
            noise: None,
            form: None,
            invariants: None,
            ..model.adapter.as_ref().clone()
        };
        model.encoder_of(EncoderInput::Table(Arc::new(adapter)))
    }
}

impl From<&SeriesModel> for Encoder {
    fn from(model: &SeriesModel) -> Encoder {
        let adapter = SeriesAdapter { invariants: None, ..model.adapter.as_ref().clone() };
        model.encoder_of(EncoderInput::Series(Arc::new(adapter)))
    }
}

impl From<&ImageModel> for Encoder {
    fn from(model: &ImageModel) -> Encoder {
        model.encoder_of(EncoderInput::Images(Arc::clone(&model.adapter)))
    }
}

/// The column name of a code unit.
pub(super) fn code_name(unit: usize) -> String {
    format!("code_{unit}")
}

/// Codes `[n, k]` as columns.
pub(super) fn code_columns(codes: &[f32], k: usize) -> Vec<(String, Vec<f64>)> {
    let column = |j: usize| codes.chunks_exact(k).map(|code| f64::from(code[j])).collect();
    (0..k).map(|j| (code_name(j), column(j))).collect()
}

/// The codes in a table with the columns that `encode` writes, as `[n, k]`; other columns are ignored.
///
/// # Errors
/// [`Error::Mismatch`] if a code column is missing or there is one too many, [`Error::Data`] if a code is not a finite
/// number.
pub(super) fn codes_of(table: &Table, k: usize) -> Result<Vec<f32>> {
    let n = table.n_rows();
    let unit = |name: &str| name.strip_prefix("code_").and_then(|unit| unit.parse::<usize>().ok());
    if let Some(extra) = table.names().into_iter().find(|name| unit(name).is_some_and(|unit| unit >= k)) {
        let message = format!("expected codes of {k} units, up to `{}`, got a column `{extra}`", code_name(k - 1));
        return Err(Error::mismatch(message).with_hint("the codes are those of another model"));
    }
    let columns = (0..k).map(|j| Column::new(code_name(j), ColumnKind::Numeric)).collect();
    let (typed, _) = conform(table.clone(), &Schema { columns })?;
    let mut flat = vec![0.0_f32; n * k];
    for j in 0..k {
        let name = code_name(j);
        let column = typed.expect_column(&name)?.as_primitive::<Float64Type>();
        for (row, value) in column.iter().enumerate() {
            // Values beyond the range of f32 would be infinite to the network.
            let value = value.map(|value| value as f32).filter(|value| value.is_finite()).ok_or_else(|| {
                let got = value.map_or("nothing".to_owned(), |v| Cell::Number(v).to_string());
                let place = Place::cell(&name, typed.row_number(row));
                Error::data(place, format!("expected a finite number, got {got}"))
            })?;
            flat[row * k + j] = value;
        }
    }
    Ok(flat)
}

fn not_images(kind: &str) -> Error {
    Error::mismatch(format!("expected {kind}, as the model was fitted to, got images"))
}

/// The error for an image model that is given a table.
pub(crate) fn not_a_table() -> Error {
    Error::mismatch("expected images, as the model was fitted to, got a table")
        .with_hint("a folder, a pattern, an image, IDX, NPY or NPZ")
}
