//! The latent axis: the form of the code.

use serde::{Deserialize, Serialize};

use crate::range::{NonNegative, lit};

/// The form of the code: a vector, or a distribution.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Latent {
    /// A vector.
    #[default]
    Point,
    /// A diagonal normal distribution regularised towards the standard normal (Kingma and Welling 2014). Scores and codes
    /// use its mean, so inference is deterministic.
    Gaussian(GaussianLatent),
    /// A vector to be rounded to integers and entropy-coded (Balle et al. 2017): training adds uniform noise of one
    /// rounding step and a rate penalty. Scores and codes use the vector unrounded.
    Quantised(Quantised),
}

/// Settings of a gaussian latent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GaussianLatent {
    /// Weight of the Kullback-Leibler term relative to the reconstruction loss summed over the inputs (Higgins et al. 2017).
    pub beta: NonNegative,
    /// Share of the training steps over which the weight grows from 0 to `beta` (warm-up), against posterior collapse.
    pub warm_up: NonNegative,
}

impl Default for GaussianLatent {
    fn default() -> Self {
        GaussianLatent { beta: lit!(NonNegative, 1.0), warm_up: lit!(NonNegative, 0.3) }
    }
}

/// Settings of a quantised latent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Quantised {
    /// Cost of one bit per input value, on the scale of the reconstruction loss. With a mean squared error D, a
    /// rate r ends near D = r / (2 ln 2), where another bit would save as much as it costs.
    pub rate: NonNegative,
}

impl Default for Quantised {
    fn default() -> Self {
        Quantised { rate: lit!(NonNegative, 0.02) }
    }
}

impl Latent {
    /// Weight of the code penalty (KL divergence or bits) at `step` of `total`, on the scale of a loss averaged over
    /// `width` outputs.
    pub fn price_weight(&self, step: u64, total: u64, width: usize) -> f32 {
        match self {
            Latent::Point => 0.0,
            Latent::Quantised(quantised) => (quantised.rate.get() / width.max(1) as f64) as f32,
            Latent::Gaussian(gaussian) => {
                let ramp = gaussian.warm_up.get() * total as f64;
                let share = if ramp > 0.0 { (step as f64 / ramp).min(1.0) } else { 1.0 };
                (gaussian.beta.get() * share / width.max(1) as f64) as f32
            }
        }
    }
}

impl From<&Latent> for narrows_engine::Latent {
    fn from(latent: &Latent) -> Self {
        match latent {
            Latent::Point => Self::Point,
            Latent::Gaussian(_) => Self::Gaussian,
            Latent::Quantised(_) => Self::Quantised,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_price_warms_up_and_then_stays() {
        let latent = Latent::Gaussian(GaussianLatent::default());
        let at = |step| latent.price_weight(step, 1000, 10);
        assert_eq!(at(0), 0.0);
        assert!((at(150) - 0.05).abs() < 1e-6);
        assert_eq!(at(300), 0.1);
        assert_eq!(at(999), 0.1);
        assert_eq!(Latent::Point.price_weight(5, 10, 3), 0.0);
        assert_eq!(Latent::Quantised(Quantised::default()).price_weight(0, 1000, 10), 0.002);
    }
}
