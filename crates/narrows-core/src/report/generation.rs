//! The generation report: the code density, active latent units, and similarity of generated and held-out rows.

use serde::{Deserialize, Serialize};

use crate::data::Dropped;
use crate::sample_similarity::SampleSimilarity;

/// How rows are generated, and how good they are.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GenerationReport {
    /// The distribution that codes are drawn from.
    pub density: DensityReport,
    /// Gaussian latent only: active units.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub units: Option<UnitsReport>,
    /// Gaussian latent with binary cross-entropy only: the negative ELBO of held-out rows, in nats per row.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub negative_elbo: Option<f64>,
    /// Comparison of generated and held-out rows; `None` with too few held-out rows.
    #[serde(default, alias = "resemblance", skip_serializing_if = "Option::is_none")]
    pub sample_similarity: Option<SampleSimilarity>,
    /// Images only: a contact sheet of generated ones, PNG in base64.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sheet: Option<String>,
    /// Tables only: columns that new rows lack, as no new cells can be made.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub not_made: Vec<Dropped>,
}

/// The distribution that codes are drawn from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DensityReport {
    /// Description, such as `a mixture of 4 normal distributions, full covariances`.
    pub words: String,
    /// Number of mixture components.
    pub components: usize,
    /// Mean log-likelihood of held-out codes, in nats per code, units scaled to unit variance; `None` without held-out
    /// codes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held_out: Option<f64>,
    /// The same under a single full-covariance normal distribution.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub one_normal: Option<f64>,
}

/// Active units of a gaussian code (Burda et al. 2016).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnitsReport {
    /// Units of the code.
    pub units: u64,
    /// Units whose posterior mean has a variance above 0.01 over rows; the others are inactive.
    pub active: u64,
}

impl UnitsReport {
    /// A warning if at least half of the units are inactive.
    pub(crate) fn warning(&self) -> Option<String> {
        let UnitsReport { units, active } = self;
        let advice = "try a smaller latent.beta, a longer latent.warm_up or a smaller code";
        match active {
            0 => Some(format!(
                "posterior collapse: none of the {units} latent units is active, so that every row has the same reconstruction; \
                 {advice}"
            )),
            active if 2 * active <= *units => {
                Some(format!("only {active} of {units} latent units are active, the others have collapsed; {advice}"))
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_collapsed_code_is_warned_of() {
        let warning = |units, active| UnitsReport { units, active }.warning().unwrap_or_default();
        assert!(warning(8, 0).starts_with("posterior collapse: none of the 8 latent units"));
        assert!(warning(8, 4).starts_with("only 4 of 8 latent units"));
        assert!(warning(8, 5).is_empty() && warning(2, 2).is_empty());
    }
}
