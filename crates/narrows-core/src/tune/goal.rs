//! The goal of a recipe search and its criterion.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::recipe::{DataKind, Preset};

/// The share of the variance that doubling the code must explain; without it the widest code would always win.
const PRICE_OF_A_DOUBLING: f64 = 0.01;

/// The goal of a recipe search.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Goal {
    /// A small code with a low reconstruction error.
    Reconstruction,
    /// Unsupervised anomaly detection.
    Detection,
}

impl Goal {
    /// All goals.
    pub const ALL: [Goal; 2] = [Goal::Reconstruction, Goal::Detection];

    /// The name, as on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Goal::Reconstruction => "reconstruction",
            Goal::Detection => "detection",
        }
    }

    /// The default preset that a search starts from.
    pub fn usual_preset(self, kind: DataKind) -> Preset {
        match (self, kind) {
            (Goal::Detection, _) | (Goal::Reconstruction, DataKind::Images) => Preset::Auto,
            // The code of preset `auto` is wider than its input: its reconstruction does not depend on code size.
            (Goal::Reconstruction, DataKind::Table | DataKind::Series) => Preset::Deep,
        }
    }

    /// The criterion as text.
    pub fn criterion(self) -> &'static str {
        match self {
            Goal::Reconstruction => {
                "held-out variance unexplained, plus 0.01 for each doubling of the code: a code twice as wide must save 1 % of \
                 the variance"
            }
            Goal::Detection => {
                "held-out variance unexplained, among recipes restrained by a narrow code or a corruption"
            }
        }
    }

    /// The criterion: lower is better.
    ///
    /// For detection, this is the unsupervised criterion that did no harm in our benchmarks; README.md has the figures,
    /// `bench/tune_criterion.py` measures them.
    pub fn cost(self, unexplained: f64, code_size: usize) -> f64 {
        match self {
            Goal::Reconstruction => unexplained + PRICE_OF_A_DOUBLING * (code_size.max(1) as f64).log2(),
            Goal::Detection => unexplained,
        }
    }
}

impl FromStr for Goal {
    type Err = Error;

    fn from_str(name: &str) -> Result<Goal> {
        let known = Goal::ALL.into_iter().find(|goal| goal.name() == name);
        known.ok_or_else(|| Error::recipe("goal", format!("expected `reconstruction` or `detection`, got `{name}`")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_doubling_of_the_code_must_save_a_hundredth_of_the_variance() {
        let goal = Goal::Reconstruction;
        assert!(goal.cost(0.290, 8) < goal.cost(0.301, 4), "a doubling that saves more is worth it");
        assert!(goal.cost(0.295, 8) > goal.cost(0.301, 4), "one that saves less is not");
        assert_eq!(Goal::Detection.cost(0.3, 8), Goal::Detection.cost(0.3, 64));
    }

    #[test]
    fn goals_have_names() {
        for goal in Goal::ALL {
            assert_eq!(goal.name().parse::<Goal>().unwrap(), goal);
        }
        let error = "detecting".parse::<Goal>().unwrap_err().to_string();
        assert_eq!(error, "goal: expected `reconstruction` or `detection`, got `detecting`");
    }
}
