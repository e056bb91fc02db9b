//! The card of a model of any kind: the report, and what the model keeps of its columns and rows.

use super::core::Core;
use super::images::ImageModel;
use super::model::{Model, no_code, no_decoder};
use super::scored_rows;
use super::tabular::TabularModel;
use crate::error::Result;
use crate::report::card::{self, CardOptions, CardSubject, DetectorSubject, EncoderSubject, KeptSamples};
use crate::report::{NewDataReport, SampleLayout};

/// The card of a model, see [`Model::card`].
pub(super) fn of(model: &Model, options: &CardOptions, found: Option<&NewDataReport>) -> Result<String> {
    let tabular = |model: &dyn TabularModel| {
        let columns = scored_rows::column_panels(model);
        let kept = kept_rows(model.by_kind().core());
        let layout = scored_rows::layout(model);
        let subject = DetectorSubject { report: model.report(), layout, columns: &columns, kept, found };
        card::render(&CardSubject::Detector(subject), options)
    };
    match model {
        Model::Table(model) => Ok(tabular(model)),
        Model::Series(model) => Ok(tabular(model)),
        Model::Images(model) => {
            let (layout, kept) = (SampleLayout::Images, kept_images(model));
            let subject = DetectorSubject { report: model.report(), layout, columns: &[], kept, found };
            Ok(card::render(&CardSubject::Detector(subject), options))
        }
        Model::Restorer(_) if found.is_some() => Err(no_code()),
        Model::Restorer(model) => Ok(card::render(&CardSubject::Restorer(model.report()), options)),
        Model::Encoder(_) if found.is_some() => Err(no_decoder()),
        Model::Encoder(encoder) => {
            let columns = encoder.schema().into_iter().flat_map(|schema| &schema.columns);
            let columns: Vec<_> = columns.map(|column| (column.name.clone(), column.kind.to_string())).collect();
            let subject = EncoderSubject {
                source: encoder.source(),
                recipe: encoder.recipe(),
                columns: &columns,
                layers: &encoder.layers(),
                code_size: encoder.code_size(),
                parameters: encoder.n_parameters(),
            };
            Ok(card::render(&CardSubject::Encoder(subject), options))
        }
    }
}

/// The rows that new ones are compared with.
fn kept_rows(core: &Core) -> KeptSamples {
    match &core.scorer.detector.neighbours {
        Some(neighbours) => {
            let (values, width) = (neighbours.index.rows().len(), neighbours.index.width());
            KeptSamples::Rows((values / width.max(1)) as u64)
        }
        None => KeptSamples::None,
    }
}

fn kept_images(model: &ImageModel) -> KeptSamples {
    match &model.adapter.memory {
        Some(memory) => {
            KeptSamples::PatchCodes((memory.bank.codes.reference.len() / memory.bank.codes.width.max(1)) as u64)
        }
        None => kept_rows(&model.core),
    }
}
