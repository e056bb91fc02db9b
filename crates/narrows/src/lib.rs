//! Narrows: autoencoders that learn what data looks like by squeezing it through a narrow code.

pub mod error;
pub mod range;
pub mod choice;
pub mod data;
pub mod prep;
pub mod model;
pub mod baseline;
pub mod train;
pub mod detect;
pub mod recipe;
mod fitted;
pub mod report;
pub mod file;
pub mod demo;

pub use error::{Error, ErrorKind, Result};
pub use fitted::{Evaluation, Evaluator, Explained, Fitted, Roles, ScoreCounts, Scores, Session, fit};
pub use narrows_engine::{Threads, rng};
pub use recipe::{Preset, Recipe};
pub use report::Report;

/// The README's example is a test.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Readme;
