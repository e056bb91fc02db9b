//! Parts of a score as nodes: the logarithm of an error relative to its typical value.

use narrows_onnx::{Graph, Value};

use crate::detect::{DistanceTerm, LogRatio};

/// `LogRatio::apply`, in double.
pub(super) fn log_ratio(graph: &mut Graph, ratio: &LogRatio, error: Value) -> Value {
    let (floor, typical, least) =
        (graph.double(ratio.floor), graph.double(ratio.typical()), graph.double(LogRatio::LEAST));
    let error = graph.add(error, floor);
    let share = graph.div(error, typical);
    let below = graph.op("Less", &[share, least]);
    let share = graph.select(below, least, share);
    graph.op("Log", &[share])
}

/// `DistanceTerm::log`.
pub(super) fn term(graph: &mut Graph, term: &DistanceTerm, distance: Value) -> Value {
    let (log, exchange) = (log_ratio(graph, &term.ratio, distance), graph.double(term.exchange));
    graph.mul(log, exchange)
}

/// The sum of values of one shape.
pub(super) fn sum(graph: &mut Graph, values: &[Value]) -> Value {
    let (first, others) = values.split_first().expect("something to add up");
    others.iter().fold(*first, |sum, value| graph.add(sum, *value))
}
