//! Narrows: autoencoders that learn what data looks like by squeezing it through a narrow code.

#![forbid(unsafe_code)]

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
mod images;
pub mod model;
pub mod prep;
pub mod range;
pub mod recipe;
pub mod report;
pub mod resemblance;
pub mod restorer;
pub mod train;
pub mod tune;

pub use choice::Choice;
pub use error::{Error, ErrorKind, Result};
pub use fitted::{
    Encoder, Evaluation, Evaluator, Explained, Fitted, Flag, Followed, Follower, Likeness, PictureRoles, PictureScore,
    Roles, ScoreCounts, Scores, SeriesEvent, SeriesQuality, Session, fit, fit_images,
};
pub use narrows_engine::{Threads, rng};
pub use narrows_pictures as pictures;
pub use recipe::{Preset, Recipe};
pub use report::Report;
pub use resemblance::Resemblance;
pub use restorer::{Restorer, fit as fit_restorer};

/// The README's example is a test.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Readme;
