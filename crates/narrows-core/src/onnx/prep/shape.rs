//! Numbers by the shape of their distribution: a normal score, and which frequent value, another number or nothing it is.

use narrows_onnx::{Element, Graph, Reduction, Value};

use super::number::held;
use super::quantile::curve;
use super::{BlockNodes, CellNodes, indicator};
use crate::prep::ShapeEncoder;

/// The blocks of cells; `hidden` are those of which nothing counts as observed.
pub(super) fn blocks(
    graph: &mut Graph,
    shape: &ShapeEncoder,
    cells: CellNodes,
    hidden: Option<Value>,
) -> Vec<BlockNodes> {
    let missing = graph.not(cells.known);
    // Missing cells are hidden, too, if training rows had none.
    let hidden = match (shape.has_missing, hidden) {
        (true, hidden) => hidden,
        (false, None) => Some(missing),
        (false, Some(hidden)) => Some(graph.op("Or", &[hidden, missing])),
    };
    let shown = hidden.map(|hidden| graph.not(hidden));
    let and_shown = |graph: &mut Graph, x: Value| shown.map_or(x, |shown| graph.op("And", &[x, shown]));
    let known = and_shown(graph, cells.known);
    let mut modes = Vec::new();
    let mut other = known;
    if !shape.atoms.is_empty() {
        let atoms = graph.doubles(&[1, shape.atoms.len()], &shape.atoms);
        let equal = graph.op("Equal", &[cells.value, atoms]);
        let equal = graph.op("And", &[equal, known]);
        let each = graph.cast(equal, Element::Float);
        modes.push(each);
        let any = graph.reduce(Reduction::Max, each, &[1], true);
        let is_atom = graph.cast(any, Element::Bool);
        let is_other = graph.not(is_atom);
        other = graph.op("And", &[known, is_other]);
    }
    modes.push(indicator(graph, other));
    if shape.has_missing {
        let missing = and_shown(graph, missing);
        modes.push(indicator(graph, missing));
    }
    let (slot, score) = shape.hidden_as();
    let number = shape.curve.as_ref().map(|through| {
        let scores = curve(graph, through, cells.value);
        let scores = held(graph, scores, shape.clip.get());
        let nothing = graph.double(0.0);
        let rest = hidden.map_or(nothing, |hidden| {
            let score = graph.double(score);
            graph.select(hidden, score, nothing)
        });
        let values = graph.select(other, scores, rest);
        BlockNodes { values: graph.cast(values, Element::Float), width: 1, observed: Some(other) }
    });
    let n_modes = shape.n_modes();
    let modes = (n_modes > 1).then(|| {
        let one_hot = graph.concat(&modes, 1);
        let values = hidden.map_or(one_hot, |hidden| {
            let usual: Vec<f32> = (0..n_modes).map(|mode| f32::from(u8::from(mode == slot))).collect();
            let usual = graph.floats(&[1, n_modes], &usual);
            graph.select(hidden, usual, one_hot)
        });
        BlockNodes { values, width: n_modes, observed: shown }
    });
    number.into_iter().chain(modes).collect()
}
