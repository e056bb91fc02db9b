//! A fitted model of any kind.

#[cfg(feature = "report")]
use super::card;
use super::encoder::Encoder;
use super::images::ImageModel;
use super::restorer::Restorer;
#[cfg(feature = "report")]
use super::scored_rows;
use super::series::SeriesModel;
use super::table::TableModel;
use super::tabular::TabularModel;
use crate::compute::Compute;
use crate::detect::Threshold;
use crate::error::{Error, Hint, Result};
use crate::recipe::Recipe;
#[cfg(feature = "report")]
use crate::report::card::CardOptions;
#[cfg(feature = "report")]
use crate::report::html::{self, LivingPage, PageHost};
#[cfg(feature = "report")]
use crate::report::{ColumnPanel, NewDataReport, Report, SampleLayout, ScoredData};

/// A fitted model, by kind.
#[derive(Debug, Clone, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "a program holds few models, and moves them seldom")]
pub enum Model {
    /// For the rows of a table.
    Table(TableModel),
    /// For series.
    Series(SeriesModel),
    /// For images, with a code.
    Images(ImageModel),
    /// For images, without a code: removes a corruption.
    Restorer(Restorer),
    /// An encoder without its decoder.
    Encoder(Encoder),
}

impl Model {
    /// The model of a table.
    ///
    /// # Errors
    /// [`Error::Mismatch`] if it is of another kind.
    pub fn into_table(self) -> Result<TableModel> {
        match self {
            Model::Table(model) => Ok(model),
            other => Err(other.is_not("a model of tables")),
        }
    }

    /// The model of series.
    ///
    /// # Errors
    /// [`Error::Mismatch`] if it is of another kind.
    pub fn into_series(self) -> Result<SeriesModel> {
        match self {
            Model::Series(model) => Ok(model),
            other => Err(other.is_not("a model of series")),
        }
    }

    /// The model of images with a code.
    ///
    /// # Errors
    /// [`Error::Mismatch`] if it is of another kind.
    pub fn into_images(self) -> Result<ImageModel> {
        match self {
            Model::Images(model) => Ok(model),
            other => Err(other.is_not("a model of images")),
        }
    }

    /// The restorer.
    ///
    /// # Errors
    /// [`Error::Mismatch`] if it is of another kind.
    pub fn into_restorer(self) -> Result<Restorer> {
        match self {
            Model::Restorer(model) => Ok(model),
            other => Err(other.is_not("a model that restores images")),
        }
    }

    /// The model of tables or of series.
    ///
    /// # Errors
    /// [`Error::Mismatch`] if it is of another kind.
    pub fn into_tabular(self) -> Result<Box<dyn TabularModel>> {
        match self {
            Model::Table(model) => Ok(Box::new(model)),
            Model::Series(model) => Ok(Box::new(model)),
            other => Err(other.is_not("a model of tables or series")),
        }
    }

    /// The encoder of the model.
    ///
    /// # Errors
    /// [`Error::Mismatch`] if it is a restorer, which has no code.
    pub fn into_encoder(self) -> Result<Encoder> {
        match self {
            Model::Table(model) => Ok(Encoder::from(&model)),
            Model::Series(model) => Ok(Encoder::from(&model)),
            Model::Images(model) => Ok(Encoder::from(&model)),
            Model::Encoder(encoder) => Ok(encoder),
            Model::Restorer(_) => Err(no_code()),
        }
    }

    /// Returns the model if it has a decoder.
    ///
    /// # Errors
    /// [`Error::Mismatch`] if it is an encoder.
    pub fn with_decoder(self) -> Result<Model> {
        match self {
            Model::Encoder(_) => Err(no_decoder()),
            other => Ok(other),
        }
    }

    /// Returns the model with another compute backend; results do not change.
    #[must_use]
    pub fn with_compute(self, compute: &Compute) -> Model {
        match self {
            Model::Table(model) => Model::Table(model.with_compute(compute)),
            Model::Series(model) => Model::Series(model.with_compute(compute)),
            Model::Images(model) => Model::Images(model.with_compute(compute)),
            Model::Restorer(model) => Model::Restorer(model.with_compute(compute)),
            Model::Encoder(model) => Model::Encoder(model.with_compute(compute)),
        }
    }

    /// Returns the model with another threshold, without refitting.
    ///
    /// # Errors
    /// [`Error::Recipe`] for a restorer or an encoder, which have no threshold, and if the rule needs labels.
    pub fn with_threshold(self, rule: &Threshold) -> Result<Model> {
        let none = |got: &str| {
            Err(Error::recipe("threshold", format!("expected a model that scores, got {got}, which has no threshold")))
        };
        match self {
            Model::Table(model) => model.with_threshold(rule).map(Model::Table),
            Model::Series(model) => model.with_threshold(rule).map(Model::Series),
            Model::Images(model) => model.with_threshold(rule).map(Model::Images),
            Model::Restorer(_) => none("a restorer"),
            Model::Encoder(_) => none("an encoder"),
        }
    }

    /// The recipe that the model was fitted with.
    pub fn recipe(&self) -> &Recipe {
        match self {
            Model::Table(model) => model.recipe(),
            Model::Series(model) => model.recipe(),
            Model::Images(model) => model.recipe(),
            Model::Restorer(model) => model.recipe(),
            Model::Encoder(model) => model.recipe(),
        }
    }

    /// The report of the fit, as one self-contained HTML file.
    ///
    /// # Errors
    /// [`Error::Mismatch`] if it is an encoder.
    #[cfg(feature = "report")]
    pub fn report_html(&self) -> Result<String> {
        match self {
            Model::Table(model) => html::render(model.report()),
            Model::Series(model) => html::render(model.report()),
            Model::Images(model) => html::render(model.report()),
            Model::Restorer(model) => html::render_restorer(model.report()),
            Model::Encoder(_) => Err(no_decoder()),
        }
    }

    /// The report of the fit as an interactive page, with a section on data that the model was not fitted to. A restorer has
    /// no scores: its page is that of [`report_html`](Self::report_html).
    ///
    /// # Errors
    /// [`Error::Mismatch`] if it is an encoder, or a restorer with new data.
    #[cfg(feature = "report")]
    pub fn living_html(&self, host: PageHost<'_>, data: Option<(&NewDataReport, &ScoredData)>) -> Result<String> {
        let render = |report: &Report, layout, columns: &[ColumnPanel]| {
            html::render_living(report, &LivingPage { host, layout, columns, data })
        };
        let tabular = |model: &dyn TabularModel| {
            render(model.report(), scored_rows::layout(model), &scored_rows::column_panels(model))
        };
        match self {
            Model::Table(model) => tabular(model),
            Model::Series(model) => tabular(model),
            Model::Images(model) => render(model.report(), SampleLayout::Images, &[]),
            Model::Restorer(model) if data.is_none() => html::render_restorer(model.report()),
            Model::Restorer(_) => Err(no_code()),
            Model::Encoder(_) => Err(no_decoder()),
        }
    }

    /// The model card: Markdown with the front matter of the Hugging Face Hub, for the README beside the model file. It tells
    /// no more of the training data than the file does, and none of the rows in it. `found` is what the model finds in data
    /// that it was not fitted to; with labels, the card has metrics.
    ///
    /// # Errors
    /// [`Error::Mismatch`] if something was found by a restorer or an encoder, which have no scores.
    #[cfg(feature = "report")]
    pub fn card(&self, options: &CardOptions, found: Option<&NewDataReport>) -> Result<String> {
        card::of(self, options, found)
    }

    /// Whether it reads images.
    pub fn reads_images(&self) -> bool {
        match self {
            Model::Table(_) | Model::Series(_) => false,
            Model::Images(_) | Model::Restorer(_) => true,
            Model::Encoder(encoder) => encoder.reads_images(),
        }
    }

    /// The kind in a word, as files and documents have it: `table`, `series`, `images`, `restorer` or `encoder`.
    pub fn kind(&self) -> &'static str {
        match self {
            Model::Table(_) => "table",
            Model::Series(_) => "series",
            Model::Images(_) => "images",
            Model::Restorer(_) => "restorer",
            Model::Encoder(_) => "encoder",
        }
    }

    /// The error for a model of an unexpected kind.
    fn is_not(&self, expected: &str) -> Error {
        match self {
            Model::Restorer(_) => no_code(),
            Model::Encoder(_) => no_decoder(),
            Model::Table(_) => Error::mismatch(format!("expected {expected}, got one of tables")),
            Model::Series(_) => Error::mismatch(format!("expected {expected}, got one of series")),
            Model::Images(_) => Error::mismatch(format!("expected {expected}, got one of images")),
        }
    }
}

impl From<TableModel> for Model {
    fn from(model: TableModel) -> Model {
        Model::Table(model)
    }
}

impl From<SeriesModel> for Model {
    fn from(model: SeriesModel) -> Model {
        Model::Series(model)
    }
}

impl From<ImageModel> for Model {
    fn from(model: ImageModel) -> Model {
        Model::Images(model)
    }
}

impl From<Restorer> for Model {
    fn from(model: Restorer) -> Model {
        Model::Restorer(model)
    }
}

impl From<Encoder> for Model {
    fn from(encoder: Encoder) -> Model {
        Model::Encoder(encoder)
    }
}

pub(super) fn no_code() -> Error {
    let error = Error::mismatch("expected a model with a code, got one that restores images and has none");
    error.with_hint(Hint::of("it is for [verb restore], [verb evaluate], [verb inspect] and [verb report]"))
}

pub(super) fn no_decoder() -> Error {
    let error = Error::mismatch("expected a whole model, got an encoder without its decoder");
    error.with_hint(Hint::of("it is for [verb encode] and [verb inspect]"))
}
