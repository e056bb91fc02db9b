//! A code that will be rounded to whole numbers and entropy-coded (Balle, Laparra and Simoncelli 2017).
//!
//! Rounding has no gradient. In training z = y + u with u uniform in [-1/2, 1/2) from the row's own stream, which has
//! the rounding error's distribution; at inference z = y, and who stores the code rounds it.
//!
//! The penalty of a row's code is sum 1/2 log2(1 + 12 z^2) bits: the capacity of a channel whose noise is
//! the rounding error, of variance 1/12, for a value of power z^2. By Jensen's inequality its mean is at most that of
//! a Gaussian of the same power; it is zero for a unit that is zero, and it needs no learnt density
//! beside the network.

use crate::kernels::{maths, sum, vectorised};

/// The quantised latent of a given code size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Quantised {
    pub(crate) code_size: usize,
}

/// 1 / (2 ln 2): half a natural logarithm in bits.
const HALF_BIT: f32 = 0.5 * std::f32::consts::LOG2_E;

/// The bits of one row's code.
pub(super) fn rate(code: &[f32]) -> f32 {
    vectorised!(sum::sum(
        code,
        #[inline(always)]
        |z| HALF_BIT * maths::log((12.0 * z).mul_add(z, 1.0))
    ))
}

impl Quantised {
    /// code = input + noise, and the bits of every row.
    pub(super) fn forward(&self, input: &[f32], noise: &[f32], code: &mut [f32], bits: &mut [f32]) {
        let width = self.code_size;
        let rows = input.chunks_exact(width).zip(noise.chunks_exact(width));
        for (((y, noise), z), bits) in rows.zip(code.chunks_exact_mut(width)).zip(bits.iter_mut()) {
            z.iter_mut().zip(y.iter().zip(noise)).for_each(|(z, (y, u))| *z = y + u);
            *bits = rate(z);
        }
    }

    /// The gradient for the input from that for the code, plus that of `share` times each row's bits.
    pub(super) fn backward(&self, code: &[f32], d_code: &[f32], share: f32, d_input: &mut [f32]) {
        vectorised!({
            for ((d_y, d_z), z) in d_input.iter_mut().zip(d_code).zip(code) {
                let slope = 24.0 * HALF_BIT * z / (12.0 * z).mul_add(*z, 1.0);
                *d_y = share.mul_add(slope, *d_z);
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::*;

    fn network() -> Network {
        Network::new(
            vec![Layer::dense(5, 6), Layer::Activation(Activation::Tanh), Layer::dense(6, 3)],
            Latent::Quantised,
            vec![Layer::dense(3, 5)],
            Output::single(5, Loss::Mse),
        )
        .unwrap()
    }

    #[test]
    fn gradients_agree_with_finite_differences() {
        assert_eq!(network().code_size(), 3);
        crate::gradcheck::check(&network(), Sparsity::None);
        crate::gradcheck::check(&network(), Sparsity::L1 { weight: 0.1 });
    }

    #[test]
    fn bits_are_those_of_the_formula_and_a_silent_unit_costs_none() {
        assert_eq!(rate(&[0.0, 0.0]), 0.0);
        let by_hand: f64 = [0.3_f64, -7.0, 120.0].iter().map(|z| 0.5 * (1.0 + 12.0 * z * z).log2()).sum();
        assert!((f64::from(rate(&[0.3, -7.0, 120.0])) - by_hand).abs() < 1e-5);
    }

    #[test]
    fn inference_draws_nothing() {
        let network = network();
        let params = network.init(1);
        let point = Network { latent: Latent::Point, ..network.clone() };
        let x = [0.1, -0.2, 0.3, 0.4, -0.5];
        let code = |network: &Network| {
            let mut code = [0.0; 3];
            CpuExecutor::serial().prepare(network, &params).unwrap().encode(&x, &mut code);
            code
        };
        assert_eq!(code(&network), code(&point));
        let loss = |network: &Network, weight: f32| {
            let mut losses = [0.0];
            CpuExecutor::serial().prepare(network, &params).unwrap().losses(&x, &x, weight, &mut losses);
            losses[0]
        };
        assert_eq!(loss(&network, 0.0), loss(&point, 0.0));
        assert!((loss(&network, 2.0) - loss(&network, 0.0) - 2.0 * rate(&code(&network))).abs() < 1e-5);
    }
}
