//! Compression state in a model file: steps and centres as tensors, probability tables as integers.

use narrows_codec::Table;
use serde::{Deserialize, Serialize};

use super::container::{Container, Tensor};
use crate::codec::{Coding, Quantiser, Span};
use crate::recipe::Recipe;

#[derive(Serialize, Deserialize)]
pub(super) struct CodingNote {
    output_step: f32,
    /// One per code unit; for maps one per channel.
    tables: Vec<TableNote>,
    spans: Vec<Option<Span>>,
}

#[derive(Serialize, Deserialize)]
struct TableNote {
    lowest: i64,
    shift: u32,
    counts: Vec<u16>,
}

pub(super) fn tensors(coding: &Coding) -> [Tensor; 2] {
    let Quantiser { centre, step, .. } = &coding.quantiser;
    [Tensor::f32("coding.centre", &[centre.len()], centre), Tensor::f32("coding.step", &[step.len()], step)]
}

impl CodingNote {
    pub(super) fn of(coding: &Coding) -> CodingNote {
        let table =
            |table: &Table| TableNote { lowest: table.lowest(), shift: table.shift(), counts: table.counts().to_vec() };
        CodingNote {
            output_step: coding.quantiser.output_step,
            tables: coding.quantiser.tables.iter().map(table).collect(),
            spans: coding.spans.clone(),
        }
    }

    pub(super) fn read(self, container: &Container<'_>, recipe: &Recipe, code_size: usize) -> Result<Coding, String> {
        let units = recipe.backbone.code_channels().unwrap_or(code_size);
        let (centre, step) = (container.f32("coding.centre")?.1, container.f32("coding.step")?.1);
        let lengths = [centre.len(), step.len(), self.tables.len()];
        if lengths != [units; 3] {
            return Err(format!("the coding: expected centres, steps and tables of {units} units, got {lengths:?}"));
        }
        let is_step = |step: &f32| step.is_finite() && *step > 0.0;
        if !step.iter().chain([&self.output_step]).all(is_step) || !centre.iter().all(|centre| centre.is_finite()) {
            return Err("the coding: expected finite centres and steps above 0".to_owned());
        }
        let is_span = |span: &Option<Span>| {
            span.is_none_or(|span| span.lowest.is_finite() && span.highest.is_finite() && span.lowest <= span.highest)
        };
        if !self.spans.iter().all(is_span) {
            return Err("the coding: expected finite ranges of columns".to_owned());
        }
        let table = |note: TableNote| {
            Table::new(note.lowest, note.shift, note.counts).map_err(|error| format!("the coding: {error}"))
        };
        let tables = self.tables.into_iter().map(table).collect::<Result<_, _>>()?;
        Ok(Coding { quantiser: Quantiser { centre, step, tables, output_step: self.output_step }, spans: self.spans })
    }
}
