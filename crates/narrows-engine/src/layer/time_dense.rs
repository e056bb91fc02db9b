//! The same dense map at each step: a dense layer over `[n * steps, inputs]`, with one set of
//! parameters, which is how the rows lie in memory already.
//!
//! An absent step (see `sequence`) comes out absent, and has no part in the gradient.

use super::dense::DenseParams;
use super::ops::{LayerOps, LayerParams, OutOfRange, Requirements};
use super::sequence::is_absent;
use super::{Backward, Dense, Forward, Gradients, Inference, Rows};

/// A dense layer applied to every step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimeDense {
    /// The map of one step.
    pub dense: Dense,
    /// Number of steps.
    pub steps: usize,
}

impl TimeDense {
    /// The rows of all steps.
    fn step_rows<'a>(&self, rows: Rows<'a>) -> Rows<'a> {
        Rows { n: rows.n * self.steps, ..rows }
    }
}

impl LayerOps for TimeDense {
    fn describe(&self) -> String {
        let Self { dense, steps } = self;
        format!("TimeDense({} -> {}, {steps} steps)", dense.inputs, dense.outputs)
    }

    fn widths(&self) -> Option<(usize, usize)> {
        Some((self.steps * self.dense.inputs, self.steps * self.dense.outputs))
    }

    fn out_of_range(&self) -> Option<OutOfRange> {
        None
    }

    fn params(&self) -> Option<&dyn LayerParams> {
        Some(&self.dense)
    }

    fn requirements(&self, n: usize, _: usize) -> Requirements {
        Requirements { training_scratch: n * self.steps * self.dense.inputs, ..Requirements::NONE }
    }

    fn backward_reads_output(&self) -> bool {
        false
    }

    fn fuses_activation(&self) -> bool {
        true
    }

    fn forward(&self, pass: Forward<'_>, input: &[f32], output: &mut [f32]) {
        let params = DenseParams::new(&self.dense, pass.params, pass.packed);
        self.dense.apply(self.step_rows(pass.rows), params, pass.activation, input, output);
    }

    /// As the dense layer's two backwards, over the steps that are present.
    fn backward(&self, pass: Backward<'_>, gradients: &mut Gradients) {
        let Backward { params, input, scratch, gradient, wants_input, .. } = pass;
        let Dense { inputs, outputs, .. } = self.dense;
        let rows = self.step_rows(pass.rows);
        let (weight, (d_weight, d_bias)) = (&params[..inputs * outputs], gradient.split_at_mut(inputs * outputs));
        let (d_output, d_input) = gradients.both(rows.n * outputs, rows.n * inputs);
        let mut present = input;
        if input.chunks_exact(inputs).any(is_absent) {
            // Zero times NaN is NaN, so the products must not meet the absent steps.
            let values = &mut scratch[..input.len()];
            values.copy_from_slice(input);
            for (step, d_output) in values.chunks_exact_mut(inputs).zip(d_output.chunks_exact_mut(outputs)) {
                if is_absent(step) {
                    step.fill(0.0);
                    d_output.fill(0.0);
                }
            }
            present = values;
        }
        self.dense.backward_params(rows, present, d_output, d_weight, d_bias);
        if wants_input {
            self.dense.backward_input(rows, weight, d_output, d_input);
            gradients.swap();
        }
    }

    fn infer(&self, pass: Inference<'_>, input: &[f32], output: &mut [f32]) {
        let params = DenseParams::new(&self.dense, pass.params, pass.packed);
        self.dense.apply(self.step_rows(pass.rows), params, pass.activation, input, output);
    }
}

#[cfg(test)]
mod tests {
    use crate::*;

    #[test]
    fn it_is_the_dense_layer_at_every_step_and_absent_ones_stay_absent() {
        let decoder = vec![Layer::dense(9, 6)];
        let output = Output::single(6, Loss::Mse);
        let network = Network::new(vec![Layer::time_dense(2, 3, 3)], Latent::Point, decoder, output).unwrap();
        let params = network.init(1);
        let (weight, bias) = (params.get("encoder.0.weight").unwrap(), params.get("encoder.0.bias").unwrap());
        let (row, mut code) = ([1.0_f32, -2.0, f32::NAN, f32::NAN, 0.5, 0.25], [0.0; 9]);
        CpuExecutor::serial().prepare(&network, &params).unwrap().encode(&row, &mut code);
        assert!(code[3..6].iter().all(|x| x.is_nan()));
        for (step, first) in [(0, 0), (2, 6)] {
            for j in 0..3 {
                let sum = row[2 * step].mul_add(weight[2 * j], bias[j]);
                assert_eq!(code[first + j], row[2 * step + 1].mul_add(weight[2 * j + 1], sum));
            }
        }
    }
}
