//! The part of the report specific to tables.

use super::adapter::{PreparedRows, TableAdapter};
use crate::fitted::scoring::ScoreDetail;
use crate::fitted::selection::ColumnSelection;
use crate::fitted::summary::{HeldOut, KindReport, ReportInputs, columns, notes, rows, top_row, top_samples};
use crate::prep::{Block, BlockKind, PrepReport, Prepared};
use crate::report::TopRow;

/// Top contributing columns of each reported row.
const TOP_REASONS: usize = 3;

pub(super) fn describe(
    inputs: &ReportInputs<'_>,
    held_out: &HeldOut,
    selection: &ColumnSelection,
    adapter: &TableAdapter,
    prep: &PrepReport,
) -> KindReport {
    KindReport {
        source: selection.table.source().to_owned(),
        label: selection.label.clone(),
        rows: rows(selection, inputs.split),
        population: selection.population.clone(),
        columns: columns(selection, &adapter.pipeline.columns(), adapter.invariants.as_ref(), |name| {
            quality(adapter.pipeline.blocks(), name, &held_out.rows, &held_out.output)
        }),
        notes: notes(selection, prep),
        top: top_rows(inputs, selection, adapter),
        series: None,
        images: None,
    }
}

/// The highest-scoring rows of the file, from all rows labelled anomalous and a subset of the others.
fn top_rows(inputs: &ReportInputs<'_>, selection: &ColumnSelection, adapter: &TableAdapter) -> Vec<TopRow> {
    let scorer = inputs.scorer;
    let top = top_samples(inputs);
    let prepared = inputs.prepared.take(&top);
    let samples =
        PreparedRows { typed: selection.table.take(&top), prepared, extra_columns: Vec::new(), unreadable: Vec::new() };
    let scored = scorer.score_with(&samples.prepared, ScoreDetail::Shares);
    let reasons = adapter.reasons(scorer, &samples, &scored.shares, TOP_REASONS);
    let rows = top.iter().zip(inputs.evidence.judged(top.iter().copied(), scored.scores)).zip(reasons);
    let top_row = |((&row, score), reasons)| {
        let reasons = inputs.evidence.reasons(row, reasons, TOP_REASONS);
        top_row(inputs.threshold, selection.table.row_number(row as usize), score, reasons)
    };
    rows.map(top_row).collect()
}

/// 1 - error / variance for numbers, accuracy for flags and categories, on held-out rows.
fn quality(blocks: &[Block], column: &str, held_out: &Prepared, output: &[f32]) -> Option<f64> {
    let block = blocks.iter().find(|block| block.column == column && block.kind != BlockKind::Missing)?;
    let width = held_out.width;
    let slots =
        |rows: &[f32], row: usize| rows[row * width + block.range.start..row * width + block.range.end].to_vec();
    let seen: Vec<(Vec<f32>, Vec<f32>)> = (0..held_out.n)
        .map(|row| (slots(&held_out.target, row), slots(output, row)))
        .filter(|(target, _)| target.iter().all(|t| t.is_finite()))
        .collect();
    if seen.is_empty() {
        return None;
    }
    let n = seen.len() as f64;
    match block.kind {
        BlockKind::Levels => {
            Some(seen.iter().filter(|(target, output)| argmax(target) == argmax(output)).count() as f64 / n)
        }
        BlockKind::Flag => {
            Some(seen.iter().filter(|(target, output)| (target[0] > 0.5) == (output[0] > 0.5)).count() as f64 / n)
        }
        _ => {
            let mut error = 0.0;
            let mut variance = 0.0;
            for slot in 0..block.range.len() {
                let mean = seen.iter().map(|(target, _)| f64::from(target[slot])).sum::<f64>() / n;
                error +=
                    seen.iter().map(|(target, output)| f64::from(target[slot] - output[slot]).powi(2)).sum::<f64>();
                variance += seen.iter().map(|(target, _)| (f64::from(target[slot]) - mean).powi(2)).sum::<f64>();
            }
            (variance > 1e-12).then(|| 1.0 - error / variance)
        }
    }
}

fn argmax(values: &[f32]) -> usize {
    (0..values.len()).fold(0, |best, i| if values[i] > values[best] { i } else { best })
}
