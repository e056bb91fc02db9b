//! A skip connection: the output of an earlier layer is added to the input.
//!
//! The plan keeps that value, and the passes bring it here. Backward, the gradient goes on as it is, and
//! once more to where the value came from.

use crate::kernels::vectorised;

use super::ops::{LayerOps, LayerParams, OutOfRange, Requirements};
use super::{Backward, ELEMENT_COST, Forward, Gradients, Inference, Rows};

/// Adds the value that came out of an earlier layer of the same part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Add {
    /// How many layers before this one the value came out, at least 2: 1 would be its own input.
    pub back: usize,
}

/// sums += values, `[n, width]`.
pub(crate) fn add(rows: Rows<'_>, values: &[f32], sums: &mut [f32]) {
    let width = sums.len() / rows.n;
    let tile = rows.tile(width * ELEMENT_COST) * width;
    rows.threads.chunks(sums, tile, |t, sums| {
        let values = &values[t * tile..][..sums.len()];
        vectorised!({
            for (sum, value) in sums.iter_mut().zip(values) {
                *sum += value;
            }
        });
    });
}

impl LayerOps for Add {
    fn describe(&self) -> String {
        format!("Add({} back)", self.back)
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

    /// Kept is the gradient for the value that it adds.
    fn requirements(&self, n: usize, width: usize) -> Requirements {
        Requirements { saved: n * width, ..Requirements::NONE }
    }

    fn backward_reads_output(&self) -> bool {
        false
    }

    fn fuses_activation(&self) -> bool {
        false
    }

    fn forward(&self, pass: Forward<'_>, input: &[f32], output: &mut [f32]) {
        output.copy_from_slice(input);
        add(pass.rows, pass.kept, output);
    }

    /// The passes bring the gradient to where the value came from.
    fn backward(&self, _: Backward<'_>, _: &mut Gradients) {}

    fn infer(&self, pass: Inference<'_>, input: &[f32], output: &mut [f32]) {
        output.copy_from_slice(input);
        add(pass.rows, pass.kept, output);
    }
}

#[cfg(test)]
mod tests {
    use crate::*;

    const TANH: Layer = Layer::Activation(Activation::Tanh);

    fn conv(input: Map, channels: usize, size: usize) -> Layer {
        Layer::Conv(Conv::same(input, channels, (size, size)))
    }

    #[test]
    fn residual_blocks_agree_with_pytorch() {
        let (input, map) = (Map::new(3, 4, 2), Map::new(3, 4, 3));
        let add = |back| Layer::Add(Add { back });
        let network = Network::new(
            vec![
                conv(input, 3, 1),
                // The convolution's own value is needed later, so this must not overwrite it.
                Layer::Activation(Activation::Relu),
                conv(map, 3, 3),
                TANH,
                conv(map, 3, 3),
                add(4),
                TANH,
                add(7),
            ],
            Latent::Point,
            vec![conv(map, 3, 1), conv(map, 3, 1), add(2), add(2), conv(map, 2, 1)],
            Output::single(input.size(), Loss::Mse),
        )
        .unwrap();
        crate::gradcheck::check(&network, Sparsity::None);
        crate::golden::check("residual", &network);
    }

    #[test]
    fn a_value_that_is_not_there_or_does_not_fit_is_refused() {
        let message = |encoder: Vec<Layer>| {
            let output = Output::single(4, Loss::Mse);
            Network::new(encoder, Latent::Point, vec![Layer::dense(4, 4)], output).unwrap_err().to_string()
        };
        let add = |back| Layer::Add(Add { back });
        let dense = Layer::dense;
        assert_eq!(
            message(vec![dense(4, 4), dense(4, 4), add(3)]),
            "`encoder.2 Add(3 back)`: expected 2 to 2 layers back, within its part, got 3"
        );
        assert!(message(vec![dense(4, 4), dense(4, 4), add(1)]).contains("got 1"));
        assert_eq!(
            message(vec![dense(4, 3), dense(3, 4), add(2)]),
            "`encoder.2 Add(2 back)`: expected 4 values, as many as its input has, got 3 values of encoder.0 Dense(4 -> 3)"
        );
    }
}
