//! Functions of single values.

use std::f32::consts::FRAC_1_SQRT_2;

use narrows_engine::{Activation, Rounding};

use crate::graph::{Attribute, Graph, Value};

pub(super) fn activation(graph: &mut Graph, activation: Activation, x: Value) -> Value {
    match activation {
        Activation::Identity => x,
        Activation::Relu => graph.op("Relu", &[x]),
        Activation::LeakyRelu => graph.op_with("LeakyRelu", &[x], &[("alpha", Attribute::Float(0.01))]),
        Activation::Elu => graph.op_with("Elu", &[x], &[("alpha", Attribute::Float(1.0))]),
        Activation::Gelu => gelu(graph, x),
        Activation::Silu => {
            let gate = graph.op("Sigmoid", &[x]);
            graph.mul(x, gate)
        }
        Activation::Tanh => graph.op("Tanh", &[x]),
        Activation::Sigmoid => graph.op("Sigmoid", &[x]),
    }
}

/// x / 2 (1 + erf(x / sqrt 2)); an operation of its own is in the operators from 20 on.
fn gelu(graph: &mut Graph, x: Value) -> Value {
    let (half, one, scale) = (graph.float(0.5), graph.float(1.0), graph.float(FRAC_1_SQRT_2));
    let scaled = graph.mul(x, scale);
    let erf = graph.op("Erf", &[scaled]);
    let twice = graph.add(erf, one);
    let half = graph.mul(x, half);
    graph.mul(half, twice)
}

/// sign(x) floor(|x| + offset).
pub(super) fn rounding(graph: &mut Graph, layer: &Rounding, x: Value) -> Value {
    let magnitude = graph.op("Abs", &[x]);
    let offset = graph.float(layer.offset);
    let moved = graph.add(magnitude, offset);
    let whole = graph.op("Floor", &[moved]);
    let sign = graph.op("Sign", &[x]);
    graph.mul(whole, sign)
}
