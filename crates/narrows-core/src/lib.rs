//! Narrows: autoencoders for anomaly detection, compression, generation and image restoration.

#![forbid(unsafe_code)]

pub mod baseline;
pub mod choice;
mod codec;
pub mod compress;
mod compute;
pub mod data;
pub mod demo;
pub mod detect;
mod ensemble;
pub mod error;
pub mod file;
mod fitted;
mod hint;
pub mod model;
pub mod output;
mod patches;
pub mod prep;
pub mod range;
pub mod recipe;
pub mod report;
pub mod sample_similarity;
pub mod train;
pub mod tune;

pub use choice::Choice;
pub use compute::Compute;
pub use error::{Error, ErrorKind, Result};
pub use fitted::{
    BaselineMetrics, BestF1, Dataset, Encoder, Evaluation, Evaluator, Explained, Fitted, ImageModel, ImageRoles,
    ImageScore, Intervals, Model, RankingQuality, Restorer, Roles, ScoreCounts, ScoreFlag, Scores, SeriesEvent,
    SeriesModel, SeriesQuality, Session, StreamScore, StreamScorer, TableModel, TabularModel, Variation, fit,
    score_table,
};
/// The version of Arrow whose arrays and record batches are in public signatures, such as [`data::Table::batch`].
#[doc(no_inline)]
pub use arrow;
pub use narrows_engine::rng;
pub use narrows_images as images;
pub use recipe::{Preset, Recipe};
pub use report::Report;
pub use sample_similarity::SampleSimilarity;

/// The README's example is a test.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Readme;
