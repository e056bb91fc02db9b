//! Binary cross-entropy on pre-activations x, stable for any x: max(x, 0) - x t + ln(1 + e^-|x|), with derivative
//! sigmoid(x) - t.

use crate::kernels::{maths, sum};

/// Sum of the losses of one row; writes `scale` times their derivatives.
#[inline(always)]
pub(super) fn evaluate(values: &[f32], target: &[f32], gradient: &mut [f32], scale: f32) -> f32 {
    sum::sum_and_map(
        values,
        target,
        gradient,
        #[inline(always)]
        |x, t| {
            let (sigmoid, softplus) = maths::sigmoid_and_softplus(x);
            let positive = if x < 0.0 { 0.0 } else { x };
            let loss = x.mul_add(-t, positive) + softplus;
            if t.is_nan() { (0.0, 0.0) } else { (loss, scale * (sigmoid - t)) }
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::*;

    fn network() -> Network {
        Network::new(
            vec![Layer::dense(5, 3), Layer::Activation(Activation::Tanh)],
            Latent::Point,
            vec![Layer::dense(3, 5)],
            Output::single(5, Loss::Bce),
        )
        .unwrap()
    }

    #[test]
    fn far_out_it_is_the_margin() {
        let mut gradient = [0.0; 3];
        let loss = evaluate(&[200.0, -200.0, 0.0], &[0.0, 0.0, 0.5], &mut gradient, 1.0);
        assert!((loss - 200.0 - std::f32::consts::LN_2).abs() < 1e-4);
        assert_eq!(gradient, [1.0, 0.0, 0.0]);
    }

    #[test]
    fn gradients_agree_with_finite_differences() {
        crate::gradcheck::check(&network(), Sparsity::None);
    }

    #[test]
    fn training_agrees_with_pytorch() {
        crate::golden::check("bce", &network());
    }
}
