//! Layers of maps without parameters: other sizes.

use narrows_engine::{PixelShuffle, Pool, PoolKind, Upsample, UpsampleKind};

use crate::graph::{Attribute, Graph, Value};
use crate::samples::Samples;

use super::conv::{pair, sides};

pub(super) fn pool(graph: &mut Graph, layer: &Pool, input: Samples) -> Samples {
    let x = input.maps(graph, layer.input);
    let mut settings = vec![
        ("kernel_shape", pair(layer.size)),
        ("strides", pair(layer.stride)),
        ("pads", Attribute::Ints(sides(layer.padding).to_vec())),
    ];
    let operator = match layer.kind {
        PoolKind::Max => "MaxPool",
        PoolKind::Average => {
            settings.push(("count_include_pad", Attribute::Int(1)));
            "AveragePool"
        }
    };
    Samples::Maps(graph.op_with(operator, &[x], &settings), layer.output())
}

pub(super) fn upsample(graph: &mut Graph, layer: &Upsample, input: Samples) -> Samples {
    let x = input.maps(graph, layer.input);
    let scales = graph.floats(&[4], &[1.0, 1.0, layer.factor.0 as f32, layer.factor.1 as f32]);
    let [mode, places] = match layer.kind {
        UpsampleKind::Nearest => ["nearest", "asymmetric"],
        UpsampleKind::Bilinear => ["linear", "half_pixel"],
    };
    let settings = [
        ("mode", Attribute::Text(mode)),
        ("coordinate_transformation_mode", Attribute::Text(places)),
        ("nearest_mode", Attribute::Text("floor")),
    ];
    Samples::Maps(graph.op_with("Resize", &[x, Value::NONE, scales], &settings), layer.output())
}

/// Blocks need not be square: a kernel of ones and zeros spreads each channel to its pixel of the block.
pub(super) fn pixel_shuffle(graph: &mut Graph, layer: &PixelShuffle, input: Samples) -> Samples {
    let x = input.maps(graph, layer.input);
    let (down, across) = layer.factor;
    let y = if down == across {
        let settings = [("blocksize", Attribute::Int(down as i64)), ("mode", Attribute::Text("CRD"))];
        graph.op_with("DepthToSpace", &[x], &settings)
    } else {
        let (channels, block) = (layer.input.channels, down * across);
        let ones: Vec<f32> =
            (0..channels * block).map(|i| if i / block % block == i % block { 1.0 } else { 0.0 }).collect();
        let kernel = graph.floats(&[channels, 1, down, across], &ones);
        let settings = [
            ("kernel_shape", pair(layer.factor)),
            ("strides", pair(layer.factor)),
            ("group", Attribute::Int((channels / block) as i64)),
        ];
        graph.op_with("ConvTranspose", &[x, kernel], &settings)
    };
    Samples::Maps(y, layer.output())
}
