//! `narrows export --check`: the scores of the graph, computed by ONNX Runtime, beside those of the model.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::Path;
use std::process::{Command, Output};

use narrows_core::data::Source;
use narrows_core::images::Image;
use narrows_core::onnx::{OnnxFeed, OnnxInputs, OnnxValues};
use narrows_core::{Error, ImageModel, Model, Scores};
use serde_json::json;

use crate::failure::Failure;
use crate::flags::Common;
use crate::{images, pipeline};

/// The largest relative difference of scores: a hundred roundings of 32-bit numbers.
const TOLERANCE: f64 = 1e-5;
/// Runs the graph; it is given the file, a folder with the inputs, and writes scores and labels into it.
const SCRIPT: &str = include_str!("run_graph.py");
const PYTHONS: [&str; 2] = ["python3", "python"];

/// Scores data with the model and with its graph, and tells how far they are apart.
pub(super) fn check(
    model: &Model,
    inputs: OnnxInputs,
    (graph, data): (&[u8], &str),
    common: &Common,
) -> Result<(), Failure> {
    let GraphCheck { feeds, ours, unit } = match model {
        Model::Table(_) | Model::Series(_) => GraphCheck::of_table(model, inputs, data, common)?,
        Model::Images(images) => GraphCheck::of_images(model, images, data, common)?,
        Model::Restorer(_) | Model::Encoder(_) => {
            let message = "expected a model with scores to check, of tables, series or images, got one without";
            return Err(Error::mismatch(message).into());
        }
    };
    let by_graph = run(graph, &feeds)?;
    let found = Comparison::of(&ours, &by_graph);
    let mut message = format!(
        "{} {unit} by ONNX Runtime {}: largest relative difference of a score {:.1e}",
        ours.scores.len(),
        by_graph.version,
        found.difference,
    );
    if ours.decision.is_some() {
        message.push_str(&format!(", {} labels differ", found.labels));
    }
    if found.difference > TOLERANCE || found.labels > 0 {
        let error = Error::mismatch(format!("the graph does not score as the model: {message}"));
        return Err(error.with_hint("please report it, with the recipe of the model").into());
    }
    common.talk().line(format_args!("checked     {message}"));
    Ok(())
}

/// What is asked of the graph, and what the model answers.
struct GraphCheck {
    feeds: Vec<OnnxFeed>,
    ours: ModelScores,
    /// What is scored, in the plural.
    unit: &'static str,
}

/// What the model computed.
struct ModelScores {
    scores: Vec<f64>,
    /// `None` for windows of points, which have no label.
    decision: Option<Labels>,
}

struct Labels {
    is_anomaly: Vec<bool>,
    threshold: f64,
}

impl GraphCheck {
    fn of_table(model: &Model, inputs: OnnxInputs, data: &str, common: &Common) -> Result<GraphCheck, Failure> {
        let source = Source::parse(&[data.to_owned()])?;
        let table = pipeline::read_whole(&source, common.talk())?;
        let feeds = model.onnx_feeds(&table, inputs)?;
        let tabular = model.clone().into_tabular()?;
        let (mut ours, unit) = match model {
            Model::Series(series) if !tabular.rows_are_independent() => {
                (ModelScores { scores: series.window_scores(&table)?, decision: None }, "windows")
            }
            _ => {
                let Scores { score: scores, is_anomaly, .. } = tabular.score(&table)?;
                (ModelScores { scores, decision: Some(Labels { is_anomaly, threshold: tabular.threshold() }) }, "rows")
            }
        };
        if let (Model::Series(_), [OnnxFeed { shape, values: OnnxValues::Doubles(values), .. }]) = (model, &feeds[..]) {
            let width: usize = shape[1..].iter().product();
            ours.without_gaps(values.chunks_exact(width.max(1)));
        }
        Ok(GraphCheck { feeds, ours, unit })
    }

    fn of_images(model: &Model, images: &ImageModel, data: &str, common: &Common) -> Result<GraphCheck, Failure> {
        let store = images::store(&[data.to_owned()], &common.compute()?, common.talk())?;
        let all: Vec<Image> =
            (0..store.len()).map(|i| Ok(store.get(i).map_err(Error::from)?)).collect::<Result<_, Failure>>()?;
        let feeds = model.onnx_image_feeds(&all)?;
        let scored = images.score(&all, false);
        if feeds.iter().any(|feed| feed.shape.first() != Some(&scored.len())) {
            let message = "expected a model of images of one size to check, got one whose graph reads patches of them";
            return Err(Error::mismatch(message).into());
        }
        let is_anomaly = scored.iter().map(|score| score.is_anomaly).collect();
        let decision = Some(Labels { is_anomaly, threshold: images.threshold() });
        let ours = ModelScores { scores: scored.iter().map(|score| score.score).collect(), decision };
        Ok(GraphCheck { feeds, ours, unit: "images" })
    }
}

impl ModelScores {
    /// A graph gives no score to windows with gaps.
    fn without_gaps<'a>(&mut self, windows: impl Iterator<Item = &'a [f64]>) {
        for (i, _) in windows.enumerate().filter(|(_, window)| !window.iter().all(|x| x.is_finite())) {
            self.scores[i] = f64::NAN;
            if let Some(labels) = &mut self.decision {
                labels.is_anomaly[i] = false;
            }
        }
    }
}

/// What the runtime computed.
struct GraphScores {
    scores: Vec<f64>,
    labels: Vec<bool>,
    version: String,
}

/// How far scores are apart.
struct Comparison {
    /// The largest relative difference; infinite if one is missing.
    difference: f64,
    /// Labels that differ where the score is not that of the threshold.
    labels: usize,
}

impl Comparison {
    fn of(ours: &ModelScores, theirs: &GraphScores) -> Comparison {
        let mut found = Comparison { difference: 0.0, labels: 0 };
        for (a, b) in ours.scores.iter().zip(&theirs.scores) {
            let difference = match (a.is_nan(), b.is_nan()) {
                (true, true) => 0.0,
                (false, false) => (a - b).abs() / a.abs().max(f64::MIN_POSITIVE),
                _ => f64::INFINITY,
            };
            found.difference = found.difference.max(difference);
        }
        if let Some(Labels { is_anomaly, threshold }) = &ours.decision {
            for (score, (ours, theirs)) in ours.scores.iter().zip(is_anomaly.iter().zip(&theirs.labels)) {
                let is_at_threshold = (score - threshold).abs() <= TOLERANCE * threshold.abs();
                found.labels += usize::from(ours != theirs && !is_at_threshold);
            }
        }
        if ours.scores.len() != theirs.scores.len() {
            found.difference = f64::INFINITY;
        }
        found
    }
}

/// Runs the graph in a Python that has the runtime.
fn run(graph: &[u8], feeds: &[OnnxFeed]) -> Result<GraphScores, Failure> {
    let folder = tempfile::tempdir().map_err(|error| Error::write("a temporary folder", error))?;
    let (file, script) = (folder.path().join("model.onnx"), folder.path().join("run_graph.py"));
    let written = fs::write(&file, graph).and_then(|()| fs::write(&script, SCRIPT));
    written.and_then(|()| write_feeds(folder.path(), feeds)).map_err(|error| Error::write(folder.path(), error))?;
    let python = std::env::var("NARROWS_PYTHON").ok();
    let names = python.as_deref().map_or(PYTHONS.to_vec(), |name| vec![name]);
    let mut last = None;
    for name in &names {
        let found = Command::new(name).arg(&script).arg(&file).arg(folder.path()).output();
        match found {
            Ok(Output { status, stdout, .. }) if status.success() => {
                let version = String::from_utf8_lossy(&stdout).trim().to_owned();
                return read_scores(folder.path(), version);
            }
            Ok(output) => last = Some(String::from_utf8_lossy(&output.stderr).trim().to_owned()),
            Err(_) => {}
        }
    }
    let why = last.as_deref().and_then(|text| text.lines().last()).unwrap_or("there is no such command");
    let message = format!("cannot run ONNX Runtime with {}: {why}", names.join(" or "));
    let hint = "install the package onnxruntime, or name a Python that has it in NARROWS_PYTHON";
    Err(Error::mismatch(message).with_hint(hint).into())
}

fn write_feeds(folder: &Path, feeds: &[OnnxFeed]) -> std::io::Result<()> {
    let mut listed = Vec::new();
    for (i, OnnxFeed { name, shape, values }) in feeds.iter().enumerate() {
        let file = format!("{i}.bin");
        let mut out = BufWriter::new(File::create(folder.join(&file))?);
        let kind = match values {
            OnnxValues::Floats(values) => {
                values.iter().try_for_each(|x| out.write_all(&x.to_le_bytes()))?;
                "<f4"
            }
            OnnxValues::Doubles(values) => {
                values.iter().try_for_each(|x| out.write_all(&x.to_le_bytes()))?;
                "<f8"
            }
            OnnxValues::Texts(values) => {
                serde_json::to_writer(&mut out, values)?;
                "text"
            }
        };
        out.flush()?;
        listed.push(json!({"name": name, "shape": shape, "kind": kind, "file": file}));
    }
    fs::write(folder.join("inputs.json"), json!(listed).to_string())
}

fn read_scores(folder: &Path, version: String) -> Result<GraphScores, Failure> {
    let read = |name: &str| fs::read(folder.join(name)).map_err(|error| Error::read(folder.join(name), error));
    let (scores, labels) = (read("scores.bin")?, read("labels.bin")?);
    let scores = scores.as_chunks::<8>().0.iter().map(|bytes| f64::from_le_bytes(*bytes)).collect();
    Ok(GraphScores { scores, labels: labels.iter().map(|label| *label != 0).collect(), version })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ours(scores: &[f64]) -> ModelScores {
        let is_anomaly = scores.iter().map(|score| *score > 2.0).collect();
        ModelScores { scores: scores.to_vec(), decision: Some(Labels { is_anomaly, threshold: 2.0 }) }
    }

    #[test]
    fn differences_are_relative_and_labels_count_away_from_the_threshold() {
        let theirs = |scores: &[f64], labels: &[bool]| GraphScores {
            scores: scores.to_vec(),
            labels: labels.to_vec(),
            version: "1".to_owned(),
        };
        let near = Comparison::of(
            &ours(&[1e-6, 2.000_001, f64::NAN]),
            &theirs(&[1.000_001e-6, 1.999_999, f64::NAN], &[false, false, false]),
        );
        assert!((near.difference - 1e-6).abs() < 1e-9 && near.labels == 0, "{}", near.difference);
        assert_eq!(Comparison::of(&ours(&[3.0]), &theirs(&[3.0], &[false])).labels, 1);
        assert_eq!(Comparison::of(&ours(&[3.0]), &theirs(&[f64::NAN], &[true])).difference, f64::INFINITY);
        assert_eq!(Comparison::of(&ours(&[3.0]), &theirs(&[], &[])).difference, f64::INFINITY);
        let unlabelled = ModelScores { decision: None, ..ours(&[3.0]) };
        assert_eq!(Comparison::of(&unlabelled, &theirs(&[3.0], &[])).labels, 0);
    }

    #[test]
    fn windows_with_gaps_have_no_score() {
        let mut scores = ours(&[3.0, 3.0, 1.0]);
        scores.without_gaps([[1.0, f64::NAN], [1.0, 2.0], [f64::INFINITY, 0.0]].iter().map(<[f64; 2]>::as_slice));
        assert!(scores.scores[0].is_nan() && scores.scores[1] == 3.0 && scores.scores[2].is_nan());
        assert_eq!(scores.decision.unwrap().is_anomaly, [false, true, false]);
    }
}
