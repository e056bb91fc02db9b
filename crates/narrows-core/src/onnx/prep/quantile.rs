//! Curves through knots.

use narrows_onnx::{Element, Graph, Reduction, Value};

use crate::prep::QuantileCurve;

/// The scores of values `[N, 1]`, in double: the segment of each value is the number of knots up to it.
pub(super) fn curve(graph: &mut Graph, through: &QuantileCurve, x: Value) -> Value {
    let segments = through.segments();
    let table = |part: fn(&[f64; 4]) -> f64| segments.iter().map(part).collect::<Vec<f64>>();
    let knots = graph.doubles(&[1, through.knots().len()], through.knots());
    let is_past = graph.op("GreaterOrEqual", &[x, knots]);
    let past = graph.cast(is_past, Element::Int64);
    let at = graph.reduce(Reduction::Sum, past, &[1], true);
    let mut of = |part: fn(&[f64; 4]) -> f64| {
        let values = graph.doubles(&[segments.len()], &table(part));
        graph.gather(values, at, 0)
    };
    let [from, width, start, rise] = [of(|s| s[0]), of(|s| s[1]), of(|s| s[2]), of(|s| s[3])];
    let distance = graph.sub(x, from);
    let part = graph.div(distance, width);
    let gain = graph.mul(part, rise);
    graph.add(start, gain)
}
