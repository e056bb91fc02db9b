//! The inner layer: a model as a JSON document beside tensors, and back, everything checked on the way in.

use narrows_engine::{Network, Params};
use serde::{Deserialize, Serialize};

use super::container::{Container, Tensor};
use crate::baseline::{Gaussian, IsolationForest, Neighbours, Pca};
use crate::data::Schema;
use crate::detect::{Calibration, Decision, Detector, LogRatio, MemberScale, Proximity, Score};
use crate::fitted::{Baselines, CodeDensity, Fitted, Judge};
use crate::model;
use crate::prep::Pipeline;
use crate::recipe::Recipe;
use crate::report::Report;

/// The version of the format this program writes.
const FORMAT: u32 = 1;

/// All of a model that is not a tensor.
#[derive(Serialize, Deserialize)]
struct Document {
    format: u32,
    library: String,
    recipe: Recipe,
    schema: Schema,
    pipeline: Pipeline,
    members: Vec<MemberScale>,
    neighbours: Option<ProximityNote>,
    gaussian: Option<GaussianNote>,
    decision: Decision,
    pca: PcaNote,
    isolation_forest: ForestNote,
    density: DensityNote,
    report: Report,
}

#[derive(Serialize, Deserialize)]
struct ProximityNote {
    k: usize,
    ratio: LogRatio,
    exchange: f64,
}

#[derive(Serialize, Deserialize)]
struct GaussianNote {
    shrinkage: f64,
    ratio: LogRatio,
}

#[derive(Serialize, Deserialize)]
struct PcaNote {
    total_variance: f64,
}

#[derive(Serialize, Deserialize)]
struct ForestNote {
    width: usize,
    subsample: usize,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum DensityNote {
    Standard,
    Normal,
}

pub(super) fn write(fitted: &Fitted) -> (String, Vec<Tensor>) {
    let Fitted { recipe, judge, calibration, decision, baselines, density, report } = fitted;
    let Judge { schema, pipeline, network: _, members, detector } = judge;
    let mut tensors = Vec::new();
    for (m, params) in members.iter().enumerate() {
        for entry in params.entries() {
            tensors.push(Tensor::f32(weight_name(members.len(), m, entry.name), entry.shape, entry.data));
        }
    }
    tensors.push(Tensor::f64("calibration.scores", &[calibration.scores.len()], &calibration.scores));
    tensors.push(Tensor::f64("calibration.training", &[calibration.training.len()], &calibration.training));
    if let Some(proximity) = &detector.neighbours {
        let index = &proximity.index;
        tensors.push(Tensor::f32("neighbours.reference", &[index.n_references(), index.width], &index.reference));
    }
    if let Some((gaussian, _)) = &detector.gaussian {
        let width = gaussian.mean.len();
        tensors.push(Tensor::f64("gaussian.mean", &[width], &gaussian.mean));
        tensors.push(Tensor::f64("gaussian.whitening", &[width, width], &gaussian.whitening));
    }
    let pca = &baselines.pca;
    tensors.push(Tensor::f32("pca.mean", &[pca.width()], &pca.mean));
    tensors.push(Tensor::f32("pca.components", &[pca.n_components(), pca.width()], &pca.components));
    tensors.push(Tensor::f64("pca.explained_variance", &[pca.explained_variance.len()], &pca.explained_variance));
    let forest = &baselines.isolation_forest;
    tensors.push(Tensor::u32("isolation_forest.roots", &[forest.roots.len()], &forest.roots));
    tensors.push(Tensor::u32("isolation_forest.feature", &[forest.feature.len()], &forest.feature));
    tensors.push(Tensor::f32("isolation_forest.threshold", &[forest.threshold.len()], &forest.threshold));
    tensors.push(Tensor::u32("isolation_forest.left", &[forest.left.len()], &forest.left));
    tensors.push(Tensor::u32("isolation_forest.size", &[forest.size.len()], &forest.size));
    if let CodeDensity::Normal { mean, factor, lowest, highest } = density {
        let k = mean.len();
        tensors.push(Tensor::f32("density.mean", &[k], mean));
        tensors.push(Tensor::f32("density.factor", &[k, k], factor));
        tensors.push(Tensor::f32("density.lowest", &[k], lowest));
        tensors.push(Tensor::f32("density.highest", &[k], highest));
    }
    let document = Document {
        format: FORMAT,
        library: env!("CARGO_PKG_VERSION").to_owned(),
        recipe: recipe.clone(),
        schema: schema.clone(),
        pipeline: pipeline.clone(),
        members: detector.members.clone(),
        neighbours: detector.neighbours.as_ref().map(|p| ProximityNote {
            k: p.index.k,
            ratio: p.ratio,
            exchange: p.exchange,
        }),
        gaussian: detector.gaussian.as_ref().map(|(g, ratio)| GaussianNote { shrinkage: g.shrinkage, ratio: *ratio }),
        decision: decision.clone(),
        pca: PcaNote { total_variance: pca.total_variance },
        isolation_forest: ForestNote { width: forest.width, subsample: forest.subsample },
        density: match density {
            CodeDensity::Standard => DensityNote::Standard,
            CodeDensity::Normal { .. } => DensityNote::Normal,
        },
        report: report.clone(),
    };
    (serde_json::to_string(&document).expect("a model is plain data"), tensors)
}

/// As PyTorch names them: `encoder.0.weight`, in an ensemble `members.2.encoder.0.weight`.
fn weight_name(n_members: usize, member: usize, name: &str) -> String {
    if n_members == 1 { name.to_owned() } else { format!("members.{member}.{name}") }
}

pub(super) fn read(container: &Container<'_>, file_size: usize) -> Result<Fitted, String> {
    check_version(&container.document)?;
    container.check()?;
    let document: Document =
        serde_json::from_str(&container.document).map_err(|error| format!("the document is damaged: {error}"))?;
    document.recipe.check().map_err(|error| error.to_string())?;
    document.pipeline.check(&document.schema).map_err(|error| error.to_string())?;

    let Document { recipe, schema, pipeline, .. } = document;
    let network = model::build(&recipe.backbone, &recipe.latent, &recipe.sparsity, &recipe.loss, pipeline.blocks())
        .map_err(|error| error.to_string())?;
    let n_members = recipe.corruptions().len();
    let bytes = network.n_params().saturating_mul(4).saturating_mul(n_members);
    if bytes > file_size {
        return Err(format!("expected at least {bytes} bytes of weights, got a file of {file_size}"));
    }
    let members =
        (0..n_members).map(|m| weights(container, &network, n_members, m)).collect::<Result<Vec<Params>, String>>()?;

    let neighbours = document.neighbours.map(|note| proximity(container, note)).transpose()?;
    let gaussian = document.gaussian.map(|note| gaussian(container, note)).transpose()?;
    let detector = Detector { score: recipe.detect.score, members: document.members, neighbours, gaussian };
    detector.check(n_members, schema.columns.len())?;
    let distances_to = match detector.score {
        Score::Neighbour => network.code_size(),
        _ => pipeline.width(),
    };
    if let Some(proximity) = &detector.neighbours {
        expect("reference rows", distances_to, proximity.index.width)?;
    }
    if let Some((gaussian, _)) = &detector.gaussian {
        expect("the distribution's mean", pipeline.width() + network.code_size(), gaussian.mean.len())?;
    }

    let calibration =
        Calibration::new(container.f64("calibration.scores")?.1, container.f64("calibration.training")?.1)
            .map_err(|error| error.to_string())?;
    let baselines = Baselines {
        pca: pca(container, document.pca.total_variance)?,
        isolation_forest: isolation_forest(container, document.isolation_forest)?,
    };
    expect("PCA's mean", pipeline.width(), baselines.pca.width())?;
    expect("the isolation forest", pipeline.width(), baselines.isolation_forest.width)?;
    let density = density(container, document.density, network.code_size())?;
    let judge = Judge { schema, pipeline, network, members, detector };
    Ok(Fitted { recipe, judge, calibration, decision: document.decision, baselines, density, report: document.report })
}

/// Reads the version alone, so that a file of a newer version is refused by its number and nothing else.
fn check_version(document: &str) -> Result<(), String> {
    #[derive(Deserialize)]
    struct Version {
        format: u32,
        library: String,
    }
    let version: Version =
        serde_json::from_str(document).map_err(|error| format!("the document is damaged: {error}"))?;
    if version.format == FORMAT {
        return Ok(());
    }
    Err(format!(
        "expected format {FORMAT}, got {} as written by version {} of Narrows",
        version.format, version.library
    ))
}

fn weights(container: &Container<'_>, network: &Network, n_members: usize, member: usize) -> Result<Params, String> {
    let mut params = network.init(0);
    let names: Vec<String> = params.entries().map(|entry| entry.name.to_owned()).collect();
    for name in names {
        let tensor = weight_name(n_members, member, &name);
        let (shape, values) = container.f32(&tensor)?;
        params.set(&name, &shape, &values).map_err(|error| format!("the tensor `{tensor}`: {error}"))?;
    }
    if params.all_finite() { Ok(params) } else { Err(format!("the weights of member {member} are not all finite")) }
}

fn proximity(container: &Container<'_>, note: ProximityNote) -> Result<Proximity, String> {
    let (shape, reference) = container.f32("neighbours.reference")?;
    let [_, width] = shape[..] else {
        return Err(format!("reference rows: expected a matrix, got the shape {shape:?}"));
    };
    let index = Neighbours { reference, width, k: note.k }.checked().map_err(|error| error.to_string())?;
    Ok(Proximity { index, ratio: note.ratio, exchange: note.exchange })
}

fn gaussian(container: &Container<'_>, note: GaussianNote) -> Result<(Gaussian, LogRatio), String> {
    let gaussian = Gaussian {
        mean: container.f64("gaussian.mean")?.1,
        whitening: container.f64("gaussian.whitening")?.1,
        shrinkage: note.shrinkage,
    };
    Ok((gaussian.checked().map_err(|error| error.to_string())?, note.ratio))
}

fn pca(container: &Container<'_>, total_variance: f64) -> Result<Pca, String> {
    let pca = Pca {
        mean: container.f32("pca.mean")?.1,
        components: container.f32("pca.components")?.1,
        explained_variance: container.f64("pca.explained_variance")?.1,
        total_variance,
    };
    pca.checked().map_err(|error| error.to_string())
}

fn isolation_forest(container: &Container<'_>, note: ForestNote) -> Result<IsolationForest, String> {
    let forest = IsolationForest {
        width: note.width,
        subsample: note.subsample,
        roots: container.u32("isolation_forest.roots")?.1,
        feature: container.u32("isolation_forest.feature")?.1,
        threshold: container.f32("isolation_forest.threshold")?.1,
        left: container.u32("isolation_forest.left")?.1,
        size: container.u32("isolation_forest.size")?.1,
    };
    forest.checked().map_err(|error| error.to_string())
}

fn density(container: &Container<'_>, note: DensityNote, k: usize) -> Result<CodeDensity, String> {
    let DensityNote::Normal = note else { return Ok(CodeDensity::Standard) };
    let vector = |name: &str, length: usize| -> Result<Vec<f32>, String> {
        let values = container.f32(name)?.1;
        expect(name, length, values.len())?;
        Ok(values)
    };
    Ok(CodeDensity::Normal {
        mean: vector("density.mean", k)?,
        factor: vector("density.factor", k * k)?,
        lowest: vector("density.lowest", k)?,
        highest: vector("density.highest", k)?,
    })
}

fn expect(what: &str, expected: usize, got: usize) -> Result<(), String> {
    if expected == got { Ok(()) } else { Err(format!("{what}: expected a width of {expected}, got {got}")) }
}
