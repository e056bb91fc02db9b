//! Information flow through the code.

use serde::{Deserialize, Serialize};

/// From this share of reconstructed noise variance on, a network counts as an identity mapping.
///
/// Independent noise has no structure: a linear code of k units for w values passes k / w of its variance.
const COPIES: f64 = 0.9;

/// Information flow through the code.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Bottleneck {
    /// Units of the code.
    pub code_size: usize,
    /// Active units on held-out samples.
    pub active_units: usize,
    /// Share of held-out variance left unexplained: 1 equals predicting the mean.
    pub unexplained: f64,
    /// The same for PCA with as many components; `None` where PCA would be the identity.
    pub pca_unexplained: Option<f64>,
    /// Share of the variance of noise that is reconstructed; each value is drawn independently from its column.
    pub noise_passed: f64,
}

impl Bottleneck {
    /// Whether the network reconstructs noise, that is, has learnt the identity instead of dependencies.
    pub fn copies(&self) -> bool {
        self.noise_passed >= COPIES
    }

    /// One line of text.
    pub fn describe(&self) -> String {
        let percent = |share: f64| format!("{:.1} %", 100.0 * share);
        let pca = match self.pca_unexplained {
            Some(pca) => format!("PCA of equal size {}", percent(pca)),
            None => "PCA of equal size would be the identity".to_owned(),
        };
        let copies = if self.copies() { ": the network learnt the identity" } else { "" };
        format!(
            "{} of {} code units active; {} of held-out variance unexplained, {pca}; {} of noise variance reconstructed{copies}",
            self.active_units,
            self.code_size,
            percent(self.unexplained),
            percent(self.noise_passed)
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(noise_passed: f64, pca_unexplained: Option<f64>, expected: &str) {
        let bottleneck =
            Bottleneck { code_size: 8, active_units: 5, unexplained: 0.031, pca_unexplained, noise_passed };
        assert_eq!(bottleneck.describe(), expected);
    }

    #[test]
    fn the_bottleneck_is_described_in_one_line() {
        check(
            0.4,
            Some(0.1),
            "5 of 8 code units active; 3.1 % of held-out variance unexplained, PCA of equal size 10.0 %; \
             40.0 % of noise variance reconstructed",
        );
        check(
            0.97,
            None,
            "5 of 8 code units active; 3.1 % of held-out variance unexplained, PCA of equal size would be the identity; \
             97.0 % of noise variance reconstructed: the network learnt the identity",
        );
    }
}
