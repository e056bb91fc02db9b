//! Categories, one-hot.

use narrows_onnx::{Element, Graph, Reduction, Value};

use super::{BlockNodes, CellNodes, indicator};
use crate::prep::Levels;

pub(super) fn block(graph: &mut Graph, levels: &Levels, cells: CellNodes) -> BlockNodes {
    let mut slots: Vec<Value> = Vec::new();
    let mut seen: Vec<Value> = Vec::new();
    let matches = |graph: &mut Graph, levels: &[String]| {
        let names: Vec<&str> = levels.iter().map(String::as_str).collect();
        let names = graph.texts(&[1, levels.len()], &names);
        let equal = graph.op("Equal", &[cells.value, names]);
        let both = graph.op("And", &[equal, cells.known]);
        graph.cast(both, Element::Float)
    };
    if !levels.levels.is_empty() {
        let own = matches(graph, &levels.levels);
        slots.push(own);
        seen.push(graph.reduce(Reduction::Sum, own, &[1], true));
    }
    if !levels.rare.is_empty() {
        let each = matches(graph, &levels.rare);
        let any = graph.reduce(Reduction::Sum, each, &[1], true);
        slots.push(any);
        seen.push(any);
    }
    let mut unseen = indicator(graph, cells.known);
    for known in seen {
        unseen = graph.sub(unseen, known);
    }
    slots.push(unseen);
    let width = levels.width();
    if levels.has_missing {
        let missing = graph.not(cells.known);
        slots.push(indicator(graph, missing));
        return BlockNodes { values: graph.concat(&slots, 1), width, observed: None };
    }
    let one_hot = graph.concat(&slots, 1);
    let fill: Vec<f32> = (0..width).map(|slot| f32::from(u8::from(slot == levels.fill))).collect();
    let fill = graph.floats(&[1, width], &fill);
    BlockNodes { values: graph.select(cells.known, one_hot, fill), width, observed: Some(cells.known) }
}
