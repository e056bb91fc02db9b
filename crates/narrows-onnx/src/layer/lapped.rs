//! The lapped transform of maps of a known size: a product with a matrix for each side, and blocks that become channels.

use narrows_engine::{Lapped, LappedWay, Map};

use crate::graph::{Attribute, Graph, Value};
use crate::samples::Samples;

pub(super) fn lapped(graph: &mut Graph, layer: &Lapped, input: Samples) -> Samples {
    let (centre, step) = (graph.float(layer.centre), graph.float(layer.step));
    match layer.way {
        LappedWay::Analysis => {
            let x = input.maps(graph, layer.pixels);
            let x = graph.sub(x, centre);
            let x = graph.div(x, step);
            let planes = turned(graph, layer, x);
            Samples::Maps(blocks(graph, layer, planes), layer.blocks())
        }
        LappedWay::Synthesis => {
            let x = input.maps(graph, layer.blocks());
            let planes = planes(graph, layer, x);
            let x = turned(graph, layer, planes);
            let x = graph.mul(x, step);
            Samples::Maps(graph.add(x, centre), layer.pixels)
        }
    }
}

/// The orthonormal transform of planes, or its inverse: of colours, of columns and of rows.
fn turned(graph: &mut Graph, layer: &Lapped, mut x: Value) -> Value {
    let Map { height, width, channels } = layer.pixels;
    let inverse = layer.way == LappedWay::Synthesis;
    if channels == 3 {
        let colours = turn(Lapped::colours().as_flattened(), 3, inverse);
        let kernel = graph.floats(&[3, 3, 1, 1], &colours);
        x = graph.op_with("Conv", &[x, kernel], &[("kernel_shape", Attribute::Ints(vec![1, 1]))]);
    }
    let down = graph.floats(&[height, height], &turn(&Lapped::along(height), height, inverse));
    let across = graph.floats(&[width, width], &turn(&Lapped::along(width), width, !inverse));
    let x = graph.matmul(down, x);
    graph.matmul(x, across)
}

/// A square matrix as it is, or transposed.
fn turn(matrix: &[f32], side: usize, transposed: bool) -> Vec<f32> {
    (0..side * side).map(|i| if transposed { matrix[i % side * side + i / side] } else { matrix[i] }).collect()
}

/// Planes to blocks: the coefficients of a block become channels.
fn blocks(graph: &mut Graph, layer: &Lapped, planes: Value) -> Value {
    let [down, across, colours, side, coefficients] = sizes(layer);
    let cut = graph.reshape(planes, &[-1, colours, down, side, across, side]);
    let gathered = graph.transpose(cut, &[0, 1, 3, 5, 2, 4]);
    graph.reshape(gathered, &[-1, coefficients, down, across])
}

/// Blocks to planes.
fn planes(graph: &mut Graph, layer: &Lapped, blocks: Value) -> Value {
    let [down, across, colours, side, _] = sizes(layer);
    let cut = graph.reshape(blocks, &[-1, colours, side, side, down, across]);
    let spread = graph.transpose(cut, &[0, 1, 4, 2, 5, 3]);
    graph.reshape(spread, &[-1, colours, down * side, across * side])
}

/// Blocks down and across, colours, the side of a block, and the channels that its coefficients are.
fn sizes(layer: &Lapped) -> [i64; 5] {
    let (pixels, blocks) = (layer.pixels, layer.blocks());
    [blocks.height, blocks.width, pixels.channels, pixels.height / blocks.height, blocks.channels].map(|n| n as i64)
}
