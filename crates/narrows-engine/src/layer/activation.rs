//! Elementwise functions and their derivatives.
//!
//! If the derivative is a function of the output (all but GELU and SiLU), a layer may overwrite its input, which halves
//! the memory traffic.

use crate::kernels::{maths, vectorised};

use super::ops::{LayerOps, LayerParams, OutOfRange, Requirements};
use super::{Backward, ELEMENT_COST, Forward, Gradients, Inference, Rows};

/// An elementwise function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Activation {
    /// x.
    Identity,
    /// max(x, 0).
    Relu,
    /// x if positive, else 0.01 x.
    LeakyRelu,
    /// x if positive, else e^x - 1.
    Elu,
    /// x Phi(x), with Phi the normal distribution function (by erf, PyTorch's default).
    Gelu,
    /// x sigmoid(x), also called swish.
    Silu,
    /// tanh x.
    Tanh,
    /// 1 / (1 + e^-x).
    Sigmoid,
}

/// Slope of [`Activation::LeakyRelu`] below zero.
const LEAK: f32 = 0.01;

#[inline(always)]
fn gelu(x: f32) -> f32 {
    0.5 * x * (1.0 + maths::erf(x * std::f32::consts::FRAC_1_SQRT_2))
}

/// Phi(x) + x phi(x).
#[inline(always)]
fn gelu_slope(x: f32) -> f32 {
    const ONE_OVER_SQRT_TAU: f32 = 0.398_942_3;
    let cdf = 0.5 * (1.0 + maths::erf(x * std::f32::consts::FRAC_1_SQRT_2));
    (x * ONE_OVER_SQRT_TAU).mul_add(maths::exp(-0.5 * x * x), cdf)
}

#[inline(always)]
fn silu_slope(x: f32) -> f32 {
    let s = maths::sigmoid(x);
    s * (x * (1.0 - s) + 1.0)
}

#[inline(always)]
fn map(values: &mut [f32], f: impl Fn(f32) -> f32) {
    for x in values {
        *x = f(*x);
    }
}

#[inline(always)]
fn scale(gradient: &mut [f32], at: &[f32], slope: impl Fn(f32) -> f32) {
    for (g, &at) in gradient.iter_mut().zip(at) {
        *g *= slope(at);
    }
}

impl Activation {
    /// Whether the derivative is a function of the output alone.
    pub(crate) fn is_invertible(self) -> bool {
        !matches!(self, Self::Gelu | Self::Silu)
    }

    /// Applies the function in place.
    pub(crate) fn apply(self, values: &mut [f32]) {
        match self {
            Self::Identity => {}
            Self::Relu => vectorised!(map(
                values,
                #[inline(always)]
                |x| if x < 0.0 { 0.0 } else { x }
            )),
            Self::LeakyRelu => {
                vectorised!(map(
                    values,
                    #[inline(always)]
                    |x| if x < 0.0 { LEAK * x } else { x }
                ));
            }
            Self::Elu => vectorised!(map(
                values,
                #[inline(always)]
                |x| {
                    let below = maths::exp_minus_one(x);
                    if x > 0.0 { x } else { below }
                }
            )),
            Self::Gelu => vectorised!(map(values, gelu)),
            Self::Silu => vectorised!(map(
                values,
                #[inline(always)]
                |x| x * maths::sigmoid(x)
            )),
            Self::Tanh => vectorised!(map(values, maths::tanh)),
            Self::Sigmoid => vectorised!(map(values, maths::sigmoid)),
        }
    }

    /// Multiplies the gradient by the derivative, computed from the input or the output.
    fn apply_slope(self, input: &[f32], output: &[f32], gradient: &mut [f32]) {
        match self {
            Self::Identity => {}
            Self::Relu => vectorised!(scale(
                gradient,
                output,
                #[inline(always)]
                |y| if y > 0.0 { 1.0 } else { 0.0 }
            )),
            Self::LeakyRelu => {
                vectorised!(scale(
                    gradient,
                    output,
                    #[inline(always)]
                    |y| if y > 0.0 { 1.0 } else { LEAK }
                ));
            }
            Self::Elu => {
                vectorised!(scale(
                    gradient,
                    output,
                    #[inline(always)]
                    |y| if y > 0.0 { 1.0 } else { y + 1.0 }
                ));
            }
            Self::Gelu => vectorised!(scale(gradient, input, gelu_slope)),
            Self::Silu => vectorised!(scale(gradient, input, silu_slope)),
            Self::Tanh => vectorised!(scale(
                gradient,
                output,
                #[inline(always)]
                |y| 1.0 - y * y
            )),
            Self::Sigmoid => vectorised!(scale(
                gradient,
                output,
                #[inline(always)]
                |y| y * (1.0 - y)
            )),
        }
    }

    /// values = f(values), `[n, width]`.
    pub(crate) fn forward_in_place(self, rows: Rows<'_>, values: &mut [f32]) {
        if self == Self::Identity {
            return;
        }
        let width = values.len() / rows.n;
        let tile = rows.tile(width * ELEMENT_COST) * width;
        rows.threads.chunks(values, tile, |_, values| self.apply(values));
    }
}

impl LayerOps for Activation {
    fn describe(&self) -> String {
        format!("{self:?}")
    }

    fn widths(&self) -> Option<(usize, usize)> {
        None
    }

    fn out_of_range(&self) -> Option<OutOfRange> {
        None
    }

    fn params(&self) -> Option<&dyn LayerParams> {
        None
    }

    fn requirements(&self, _: usize, _: usize) -> Requirements {
        Requirements::NONE
    }

    fn backward_reads_output(&self) -> bool {
        true
    }

    fn fuses_activation(&self) -> bool {
        false
    }

    fn forward(&self, pass: Forward<'_>, input: &[f32], output: &mut [f32]) {
        let rows = pass.rows;
        let width = output.len() / rows.n;
        let tile = rows.tile(width * ELEMENT_COST) * width;
        rows.threads.chunks(output, tile, |t, output| {
            output.copy_from_slice(&input[t * tile..][..output.len()]);
            self.apply(output);
        });
    }

    /// In place; the input is only read by the activations that are not invertible.
    fn backward(&self, pass: Backward<'_>, gradients: &mut Gradients) {
        let Backward { rows, input, output, .. } = pass;
        if *self == Self::Identity {
            return;
        }
        let width = output.len() / rows.n;
        let tile = rows.tile(width * ELEMENT_COST) * width;
        rows.threads.chunks(gradients.current(output.len()), tile, |t, gradient| {
            let range = t * tile..t * tile + gradient.len();
            self.apply_slope(&input[range.clone()], &output[range], gradient);
        });
    }

    fn infer(&self, _: Inference<'_>, input: &[f32], output: &mut [f32]) {
        output.copy_from_slice(input);
        self.apply(output);
    }
}

#[cfg(test)]
mod tests {
    use crate::*;

    const ALL: [(Activation, &str); 8] = [
        (Activation::Identity, "identity"),
        (Activation::Relu, "relu"),
        (Activation::LeakyRelu, "leaky_relu"),
        (Activation::Elu, "elu"),
        (Activation::Gelu, "gelu"),
        (Activation::Silu, "silu"),
        (Activation::Tanh, "tanh"),
        (Activation::Sigmoid, "sigmoid"),
    ];

    fn network(activation: Activation) -> Network {
        Network::new(
            vec![Layer::dense(5, 4), Layer::Activation(activation), Layer::dense(4, 3)],
            Latent::Point,
            // A second activation on top of the first has no dense output to overwrite.
            vec![Layer::Activation(activation), Layer::Activation(activation), Layer::dense(3, 5)],
            Output::single(5, Loss::Mse),
        )
        .unwrap()
    }

    #[test]
    fn gradients_agree_with_finite_differences() {
        for (activation, _) in ALL {
            crate::gradcheck::check(&network(activation), Sparsity::None);
        }
    }

    #[test]
    fn training_agrees_with_pytorch() {
        for (activation, name) in ALL {
            crate::golden::check(name, &network(activation));
        }
    }

    #[test]
    fn a_nan_stays_a_nan() {
        for (activation, name) in ALL {
            let mut values = [f32::NAN, 1.0];
            activation.apply(&mut values);
            assert!(values[0].is_nan() && values[1].is_finite(), "{name}");
        }
    }
}
