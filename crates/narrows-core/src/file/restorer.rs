//! Conversion of a restorer to a JSON document with tensors, and back, with full validation.

use narrows_images::{Channels, Damage, KeptMark};
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
/// Longest side of a watermark in a file.
const LONGEST_MARK: usize = 4096;

#[derive(Serialize, Deserialize)]
struct RestorerDocument {
    format: u32,
    library: String,
    kind: String,
    recipe: Recipe,
    channels: Channels,
    /// Of each watermark, whether it is text; the marks are tensors. Not in files of older versions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    text_marks: Vec<bool>,
    report: RestorerReport,
}

fn mark_name(i: usize) -> String {
    format!("mark.{i}")
}

/// The watermarks that the file holds.
fn read_marks(container: &Container<'_>, text_marks: &[bool], recipe: &Recipe) -> Result<Vec<KeptMark>, String> {
    let n = recipe.damages().iter().filter(|damage| matches!(damage, Damage::Watermark { .. })).count();
    if !text_marks.is_empty() && text_marks.len() != n {
        return Err(format!("expected {n} watermarks as in the corruption, got {}", text_marks.len()));
    }
    let mark = |(i, is_text): (usize, &bool)| {
        let (shape, pixels) = container.u32(&mark_name(i))?;
        let &[height @ 1..=LONGEST_MARK, width @ 1..=LONGEST_MARK] = shape.as_slice() else {
            return Err(format!(
                "the tensor `{}`: expected 1 to {LONGEST_MARK} pixels a side, got {shape:?}",
                mark_name(i)
            ));
        };
        Ok(KeptMark { height, width, is_text: *is_text, pixels })
    };
    text_marks.iter().enumerate().map(mark).collect()
}

pub(super) fn write(restorer: &Restorer) -> (String, Vec<Tensor>) {
    let Restorer { recipe, channels, params, marks, report, .. } = restorer;
    let weights = params.entries().map(|entry| Tensor::f32(entry.name, entry.shape, entry.data));
    let marks =
        marks.iter().enumerate().map(|(i, mark)| Tensor::u32(mark_name(i), &[mark.height, mark.width], &mark.pixels));
    let tensors = weights.chain(marks).collect();
    let document = RestorerDocument {
        format: FORMAT,
        library: env!("CARGO_PKG_VERSION").to_owned(),
        kind: KIND.to_owned(),
        recipe: recipe.clone(),
        channels: *channels,
        text_marks: restorer.marks.iter().map(|mark| mark.is_text).collect(),
        report: report.clone(),
    };
    (serde_json::to_string(&document).expect("a model is plain data"), tensors)
}

pub(super) fn read(container: &Container<'_>, file_size: usize) -> Result<Restorer, String> {
    let document: RestorerDocument =
        serde_json::from_str(&container.document).map_err(|error| format!("the document is damaged: {error}"))?;
    let RestorerDocument { recipe, channels, text_marks, report, .. } = document;
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
    let marks = read_marks(container, &text_marks, &recipe)?;
    Ok(Restorer { recipe, backbone, channels, params, marks, report, compute: Compute::default() })
}
