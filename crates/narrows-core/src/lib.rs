//! Narrows: autoencoders for anomaly detection, compression, generation and image restoration.

pub mod baseline;
pub mod choice;
mod codec;
pub mod compress;
pub mod data;
pub mod demo;
pub mod detect;
pub mod error;
pub mod file;
mod fitted;
pub mod model;
mod patches;
pub mod prep;
pub mod range;
pub mod recipe;
pub mod report;
pub mod restorer;
pub mod sample_similarity;
pub mod train;
pub mod tune;

pub use choice::Choice;
pub use error::{Error, ErrorKind, Result};
pub use fitted::{
    Encoder, Evaluation, Evaluator, Explained, Fitted, ImageRoles, ImageScore, Roles, ScoreCounts, ScoreFlag, Scores,
    SeriesEvent, SeriesQuality, Session, StreamScore, StreamScorer, Variation, fit, fit_images,
};
pub use narrows_engine::{Threads, rng};
pub use narrows_images as images;
pub use recipe::{Preset, Recipe};
pub use report::Report;
pub use restorer::{Restorer, fit as fit_restorer};
pub use sample_similarity::SampleSimilarity;

/// The README's example is a test.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Readme;
