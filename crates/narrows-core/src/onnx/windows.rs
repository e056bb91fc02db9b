//! The preparation of complete windows as nodes: scaled channels, and levels taken out of each window and put back.

use narrows_onnx::{Element, Graph, Reduction, Value};

use super::prep::{held, scaled, unscaled};
use crate::error::{Error, Result};
use crate::prep::{Level, NumberEncoder, SignalPipeline, Transform, Unobserved};

/// Windows as the network reads them.
pub(super) struct WindowNodes {
    /// `[N, steps * C]`, time-major.
    pub(super) input: Value,
    /// `[1, steps * C]`, 1 where a value is observed; `None` if all are.
    pub(super) observed: Option<Value>,
    /// Whether all values of a window are finite, `[N, 1]`.
    pub(super) is_complete: Value,
    level: LevelNodes,
}

/// The level of each channel of each window, `[N, 1, C]` each; what is left out is 0, 0 and 1.
#[derive(Default)]
struct LevelNodes {
    offset: Option<Value>,
    slope: Option<Value>,
    size: Option<Value>,
}

/// `SignalPipeline::signal` and `cut` of windows `[N, points, C]` in double, which have a point before them if there is one
/// point more than steps.
pub(super) fn prepared(
    graph: &mut Graph,
    pipeline: &SignalPipeline,
    windows: Value,
    points: usize,
) -> Result<WindowNodes> {
    let scales = scales(pipeline)?;
    let (steps, channels) = (pipeline.window(), pipeline.n_channels());
    graph.scope("prepare/complete");
    let is_complete = is_complete(graph, windows);
    graph.scope("prepare");
    let differs = pipeline.transform() == Transform::Difference;
    // Of a row, the first step has none before it: it is as the next one, and not observed.
    let has_unseen = differs && points == steps;
    if has_unseen && (steps == 1 || pipeline.unobserved() == (Unobserved::Absent { points: 1 })) {
        let message = "cannot be exported to ONNX: the first difference of a row, which is absent, has no counterpart";
        return Err(Error::mismatch(message));
    }
    let mut values = windows;
    if differs {
        let (after, before) =
            (graph.slice(windows, 1, points as i64, 1), graph.slice(windows, 0, points as i64 - 1, 1));
        values = graph.sub(after, before);
    }
    let scaled = each(graph, values, channels, |graph, c, x| {
        let scaled = scaled(graph, scales[c], x);
        held(graph, scaled, scales[c].clip.get())
    });
    let mut signal = graph.cast(scaled, Element::Float);
    let mut observed = None;
    if has_unseen {
        let next = graph.slice(signal, 0, 1, 1);
        signal = graph.concat(&[next, signal], 1);
        let seen: Vec<f32> = (0..steps * channels).map(|slot| f32::from(u8::from(slot >= channels))).collect();
        observed = Some(graph.floats(&[1, steps * channels], &seen));
    }
    graph.scope("prepare/level");
    let level = level(graph, pipeline.transform(), steps, signal);
    let taken = level.taken(graph, steps, signal);
    let input = graph.op("Flatten", &[taken]);
    Ok(WindowNodes { input, observed, is_complete, level })
}

/// Prepared windows `[N, steps * C]` with their levels, in the units of the data, `[N, steps, C]` in double.
pub(super) fn put_back(
    graph: &mut Graph,
    pipeline: &SignalPipeline,
    nodes: &WindowNodes,
    rows: Value,
) -> Result<Value> {
    let scales = scales(pipeline)?;
    let (steps, channels) = (pipeline.window(), pipeline.n_channels());
    let windows = graph.reshape(rows, &[-1, steps as i64, channels as i64]);
    let windows = nodes.level.returned(graph, steps, windows);
    let windows = graph.cast(windows, Element::Double);
    Ok(each(graph, windows, channels, |graph, c, z| unscaled(graph, scales[c], z)))
}

/// The scales of the channels.
fn scales(pipeline: &SignalPipeline) -> Result<Vec<&NumberEncoder>> {
    pipeline.common_scales().ok_or_else(|| {
        let message =
            "cannot be exported to ONNX: series have scales of their own, and a window does not say whose it is";
        Error::mismatch(message)
    })
}

/// Whether all values of windows are finite, `[N, 1]`.
fn is_complete(graph: &mut Graph, windows: Value) -> Value {
    let (size, infinite) = (graph.op("Abs", &[windows]), graph.double(f64::INFINITY));
    // NaN is not below.
    let finite = graph.op("Less", &[size, infinite]);
    let finite = graph.cast(finite, Element::Float);
    let least = graph.reduce(Reduction::Min, finite, &[1, 2], false);
    let least = graph.reshape(least, &[-1, 1]);
    graph.cast(least, Element::Bool)
}

/// What becomes of each channel of `[N, steps, C]`, as a column `[N * steps, 1]`.
fn each(
    graph: &mut Graph,
    windows: Value,
    channels: usize,
    mut change: impl FnMut(&mut Graph, usize, Value) -> Value,
) -> Value {
    let flat = graph.reshape(windows, &[-1, channels as i64]);
    let changed: Vec<Value> = (0..channels)
        .map(|c| {
            let column = if channels == 1 { flat } else { graph.slice(flat, c as i64, c as i64 + 1, 1) };
            change(graph, c, column)
        })
        .collect();
    let flat = graph.concat(&changed, 1);
    let shape = graph.op("Shape", &[windows]);
    graph.op("Reshape", &[flat, shape])
}

/// `Level::of`.
fn level(graph: &mut Graph, transform: Transform, steps: usize, signal: Value) -> LevelNodes {
    if matches!(transform, Transform::None | Transform::Difference) {
        return LevelNodes::default();
    }
    let wide = graph.cast(signal, Element::Double);
    let mean = graph.reduce(Reduction::Mean, wide, &[1], true);
    let offset = Some(graph.cast(mean, Element::Float));
    let centred = graph.sub(wide, mean);
    match transform {
        Transform::Detrend => {
            let middle = (steps as f64 - 1.0) / 2.0;
            let times: Vec<f64> = (0..steps).map(|t| t as f64 - middle).collect();
            let square: f64 = times.iter().map(|t| t * t).sum();
            let times = graph.doubles(&[1, steps, 1], &times);
            let products = graph.mul(centred, times);
            let cross = graph.reduce(Reduction::Sum, products, &[1], true);
            let share = graph.double(if square > 0.0 { 1.0 / square } else { 0.0 });
            let slope = graph.mul(cross, share);
            LevelNodes { offset, slope: Some(graph.cast(slope, Element::Float)), size: None }
        }
        Transform::Standardise => {
            let squares = graph.mul(centred, centred);
            let variance = graph.reduce(Reduction::Mean, squares, &[1], true);
            let deviation = graph.op("Sqrt", &[variance]);
            let least = graph.double(1.0 / Level::LARGEST_STRETCH);
            let size = graph.op("Max", &[deviation, least]);
            LevelNodes { offset, slope: None, size: Some(graph.cast(size, Element::Float)) }
        }
        Transform::None | Transform::Difference | Transform::Centre => LevelNodes { offset, ..LevelNodes::default() },
    }
}

impl LevelNodes {
    /// The level at each step, `[N, steps or 1, C]`.
    fn at(&self, graph: &mut Graph, steps: usize) -> Option<Value> {
        let (Some(offset), Some(slope)) = (self.offset, self.slope) else { return self.offset };
        let times: Vec<f32> = (0..steps).map(|t| t as f32 - (steps as f32 - 1.0) / 2.0).collect();
        let times = graph.floats(&[1, steps, 1], &times);
        let rise = graph.mul(slope, times);
        Some(graph.add(offset, rise))
    }

    /// `Level::take`
    fn taken(&self, graph: &mut Graph, steps: usize, windows: Value) -> Value {
        let centred = match self.at(graph, steps) {
            Some(level) => graph.sub(windows, level),
            None => windows,
        };
        self.size.map_or(centred, |size| graph.div(centred, size))
    }

    /// `Level::put_back`
    fn returned(&self, graph: &mut Graph, steps: usize, windows: Value) -> Value {
        let sized = self.size.map_or(windows, |size| graph.mul(windows, size));
        match self.at(graph, steps) {
            Some(level) => graph.add(sized, level),
            None => sized,
        }
    }
}
