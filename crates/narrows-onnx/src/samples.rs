//! Samples in a graph, in the layout that they were last computed in.
//!
//! The engine keeps a sample in a row, channels fastest; operations of ONNX want maps with channels first, and sequences
//! with steps first. Layers ask for the layout that they need, so neighbours of a kind need no conversion between them.

use narrows_engine::Map;

use crate::graph::{Graph, Value};

/// A batch of samples in one of three layouts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Samples {
    /// `[N, width]`.
    Rows(Value),
    /// `[N, channels, height, width]`, of this map in a row. In the graph height and width may be free: they stay so
    /// from layer to layer, as long as all layers take maps.
    Maps(Value, Map),
    /// `[steps, N, channels]`, of this series in a row.
    Steps(Value, Map),
}

impl Samples {
    /// As rows, `[N, width]`.
    pub fn rows(self, graph: &mut Graph) -> Value {
        let rows = match self {
            Samples::Rows(rows) => return rows,
            Samples::Maps(maps, map) if is_row_by_row(map) => maps,
            Samples::Maps(maps, _) => graph.transpose(maps, &[0, 2, 3, 1]),
            Samples::Steps(steps, _) => graph.transpose(steps, &[1, 0, 2]),
        };
        graph.op("Flatten", &[rows])
    }

    /// As maps, `[N, channels, height, width]`.
    pub fn maps(self, graph: &mut Graph, map: Map) -> Value {
        match self {
            Samples::Maps(maps, known) if known == map => maps,
            _ => {
                let rows = self.rows(graph);
                let [height, width, channels] = [map.height, map.width, map.channels].map(|n| n as i64);
                if is_row_by_row(map) {
                    return graph.reshape(rows, &[-1, channels, height, width]);
                }
                let pixels = graph.reshape(rows, &[-1, height, width, channels]);
                graph.transpose(pixels, &[0, 3, 1, 2])
            }
        }
    }

    /// As sequences, `[steps, N, channels]`.
    pub fn steps(self, graph: &mut Graph, series: Map) -> Value {
        match self {
            Samples::Steps(steps, known) if known == series => steps,
            _ => {
                let rows = self.rows(graph);
                let windows = graph.reshape(rows, &[-1, series.width as i64, series.channels as i64]);
                graph.transpose(windows, &[1, 0, 2])
            }
        }
    }

    /// An operation on each value, which no layout matters to.
    pub(crate) fn each(self, operation: impl FnOnce(Value) -> Value) -> Samples {
        match self {
            Samples::Rows(rows) => Samples::Rows(operation(rows)),
            Samples::Maps(maps, map) => Samples::Maps(operation(maps), map),
            Samples::Steps(steps, series) => Samples::Steps(operation(steps), series),
        }
    }

    /// The sum with other samples of the same width, in this layout.
    pub(crate) fn plus(self, graph: &mut Graph, other: Samples) -> Samples {
        match self {
            Samples::Rows(rows) => {
                let other = other.rows(graph);
                Samples::Rows(graph.add(rows, other))
            }
            Samples::Maps(maps, map) => {
                let other = other.maps(graph, map);
                Samples::Maps(graph.add(maps, other), map)
            }
            Samples::Steps(steps, series) => {
                let other = other.steps(graph, series);
                Samples::Steps(graph.add(steps, other), series)
            }
        }
    }
}

/// Whether channels first and channels last are the same order.
fn is_row_by_row(map: Map) -> bool {
    map.channels == 1 || map.positions() == 1
}
