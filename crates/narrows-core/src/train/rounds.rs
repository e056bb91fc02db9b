//! Rounds of local training, for tables of more rows than a fit takes: each partition trains on its own rows from common
//! weights, and the mean of the changes makes an outer step (local SGD; DiLoCo, Douillard et al. 2023, arXiv 2311.08105).

use serde::{Deserialize, Serialize};

use crate::choice::Choice;
use crate::range::{Fraction, Positive, lit};

/// Rounds from which on a large momentum pays (`bench/rounds.py`).
const MANY: u32 = 20;

/// Settings of the rounds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Rounds {
    /// Number of rounds; 0 trains on the sample alone.
    pub count: u32,
    /// Steps that a partition takes in a round. Auto: one pass over its rows of the round.
    pub steps: Choice<u64>,
    /// Partitions of the data on one machine, by row number; an engine has its own.
    pub partitions: u32,
    /// Learning rate of the outer step. Auto: 1, or for several partitions and at least 20 rounds 0.7.
    pub learning_rate: Choice<Positive>,
    /// Nesterov momentum of the outer step. Auto: for several partitions 0.5, from 20 rounds on 0.9; for one 0.
    pub momentum: Choice<Fraction>,
}

impl Default for Rounds {
    fn default() -> Rounds {
        let (learning_rate, momentum) = (Choice::Auto, Choice::Auto);
        Rounds { count: 0, steps: Choice::Auto, partitions: 1, learning_rate, momentum }
    }
}

impl Rounds {
    /// Learning rate and momentum of the outer step for so many partitions.
    pub(crate) fn outer(&self, partitions: usize) -> (f64, f64) {
        let (rate, momentum) = match partitions {
            // The settings of DiLoCo; in few rounds, so much momentum overshoots.
            2.. if self.count >= MANY => (lit!(Positive, 0.7), lit!(Fraction, 0.9)),
            2.. => (lit!(Positive, 1.0), lit!(Fraction, 0.5)),
            _ => (lit!(Positive, 1.0), lit!(Fraction, 0.0)),
        };
        (self.learning_rate.or_else(|| rate).get(), self.momentum.or_else(|| momentum).get())
    }
}
