//! Cross-entropy of a softmax over a group: -sum t log p with p = softmax(x).
//!
//! With s = sum t (one, for probabilities), the loss is s log(sum e^x) - sum t x and the derivative s p - t. The
//! largest x is subtracted first, so that no exponential overflows.

use crate::kernels::{maths, sum};

/// The maximum; NaN if any value is NaN.
#[inline(always)]
fn largest(values: &[f32]) -> f32 {
    values.iter().fold(f32::NEG_INFINITY, |max, &x| if x <= max { max } else { x })
}

/// Overwrites pre-activations with probabilities.
#[inline(always)]
pub(super) fn softmax(values: &mut [f32]) {
    let max = largest(values);
    for x in values.iter_mut() {
        *x = maths::exp(*x - max);
    }
    let total = sum::sum(
        values,
        #[inline(always)]
        |x| x,
    );
    for x in values {
        *x /= total;
    }
}

/// The loss of one row; writes `scale` times its derivatives.
#[inline(always)]
pub(super) fn evaluate(values: &[f32], target: &[f32], gradient: &mut [f32], scale: f32) -> f32 {
    let target_sum = sum::sum(
        target,
        #[inline(always)]
        |t| t,
    );
    if target_sum.is_nan() {
        gradient.fill(0.0);
        return 0.0;
    }
    let max = largest(values);
    for (g, &x) in gradient.iter_mut().zip(values) {
        *g = maths::exp(x - max);
    }
    let total = sum::sum(
        gradient,
        #[inline(always)]
        |e| e,
    );
    let along = sum::sum_of_pairs(
        values,
        target,
        #[inline(always)]
        |x, t| t * (x - max),
    );
    let factor = target_sum / total;
    for (g, &t) in gradient.iter_mut().zip(target) {
        *g = scale * (*g * factor - t);
    }
    target_sum * maths::log(total) - along
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::*;

    fn network() -> Network {
        let group = |columns, weight| Group { columns, loss: Loss::CrossEntropy, weight };
        Network::new(
            vec![Layer::dense(5, 3), Layer::Activation(Activation::Tanh)],
            Latent::Point,
            vec![Layer::dense(3, 5)],
            Output { groups: vec![group(0..2, 1.0), group(2..5, 0.7)] },
        )
        .unwrap()
    }

    #[test]
    fn large_values_neither_overflow_nor_vanish() {
        let mut values = [1000.0, 1000.0];
        softmax(&mut values);
        assert_eq!(values, [0.5, 0.5]);
        let loss = evaluate(&[1000.0, 0.0], &[0.0, 1.0], &mut values, 1.0);
        assert_eq!(loss, 1000.0);
        assert_eq!(values, [1.0, -1.0]);
    }

    #[test]
    fn gradients_agree_with_finite_differences() {
        crate::gradcheck::check(&network(), Sparsity::None);
    }

    #[test]
    fn training_agrees_with_pytorch() {
        crate::golden::check("cross_entropy", &network());
    }
}
