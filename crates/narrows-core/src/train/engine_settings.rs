//! What the engine is told for a training: optimiser, clipping, penalties, and the learning rate of each step.

use narrows_engine::{AdamConfig, Plateau, TrainConfig, WarmUp};

use super::{Check, Optimizer, Schedule, Train};
use crate::model::Sparsity;
use crate::range::Fraction;

/// The engine's settings for a training.
pub(super) fn engine_config(config: &Train, sparsity: &Sparsity) -> TrainConfig {
    let optimizer = match config.optimizer {
        Optimizer::Adam => narrows_engine::Optimizer::Adam(AdamConfig::default()),
        Optimizer::AdamW { weight_decay } => narrows_engine::Optimizer::AdamW(AdamConfig {
            weight_decay: weight_decay.get() as f32,
            ..AdamConfig::default()
        }),
    };
    TrainConfig {
        optimizer,
        clip: (config.clip.get() > 0.0).then(|| config.clip.get() as f32),
        sparsity: sparsity.into(),
    }
}

impl Schedule {
    /// The learning rate of a step of `total`, from 0, for a base rate and after the checks so far.
    pub(super) fn rate(&self, base: f64, step: u64, total: u64, history: &[Check]) -> f64 {
        let base = base as f32;
        let after = |warm_up: Fraction, schedule: narrows_engine::Schedule| {
            let warm_up = WarmUp { steps: (warm_up.get() * total as f64) as u64 };
            warm_up.rate(&schedule, base, step, total)
        };
        f64::from(match *self {
            Schedule::Constant { warm_up } => after(warm_up, narrows_engine::Schedule::Constant),
            Schedule::Cosine { warm_up } => after(warm_up, narrows_engine::Schedule::Cosine),
            Schedule::OneCycle => narrows_engine::Schedule::OneCycle.rate(base, step, total),
            Schedule::Plateau { factor, patience } => {
                // The plateau schedule depends on the checks only, so a resumed run needs nothing else.
                let mut plateau = Plateau::new(factor.get() as f32, patience, 0.0);
                history.iter().for_each(|check| plateau.observe(check.validation_loss as f32));
                plateau.rate(base)
            }
        })
    }
}
