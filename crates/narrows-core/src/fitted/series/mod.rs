//! Models of series: a sample is a window. In the long layout a row is a point and windows slide; in the rows layout a
//! row is a series and its only window.

mod adapter;
mod columns;
mod events;
mod fit;
mod held_out;
mod holes;
mod judgement;
mod levels;
mod model;
mod new_points;
mod points;
mod quality;
mod range;
mod recalibrate;
mod remarks;
mod stream;
mod summary;
mod suspects;
mod unchanged;
mod whole_windows;
mod windowing;

pub(crate) use adapter::SeriesAdapter;
pub use events::SeriesEvent;
pub(super) use fit::{fit, trial_data};
pub(crate) use judgement::Judgement;
pub(crate) use levels::LevelRange;
pub(super) use new_points::{NewPoints, PointDetail, PointsAsked, new_points};
pub use quality::SeriesQuality;
pub(super) use quality::Trace;
pub use stream::{SeriesProgress, StreamScore, StreamScorer};
pub(crate) use suspects::ValueErrors;
pub(crate) use unchanged::UnchangedRuns;

/// A model fitted to series.
pub type SeriesModel = super::core::Fitted<SeriesAdapter>;
