//! What the bottleneck buys, in numbers and in one line.

use serde::{Deserialize, Serialize};

/// A network that lets so much of pure noise through copies its input.
///
/// Noise whose values are independent has no pattern: a linear code of k numbers for w values passes k / w of it, so this
/// says that no more than a tenth of what goes in is held back.
const COPIES: f64 = 0.9;

/// What passes through the code.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Bottleneck {
    /// Units of the code.
    pub code_size: usize,
    /// Units that say something about held-out samples.
    pub active_units: usize,
    /// Share of the variance of held-out samples that is lost on the way: 1 is as bad as their mean.
    pub unexplained: f64,
    /// The same of PCA with as many components; none where they would copy.
    pub pca_unexplained: Option<f64>,
    /// Share of the variance of pure noise that comes through: every value drawn from its own column, on its own.
    pub noise_passed: f64,
}

impl Bottleneck {
    /// Whether even pure noise comes through, so that nothing is learnt of what goes together with what.
    pub fn copies(&self) -> bool {
        self.noise_passed >= COPIES
    }

    /// In one line.
    pub fn describe(&self) -> String {
        let percent = |share: f64| format!("{:.1} %", 100.0 * share);
        let pca = match self.pca_unexplained {
            Some(pca) => format!("PCA of that size {}", percent(pca)),
            None => "PCA of that size would copy".to_owned(),
        };
        let copies = if self.copies() { ": the network copies" } else { "" };
        format!(
            "{} of {} code units active; {} of held-out variance unexplained, {pca}; {} of pure noise comes through{copies}",
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
    fn one_line_tells_all() {
        check(
            0.4,
            Some(0.1),
            "5 of 8 code units active; 3.1 % of held-out variance unexplained, PCA of that size 10.0 %; \
             40.0 % of pure noise comes through",
        );
        check(
            0.97,
            None,
            "5 of 8 code units active; 3.1 % of held-out variance unexplained, PCA of that size would copy; \
             97.0 % of pure noise comes through: the network copies",
        );
    }
}
