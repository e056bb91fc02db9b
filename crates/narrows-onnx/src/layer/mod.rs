//! The engine's layers as operations, a function a layer: the formulas of inference.

mod activation;
mod conv;
mod dense;
mod lapped;
mod lstm;
mod map;
mod norm;

use narrows_engine::{Layer, Params};

use crate::graph::Graph;
use crate::samples::Samples;

/// The parameters of one layer.
pub(crate) struct Weights<'a> {
    params: &'a Params,
    /// As in "encoder.0".
    place: String,
}

impl<'a> Weights<'a> {
    pub(crate) fn new(params: &'a Params, place: String) -> Self {
        Self { params, place }
    }

    /// An entry of parameters that were checked to be the network's.
    fn get(&self, name: &str) -> &'a [f32] {
        let name = format!("{}.{name}", self.place);
        self.params.get(&name).unwrap_or_else(|| panic!("the parameters of this network have {name}"))
    }
}

/// Adds a layer to its input, the last of the values of its part so far.
pub(crate) fn add(graph: &mut Graph, layer: &Layer, weights: &Weights<'_>, values: &[Samples]) -> Samples {
    let input = values[values.len() - 1];
    match layer {
        Layer::Dense(layer) => dense::dense(graph, layer, weights, input),
        Layer::TimeDense(layer) => dense::time_dense(graph, layer, weights, input),
        Layer::Repeat(layer) => dense::repeat(graph, layer, input),
        Layer::Activation(activation) => input.each(|x| activation::activation(graph, *activation, x)),
        Layer::Dropout(_) => input,
        Layer::Rounding(layer) => input.each(|x| activation::rounding(graph, layer, x)),
        Layer::Add(layer) => input.plus(graph, values[values.len() - layer.back]),
        Layer::BatchNorm(layer) => norm::batch(graph, layer, weights, input),
        Layer::LayerNorm(layer) => norm::layer(graph, layer, weights, input),
        Layer::MapNorm(layer) => norm::map(graph, layer, weights, input),
        Layer::GroupNorm(layer) => norm::group(graph, layer, weights, input),
        Layer::Lstm(layer) => lstm::lstm(graph, layer, weights, input),
        Layer::Conv(layer) => conv::conv(graph, layer, weights, input),
        Layer::ConvTranspose(layer) => conv::transposed(graph, layer, weights, input),
        Layer::Pool(layer) => map::pool(graph, layer, input),
        Layer::Upsample(layer) => map::upsample(graph, layer, input),
        Layer::PixelShuffle(layer) => map::pixel_shuffle(graph, layer, input),
        Layer::Lapped(layer) => lapped::lapped(graph, layer, input),
    }
}
