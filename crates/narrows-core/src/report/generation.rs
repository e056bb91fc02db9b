//! What a fit has to say of new rows: where their codes are drawn from, whether the code is used, and how alike generated
//! and held-out rows are.

use serde::{Deserialize, Serialize};

use crate::sample_similarity::SampleSimilarity;

/// Where new rows come from, and how good they are.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GenerationReport {
    /// The distribution that codes are drawn from.
    pub density: DensityReport,
    /// Of a gaussian latent: how much of the code is used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub units: Option<UnitsReport>,
    /// Of a gaussian latent under binary cross-entropy: the negative evidence lower bound of held-out rows, in nats a row.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub negative_elbo: Option<f64>,
    /// Generated rows beside held-out ones; none where there were too few of these.
    #[serde(default, alias = "resemblance", skip_serializing_if = "Option::is_none")]
    pub sample_similarity: Option<SampleSimilarity>,
    /// Of images: some generated ones, a PNG file in base64.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sheet: Option<String>,
}

/// The distribution that codes are drawn from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DensityReport {
    /// In words, such as `a mixture of 4 normal distributions, full covariances`.
    pub words: String,
    /// Normal distributions in it.
    pub components: usize,
    /// The mean log-likelihood of held-out codes under it, in nats a code, units brought to unit variance; none where no
    /// held-out codes judged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held_out: Option<f64>,
    /// The same under one normal distribution with a full covariance.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub one_normal: Option<f64>,
}

/// How much of a gaussian code is used (Burda et al. 2016).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnitsReport {
    /// Units of the code.
    pub units: u64,
    /// Units whose mean differs from row to row, by a variance above 0.01; the others say nothing of a row.
    pub active: u64,
}

impl UnitsReport {
    /// What a careful user should know, where half of the code or more says nothing.
    pub(crate) fn warning(&self) -> Option<String> {
        let UnitsReport { units, active } = self;
        let advice = "try a smaller latent.beta, a longer latent.warm_up or a smaller code";
        match active {
            0 => Some(format!(
                "posterior collapse: none of the {units} units of the code says anything of a row, so that every row is rebuilt \
                 alike; {advice}"
            )),
            active if 2 * active <= *units => Some(format!(
                "only {active} of {units} units of the code say anything of a row, the others are collapsed; {advice}"
            )),
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
        assert!(warning(8, 0).starts_with("posterior collapse: none of the 8 units"));
        assert!(warning(8, 4).starts_with("only 4 of 8 units"));
        assert!(warning(8, 5).is_empty() && warning(2, 2).is_empty());
    }
}
