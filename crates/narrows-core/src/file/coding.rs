//! Compression state in a model file: steps and centres as tensors, probability tables as integers.

use narrows_codec::{MapPrior, Table};
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
    /// Whether there is a prior of coefficients.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    maps: bool,
}

#[derive(Serialize, Deserialize)]
struct TableNote {
    lowest: i64,
    shift: u32,
    counts: Vec<u16>,
}

/// The tensor of the prior of coefficients.
const MAPS: &str = "coding.maps";

pub(super) fn tensors(coding: &Coding) -> Vec<Tensor> {
    let Quantiser { centre, step, .. } = &coding.quantiser;
    let mut tensors =
        vec![Tensor::f32("coding.centre", &[centre.len()], centre), Tensor::f32("coding.step", &[step.len()], step)];
    if let Some(maps) = &coding.maps {
        let words = words(&maps.to_bytes());
        tensors.push(Tensor::u32(MAPS, &[words.len()], &words));
    }
    tensors
}

impl CodingNote {
    pub(super) fn of(coding: &Coding) -> CodingNote {
        let table =
            |table: &Table| TableNote { lowest: table.lowest(), shift: table.shift(), counts: table.counts().to_vec() };
        CodingNote {
            output_step: coding.quantiser.output_step,
            tables: coding.quantiser.tables.iter().map(table).collect(),
            spans: coding.spans.clone(),
            maps: coding.maps.is_some(),
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
        let maps = self.maps.then(|| prior(container, recipe)).transpose()?;
        let quantiser = Quantiser { centre, step, tables, output_step: self.output_step };
        Ok(Coding { quantiser, spans: self.spans, maps })
    }
}

/// Most bytes of a prior: those of 192 channels are a sixteenth of it.
const LARGEST_PRIOR: usize = 1 << 24;
/// Of zstd.
const LEVEL: i32 = 19;

/// The number of bytes of a packed prior, and these bytes: most of its counters have never been used.
fn words(bytes: &[u8]) -> Vec<u32> {
    let mut packed = zstd::bulk::compress(bytes, LEVEL).expect("compression in memory");
    let length = packed.len() as u32;
    packed.resize(packed.len().next_multiple_of(4), 0);
    let words = packed.as_chunks().0.iter().map(|bytes| u32::from_le_bytes(*bytes));
    std::iter::once(length).chain(words).collect()
}

/// The prior of coefficients, of as many channels as the model's code has.
fn prior(container: &Container<'_>, recipe: &Recipe) -> Result<MapPrior, String> {
    let (_, words) = container.u32(MAPS)?;
    let (length, rest) = words.split_first().ok_or("the coding: expected a prior of coefficients, got nothing")?;
    let packed: Vec<u8> = rest.iter().flat_map(|word| word.to_le_bytes()).collect();
    let packed = packed.get(..*length as usize).ok_or("the coding: the prior of coefficients is cut short")?;
    let bytes = zstd::bulk::decompress(packed, LARGEST_PRIOR)
        .map_err(|error| format!("the coding: the prior of coefficients is damaged: {error}"))?;
    let prior = MapPrior::from_bytes(&bytes).map_err(|error| format!("the coding: {error}"))?;
    let units = recipe.backbone.code_channels().unwrap_or(0);
    let channels = prior.layout.channels();
    if units == 0 || ![units, 3 * units].contains(&channels) {
        return Err(format!("the coding: expected a prior of {units} frequencies a colour, got {channels} channels"));
    }
    Ok(prior)
}
