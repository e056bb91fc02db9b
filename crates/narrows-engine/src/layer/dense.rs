//! The dense layer: y = x W^T + b, with W `[outputs, inputs]` as in PyTorch.
//!
//! Backward: dx = dy W, dW = dy^T x, db = column sums of dy. Rows of y and dx, and rows of dW, are split among the
//! threads; an element of dW is summed over the whole batch by one task, so there are no partial gradients to reduce.

use crate::kernels::columns::{self, Band};
use crate::kernels::matmul::{self, Left, Right, Shape, Start, multiply};
use crate::kernels::threads::Threads;
use crate::params::ParamKind;
use crate::rng::Stream;

use super::ops::{Entries, LayerOps, LayerParams, OutOfRange, Requirements, WeightPacking};
use super::{Activation, Backward, Forward, Gradients, Inference, Rows};

/// A dense (fully connected) layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dense {
    /// Width of the input.
    pub inputs: usize,
    /// Width of the output.
    pub outputs: usize,
    /// Distribution of the initial weights.
    pub init: DenseInit,
}

/// Initial weights of a dense layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DenseInit {
    /// `nn.Linear`'s default: weight and bias uniform in +-1/sqrt(inputs).
    #[default]
    PyTorch,
    /// He et al. 2015, for rectifiers: weight uniform in +-sqrt(6/inputs), bias zero.
    KaimingUniform,
    /// Glorot and Bengio 2010: weight uniform in +-sqrt(6/(inputs + outputs)), bias zero.
    XavierUniform,
}

/// The trainable values of a dense layer.
#[derive(Clone, Copy)]
pub(crate) struct DenseParams<'a> {
    /// The weight packed by [`pack_transposed`](crate::kernels::matmul::pack_transposed).
    pub packed: &'a [f32],
    /// `[outputs]`.
    pub bias: &'a [f32],
}

impl<'a> DenseParams<'a> {
    /// From concatenated weight and bias, and the packed weight.
    pub(super) fn new(dense: &Dense, params: &'a [f32], packed: &'a [f32]) -> Self {
        Self { packed, bias: &params[dense.inputs * dense.outputs..] }
    }
}

impl Dense {
    /// Fills weight `[outputs, inputs]` and bias `[outputs]`; each draws from its own stream.
    fn init_values(&self, weight: &mut [f32], bias: &mut [f32], streams: [Stream; 2]) {
        let (inputs, outputs) = (self.inputs as f32, self.outputs as f32);
        let (weight_bound, bias_bound) = match self.init {
            DenseInit::PyTorch => (inputs.sqrt().recip(), inputs.sqrt().recip()),
            DenseInit::KaimingUniform => ((6.0 / inputs).sqrt(), 0.0),
            DenseInit::XavierUniform => ((6.0 / (inputs + outputs)).sqrt(), 0.0),
        };
        let [mut weight_stream, mut bias_stream] = streams;
        weight_stream.fill_uniform(weight);
        bias_stream.fill_uniform(bias);
        weight.iter_mut().for_each(|w| *w = (2.0 * *w - 1.0) * weight_bound);
        bias.iter_mut().for_each(|b| *b = (2.0 * *b - 1.0) * bias_bound);
    }

    /// output = activation(input W^T + b); the activation is applied while a tile is cached.
    pub(super) fn apply(
        &self,
        rows: Rows<'_>,
        params: DenseParams<'_>,
        activation: Activation,
        input: &[f32],
        output: &mut [f32],
    ) {
        let (inputs, outputs) = (self.inputs, self.outputs);
        let tile = rows.tile(inputs * outputs);
        rows.threads.chunks(output, tile * outputs, |t, output| {
            let shape = Shape { m: output.len() / outputs, n: outputs, k: inputs };
            let left = Left::Rows(&input[t * tile * inputs..]);
            multiply(shape, left, Right::Panels(params.packed), Start::Bias(params.bias), output);
            activation.apply(output);
        });
    }

    /// d_input = d_output W, with W row-major `[outputs, inputs]`.
    pub(super) fn backward_input(&self, rows: Rows<'_>, weight: &[f32], d_output: &[f32], d_input: &mut [f32]) {
        let (inputs, outputs) = (self.inputs, self.outputs);
        let tile = rows.tile(inputs * outputs);
        rows.threads.chunks(d_input, tile * inputs, |t, d_input| {
            let shape = Shape { m: d_input.len() / inputs, n: inputs, k: outputs };
            let left = Left::Rows(&d_output[t * tile * outputs..]);
            multiply(shape, left, Right::Rows(weight), Start::Zero, d_input);
        });
    }

    /// d_weight = d_output^T input and d_bias = column sums of d_output.
    pub(super) fn backward_params(
        &self,
        rows: Rows<'_>,
        input: &[f32],
        d_output: &[f32],
        d_weight: &mut [f32],
        d_bias: &mut [f32],
    ) {
        const TILE: usize = 32;
        let (inputs, outputs) = (self.inputs, self.outputs);
        let whole = rows.tile(inputs * outputs) >= rows.n;
        let tile = if whole { outputs } else { TILE };
        rows.threads.chunks2((d_weight, tile * inputs), (d_bias, tile), |t, d_weight, d_bias| {
            let first = t * tile;
            let shape = Shape { m: d_bias.len(), n: inputs, k: rows.n };
            let left = Left::Columns { data: d_output, width: outputs, first };
            multiply(shape, left, Right::Rows(input), Start::Zero, d_weight);
            columns::sums(Band { data: d_output, width: outputs, first }, d_bias);
        });
    }
}

impl WeightPacking for Dense {
    fn packed_len(&self) -> usize {
        matmul::packed_len(self.outputs, self.inputs)
    }

    fn pack(&self, params: &[f32], packed: &mut [f32], threads: &Threads) {
        matmul::pack_transposed(&params[..self.inputs * self.outputs], self.inputs, packed, threads);
    }
}

impl LayerParams for Dense {
    fn entries(&self, kind: ParamKind) -> Entries {
        match kind {
            ParamKind::Trainable => vec![("weight", vec![self.outputs, self.inputs]), ("bias", vec![self.outputs])],
            ParamKind::Buffer => vec![],
        }
    }

    fn init(&self, kind: ParamKind, values: &mut [f32], stream: &dyn Fn(usize) -> Stream) {
        if kind == ParamKind::Trainable {
            let (weight, bias) = values.split_at_mut(self.inputs * self.outputs);
            self.init_values(weight, bias, [stream(0), stream(1)]);
        }
    }

    fn packing(&self) -> Option<&dyn WeightPacking> {
        Some(self)
    }
}

impl LayerOps for Dense {
    fn describe(&self) -> String {
        format!("Dense({} -> {})", self.inputs, self.outputs)
    }

    fn widths(&self) -> Option<(usize, usize)> {
        Some((self.inputs, self.outputs))
    }

    fn out_of_range(&self) -> Option<OutOfRange> {
        None
    }

    fn params(&self) -> Option<&dyn LayerParams> {
        Some(self)
    }

    fn requirements(&self, _: usize, _: usize) -> Requirements {
        Requirements::NONE
    }

    fn backward_reads_output(&self) -> bool {
        false
    }

    fn fuses_activation(&self) -> bool {
        true
    }

    fn forward(&self, pass: Forward<'_>, input: &[f32], output: &mut [f32]) {
        let params = DenseParams::new(self, pass.params, pass.packed);
        self.apply(pass.rows, params, pass.activation, input, output);
    }

    fn backward(&self, pass: Backward<'_>, gradients: &mut Gradients) {
        let Backward { rows, params, input, gradient, wants_input, .. } = pass;
        let weight_len = self.inputs * self.outputs;
        let (d_weight, d_bias) = gradient.split_at_mut(weight_len);
        let (d_output, d_input) = gradients.both(rows.n * self.outputs, rows.n * self.inputs);
        self.backward_params(rows, input, d_output, d_weight, d_bias);
        if wants_input {
            self.backward_input(rows, &params[..weight_len], d_output, d_input);
            gradients.swap();
        }
    }

    fn infer(&self, pass: Inference<'_>, input: &[f32], output: &mut [f32]) {
        let params = DenseParams::new(self, pass.params, pass.packed);
        self.apply(pass.rows, params, pass.activation, input, output);
    }
}

#[cfg(test)]
mod tests {
    use crate::rng::{Purpose, Stream};
    use crate::*;

    fn network() -> Network {
        Network::new(
            vec![Layer::dense(5, 3)],
            Latent::Point,
            vec![Layer::dense(3, 7), Layer::dense(7, 5)],
            Output::single(5, Loss::Mse),
        )
        .unwrap()
    }

    #[test]
    fn gradients_agree_with_finite_differences() {
        crate::gradcheck::check(&network(), Sparsity::None);
    }

    #[test]
    fn training_agrees_with_pytorch() {
        crate::golden::check("dense", &network());
    }

    #[test]
    fn initial_weights_fill_their_range_evenly() {
        let cases = [
            (DenseInit::PyTorch, (1.0_f32 / 300.0).sqrt(), (1.0_f32 / 300.0).sqrt()),
            (DenseInit::KaimingUniform, (6.0_f32 / 300.0).sqrt(), 0.0),
            (DenseInit::XavierUniform, (6.0_f32 / 500.0).sqrt(), 0.0),
        ];
        for (init, weight_bound, bias_bound) in cases {
            let dense = Dense { inputs: 300, outputs: 200, init };
            let (mut weight, mut bias) = (vec![9.0; 60_000], vec![9.0; 200]);
            let streams = [0, 1].map(|i| Stream::new(1, Purpose::Init, 0, i));
            dense.init_values(&mut weight, &mut bias, streams);
            let n = weight.len() as f64;
            let mean = weight.iter().map(|&w| w as f64).sum::<f64>() / n;
            let var = weight.iter().map(|&w| (w as f64 - mean).powi(2)).sum::<f64>() / n;
            let bound = weight_bound as f64;
            assert!(weight.iter().all(|w| w.abs() <= weight_bound));
            assert!(mean.abs() < 0.01 * bound);
            assert!((var / (bound * bound / 3.0) - 1.0).abs() < 0.02);
            assert!(bias.iter().all(|b| b.abs() <= bias_bound));
        }
    }
}
