//! Dates by their place in the training range.

use narrows_onnx::{Graph, Value};

use super::cycle::{day, floor_div, remainder, weekday, within_day};
use super::{BlockNodes, CellNodes, shape};
use crate::prep::{DAY, InstantEncoder};

/// The blocks of dates; `base` are those that they come after.
pub(super) fn blocks(
    graph: &mut Graph,
    instant: &InstantEncoder,
    cells: CellNodes,
    base: Option<CellNodes>,
) -> Vec<BlockNodes> {
    let own = cells.value;
    let (place, hidden) = match base {
        None => {
            let place = day(graph, own);
            let [first, last] = instant.range.map(|place| graph.double(place as f64));
            let (early, late) = (graph.op("Less", &[place, first]), graph.op("Greater", &[place, last]));
            let beyond = graph.op("Or", &[early, late]);
            (CellNodes { value: place, known: cells.known }, beyond)
        }
        Some(base) => {
            let value = after(graph, instant, own, base.value);
            let known = graph.op("And", &[cells.known, base.known]);
            let lone = graph.not(base.known);
            // A date whose other one is missing is not missing.
            (CellNodes { value, known }, graph.op("And", &[cells.known, lone]))
        }
    };
    let mut blocks = shape::blocks(graph, &instant.place, place, Some(hidden));
    if let Some(part) = &instant.weekday {
        let value = weekday(graph, own);
        blocks.extend(shape::blocks(graph, part, CellNodes { value, known: cells.known }, None));
    }
    if let Some(part) = &instant.time {
        let value = time(graph, instant, own);
        blocks.extend(shape::blocks(graph, part, CellNodes { value, known: cells.known }, None));
    }
    blocks
}

/// How much later than `base`, in units.
fn after(graph: &mut Graph, instant: &InstantEncoder, own: Value, base: Value) -> Value {
    if instant.unit == DAY {
        let (own, base) = (day(graph, own), day(graph, base));
        return graph.sub(own, base);
    }
    let later = graph.sub(own, base);
    floor_div(graph, later, instant.unit as f64)
}

/// The time of day in steps from the start on.
fn time(graph: &mut Graph, instant: &InstantEncoder, own: Value) -> Value {
    let within = within_day(graph, own);
    let steps = floor_div(graph, within, instant.step as f64);
    let start = graph.double(instant.start as f64);
    let since = graph.sub(steps, start);
    remainder(graph, since, (DAY / instant.step) as f64)
}
