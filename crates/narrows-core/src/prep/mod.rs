//! Preprocessing: from typed cells to network inputs and back; the only place where units change.
//!
//! [`Pipeline::fit`] uses training rows only and the result is immutable; [`Pipeline::transform`] and
//! [`Pipeline::inverse`] are inverse up to floating-point precision.

use serde::{Deserialize, Serialize};

use crate::range::{Positive, lit};

mod base_dates;
mod block;
mod cell;
mod cell_arrays;
mod cycle;
mod encoder;
mod flag;
mod grain;
mod grain_levels;
mod instant;
mod levels;
mod number;
mod period;
mod pipeline;
mod prepared;
mod quantile;
#[cfg(test)]
mod real;
mod residual_noise;
mod shape;
mod signal;
mod spread;
mod summary;
mod window;

pub use block::{Block, BlockKind};
pub use cell::Cell;
pub(crate) use cycle::{CYCLES_LEFT_OUT, Circle, Cycles, DAY};
pub(crate) use encoder::ColumnEncoder;
pub(crate) use flag::FlagEncoder;
pub(crate) use grain::{Grain, OutputError};
pub(crate) use instant::InstantEncoder;
pub(crate) use levels::Levels;
pub(crate) use number::{NumberEncoder, NumberScale};
pub use period::period;
pub use pipeline::Pipeline;
pub(crate) use prepared::GapFill;
pub use prepared::{ColumnCounts, PrepCounts, Prepared, finite};
pub(crate) use quantile::QuantileCurve;
pub(crate) use residual_noise::ResidualNoise;
pub(crate) use shape::ShapeEncoder;
pub use signal::{ScaleOver, Signal, SignalPipeline, Stretch, Unobserved, Windows};
pub(crate) use spread::Spreads;
pub use summary::{ColumnPrep, PrepReport};
pub use window::{Level, Transform};

/// Preprocessing settings.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Prep {
    /// Scaling of numeric columns.
    pub scaling: Scaling,
    /// Maximum number of levels with their own slot per category; the others share one slot.
    pub max_levels: usize,
    /// Levels with fewer training rows share the slot for rare ones; the minimum is lower for small tables.
    pub min_level_count: usize,
    /// Scaled numbers are clipped to plus and minus this, and clipped cells are counted.
    pub clip: Positive,
}

impl Default for Prep {
    fn default() -> Prep {
        Prep { scaling: Scaling::Auto, max_levels: 64, min_level_count: 5, clip: lit!(Positive, 1e3) }
    }
}

/// Scaling of a numeric column; statistics are from training rows only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scaling {
    /// Standard, but robust if extreme values (such as 1e300) would reduce the others to a constant, and one unit apart
    /// if there are two values.
    #[default]
    Auto,
    /// (x - mean) / standard deviation.
    Standard,
    /// (x - median) / (interquartile range / 1.349), which is the standard deviation of normal data.
    Robust,
    /// Training minimum to 0, training maximum to 1.
    Minmax,
    /// Quantile transform to a normal distribution.
    Quantile,
    /// By the shape of the distribution, for generation: values that many rows share as levels, the others
    /// quantile-transformed to a normal distribution.
    Shape,
    /// Unscaled.
    None,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_have_defaults_and_refuse_unknown_fields() {
        let prep: Prep = serde_json::from_str(r#"{"scaling":"robust"}"#).unwrap();
        assert_eq!(prep, Prep { scaling: Scaling::Robust, ..Prep::default() });
        assert!(serde_json::from_str::<Prep>(r#"{"scalling":"robust"}"#).is_err());
        assert!(serde_json::from_str::<Prep>(r#"{"clip":0}"#).is_err());
    }
}
