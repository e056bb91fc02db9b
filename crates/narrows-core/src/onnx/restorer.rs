//! The graph of a restorer: the network, fully convolutional, and what its output is added to. Height and width are free.
//!
//! The library restores in tiles that overlap by the reach of the network, and reflects images at their edges as far; the graph
//! does the same with one tile.

use narrows_engine::Map;
use narrows_images::{COLOURS_OF_CHROMA, Channels, Damage};
use narrows_onnx::{Attribute, Dim, Element, Graph, OperatorSet, Reduction, Samples, Value, network};
use serde_json::json;

use super::metadata::Metadata;
use super::pixels::within;
use super::scorer::unsupported;
use crate::error::{Error, Result};
use crate::fitted::{Restorer, RestorerBase};

/// The bytes of a file with the restorer's graph.
pub(super) fn graph(restorer: &Restorer) -> Result<Vec<u8>> {
    let base = restorer.base();
    check(restorer, base)?;
    let (input, target, scale) = (base.input(), base.target(), base.ends().scale);
    let mut graph = Graph::new("narrows", OperatorSet::V17);
    let sides = [Dim::Free("H"), Dim::Free("W")];
    let dims =
        |channels: Channels, [height, width]: [Dim; 2]| [Dim::BATCH, Dim::Fixed(channels.count()), height, width];
    let images = graph.input("images", Element::Float, &dims(input, sides));
    let added = added(&mut graph, restorer, images)?;
    graph.scope("join");
    let restored = match base {
        RestorerBase::Luminance => coloured(&mut graph, images, added),
        RestorerBase::Lifted { .. } | RestorerBase::Holes { .. } => {
            let lifted = lifted(&mut graph, images, (input, target, scale));
            let restored = graph.add(lifted, added);
            within(&mut graph, restored)
        }
    };
    let restored_sides = if scale == 1 { sides } else { [Dim::Free("H_restored"), Dim::Free("W_restored")] };
    graph.output("restored", restored, Element::Float, &dims(target, restored_sides));
    let mut metadata = Metadata::of("restorer");
    let entry = json!({"input": "images", "element": "float", "channels": input.name(), "sample": "image"});
    metadata.add("narrows.inputs", &[entry]);
    metadata.add("narrows.scale", &scale);
    metadata.encode(graph)
}

/// Refuses what is done outside of the network.
fn check(restorer: &Restorer, base: RestorerBase) -> Result<()> {
    let refused = |what: &str| Err(Error::mismatch(format!("cannot be exported to ONNX: {what}")));
    if matches!(base, RestorerBase::Holes { .. }) {
        return refused("holes of any colour are found, and filled from around them, outside of the network");
    }
    let has_mark = matches!(restorer.damages().as_slice(), [Damage::Watermark { .. }]) && !restorer.marks.is_empty();
    if has_mark {
        return refused("a known watermark is registered and undone outside of the network");
    }
    Ok(())
}

/// The network's output, `[N, C, height * scale, width * scale]`.
fn added(graph: &mut Graph, restorer: &Restorer, images: Value) -> Result<Value> {
    let Restorer { backbone, params, recipe, .. } = restorer;
    let ends = restorer.base().ends();
    let (scale, step) = (ends.scale, ends.step());
    let reach = backbone.reach(ends).next_multiple_of(step);
    graph.scope("reflect");
    let tall = reflected(graph, images, 2, (reach, step));
    let padded = reflected(graph, tall, 3, (reach, step));
    let network = backbone.build(ends, (backbone.patch, backbone.patch), &recipe.loss)?;
    let map = |scale: usize, channels| Map::new(backbone.patch * scale, backbone.patch * scale, channels);
    graph.scope("network");
    let input = Samples::Maps(padded, map(1, ends.input));
    let code = network::encoder(graph, &network, params, input).map_err(unsupported)?;
    let output = network::decoder(graph, &network, params, code).map_err(unsupported)?;
    let maps = output.maps(graph, map(scale, ends.output));
    graph.scope("cut");
    let (edge, times) = (reach * scale, graph.ints(&[scale as i64]));
    let edges = graph.ints(&[edge as i64; 2]);
    let size = graph.op("Shape", &[images]);
    let size = graph.slice(size, 2, 4, 0);
    let size = graph.mul(size, times);
    let end = graph.add(size, edges);
    let axes = graph.ints(&[2, 3]);
    Ok(graph.op("Slice", &[maps, edges, end, axes]))
}

/// Images with `reach` more pixels on both sides of an axis, reflected without repeating the edge, as often as needed; their
/// number in between is brought to a multiple of `step`.
fn reflected(graph: &mut Graph, images: Value, axis: i64, (reach, step): (usize, usize)) -> Value {
    let size = graph.op("Shape", &[images]);
    let (at, one) = (graph.int(axis), graph.int(1));
    let n = graph.gather(size, at, 0);
    let (step, less) = (graph.int(step as i64), graph.int(step as i64 - 1));
    let even = graph.add(n, less);
    let even = graph.div(even, step);
    let even = graph.mul(even, step);
    let (first, reach) = (graph.int(-(reach as i64)), graph.int(reach as i64));
    let end = graph.add(even, reach);
    let places = graph.op("Range", &[first, end, one]);
    let two = graph.int(2);
    let steps = graph.sub(n, one);
    let period = graph.mul(steps, two);
    let period = graph.op("Max", &[period, one]);
    // From 0 on: runtimes do not agree on the remainder of negative numbers.
    let periods = graph.mul(period, reach);
    let places = graph.add(places, periods);
    let place = graph.op("Mod", &[places, period]);
    let back = graph.sub(period, place);
    let place = graph.op("Min", &[place, back]);
    graph.gather(images, place, axis)
}

/// `Base::lifted`: enlarged, with the channels of the restored image.
fn lifted(graph: &mut Graph, images: Value, (input, target, scale): (Channels, Channels, usize)) -> Value {
    let coloured = if input == target { images } else { graph.concat(&[images; 3], 1) };
    if scale == 1 {
        return coloured;
    }
    let scales = graph.floats(&[4], &[1.0, 1.0, scale as f32, scale as f32]);
    let settings = [
        ("mode", Attribute::Text("cubic")),
        ("coordinate_transformation_mode", Attribute::Text("half_pixel")),
        ("cubic_coeff_a", Attribute::Float(-0.5)),
        ("exclude_outside", Attribute::Int(1)),
    ];
    graph.op_with("Resize", &[coloured, Value::NONE, scales], &settings)
}

/// `narrows_images::recombine` of grey images and chroma `[N, 2, height, width]`.
fn coloured(graph: &mut Graph, images: Value, chroma: Value) -> Value {
    let luma = within(graph, images);
    let kernel = graph.floats(&[3, 2, 1, 1], COLOURS_OF_CHROMA.as_flattened());
    let differences = graph.op_with("Conv", &[chroma, kernel], &[("kernel_shape", Attribute::Ints(vec![1, 1]))]);
    let (zero, one) = (graph.float(0.0), graph.float(1.0));
    let above = graph.sub(one, luma);
    let rises = graph.op("Greater", &[differences, zero]);
    let room = graph.select(rises, above, luma);
    let size = graph.op("Abs", &[differences]);
    let is_out = graph.op("Greater", &[size, room]);
    let share = graph.div(room, size);
    let share = graph.select(is_out, share, one);
    let kept = graph.reduce(Reduction::Min, share, &[1], true);
    let kept = graph.mul(differences, kept);
    let colours = graph.add(luma, kept);
    within(graph, colours)
}
