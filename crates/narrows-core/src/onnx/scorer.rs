//! The scorer as nodes: networks, errors of columns, and the detector's components.

use narrows_onnx::{Element, Graph, Reduction, Samples, Value, network};

use super::samples::SampleNodes;
use super::{neighbours, terms};
use crate::baseline::Gaussian;
use crate::detect::residual::Slots;
use crate::detect::{Detector, MemberScale, Score};
use crate::ensemble::Ensemble;
use crate::error::{Error, Result};
use crate::fitted::Scorer;

/// What is computed of samples.
pub(super) struct ScoreNodes {
    /// The score, `[N, 1]` in double.
    pub(super) score: Value,
    /// The first member's code, `[N, code_size]`.
    pub(super) embedding: Value,
    /// The members' outputs, `[N, width]` each.
    pub(super) outputs: Vec<Value>,
    /// The mean of the members' outputs, `[N, width]`.
    pub(super) reconstruction: Value,
    /// The error of each column in units of a typical row's, the mean over members, `[N, columns]`.
    pub(super) columns: Value,
}

/// Adds the scorer.
pub(super) fn scorer(graph: &mut Graph, scorer: &Scorer, samples: SampleNodes) -> Result<ScoreNodes> {
    let Scorer { ensemble, detector, slots } = scorer;
    let share = graph.double(1.0 / ensemble.members.len() as f64);
    let (mut logs, mut outputs, mut columns, mut codes) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for (m, (params, scale)) in ensemble.members.iter().zip(&detector.members).enumerate() {
        graph.scope(&format!("member.{m}"));
        let input = Samples::Rows(samples.input);
        let code = network::encoder(graph, &ensemble.network, params, input).map_err(unsupported)?;
        let output = network::decoder(graph, &ensemble.network, params, code).map_err(unsupported)?;
        let (code, output) = (code.rows(graph), output.rows(graph));
        graph.scope(&format!("member.{m}/error"));
        let errors = contributions(graph, slots, samples, output);
        let (mean, relative) = typical(graph, scale, errors);
        let log = terms::log_ratio(graph, &scale.ratio, mean);
        logs.push(graph.mul(log, share));
        columns.push(relative);
        outputs.push(output);
        codes.push(code);
    }
    graph.scope("score");
    let residual = terms::sum(graph, &logs);
    let log = combined(graph, detector, samples, (residual, codes[0], outputs[0]));
    graph.scope("score");
    let (exponent, low, high) =
        (graph.double(detector.exponent), graph.double(-Detector::LIMIT), graph.double(Detector::LIMIT));
    let log = graph.mul(log, exponent);
    let log = graph.clamp(log, low, high);
    let score = graph.op("Exp", &[log]);
    let (reconstruction, columns) = (mean(graph, &outputs), mean(graph, &columns));
    Ok(ScoreNodes { score, embedding: codes[0], outputs, reconstruction, columns })
}

/// Adds the encoder of the first member: rows `[N, width]` to codes `[N, code_size]`.
pub(super) fn codes(graph: &mut Graph, ensemble: &Ensemble, rows: Value) -> Result<Value> {
    graph.scope("member.0");
    let (network, params) = (&ensemble.network, &ensemble.members[0]);
    let codes = network::encoder(graph, network, params, Samples::Rows(rows)).map_err(unsupported)?;
    Ok(codes.rows(graph))
}

/// An error of the graph's builder, as one of ours.
pub(super) fn unsupported(error: narrows_onnx::OnnxError) -> Error {
    Error::mismatch(format!("cannot be exported to ONNX: {error}"))
}

/// Input less output, 0 where it was not observed; `[N, width]`.
fn error_of(graph: &mut Graph, samples: SampleNodes, output: Value) -> Value {
    let error = graph.sub(samples.input, output);
    samples.observed.map_or(error, |observed| graph.mul(error, observed))
}

/// `Slots::contributions`, `[N, columns]`.
fn contributions(graph: &mut Graph, slots: &Slots, samples: SampleNodes, output: Value) -> Value {
    let error = error_of(graph, samples, output);
    let squared = graph.mul(error, error);
    let (width, columns) = (slots.width(), slots.n_columns());
    let in_columns = |graph: &mut Graph, values: Value, of: &dyn Fn(usize) -> f32| {
        let mut matrix = vec![0.0; width * columns];
        (0..width).for_each(|slot| matrix[slot * columns + slots.column(slot)] = of(slot));
        let matrix = graph.floats(&[width, columns], &matrix);
        graph.matmul(values, matrix)
    };
    let sums = if columns == width { squared } else { in_columns(graph, squared, &|_| 1.0) };
    let (Some(observed), true) = (samples.observed, slots.rests_on_observed()) else { return sums };
    // A column of several values of which some were observed counts by their share.
    let values = |column: usize| (0..width).filter(|slot| slots.column(*slot) == column).count() as f32;
    let shares: Vec<f32> = (0..width).map(|slot| 1.0 / values(slots.column(slot))).collect();
    let shares = graph.floats(&[width, 1], &shares);
    let seen = graph.matmul(observed, shares);
    let (all, zero, one) = (graph.float(columns as f32), graph.float(0.0), graph.float(1.0));
    let raise = graph.div(all, seen);
    let any = graph.op("Greater", &[seen, zero]);
    let raise = graph.select(any, raise, one);
    graph.mul(sums, raise)
}

/// The mean scaled error of a row `[N, 1]` in double, and those of its columns over the typical one, `[N, columns]`.
fn typical(graph: &mut Graph, scale: &MemberScale, errors: Value) -> (Value, Value) {
    let errors = graph.cast(errors, Element::Double);
    let scales = &scale.columns.scale;
    let scaled = match scales.iter().all(|scale| *scale == 1.0) {
        true => errors,
        false => {
            let scales = graph.doubles(&[1, scales.len()], scales);
            graph.div(errors, scales)
        }
    };
    let mean = graph.reduce(Reduction::Mean, scaled, &[1], true);
    let ordinary = graph.double(scale.ratio.typical());
    let relative = graph.div(scaled, ordinary);
    (mean, graph.cast(relative, Element::Float))
}

/// `Detector::log`, from the log residual, and the code and output of the first member.
fn combined(
    graph: &mut Graph,
    detector: &Detector,
    samples: SampleNodes,
    (residual, code, output): (Value, Value, Value),
) -> Value {
    match (detector.score, &detector.neighbours, &detector.gaussian) {
        (Score::Neighbour, Some(proximity), _) => neighbours::distance(graph, proximity, code),
        (Score::Mix, Some(proximity), _) => neighbours::mix(graph, proximity, residual, samples.input),
        (Score::Mahalanobis, _, Some((gaussian, ratio))) => {
            graph.scope("score/mahalanobis");
            let error = error_of(graph, samples, output);
            let joined = graph.concat(&[error, code], 1);
            let squared = squared_distance(graph, gaussian, joined);
            terms::log_ratio(graph, ratio, squared)
        }
        _ => residual,
    }
}

/// `Gaussian::squared_distance`, `[N, 1]`.
pub(super) fn squared_distance(graph: &mut Graph, gaussian: &Gaussian, x: Value) -> Value {
    let width = gaussian.mean.len();
    let x = graph.cast(x, Element::Double);
    let mean = graph.doubles(&[1, width], &gaussian.mean);
    let centred = graph.sub(x, mean);
    let transposed: Vec<f64> =
        (0..width * width).map(|at| gaussian.whitening[at % width * width + at / width]).collect();
    let whitening = graph.doubles(&[width, width], &transposed);
    let white = graph.matmul(centred, whitening);
    let squared = graph.mul(white, white);
    graph.reduce(Reduction::Sum, squared, &[1], true)
}

/// The mean of values of one shape.
pub(super) fn mean(graph: &mut Graph, values: &[Value]) -> Value {
    if let [only] = values {
        return *only;
    }
    let (sum, share) = (terms::sum(graph, values), graph.float(1.0 / values.len() as f32));
    graph.mul(sum, share)
}
