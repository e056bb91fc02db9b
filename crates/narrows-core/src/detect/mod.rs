//! From scores to thresholds, p-values, metrics and reasons; independent of the model.
//!
//! Higher scores are more anomalous, and a row is an anomaly if its score is above the
//! threshold.

pub mod calibration;
pub mod decision;
pub mod detector;
pub mod evaluation;
pub mod event;
pub mod explain;
pub mod metrics;
pub mod pixels;
pub mod point_adjust;
pub mod proximity;
pub mod residual;
pub mod scale;
pub mod set_aside;
pub mod settings;
pub mod threshold;
pub mod vus;

mod at_rank;
mod bootstrap;
mod curve;
mod gap;
mod pot;
mod ranking;

pub use at_rank::RankPrecision;
pub use calibration::Calibration;
pub use decision::Decision;
pub use detector::{Detector, MemberScale};
pub use evaluation::{Estimate, ThresholdMetrics};
pub use event::{EventRange, Events, bridged, events_of};
pub use explain::{Direction, Reason};
pub use metrics::Confusion;
pub use pixels::{PixelCounts, PixelMetrics};
pub use proximity::{DistanceTerm, Distances, GlobalProximity, Proximity, References};
pub use scale::{ColumnScale, LogRatio};
pub use set_aside::{SetAside, SetAsideBy};
pub use settings::{Detect, Mixing, Scope, Score, Weighting};
pub use threshold::Threshold;
pub use vus::{RangeAuc, Vus, range_auc, vus};
