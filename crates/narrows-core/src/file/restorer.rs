//! Conversion of a restorer to a JSON document with tensors, and back, with full validation.

use narrows_images::Channels;
use serde::{Deserialize, Serialize};

use super::container::{Container, Tensor};
use super::document::{FORMAT, read_weights};
use crate::compute::Compute;
use crate::fitted::Restorer;
use crate::model::Backbone;
use crate::recipe::{Data, Recipe};
use crate::report::RestorerReport;

/// Distinguishes this document from that of a model with a code.
pub(super) const KIND: &str = "restorer";

#[derive(Serialize, Deserialize)]
struct RestorerDocument {
    format: u32,
    library: String,
    kind: String,
    recipe: Recipe,
    channels: Channels,
    report: RestorerReport,
}

pub(super) fn write(restorer: &Restorer) -> (String, Vec<Tensor>) {
    let Restorer { recipe, channels, params, report, .. } = restorer;
    let tensors = params.entries().map(|entry| Tensor::f32(entry.name, entry.shape, entry.data)).collect();
    let document = RestorerDocument {
        format: FORMAT,
        library: env!("CARGO_PKG_VERSION").to_owned(),
        kind: KIND.to_owned(),
        recipe: recipe.clone(),
        channels: *channels,
        report: report.clone(),
    };
    (serde_json::to_string(&document).expect("a model is plain data"), tensors)
}

pub(super) fn read(container: &Container<'_>, file_size: usize) -> Result<Restorer, String> {
    let document: RestorerDocument =
        serde_json::from_str(&container.document).map_err(|error| format!("the document is damaged: {error}"))?;
    let RestorerDocument { recipe, channels, report, .. } = document;
    recipe.check().map_err(|error| error.to_string())?;
    let (Data::Images(_), Backbone::Restore(backbone)) = (&recipe.data, &recipe.backbone) else {
        return Err("the document holds another kind of model than its recipe says".to_owned());
    };
    let backbone = backbone.clone();
    let network = Restorer::network(&recipe, &backbone, channels).map_err(|error| error.to_string())?;
    let bytes = network.n_params().saturating_mul(4);
    if bytes > file_size {
        return Err(format!("expected at least {bytes} bytes of weights, got a file of {file_size}"));
    }
    let params = read_weights(container, &network, 1, 0)?;
    Ok(Restorer { recipe, backbone, channels, params, report, compute: Compute::default() })
}
