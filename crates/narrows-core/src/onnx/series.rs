//! The graph of a model of series: complete windows in the units of the data.
//!
//! In the rows layout a window is a row, and has score, p-value and label of it. In the long layout it has a score as a whole: that
//! of a point also needs the windows around it, and the points before. Columns beside the values, which are compared if they
//! never changed, are not in the graph.

use narrows_onnx::{Dim, Element, Graph, OperatorSet};
use serde_json::json;

use super::metadata::Metadata;
use super::samples::SampleNodes;
use super::scorer::{ScoreNodes, codes, scorer};
use super::threshold::{output_score, output_verdict};
use super::windows::{WindowNodes, prepared, put_back};
use crate::data::Layout;
use crate::ensemble::Ensemble;
use crate::error::{Error, Result};
use crate::fitted::{Invariants, SeriesAdapter, SeriesModel};
use crate::prep::Transform;

/// The bytes of a file with the model's graph.
pub(super) fn graph(model: &SeriesModel) -> Result<Vec<u8>> {
    let (adapter, core) = (&model.adapter, &model.core);
    if adapter.invariants.as_ref().is_some_and(Invariants::decide_alone) {
        let message =
            "cannot be exported to ONNX: nothing varied in training, and what never changed is not compared in a graph";
        return Err(Error::mismatch(message));
    }
    let SeriesGraph { mut graph, mut metadata, nodes } = SeriesGraph::of(adapter, "series")?;
    let samples = SampleNodes { input: nodes.input, observed: nodes.observed };
    let ScoreNodes { score, embedding, reconstruction, columns, .. } = scorer(&mut graph, &core.scorer, samples)?;
    graph.scope("score/complete");
    let nothing = graph.double(f64::NAN);
    let score = graph.select(nodes.is_complete, score, nothing);
    output_score(&mut graph, score);
    if adapter.layout == Layout::Rows {
        output_verdict(&mut graph, &mut metadata, &core.threshold, score);
    }
    graph.scope("reconstruction");
    let (steps, channels) = (adapter.pipeline.window(), adapter.pipeline.n_channels());
    let rebuilt = put_back(&mut graph, &adapter.pipeline, &nodes, reconstruction)?;
    let dims = [Dim::BATCH, Dim::Fixed(steps), Dim::Fixed(channels)];
    graph.output("reconstruction", rebuilt, Element::Double, &dims);
    graph.output("embedding", embedding, Element::Float, &[Dim::BATCH, Dim::Fixed(core.code_size())]);
    graph.output("feature_score", columns, Element::Float, &[Dim::BATCH, Dim::Fixed(core.scorer.slots.n_columns())]);
    metadata.encode(graph)
}

/// The bytes of a file with the graph of an encoder of series.
pub(super) fn encoder(adapter: &SeriesAdapter, ensemble: &Ensemble) -> Result<Vec<u8>> {
    let SeriesGraph { mut graph, metadata, nodes, .. } = SeriesGraph::of(adapter, "encoder")?;
    let code = codes(&mut graph, ensemble, nodes.input)?;
    graph.output("embedding", code, Element::Float, &[Dim::BATCH, Dim::Fixed(ensemble.code_size())]);
    metadata.encode(graph)
}

/// The points that the graph reads of a window: where it is differences in the long layout, also the one before.
pub(super) fn points_read(adapter: &SeriesAdapter) -> usize {
    adapter.pipeline.window() + usize::from(reads_point_before(adapter))
}

/// Whether a window begins with a difference from the point before it.
pub(super) fn reads_point_before(adapter: &SeriesAdapter) -> bool {
    adapter.layout == Layout::Long && adapter.pipeline.transform() == Transform::Difference
}

/// A graph that prepares windows.
struct SeriesGraph {
    graph: Graph,
    metadata: Metadata,
    nodes: WindowNodes,
}

impl SeriesGraph {
    fn of(adapter: &SeriesAdapter, kind: &'static str) -> Result<SeriesGraph> {
        let (points, channels) = (points_read(adapter), adapter.pipeline.n_channels());
        let mut graph = Graph::new("narrows", OperatorSet::V17);
        let dims = [Dim::BATCH, Dim::Fixed(points), Dim::Fixed(channels)];
        let windows = graph.input("windows", Element::Double, &dims);
        let nodes = prepared(&mut graph, &adapter.pipeline, windows, points)?;
        let names = &adapter.columns.channels;
        let (layout, columns) = match adapter.layout {
            Layout::Rows => ("rows", json!({"steps": names})),
            Layout::Long => ("long", json!({"channels": names})),
        };
        let mut metadata = Metadata::of(kind);
        let mut entry = json!({"input": "windows", "element": "double", "layout": layout, "points": points});
        if let (Some(entry), Some(columns)) = (entry.as_object_mut(), columns.as_object()) {
            entry.extend(columns.clone());
        }
        metadata.add("narrows.inputs", &[entry]);
        metadata.add("narrows.features", names);
        Ok(SeriesGraph { graph, metadata, nodes })
    }
}
