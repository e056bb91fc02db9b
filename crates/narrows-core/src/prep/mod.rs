//! From typed cells to numbers a network can read, and back: the only place where numbers change their units.
//!
//! [`Pipeline::fit`] looks at training rows only and is immutable afterwards; [`Pipeline::transform`] and
//! [`Pipeline::inverse`] are each other's opposite up to what a float can hold.

use serde::{Deserialize, Serialize};

use crate::range::{Positive, lit};

mod block;
mod cell;
mod cycle;
mod encoder;
mod flag;
mod grain;
mod levels;
mod number;
mod period;
mod pipeline;
mod prepared;
mod quantile;
#[cfg(test)]
mod real;
mod signal;
mod summary;
mod window;

pub use block::{Block, BlockKind};
pub use cell::Cell;
pub(crate) use grain::Grain;
pub use period::period;
pub use pipeline::Pipeline;
pub use prepared::{ColumnCounts, PrepCounts, Prepared, finite};
pub use signal::{ScaleOver, Signal, SignalPipeline, Stretch, Unobserved, Windows};
pub use summary::{ColumnPrep, PrepReport};
pub use window::{Level, Transform};

/// How cells become numbers: the choices a person has.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Prep {
    /// How numeric columns are scaled.
    pub scaling: Scaling,
    /// A category keeps its most frequent levels, at most this many; the others share one slot.
    pub max_levels: usize,
    /// A level seen in fewer training rows shares the slot for rare ones; fewer are asked of small tables.
    pub min_level_count: usize,
    /// Scaled numbers are held within plus and minus this, and counted where they were not.
    pub clip: Positive,
}

impl Default for Prep {
    fn default() -> Prep {
        Prep { scaling: Scaling::Auto, max_levels: 64, min_level_count: 5, clip: lit!(Positive, 1e3) }
    }
}

/// How a numeric column is scaled; statistics come from training rows only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scaling {
    /// Standard, but robust where a few absurd values (such as 1e300) would leave nothing of the others.
    #[default]
    Auto,
    /// (x - mean) / standard deviation.
    Standard,
    /// (x - median) / (interquartile range / 1.349), which is the standard deviation of normal data.
    Robust,
    /// Training minimum to 0, training maximum to 1.
    Minmax,
    /// Ranks, drawn out to a normal distribution.
    Quantile,
    /// As it is.
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
