//! The sparsity axis: penalties on the code's activity.

use serde::{Deserialize, Serialize};

use crate::range::{NonNegative, Rate, lit};

/// A penalty on the code's activity, added to the loss.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Sparsity {
    /// None.
    #[default]
    None,
    /// `weight` times the sum of |code|, mean over rows.
    L1 {
        /// Weight of the penalty.
        #[serde(default = "default_weight")]
        weight: NonNegative,
    },
    /// `weight` times the sum over units of KL(target || mean activity); the code is a sigmoid (Ng 2011).
    Kl {
        /// Target mean activity of a unit.
        #[serde(default = "default_target")]
        target: Rate,
        /// Weight of the penalty.
        #[serde(default = "default_weight")]
        weight: NonNegative,
    },
}

fn default_weight() -> NonNegative {
    lit!(NonNegative, 1e-3)
}

fn default_target() -> Rate {
    lit!(Rate, 0.05)
}

impl From<&Sparsity> for narrows_engine::Sparsity {
    fn from(sparsity: &Sparsity) -> Self {
        match sparsity {
            Sparsity::None => Self::None,
            Sparsity::L1 { weight } => Self::L1 { weight: weight.get() as f32 },
            Sparsity::Kl { target, weight } => Self::Kl { target: target.get() as f32, weight: weight.get() as f32 },
        }
    }
}
