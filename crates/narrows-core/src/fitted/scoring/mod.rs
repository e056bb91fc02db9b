//! From prepared rows to scores, p-values and verdicts, independent of tables and units.

mod attribution;
#[cfg(test)]
mod by_hand;
mod calibrate;
mod calibrated;
mod resolution;
mod scorer;
mod scores;
mod unexplained;

pub(crate) use attribution::{PreparedUnits, Yardstick};
pub(crate) use calibrate::detector;
pub(crate) use calibrated::{CalibratedThreshold, HeldOutScores};
pub(crate) use resolution::Resolution;
pub(crate) use scorer::{ScoreDetail, Scored, Scorer};
pub use scores::{Explained, OutsideRange, ScoreCounts, ScoreFlag, Scores};
pub(crate) use unexplained::Unexplained;
