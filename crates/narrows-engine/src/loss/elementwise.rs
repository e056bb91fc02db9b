//! Losses of the difference d = output - target: squared, absolute, and Huber (1964).

use crate::kernels::sum;

/// (d^2, 2 d).
#[inline(always)]
pub(super) fn squared(d: f32) -> (f32, f32) {
    (d * d, 2.0 * d)
}

/// (|d|, sign d), with slope zero at zero as in PyTorch.
#[inline(always)]
pub(super) fn absolute(d: f32) -> (f32, f32) {
    let slope = if d > 0.0 { 1.0 } else { -1.0 };
    (d.abs(), if d == 0.0 { 0.0 } else { slope })
}

/// A parabola up to `delta`, its tangent beyond.
#[inline(always)]
pub(super) fn huber(d: f32, delta: f32) -> (f32, f32) {
    let size = d.abs();
    let line = (delta * (size - 0.5 * delta), delta.copysign(d));
    let parabola = (0.5 * d * d, d);
    if size > delta { line } else { parabola }
}

/// Sum of the elementwise losses of one row; writes `scale` times their derivatives.
#[inline(always)]
pub(super) fn evaluate(
    values: &[f32],
    target: &[f32],
    gradient: &mut [f32],
    scale: f32,
    loss: impl Fn(f32) -> (f32, f32),
) -> f32 {
    sum::sum_and_map(
        values,
        target,
        gradient,
        #[inline(always)]
        |value, target| {
            let d = if target.is_nan() { 0.0 } else { value - target };
            let (loss, slope) = loss(d);
            (loss, scale * slope)
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::*;

    fn network(loss: Loss) -> Network {
        Network::new(
            vec![Layer::dense(5, 3), Layer::Activation(Activation::Tanh)],
            Latent::Point,
            vec![Layer::dense(3, 5)],
            Output::single(5, loss),
        )
        .unwrap()
    }

    const ALL: [(Loss, &str); 3] = [(Loss::Mse, "mse"), (Loss::Mae, "mae"), (Loss::Huber { delta: 0.4 }, "huber")];

    #[test]
    fn values_and_slopes() {
        assert_eq!(squared(-3.0), (9.0, -6.0));
        assert_eq!(absolute(-3.0), (3.0, -1.0));
        assert_eq!(absolute(0.0), (0.0, 0.0));
        assert_eq!(huber(0.5, 1.0), (0.125, 0.5));
        assert_eq!(huber(-3.0, 1.0), (2.5, -1.0));
    }

    #[test]
    fn gradients_agree_with_finite_differences() {
        for (loss, _) in ALL {
            crate::gradcheck::check(&network(loss), Sparsity::None);
        }
    }

    #[test]
    fn training_agrees_with_pytorch() {
        for (loss, name) in ALL {
            crate::golden::check(name, &network(loss));
        }
    }
}
