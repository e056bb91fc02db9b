//! The preparation of columns as nodes; each file has the nodes of one encoder of `prep`.

mod cycle;
mod flag;
mod instant;
mod levels;
mod number;
mod quantile;
mod shape;

use narrows_onnx::{Element, Graph, Value};

use super::cells::{CellNodes, InputColumns};
use super::samples::SampleNodes;
use crate::error::{Error, Result};
use crate::prep::{ColumnEncoder, Pipeline};

pub(super) use number::{held, scaled, unscaled};

/// Some inputs of the network, `[N, width]`.
struct BlockNodes {
    values: Value,
    width: usize,
    /// Whether they were observed, `[N, 1]`; `None` if they always are.
    observed: Option<Value>,
}

/// The prepared rows of typed columns.
pub(super) fn pipeline(graph: &mut Graph, pipeline: &Pipeline, columns: &InputColumns) -> Result<SampleNodes> {
    let mut blocks = Vec::new();
    for (name, encoder) in pipeline.encoders() {
        let lacking = || Error::mismatch(format!("there is no column `{name}` to prepare"));
        let cells = columns.cells(name).ok_or_else(lacking)?;
        graph.scope(&format!("prepare/{name}"));
        blocks.extend(match encoder {
            ColumnEncoder::Number(number) => number::blocks(graph, number, cells),
            ColumnEncoder::Flag(flag) => flag::blocks(graph, flag, cells),
            ColumnEncoder::Levels(levels) => vec![levels::block(graph, levels, cells)],
            ColumnEncoder::Cycles(cycles) => vec![cycle::block(graph, cycles, cells)],
            ColumnEncoder::Shape(shape) => shape::blocks(graph, shape, cells, None),
            ColumnEncoder::Instant(instant) => {
                let base = instant.after.as_ref().map(|base| columns.cells(base).ok_or_else(lacking)).transpose()?;
                instant::blocks(graph, instant, cells, base)
            }
        });
    }
    graph.scope("prepare");
    let values: Vec<Value> = blocks.iter().map(|block| block.values).collect();
    let input = graph.concat(&values, 1);
    let observed = blocks.iter().any(|block| block.observed.is_some()).then(|| {
        let masks: Vec<Value> = blocks.iter().map(|block| mask(graph, block)).collect();
        graph.concat(&masks, 1)
    });
    Ok(SampleNodes { input, observed })
}

/// 1 where a block was observed, `[N, width]`.
fn mask(graph: &mut Graph, block: &BlockNodes) -> Value {
    let ones = graph.floats(&[1, block.width], &vec![1.0; block.width]);
    let observed = match block.observed {
        Some(observed) => graph.cast(observed, Element::Float),
        None => {
            // Any column of the block, times 0, plus 1: as many rows as there are.
            let (first, zero) = (graph.slice(block.values, 0, 1, 1), graph.float(0.0));
            let nothing = graph.mul(first, zero);
            let one = graph.float(1.0);
            graph.add(nothing, one)
        }
    };
    graph.mul(observed, ones)
}

/// 1 where this holds, else 0.
fn indicator(graph: &mut Graph, condition: Value) -> Value {
    graph.cast(condition, Element::Float)
}
