//! Distances of local patches of images from those in memory, as nodes.

use narrows_images::Filter;
use narrows_images::local_contrast::{DARK, LEAST_CONTRAST};
use narrows_onnx::{Attribute, Element, Graph, Reduction, Value};

use super::neighbours::kth;
use super::pixels::{Size, Tiles, resized, smoothed};
use super::terms;
use crate::baseline::MemoryBank;
use crate::fitted::{PatchCut, PatchMemory};

/// What is computed of images.
pub(super) struct PatchNodes {
    /// The score by patches, `[N, 1]` in double.
    pub(super) score: Value,
    /// The heat of every pixel, `[N, 1, height, width]`.
    pub(super) heat: Value,
}

/// Adds the score by patches of images `[N, C, height, width]`.
pub(super) fn patches(graph: &mut Graph, memory: &PatchMemory, images: Value, size: Size) -> PatchNodes {
    graph.scope("patches");
    let channels = memory.cut.channels.count();
    let reduced = memory.cut.size(size);
    let small = resized(graph, images, size, reduced, Filter::Area);
    let small = graph.cast(small, Element::Double);
    let contrast = local_contrast(graph, small, reduced);
    let tiles = Tiles::new(&PatchCut::grid(reduced), reduced);
    let rows = tiles.cut(graph, contrast, channels);
    graph.scope("patches/memory");
    let codes = codes(graph, &memory.bank, rows);
    let distances = kth(graph, &memory.bank.codes, codes);
    graph.scope("patches/score");
    let distances = graph.reshape(distances, &[-1, tiles.len() as i64]);
    let of_image = ranked(graph, distances, PatchMemory::farther(tiles.len()));
    let log = terms::term(graph, &memory.term, of_image);
    let score = graph.op("Exp", &[log]);
    graph.scope("patches/heat");
    let typical = graph.double(memory.term.ratio.typical());
    let relative = graph.div(distances, typical);
    let (power, unit) =
        (graph.double(f64::from(PatchMemory::HEAT_POWER)), graph.double(f64::from(PatchMemory::TYPICAL_HEAT)));
    let raised = graph.op("Pow", &[relative, power]);
    let heat = graph.mul(raised, unit);
    let heat = graph.cast(heat, Element::Float);
    let heat = tiles.spread(graph, heat);
    let heat = resized(graph, heat, reduced, size, Filter::Bicubic);
    let nothing = graph.float(0.0);
    let heat = graph.op("Max", &[heat, nothing]);
    PatchNodes { score, heat }
}

/// `narrows_images::local_contrast`, in double.
fn local_contrast(graph: &mut Graph, x: Value, size: Size) -> Value {
    graph.scope("patches/contrast");
    let (zero, dark) = (graph.double(0.0), graph.double(f64::from(DARK)));
    let light = graph.op("Max", &[x, zero]);
    let light = graph.add(light, dark);
    let logs = graph.op("Log", &[light]);
    let means = smoothed(graph, logs, size, PatchCut::SURROUNDINGS);
    let centred = graph.sub(logs, means);
    let squares = graph.mul(centred, centred);
    let squares = smoothed(graph, squares, size, PatchCut::SURROUNDINGS);
    let variance = graph.reduce(Reduction::Mean, squares, &[1], true);
    let least = graph.double(f64::from(LEAST_CONTRAST * LEAST_CONTRAST));
    let variance = graph.add(variance, least);
    let deviation = graph.op("Sqrt", &[variance]);
    graph.div(centred, deviation)
}

/// The whitened codes of rows in double, `[rows, units]` in 32 bits.
fn codes(graph: &mut Graph, bank: &MemoryBank, rows: Value) -> Value {
    let (width, deviations) = (bank.width(), bank.deviations());
    let mean: Vec<f64> = bank.pca.mean.iter().map(|x| f64::from(*x)).collect();
    let mean = graph.doubles(&[1, width], &mean);
    let centred = graph.sub(rows, mean);
    // Where all rows were equal there is one unit, which is zero.
    let units = deviations.len().max(1);
    let mut axes = vec![0.0; width * units];
    for (unit, (axis, deviation)) in bank.pca.components.chunks_exact(width).zip(&deviations).enumerate() {
        for (slot, x) in axis.iter().enumerate() {
            axes[slot * units + unit] = f64::from(*x) / f64::from(*deviation);
        }
    }
    let axes = graph.doubles(&[width, units], &axes);
    let codes = graph.matmul(centred, axes);
    graph.cast(codes, Element::Float)
}

/// The highest of each row `[N, n]` but for so many, `[N, 1]`.
fn ranked(graph: &mut Graph, values: Value, farther: usize) -> Value {
    let most = graph.ints(&[farther as i64 + 1]);
    let settings = [("axis", Attribute::Int(1)), ("largest", Attribute::Int(1)), ("sorted", Attribute::Int(1))];
    let [highest, _] = graph.ops("TopK", &[values, most], &settings);
    graph.slice(highest, farther as i64, farther as i64 + 1, 1)
}
