//! The search for a recipe: which code size, layers, loss, corruption and learning rate suit the data.
//!
//! Trials are drawn at random, keyed by the seed and the trial's number (Bergstra and Bengio 2012), and stopped early by
//! successive halving; the first one is the recipe that the search starts from, so what is found is
//! never worse than that by the criterion ([`Goal`]). Then the code's size alone is varied and set beside PCA's curve
//! ([`CodeSizeCurve`]). Every run is written to a [`Journal`] as it ends: a search that was cut short goes on from there, and comes
//! to the recipe that it would have come to at once.

mod curve;
mod goal;
mod halving;
mod journal;
mod run;
mod search;
mod space;
mod tuner;

pub use curve::{CodeSizeCurve, Point};
pub use goal::Goal;
pub use journal::{Journal, SearchSubject};
pub use run::{Outcome, Stage, Success, TrialRun};
pub use search::{Ended, SearchResult, Trial};
pub use space::Space;
pub use tuner::{SearchPlan, Unwatched, Watch, tune};
