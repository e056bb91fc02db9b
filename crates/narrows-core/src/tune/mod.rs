//! Recipe search: optimises code size, layers, loss, corruption and learning rate for the data.
//!
//! Trials are drawn at random, keyed by seed and trial number (Bergstra and Bengio 2012), and stopped early by
//! successive halving; the first one is the initial recipe, so the result is never worse than that by the criterion
//! ([`Goal`]). Then only the code size is varied and compared with PCA ([`CodeSizeCurve`]). Every run is written to a
//! [`Journal`] as it ends: an interrupted search resumes from there, with the same result.

mod curve;
mod goal;
mod halving;
mod journal;
mod run;
mod runner;
mod search;
mod space;
mod tuner;

pub use curve::{CodeSizeCurve, Point};
pub use goal::Goal;
pub use journal::{Journal, SearchSubject};
pub use run::{Outcome, Stage, Success, TrialRun};
pub use runner::{Ran, Runner, Trials};
pub use search::{Ended, SearchResult, Trial};
pub use space::Space;
pub use tuner::{SearchPlan, Unwatched, Watch, tune, tune_with};
