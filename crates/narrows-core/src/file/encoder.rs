//! Conversion of an encoder to a JSON document with tensors, and back, with full validation.

use serde::{Deserialize, Serialize};

use super::container::{Container, Tensor};
use super::document::{self, FORMAT, FittedInput, SeriesNote, read_weights};
use crate::compute::Compute;
use crate::data::Schema;
use crate::ensemble::Ensemble;
use crate::fitted::{Encoder, ImageLayout};
use crate::model;
use crate::prep::Pipeline;
use crate::recipe::Recipe;

/// Distinguishes this document from that of a complete model.
pub(super) const KIND: &str = "encoder";

#[derive(Serialize, Deserialize)]
struct EncoderDocument {
    format: u32,
    library: String,
    kind: String,
    recipe: Recipe,
    schema: Schema,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pipeline: Option<Pipeline>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    series: Option<SeriesNote>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    images: Option<ImageLayout>,
    source: String,
}

pub(super) fn write(encoder: &Encoder) -> (String, Vec<Tensor>) {
    let Encoder { recipe, input, ensemble, source } = encoder;
    let params = &ensemble.members[0];
    let tensors = params.entries().map(|entry| Tensor::f32(entry.name, entry.shape, entry.data)).collect();
    let (pipeline, series, images) = document::input_notes(FittedInput::of(input));
    let document = EncoderDocument {
        format: FORMAT,
        library: env!("CARGO_PKG_VERSION").to_owned(),
        kind: KIND.to_owned(),
        recipe: recipe.clone(),
        schema: FittedInput::of(input).schema(),
        pipeline,
        series,
        images,
        source: source.clone(),
    };
    (serde_json::to_string(&document).expect("a model is plain data"), tensors)
}

pub(super) fn read(container: &Container<'_>, file_size: usize) -> Result<Encoder, String> {
    let document: EncoderDocument =
        serde_json::from_str(&container.document).map_err(|error| format!("the document is damaged: {error}"))?;
    let EncoderDocument { recipe, schema, pipeline, series, images, source, .. } = document;
    recipe.check().map_err(|error| error.to_string())?;
    let input = document::input(&recipe, schema, (pipeline, series, images))?;
    let whole = model::build(recipe.axes(), input.adapter().blocks(), input.adapter().shape())
        .map_err(|error| error.to_string())?;
    let network = Encoder::network(&whole).map_err(|error| error.to_string())?;
    let bytes = network.n_params().saturating_mul(4);
    if bytes > file_size {
        return Err(format!("expected at least {bytes} bytes of weights, got a file of {file_size}"));
    }
    let params = read_weights(container, &network, 1, 0)?;
    let ensemble = Ensemble::new(network, vec![params], Compute::default());
    Ok(Encoder { recipe, input, ensemble, source })
}
