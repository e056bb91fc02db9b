//! Scaled numbers, and an indicator of missing ones.

use narrows_onnx::{Element, Graph, Value};

use super::quantile::curve;
use super::{BlockNodes, CellNodes, indicator};
use crate::prep::{NumberEncoder, NumberScale};

pub(super) fn blocks(graph: &mut Graph, number: &NumberEncoder, cells: CellNodes) -> Vec<BlockNodes> {
    let known = known(graph, number, cells);
    let scaled = scaled(graph, number, cells.value);
    let held = held(graph, scaled, number.clip.get());
    let fill = graph.double(number.held(number.scaled(number.fill)));
    let filled = graph.select(known, held, fill);
    let values = graph.cast(filled, Element::Float);
    let missing = number.has_indicator.then(|| {
        let missing = graph.not(known);
        BlockNodes { values: indicator(graph, missing), width: 1, observed: None }
    });
    std::iter::once(BlockNodes { values, width: 1, observed: Some(known) }).chain(missing).collect()
}

/// Whether a number counts as one: infinite ones do not if training rows had some.
fn known(graph: &mut Graph, number: &NumberEncoder, cells: CellNodes) -> Value {
    if !number.is_infinite_missing {
        return cells.known;
    }
    let (size, infinite) = (graph.op("Abs", &[cells.value]), graph.double(f64::INFINITY));
    // NaN is not below.
    graph.op("Less", &[size, infinite])
}

/// Numbers in scaled units, in double.
pub(in super::super) fn scaled(graph: &mut Graph, number: &NumberEncoder, x: Value) -> Value {
    match &number.scale {
        NumberScale::Linear { center, scale } => {
            let (center, scale) = (graph.double(*center), graph.double(scale.get()));
            let distance = graph.sub(x, center);
            graph.div(distance, scale)
        }
        NumberScale::Curve(through) => curve(graph, through, x),
    }
}

/// Numbers in the column's unit, of those in scaled units.
pub(in super::super) fn unscaled(graph: &mut Graph, number: &NumberEncoder, z: Value) -> Value {
    match &number.scale {
        NumberScale::Linear { center, scale } => {
            let (center, scale) = (graph.double(*center), graph.double(scale.get()));
            let distance = graph.mul(z, scale);
            graph.add(distance, center)
        }
        NumberScale::Curve(through) => curve(graph, &through.turned(), z),
    }
}

/// Within plus and minus `clip`.
pub(in super::super) fn held(graph: &mut Graph, scaled: Value, clip: f64) -> Value {
    let (least, most) = (graph.double(-clip), graph.double(clip));
    graph.clamp(scaled, least, most)
}
