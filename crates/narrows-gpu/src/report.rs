//! What a training step reports: a small buffer that the processor reads once a step.

use narrows_engine::{RowWeights, Sparsity, StepLoss};

/// The places of the numbers in the buffer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ReportLayout {
    capacity: usize,
    code_size: usize,
}

impl ReportLayout {
    /// For `capacity` rows, and units of the code where each has a divergence.
    pub(crate) fn new(capacity: usize, code_size: usize, sparsity: &Sparsity) -> Self {
        let has_divergences = matches!(sparsity, Sparsity::Kl { .. });
        Self { capacity, code_size: if has_divergences { code_size } else { 0 } }
    }

    /// The losses of the rows are at the beginning; here are the penalties of their codes.
    pub(crate) fn penalties(&self) -> usize {
        self.capacity
    }

    /// The sums of |code| of the rows.
    pub(crate) fn activities(&self) -> usize {
        2 * self.capacity
    }

    /// The divergences of the code's units.
    pub(crate) fn divergences(&self) -> usize {
        3 * self.capacity
    }

    /// The norm of the gradient.
    pub(crate) fn norm(&self) -> usize {
        self.divergences() + self.code_size
    }

    pub(crate) fn len(&self) -> usize {
        self.norm() + 1
    }

    /// The parts of the loss of `n` rows.
    pub(crate) fn loss(&self, report: &[f32], n: usize, weights: RowWeights<'_>, settings: &LossSettings) -> StepLoss {
        let total = |first: usize, len: usize| report[first..first + len].iter().map(|&x| f64::from(x)).sum::<f64>();
        let reconstruction = reconstruction(&report[..n], weights);
        let code_penalty = if settings.has_penalty { (total(self.penalties(), n) / n as f64) as f32 } else { 0.0 };
        let activity = total(self.activities(), n);
        let sparsity = match settings.sparsity {
            Sparsity::None => 0.0,
            Sparsity::L1 { weight } => (f64::from(weight) * activity / n as f64) as f32,
            Sparsity::Kl { weight, .. } => (f64::from(weight) * total(self.divergences(), self.code_size)) as f32,
        };
        let mean_activity = (activity / (n * settings.code_size) as f64) as f32;
        let total = reconstruction + settings.code_penalty_weight * code_penalty + sparsity;
        StepLoss { reconstruction, code_penalty, sparsity, mean_activity, total }
    }
}

/// What makes up a loss.
pub(crate) struct LossSettings {
    pub has_penalty: bool,
    pub sparsity: Sparsity,
    pub code_size: usize,
    pub code_penalty_weight: f32,
}

/// The (weighted) mean of the row losses; zero where all weights are.
fn reconstruction(losses: &[f32], weights: RowWeights<'_>) -> f32 {
    match weights {
        RowWeights::Uniform => (losses.iter().map(|&x| f64::from(x)).sum::<f64>() / losses.len() as f64) as f32,
        RowWeights::Given(weights) => {
            let weighted = losses.iter().zip(weights).filter(|(_, weight)| **weight != 0.0);
            let sum: f64 = weighted.map(|(&loss, &weight)| f64::from(loss) * f64::from(weight)).sum();
            (sum * inverse_of_sum(weights)) as f32
        }
    }
}

fn inverse_of_sum(weights: &[f32]) -> f64 {
    let total: f64 = weights.iter().map(|&weight| f64::from(weight)).sum();
    if total > 0.0 { total.recip() } else { 0.0 }
}

/// The factors that turn the gradient of the plain mean into that of the weighted one.
pub(crate) fn row_factors(weights: &[f32]) -> Vec<f32> {
    let scale = inverse_of_sum(weights) * weights.len() as f64;
    weights.iter().map(|&weight| (f64::from(weight) * scale) as f32).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_of_weight_zero_does_not_count_whatever_its_loss() {
        assert_eq!(reconstruction(&[1.0, f32::NAN, 4.0], RowWeights::Given(&[1.0, 0.0, 3.0])), 3.25);
        assert_eq!(reconstruction(&[1.0, 2.0], RowWeights::Given(&[0.0, 0.0])), 0.0);
        assert_eq!(reconstruction(&[1.0, 2.0], RowWeights::Uniform), 1.5);
        assert_eq!(row_factors(&[1.0, 0.0, 3.0]), [0.75, 0.0, 2.25]);
    }
}
