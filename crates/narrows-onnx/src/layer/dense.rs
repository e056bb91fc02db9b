//! Dense layers, of rows and of steps.

use narrows_engine::{Dense, Map, Repeat, TimeDense};

use crate::graph::{Attribute, Graph};
use crate::samples::Samples;

use super::Weights;

pub(super) fn dense(graph: &mut Graph, layer: &Dense, weights: &Weights<'_>, input: Samples) -> Samples {
    let x = input.rows(graph);
    let weight = graph.floats(&[layer.outputs, layer.inputs], weights.get("weight"));
    let bias = graph.floats(&[layer.outputs], weights.get("bias"));
    Samples::Rows(graph.op_with("Gemm", &[x, weight, bias], &[("transB", Attribute::Int(1))]))
}

pub(super) fn time_dense(graph: &mut Graph, layer: &TimeDense, weights: &Weights<'_>, input: Samples) -> Samples {
    let (inputs, outputs) = (layer.dense.inputs, layer.dense.outputs);
    let x = input.steps(graph, Map::series(layer.steps, inputs));
    let weight = weights.get("weight");
    let transposed: Vec<f32> = (0..inputs * outputs).map(|i| weight[i % outputs * inputs + i / outputs]).collect();
    let weight = graph.floats(&[inputs, outputs], &transposed);
    let bias = graph.floats(&[outputs], weights.get("bias"));
    let products = graph.matmul(x, weight);
    Samples::Steps(graph.add(products, bias), Map::series(layer.steps, outputs))
}

/// The rows once a step. Not by `Tile`, of which tract takes the steps for one, and fails.
pub(super) fn repeat(graph: &mut Graph, layer: &Repeat, input: Samples) -> Samples {
    let x = input.rows(graph);
    let step = graph.unsqueeze(x, 0);
    let first = graph.ints(&vec![0; layer.steps]);
    Samples::Steps(graph.gather(step, first, 0), Map::series(layer.steps, layer.width))
}
