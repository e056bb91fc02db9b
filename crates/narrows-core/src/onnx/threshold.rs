//! From a score to a p-value and a label, as nodes.

use narrows_onnx::{Dim, Element, Graph, Reduction, Value};

use super::metadata::Metadata;
use crate::detect::{Calibration, Decision};
use crate::fitted::CalibratedThreshold;

/// One value a sample.
const ONE: [Dim; 2] = [Dim::BATCH, Dim::Fixed(1)];

/// Makes a score an output.
pub(super) fn output_score(graph: &mut Graph, score: Value) {
    graph.output("scores", score, Element::Double, &ONE);
}

/// Makes label and p-value of a score outputs, and describes the threshold.
pub(super) fn output_verdict(
    graph: &mut Graph,
    metadata: &mut Metadata,
    threshold: &CalibratedThreshold,
    score: Value,
) {
    let label = label(graph, &threshold.decision, score);
    let p_value = p_value(graph, &threshold.calibration, score);
    graph.output("label", label, Element::Int64, &ONE);
    graph.output("p_values", p_value, Element::Double, &ONE);
    metadata.add_decision(&threshold.decision);
}

/// 1 where the score is above the threshold, else 0; `[N, 1]`.
fn label(graph: &mut Graph, decision: &Decision, score: Value) -> Value {
    graph.scope("label");
    let threshold = graph.double(decision.threshold);
    let above = graph.op("Greater", &[score, threshold]);
    graph.cast(above, Element::Int64)
}

/// Calibration scores that are lower by no more than this share are as high as a score: the last digits of runtimes differ.
const EQUAL: f64 = 1e-6;

/// `Calibration::p_value`, `[N, 1]`. The number of lower calibration scores is found in two steps, in blocks of about the
/// square root of their number, so that a row is not compared with all of them.
fn p_value(graph: &mut Graph, calibration: &Calibration, score: Value) -> Value {
    graph.scope("p_value");
    let share = graph.double(1.0 - EQUAL);
    let least = graph.mul(score, share);
    let below = lower(graph, &calibration.scores, least);
    let n = calibration.scores.len() as f64;
    let all = graph.double(n);
    let not_below = graph.sub(all, below);
    let weight = graph.double(if n > 0.0 { calibration.blocks as f64 / n } else { 0.0 });
    let counted = graph.mul(not_below, weight);
    let (one, blocks) = (graph.double(1.0), graph.double(calibration.blocks as f64 + 1.0));
    let counted = graph.add(counted, one);
    let p = graph.div(counted, blocks);
    let (known, missing) = (graph.is_number(score), graph.double(f64::NAN));
    graph.select(known, p, missing)
}

/// The number of rising values below each score, in double.
fn lower(graph: &mut Graph, rising: &[f64], score: Value) -> Value {
    let count = |graph: &mut Graph, values: Value| {
        let below = graph.op("Less", &[values, score]);
        let below = graph.cast(below, Element::Double);
        graph.reduce(Reduction::Sum, below, &[1], true)
    };
    let size = (rising.len() as f64).sqrt().ceil().max(1.0) as usize;
    let blocks: Vec<&[f64]> = rising.chunks(size).collect();
    if blocks.len() < 2 {
        let values = graph.doubles(&[1, rising.len()], rising);
        return count(graph, values);
    }
    // The last of each block but the last.
    let ends: Vec<f64> = blocks[..blocks.len() - 1].iter().map(|block| block[block.len() - 1]).collect();
    let ends = graph.doubles(&[1, ends.len()], &ends);
    let whole = count(graph, ends);
    let filled: Vec<f64> = blocks
        .iter()
        .flat_map(|block| block.iter().copied().chain(std::iter::repeat_n(f64::INFINITY, size - block.len())))
        .collect();
    let table = graph.doubles(&[blocks.len(), size], &filled);
    let at = graph.cast(whole, Element::Int64);
    let at = graph.reshape(at, &[-1]);
    let block = graph.gather(table, at, 0);
    let within = count(graph, block);
    let width = graph.double(size as f64);
    let before = graph.mul(whole, width);
    graph.add(before, within)
}
