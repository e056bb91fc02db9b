//! Fitted models: [`fit()`] and the operations of each kind of model.
//!
//! Every fit prepares, learns and assembles: a kind's module prepares its data ([`Adapter`](adapter::Adapter)) and
//! operates its models, `scoring` turns prepared samples into scores, `generation` makes new ones.

mod adapter;
mod assemble;
#[cfg(feature = "report")]
mod card;
mod core;
mod dataset;
mod encoder;
mod evaluate;
mod feature_filter;
mod fit;
mod generation;
mod images;
mod invariants;
mod labels;
mod learning;
mod leftovers;
mod linear;
mod model;
mod new_data;
mod reason_form;
mod recalibration;
mod restorer;
mod rising;
mod roles;
mod rounds;
mod row_selection;
pub mod score_table;
mod scored_rows;
mod scoring;
mod selection;
mod series;
mod session;
mod split;
mod summary;
mod table;
mod tabular;
mod trial;
mod unchanging;

pub(crate) use adapter::{Adapter, TabularAdapter};
pub use core::Fitted;
pub(crate) use core::{Baselines, Core};
pub use dataset::Dataset;
pub use encoder::Encoder;
pub(crate) use encoder::EncoderInput;
pub use evaluate::{BaselineMetrics, BestF1, Evaluation, Evaluator, Intervals, RankingQuality};
pub use fit::fit;
pub(crate) use fit::trial_data;
pub(crate) use generation::{CodeDensity, RowForm};
pub use generation::{ConditionalRows, Variation};
pub(crate) use images::{ImageAdapter, ImageLayout, MEASURES, PatchCut, PatchMemory, measures};
pub use images::{ImageModel, ImageRoles, ImageScore};
pub use invariants::BrokenInvariants;
pub(crate) use invariants::{Constant, Invariants};
pub use model::Model;
pub use new_data::NewDataReporter;
pub use recalibration::{NormalRows, Recalibration};
pub use restorer::Restorer;
pub(crate) use restorer::{Residual, RestorerBase};
pub use roles::{Roles, matching as matching_columns};
pub use rounds::{Passes, RoundJob, RoundsFit, WeightsChange, fit_in_rounds};
pub use scored_rows::ScoredDataReporter;
pub(crate) use scoring::{CalibratedThreshold, Scorer};
pub use scoring::{Explained, OutsideRange, ScoreCounts, ScoreFlag, Scores};
pub(crate) use series::{Judgement, LevelRange, SeriesAdapter, UnchangedRuns, ValueErrors};
pub use series::{SeriesEvent, SeriesModel, SeriesProgress, SeriesQuality, StreamScore, StreamScorer};
pub use session::Session;
pub(crate) use table::TableAdapter;
pub use table::TableModel;
pub(crate) use tabular::TabularKind;
pub use tabular::TabularModel;
pub(crate) use trial::TrialData;
