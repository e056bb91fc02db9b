//! Narrows: autoencoders for tables, time series and images.
//!
//! An autoencoder learns to reproduce normal data through a narrow code. This crate fits one and uses it to find
//! anomalies, to compress, to extract features, to generate new samples and to restore images. It needs no labels and
//! no GPU.
//!
//! # First example
//!
//! Fit a model to normal rows, then score other rows:
//!
//! ```
//! use narrows_core::{Dataset, Recipe, Session, TabularModel, data::Table, fit};
//!
//! let x: Vec<f64> = (0..400).map(|i| f64::from(i) / 31.0).collect();
//! let table = Table::from_columns(vec![
//!     ("a", x.iter().map(|x| x.sin()).collect()),
//!     ("b", x.iter().map(|x| x.cos()).collect()),
//! ])?;
//! let mut recipe = Recipe::preset("simple".parse()?);
//! recipe.set("train.steps=300")?;
//! let model = fit(&recipe, Dataset::from(table), &Session::default())?.into_table()?;
//!
//! // Normal rows lie on a circle; the second row does not.
//! let rows = Table::from_columns(vec![("a", vec![0.0, 0.0]), ("b", vec![1.0, 9.0])])?;
//! let scores = model.score(&rows)?;
//! assert!(scores.is_anomaly[1]);
//! assert!(scores.score[1] > scores.score[0]);
//! # Ok::<(), narrows_core::Error>(())
//! ```
//!
//! Longer programs are in the folder `examples` of this crate: `table`, `series`, `images`, `restore`, `compress` and
//! `recipe`. Each makes its own data and runs for a few seconds:
//! `cargo run --release -p narrows-core --example table`.
//!
//! # Main types
//!
//! | type | what it is |
//! |---|---|
//! | [`data::Table`] | named columns; [`data::Source`] reads them from CSV, Parquet, Arrow, NDJSON and NumPy files |
//! | [`Dataset`] | what is fitted: a table with the [`Roles`] of its columns, or images with [`ImageRoles`] |
//! | [`Recipe`] | every setting of a model: a [`Preset`], and what you change in it |
//! | [`Session`] | how a fit runs: threads ([`Compute`]), progress ([`train::Observer`]), checkpoints |
//! | [`fit()`] | recipe, dataset and session to a [`Model`] |
//! | [`Model`] | a fitted model of any kind; saves, loads, and converts to its kind |
//!
//! A [`Model`] is one of five kinds. The recipe decides which one, and `into_table`, `into_series` and so on return it
//! or an error:
//!
//! | kind | fitted to | methods |
//! |---|---|---|
//! | [`TableModel`] | independent rows | those of [`TabularModel`] |
//! | [`SeriesModel`] | points or rows of time series | those of [`TabularModel`], and `events` and `stream` |
//! | [`ImageModel`] | images | score, heat map, reconstruct, encode, decode, generate, evaluate |
//! | [`Restorer`] | clean images and a damage | restore, evaluate |
//! | [`Encoder`] | any of the first three, without its decoder | encode |
//!
//! The first three are [`Fitted`], which has what they share: threshold, report, recipe. The trait [`TabularModel`] has
//! the methods of models that read tables (score, explain, reconstruct, encode, decode, generate, evaluate); bring it
//! into scope to call them, or hold a `Box<dyn TabularModel>` where tables and series are treated alike. Fitted models
//! are immutable, cheap to clone, and `Send` and `Sync`.
//!
//! # Where to find what
//!
//! - **Scores and thresholds**: [`Scores`], [`Explained`] and [`Evaluation`]; rules and metrics are in [`detect`],
//!   [`score_table`] writes results as tables.
//! - **Time series**: [`Recipe::preset_for`] with [`recipe::DataKind::Series`], and the roles `time` and `id`.
//!   Stretches of anomalous points are [`SeriesEvent`]s; a [`StreamScorer`] scores points as they arrive.
//! - **Images**: [`images`] reads and writes files, corrupts images and measures similarity. An [`images::Store`] holds
//!   the images of a folder and is a dataset.
//! - **Restoration**: the preset `restore` with a damage ([`Recipe::corrupt`]) gives a [`Restorer`].
//! - **Compression**: [`compress`] stores tables, series and images as codes: lossy, within a bound on the error, or
//!   lossless.
//! - **Generation**: [`TabularModel::generate`], [`TabularModel::generate_where`], [`ImageModel::generate`], and [`Variation`] for rows like given ones;
//!   [`SampleSimilarity`] compares generated rows with real ones.
//! - **Tuning**: [`tune::tune`] searches a recipe for the data.
//! - **Recipes in detail**: [`recipe`], [`model`] (architecture, latent, sparsity, corruption, loss), [`prep`],
//!   [`train`].
//! - **Files**: [`Model::save`] and [`Model::load`]; [`mod@file`] has checkpoints; [`output`] writes tables.
//! - **Reports**: [`Report`], [`Model::report_html`] as one HTML file, and [`Model::card`] as a model card.
//! - **Baselines and data to try**: [`baseline`] and [`demo`].
//!
//! # Errors
//!
//! Functions return [`Result`]; a panic is a bug, unless the documentation of the function says when it panics. An
//! [`Error`] says what, where, expected and got. [`Error::kind`] groups errors, and [`Error::hint`] advises what to do:
//! a [`error::Hint`] refers to arguments, which a front end renders under its own names and [`Error::hint_text`] under
//! those of this crate:
//!
//! ```
//! let error = narrows_core::Recipe::from_toml("[train]\nbatchsize = 32").unwrap_err();
//! assert!(error.hint_text().unwrap_or_default().contains("batch_size"));
//! ```
//!
//! # Determinism
//!
//! The same recipe, data and version give the same model file to the last byte, for any number of threads; an
//! interrupted fit that is resumed gives the same file, too. The score of a row of a table, or of an image, depends on
//! no other one and on no batch size; the score of a point of a series depends on the points around it. All randomness
//! is keyed by [`Recipe::seed`].

#![forbid(unsafe_code)]

pub mod baseline;
pub mod choice;
// Without `compress` a model still keeps what it would compress with.
#[cfg_attr(not(feature = "compress"), allow(dead_code, unused_imports))]
mod codec;
#[cfg(feature = "compress")]
pub mod compress;
mod compute;
pub mod data;
pub mod demo;
pub mod detect;
pub mod distribution;
pub mod drift;
mod ensemble;
pub mod error;
pub mod file;
#[cfg_attr(not(feature = "compress"), allow(dead_code, unused_imports))]
mod fitted;
mod hint;
pub mod model;
pub mod onnx;
pub mod output;
mod patches;
pub mod prep;
pub mod range;
pub mod recipe;
pub mod report;
pub mod sample_similarity;
pub mod train;
pub mod tune;

/// The cargo features that this crate was built with.
pub const FEATURES: &[&str] = &[
    #[cfg(feature = "parquet")]
    "parquet",
    #[cfg(feature = "report")]
    "report",
    #[cfg(feature = "compress")]
    "compress",
    #[cfg(feature = "xlsx")]
    "xlsx",
    #[cfg(feature = "sqlite")]
    "sqlite",
];

/// The version of Arrow whose arrays and record batches are in public signatures, such as [`data::Table::batch`].
#[doc(no_inline)]
pub use arrow;
pub use choice::Choice;
pub use compute::{Compute, DeviceUse};
pub use error::{Error, ErrorKind, Result};
pub use fitted::{
    BaselineMetrics, BestF1, BrokenInvariants, ConditionalRows, Dataset, Encoder, Evaluation, Evaluator, Explained,
    Fitted, ImageModel, ImageRoles, ImageScore, Intervals, Model, NewDataReporter, NormalRows, OutsideRange, Passes,
    RankingQuality, Recalibration, Restorer, Roles, RoundJob, RoundsFit, ScoreCounts, ScoreFlag, ScoredDataReporter,
    Scores, SeriesEvent, SeriesModel, SeriesProgress, SeriesQuality, Session, StreamScore, StreamScorer, TableModel,
    TabularModel, Variation, WeightsChange, fit, fit_in_rounds, matching_columns, score_table,
};
pub use narrows_engine::rng;
pub use narrows_images as images;
pub use recipe::{Preset, Recipe};
pub use report::Report;
pub use sample_similarity::SampleSimilarity;

/// The README's example is a test.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Readme;
