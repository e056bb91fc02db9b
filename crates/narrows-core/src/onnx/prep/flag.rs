//! Flags, and an indicator of missing ones.

use narrows_onnx::{Element, Graph};

use super::{BlockNodes, CellNodes, indicator};
use crate::prep::FlagEncoder;

pub(super) fn blocks(graph: &mut Graph, flag: &FlagEncoder, cells: CellNodes) -> Vec<BlockNodes> {
    let (fill, zero) = (graph.double(f64::from(u8::from(flag.fill))), graph.double(0.0));
    let is_false = graph.op("Equal", &[cells.value, zero]);
    let is_true = graph.not(is_false);
    let number = graph.cast(is_true, Element::Double);
    let filled = graph.select(cells.known, number, fill);
    let values = graph.cast(filled, Element::Float);
    let missing = flag.has_indicator.then(|| {
        let missing = graph.not(cells.known);
        BlockNodes { values: indicator(graph, missing), width: 1, observed: None }
    });
    std::iter::once(BlockNodes { values, width: 1, observed: Some(cells.known) }).chain(missing).collect()
}
