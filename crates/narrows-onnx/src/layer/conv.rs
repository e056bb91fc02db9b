//! Convolutions of maps; series are maps of height 1.

use narrows_engine::{Conv, ConvTranspose, Padding, PaddingMode};

use crate::graph::{Attribute, Graph};
use crate::samples::Samples;

use super::Weights;

pub(super) fn conv(graph: &mut Graph, layer: &Conv, weights: &Weights<'_>, input: Samples) -> Samples {
    let (channels, inputs) = (layer.channels, layer.input.channels);
    let mut x = input.maps(graph, layer.input);
    let mut padding = layer.padding;
    let mode = match layer.mode {
        _ if padding == Padding::NONE => None,
        PaddingMode::Zeros => None,
        PaddingMode::Reflect => Some("reflect"),
        PaddingMode::Replicate => Some("edge"),
    };
    if let Some(mode) = mode {
        let [top, left, bottom, right] = sides(padding);
        let pads = graph.ints(&[0, 0, top, left, 0, 0, bottom, right]);
        x = graph.op_with("Pad", &[x, pads], &[("mode", Attribute::Text(mode))]);
        padding = Padding::NONE;
    }
    let weight = graph.floats(&[channels, inputs, layer.kernel.0, layer.kernel.1], weights.get("weight"));
    let bias = graph.floats(&[channels], weights.get("bias"));
    let settings = [
        ("kernel_shape", pair(layer.kernel)),
        ("strides", pair(layer.stride)),
        ("dilations", pair(layer.dilation)),
        ("pads", Attribute::Ints(sides(padding).to_vec())),
    ];
    Samples::Maps(graph.op_with("Conv", &[x, weight, bias], &settings), layer.output())
}

pub(super) fn transposed(graph: &mut Graph, layer: &ConvTranspose, weights: &Weights<'_>, input: Samples) -> Samples {
    let (channels, inputs) = (layer.channels, layer.input.channels);
    let x = input.maps(graph, layer.input);
    let weight = graph.floats(&[inputs, channels, layer.kernel.0, layer.kernel.1], weights.get("weight"));
    let bias = graph.floats(&[channels], weights.get("bias"));
    let settings = [
        ("kernel_shape", pair(layer.kernel)),
        ("strides", pair(layer.stride)),
        ("dilations", pair(layer.dilation)),
        ("pads", Attribute::Ints(sides(layer.padding).to_vec())),
        ("output_padding", pair(layer.output_padding)),
    ];
    Samples::Maps(graph.op_with("ConvTranspose", &[x, weight, bias], &settings), layer.output())
}

/// Height and width.
pub(super) fn pair((height, width): (usize, usize)) -> Attribute<'static> {
    Attribute::Ints(vec![height as i64, width as i64])
}

/// Before both dimensions, then after them.
pub(super) fn sides(padding: Padding) -> [i64; 4] {
    [padding.top, padding.left, padding.bottom, padding.right].map(|n| n as i64)
}
