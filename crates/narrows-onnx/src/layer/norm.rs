//! Normalisations. Those over a batch use their running statistics.

use narrows_engine::{BatchNorm, GroupNorm, LayerNorm, MapNorm};

use crate::graph::{Attribute, Graph, Value};
use crate::samples::Samples;

use super::Weights;

pub(super) fn batch(graph: &mut Graph, layer: &BatchNorm, weights: &Weights<'_>, input: Samples) -> Samples {
    let x = input.rows(graph);
    Samples::Rows(by_running_statistics(graph, layer.features, layer.eps, weights, x))
}

pub(super) fn map(graph: &mut Graph, layer: &MapNorm, weights: &Weights<'_>, input: Samples) -> Samples {
    let x = input.maps(graph, layer.map);
    Samples::Maps(by_running_statistics(graph, layer.map.channels, layer.eps, weights, x), layer.map)
}

fn by_running_statistics(graph: &mut Graph, channels: usize, eps: f32, weights: &Weights<'_>, x: Value) -> Value {
    let [weight, bias, mean, var] =
        ["weight", "bias", "running_mean", "running_var"].map(|name| graph.floats(&[channels], weights.get(name)));
    graph.op_with("BatchNormalization", &[x, weight, bias, mean, var], &[("epsilon", Attribute::Float(eps))])
}

pub(super) fn layer(graph: &mut Graph, layer: &LayerNorm, weights: &Weights<'_>, input: Samples) -> Samples {
    let x = input.rows(graph);
    let [weight, bias] = ["weight", "bias"].map(|name| graph.floats(&[layer.features], weights.get(name)));
    let settings = [("axis", Attribute::Int(-1)), ("epsilon", Attribute::Float(layer.eps))];
    Samples::Rows(graph.op_with("LayerNormalization", &[x, weight, bias], &settings))
}

/// Groups are channels of a map whose pixels lie in a line, and normalised each alone.
pub(super) fn group(graph: &mut Graph, layer: &GroupNorm, weights: &Weights<'_>, input: Samples) -> Samples {
    let (channels, groups) = (layer.map.channels, layer.groups);
    let x = input.maps(graph, layer.map);
    let lines = graph.reshape(x, &[0, groups as i64, -1]);
    let (ones, zeros) = (graph.floats(&[groups], &vec![1.0; groups]), graph.floats(&[groups], &vec![0.0; groups]));
    let epsilon = [("epsilon", Attribute::Float(layer.eps))];
    let lines = graph.op_with("InstanceNormalization", &[lines, ones, zeros], &epsilon);
    let shape = graph.op("Shape", &[x]);
    let maps = graph.op("Reshape", &[lines, shape]);
    let [weight, bias] = ["weight", "bias"].map(|name| graph.floats(&[channels, 1, 1], weights.get(name)));
    let scaled = graph.mul(maps, weight);
    Samples::Maps(graph.add(scaled, bias), layer.map)
}
