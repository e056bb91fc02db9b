//! The graph of a model of tables.

use narrows_onnx::{Dim, Element, Graph, OperatorSet};

use super::cells::{InputColumns, element};
use super::metadata::{InputEntry, Metadata, element_name};
use super::samples::SampleNodes;
use super::scorer::{ScoreNodes, codes, scorer};
use super::threshold::{output_score, output_verdict};
use super::{OnnxInputs, invariants, prep};
use crate::data::{Column, Schema};
use crate::ensemble::Ensemble;
use crate::error::Result;
use crate::fitted::{TableAdapter, TableModel};

/// The names that outputs have.
pub(super) const OUTPUTS: [&str; 6] = ["scores", "label", "p_values", "reconstruction", "embedding", "feature_score"];

/// The bytes of a file with the model's graph.
pub(super) fn graph(model: &TableModel, inputs: OnnxInputs) -> Result<Vec<u8>> {
    let (adapter, core) = (&model.adapter, &model.core);
    let mut table = TableGraph::of(adapter, inputs, "table")?;
    let mut nodes = scorer(&mut table.graph, &core.scorer, table.samples)?;
    if let (Some(columns), Some(kept)) = (&table.columns, &adapter.invariants) {
        nodes.score = invariants::judged(&mut table.graph, kept, columns, &adapter.schema, nodes.score);
    }
    let TableGraph { mut graph, mut metadata, .. } = table;
    let ScoreNodes { score, embedding, reconstruction, columns, .. } = nodes;
    output_score(&mut graph, score);
    output_verdict(&mut graph, &mut metadata, &core.threshold, score);
    let width = Dim::Fixed(core.scorer.slots.width());
    graph.output("reconstruction", reconstruction, Element::Float, &[Dim::BATCH, width]);
    graph.output("embedding", embedding, Element::Float, &[Dim::BATCH, Dim::Fixed(core.code_size())]);
    graph.output("feature_score", columns, Element::Float, &[Dim::BATCH, Dim::Fixed(core.scorer.slots.n_columns())]);
    metadata.encode(graph)
}

/// The bytes of a file with the graph of an encoder of tables.
pub(super) fn encoder(adapter: &TableAdapter, ensemble: &Ensemble, inputs: OnnxInputs) -> Result<Vec<u8>> {
    let TableGraph { mut graph, metadata, samples, .. } = TableGraph::of(adapter, inputs, "encoder")?;
    let code = codes(&mut graph, ensemble, samples.input)?;
    graph.output("embedding", code, Element::Float, &[Dim::BATCH, Dim::Fixed(ensemble.code_size())]);
    metadata.encode(graph)
}

/// A graph that prepares rows.
struct TableGraph {
    graph: Graph,
    metadata: Metadata,
    samples: SampleNodes,
    /// The inputs, if they are columns.
    columns: Option<InputColumns>,
}

impl TableGraph {
    fn of(adapter: &TableAdapter, inputs: OnnxInputs, kind: &'static str) -> Result<TableGraph> {
        let mut metadata = Metadata::of(kind);
        let pipeline = &adapter.pipeline;
        let table = match inputs {
            OnnxInputs::Columns => {
                let read = columns_read(adapter);
                let mut graph = Graph::new("narrows", operators(&read));
                let columns = InputColumns::add(&mut graph, &read, &OUTPUTS);
                let samples = prep::pipeline(&mut graph, pipeline, &columns)?;
                add_inputs(&mut metadata, &columns);
                TableGraph { graph, metadata, samples, columns: Some(columns) }
            }
            OnnxInputs::Matrix => {
                let mut graph = Graph::new("narrows", OperatorSet::V17);
                let rows = graph.input("rows", Element::Float, &[Dim::BATCH, Dim::Fixed(pipeline.width())]);
                let samples = SampleNodes::with_gaps(&mut graph, rows, &pipeline.gaps());
                TableGraph { graph, metadata, samples, columns: None }
            }
        };
        let TableGraph { graph, mut metadata, samples, columns } = table;
        metadata.add_blocks(pipeline.blocks());
        metadata.add("narrows.features", &adapter.schema.names());
        Ok(TableGraph { graph, metadata, samples, columns })
    }
}

/// The columns that scoring reads: those that the network reads, and those that are compared.
pub(super) fn columns_read(adapter: &TableAdapter) -> Schema {
    match &adapter.invariants {
        Some(invariants) => invariants.columns_read(&adapter.schema),
        None => adapter.schema.clone(),
    }
}

/// The operators that columns need: only the later ones compare text.
pub(super) fn operators(schema: &Schema) -> OperatorSet {
    let has_text = schema.columns.iter().any(|column| element(column.kind) == Element::String);
    if has_text { OperatorSet::V19 } else { OperatorSet::V17 }
}

/// Describes the inputs.
pub(super) fn add_inputs(metadata: &mut Metadata, columns: &InputColumns) {
    let entry = |input: &'_ super::cells::InputColumn| {
        let Column { name, kind, .. } = &input.column;
        serde_json::to_value(InputEntry {
            input: &input.input,
            column: name,
            kind: *kind,
            element: element_name(element(*kind)),
        })
        .unwrap_or_default()
    };
    metadata.add("narrows.inputs", &columns.0.iter().map(entry).collect::<Vec<_>>());
}
