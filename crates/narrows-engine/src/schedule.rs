//! How the learning rate moves over the steps of a run, by PyTorch's closed forms.

use std::f64::consts::PI;

/// A course of the learning rate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Schedule {
    /// The base rate throughout.
    Constant,
    /// From the base rate to zero along half a cosine (`CosineAnnealingLR`).
    Cosine,
    /// Up from base/25 over the first 30 %, then down to base/250 000, both along half cosines
    /// (`OneCycleLR`; the rate only, the betas stay).
    OneCycle,
    /// The base rate, cut by `factor` whenever the validation loss has not improved for more than
    /// `patience` epochs (`ReduceLROnPlateau`); the state is a [`Plateau`].
    Plateau {
        /// What the rate is multiplied by, in (0, 1).
        factor: f32,
        /// Epochs without improvement that are borne.
        patience: u32,
        /// The rate never falls below this.
        min_rate: f32,
    },
}

/// Half a cosine from `from` to `to`, at `share` in [0, 1].
fn half_cosine(from: f64, to: f64, share: f64) -> f64 {
    to + (from - to) / 2.0 * (1.0 + (PI * share).cos())
}

impl Schedule {
    /// The rate at `step`, counted from 0, of `total_steps`.
    ///
    /// A plateau gives `base` here; [`Plateau::rate`] has the reduced rate.
    pub fn rate(&self, base: f32, step: u64, total_steps: u64) -> f32 {
        const WARM_SHARE: f64 = 0.3;
        const START_DIVISOR: f64 = 25.0;
        const END_DIVISOR: f64 = 1e4;
        let max = f64::from(base);
        let total = total_steps.max(1) as f64;
        let step = (step as f64).min(total);
        let rate = match self {
            Self::Constant | Self::Plateau { .. } => max,
            Self::Cosine => half_cosine(max, 0.0, step / total),
            Self::OneCycle => {
                let start = max / START_DIVISOR;
                let peak = WARM_SHARE * total - 1.0;
                let last = total - 1.0;
                let step = step.min(last);
                if step <= peak && peak > 0.0 {
                    half_cosine(start, max, step / peak)
                } else if last > peak {
                    half_cosine(max, start / END_DIVISOR, (step - peak) / (last - peak))
                } else {
                    max
                }
            }
        };
        rate as f32
    }
}

/// A linear rise of the rate over the first steps, before a schedule begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct WarmUp {
    /// Steps of the rise; 0 for none.
    pub steps: u64,
}

impl WarmUp {
    /// The rate at `step`: base * (step + 1) / (steps + 1) during the rise, then the schedule's over
    /// the steps that remain.
    pub fn rate(&self, schedule: &Schedule, base: f32, step: u64, total_steps: u64) -> f32 {
        if step < self.steps {
            let start = schedule.rate(base, 0, total_steps);
            return start * (step + 1) as f32 / (self.steps + 1) as f32;
        }
        schedule.rate(base, step - self.steps, total_steps.saturating_sub(self.steps))
    }
}

/// The state of a [`Schedule::Plateau`]: public, so that a run can be saved and resumed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Plateau {
    /// What the rate is multiplied by at each cut.
    pub factor: f32,
    /// Epochs without improvement that are borne.
    pub patience: u32,
    /// The rate never falls below this.
    pub min_rate: f32,
    /// The best validation loss so far.
    pub best: f32,
    /// Epochs since then.
    pub bad_epochs: u32,
    /// Cuts so far.
    pub cuts: u32,
}

impl Plateau {
    /// A loss must be this much better, relatively, to count (PyTorch's default).
    const THRESHOLD: f32 = 1e-4;

    /// A plateau that has seen nothing yet.
    pub fn new(factor: f32, patience: u32, min_rate: f32) -> Self {
        Self { factor, patience, min_rate, best: f32::INFINITY, bad_epochs: 0, cuts: 0 }
    }

    /// Takes note of an epoch's validation loss.
    pub fn observe(&mut self, validation_loss: f32) {
        if validation_loss < self.best * (1.0 - Self::THRESHOLD) {
            self.best = validation_loss;
            self.bad_epochs = 0;
            return;
        }
        self.bad_epochs += 1;
        if self.bad_epochs > self.patience {
            self.cuts += 1;
            self.bad_epochs = 0;
        }
    }

    /// The rate that `base` has come down to.
    pub fn rate(&self, base: f32) -> f32 {
        let floor = self.min_rate.min(base);
        let cuts = self.cuts.min(i32::MAX as u32) as i32;
        (f64::from(base) * f64::from(self.factor).powi(cuts)).max(f64::from(floor)) as f32
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::golden::{Case, assert_close};

    #[test]
    fn courses_agree_with_pytorch() {
        let case = Case::load("schedules");
        for (schedule, key) in [(Schedule::Cosine, "cosine"), (Schedule::OneCycle, "one_cycle")] {
            let want = case.numbers(key);
            let total = want.len() as u64;
            let rates: Vec<f32> = (0..total).map(|step| schedule.rate(0.01, step, total)).collect();
            assert_close(key, &rates, &want);
        }
        let mut plateau = Plateau::new(0.5, 2, 2e-3);
        let losses = case.numbers("plateau_losses");
        let rates: Vec<f32> = losses
            .iter()
            .map(|&loss| {
                plateau.observe(loss);
                plateau.rate(0.01)
            })
            .collect();
        assert_close("plateau", &rates, &case.numbers("plateau"));
    }

    #[test]
    fn warm_up_rises_to_the_schedule() {
        let rates: Vec<f32> = (0..5).map(|step| WarmUp { steps: 3 }.rate(&Schedule::Constant, 1.0, step, 5)).collect();
        assert_eq!(rates, [0.25, 0.5, 0.75, 1.0, 1.0]);
    }

    #[test]
    fn degenerate_lengths_give_finite_rates() {
        for schedule in [Schedule::Constant, Schedule::Cosine, Schedule::OneCycle] {
            for total in 0..5 {
                for step in 0..7 {
                    let rate = schedule.rate(0.1, step, total);
                    assert!((0.0..=0.1).contains(&rate), "{schedule:?} {step} of {total}: {rate}");
                }
            }
        }
    }
}
