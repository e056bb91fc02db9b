//! Long short-term memory over sequences that have all their steps.

use narrows_engine::{Direction, Lstm, Map, SequenceOutput};

use crate::graph::{Attribute, Graph};
use crate::samples::Samples;

use super::Weights;

/// Where the gates of ONNX (i, o, f, c) are among those of the engine (i, f, g, o).
const GATES: [usize; 4] = [0, 3, 1, 2];

pub(super) fn lstm(graph: &mut Graph, layer: &Lstm, weights: &Weights<'_>, input: Samples) -> Samples {
    let Lstm { inputs, hidden, steps, direction, output } = *layer;
    let (ways, name): (&[&str], _) = match direction {
        Direction::Forward => (&[""], "forward"),
        Direction::Bidirectional => (&["", "_reverse"], "bidirectional"),
    };
    let (n, gates) = (ways.len(), 4 * hidden);
    let x = input.steps(graph, Map::series(steps, inputs));
    let of_ways = |names: &[&str]| -> Vec<f32> {
        let names = ways.iter().flat_map(|way| names.iter().map(move |name| format!("{name}{way}")));
        names.flat_map(|name| in_order(weights.get(&name))).collect()
    };
    let input_weight = graph.floats(&[n, gates, inputs], &of_ways(&["weight_ih_l0"]));
    let hidden_weight = graph.floats(&[n, gates, hidden], &of_ways(&["weight_hh_l0"]));
    let biases = graph.floats(&[n, 2 * gates], &of_ways(&["bias_ih_l0", "bias_hh_l0"]));
    // All states are [steps, ways, N, hidden], the last [ways, N, hidden].
    let [all, last] = graph.ops(
        "LSTM",
        &[x, input_weight, hidden_weight, biases],
        &[("direction", Attribute::Text(name)), ("hidden_size", Attribute::Int(hidden as i64))],
    );
    match output {
        SequenceOutput::All => {
            let states = graph.transpose(all, &[0, 2, 1, 3]);
            let states = graph.reshape(states, &[steps as i64, -1, (n * hidden) as i64]);
            Samples::Steps(states, Map::series(steps, n * hidden))
        }
        SequenceOutput::Last => {
            let states = graph.transpose(last, &[1, 0, 2]);
            Samples::Rows(graph.op("Flatten", &[states]))
        }
    }
}

/// Values of all gates in the order of ONNX.
fn in_order(values: &[f32]) -> impl Iterator<Item = f32> {
    let len = values.len() / GATES.len();
    GATES.into_iter().flat_map(move |gate| values[gate * len..][..len].iter().copied())
}
