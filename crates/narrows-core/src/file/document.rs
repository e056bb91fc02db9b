//! The inner layer: conversion of a model to a JSON document with tensors, and back, with full validation.

use std::sync::Arc;

use narrows_engine::{Network, Params};
use serde::{Deserialize, Serialize};

use super::coding;
use super::container::{Container, Tensor};
use super::patches;
use crate::baseline::{Covariance, Gaussian, IsolationForest, Neighbourhood, Neighbours, Overview, Pca};
use crate::compute::Compute;
use crate::data::{Layout, Schema, Step, TimeColumns};
use crate::detect::{
    Calibration, Decision, Detector, DistanceTerm, GlobalProximity, LogRatio, MemberScale, Proximity, References, Score,
};
use crate::distribution::TrainingDistribution;
use crate::ensemble::Ensemble;
use crate::fitted::{
    Adapter, Baselines, CalibratedThreshold, CodeDensity, Core, EncoderInput, Fitted, ImageAdapter, ImageLayout,
    Invariants, Judgement, LevelRange, MEASURES, Model, RowForm, Scorer, SeriesAdapter, TableAdapter, UnchangedRuns,
    ValueErrors,
};
use crate::model;
use crate::prep::{Grain, Pipeline, ResidualNoise, SignalPipeline};
use crate::recipe::{Data, Recipe};
use crate::report::Report;

/// The format version written by this program.
pub(super) const FORMAT: u32 = 5;
/// The oldest supported version: formats 2 to 5 only added fields, each with a default, and kinds of documents.
const OLDEST: u32 = 1;

/// Everything in a model that is not a tensor.
#[derive(Serialize, Deserialize)]
struct FittedDocument {
    format: u32,
    library: String,
    recipe: Recipe,
    schema: Schema,
    /// For tables.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pipeline: Option<Pipeline>,
    /// For tables: range and decimals of the numeric columns.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    grains: Vec<Option<Grain>>,
    /// For tables: the noise of decoded numbers, if they are encoded for generation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    noise: Option<ResidualNoise>,
    /// For tables: the columns of new rows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    form: Option<RowForm>,
    /// For tables and series: what all training rows kept. Without it, scores rest on missing cells as on others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    invariants: Option<Invariants>,
    /// For series.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    series: Option<SeriesNote>,
    /// For images.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    images: Option<ImageLayout>,
    /// For images that are scored by their patches.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    patches: Option<patches::PatchNote>,
    members: Vec<MemberScale>,
    neighbours: Option<ProximityNote>,
    gaussian: Option<GaussianNote>,
    /// Exponent of scores; 1 before format 5.
    #[serde(default = "one")]
    exponent: f64,
    decision: Decision,
    /// Number of independent blocks behind the calibration scores, if fewer than the scores.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    blocks: Option<usize>,
    /// The threshold for streams.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    online: Option<OnlineNote>,
    pca: PcaNote,
    isolation_forest: ForestNote,
    density: DensityNote,
    /// For models with compression.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    coding: Option<coding::CodingNote>,
    /// For tables and series: the training rows of each column; not in files of older versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    distribution: Option<TrainingDistribution>,
    report: Report,
}

fn one() -> f64 {
    1.0
}

fn five() -> usize {
    5
}

fn half() -> f64 {
    0.5
}

#[derive(Clone, Serialize, Deserialize)]
pub(super) struct SeriesNote {
    layout: Layout,
    columns: TimeColumns,
    step: Option<Step>,
    pipeline: SignalPipeline,
    stride: usize,
    /// Whether errors are divided by what was observed; not in files of older versions.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    by_observed: bool,
    /// Errors of single values; not in files of older versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    errors: Option<ValueErrors>,
    /// Longest runs of equal values; not in files of older versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    runs: Option<UnchangedRuns>,
    /// Range of window means; not in files of older versions, nor where it has no say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    levels: Option<LevelRange>,
    /// How scores of points are made; not in files of older versions.
    #[serde(default)]
    judgement: Judgement,
}

/// The input notes of a document: one of these, by the kind of data.
pub(super) type InputNotes = (Option<Pipeline>, Option<SeriesNote>, Option<ImageLayout>);

/// The input of a model.
#[derive(Clone, Copy)]
pub(super) enum FittedInput<'a> {
    Table(&'a TableAdapter),
    Series(&'a SeriesAdapter),
    Images(&'a ImageAdapter),
}

impl FittedInput<'_> {
    pub(super) fn of(input: &EncoderInput) -> FittedInput<'_> {
        match input {
            EncoderInput::Table(table) => FittedInput::Table(table),
            EncoderInput::Series(series) => FittedInput::Series(series),
            EncoderInput::Images(images) => FittedInput::Images(images),
        }
    }

    /// The schema; empty for images.
    pub(super) fn schema(self) -> Schema {
        match self {
            FittedInput::Table(table) => table.schema.clone(),
            FittedInput::Series(series) => series.schema.clone(),
            FittedInput::Images(_) => Schema { columns: Vec::new() },
        }
    }
}

/// The inverse of [`input`].
pub(super) fn input_notes(input: FittedInput<'_>) -> InputNotes {
    match input {
        FittedInput::Table(table) => (Some(table.pipeline.clone()), None, None),
        FittedInput::Series(series) => {
            let note = SeriesNote {
                layout: series.layout,
                columns: series.columns.clone(),
                step: series.step,
                pipeline: series.pipeline.clone(),
                stride: series.stride,
                by_observed: series.by_observed,
                errors: series.errors.clone(),
                runs: series.runs.clone(),
                levels: series.levels.clone(),
                judgement: series.judgement,
            };
            (None, Some(note), None)
        }
        FittedInput::Images(images) => (None, None, Some(images.layout)),
    }
}

#[derive(Serialize, Deserialize)]
struct OnlineNote {
    blocks: usize,
    decision: Decision,
}

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum ProximityNote {
    /// Mean distances in two views, and the local density.
    Views {
        views: Vec<DistanceTerm>,
        floor: f64,
        #[serde(default = "five")]
        near: usize,
        #[serde(default = "half")]
        residual: f64,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        global: Option<GlobalNote>,
    },
    /// The distance to the k-th nearest: the only one before format 5. The residual weighed as much then.
    Kth {
        k: usize,
        ratio: LogRatio,
        exchange: f64,
        #[serde(default = "one")]
        residual: f64,
    },
}

/// Distances to subsamples of the known rows.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct GlobalNote {
    terms: [DistanceTerm; Overview::MEASURES],
    weight: Option<f64>,
}

impl GlobalNote {
    fn of(global: &GlobalProximity) -> GlobalNote {
        GlobalNote { terms: global.terms, weight: global.weight }
    }
}

impl ProximityNote {
    fn of(proximity: &Proximity) -> ProximityNote {
        let residual = proximity.residual;
        match &proximity.index {
            References::Views(index) => {
                let global = proximity.global.as_ref().map(GlobalNote::of);
                let (views, floor, near) = (proximity.terms.clone(), index.floor(), index.near());
                ProximityNote::Views { views, floor, near, residual, global }
            }
            References::Kth(index) => {
                let DistanceTerm { ratio, exchange } = proximity.terms[0];
                ProximityNote::Kth { k: index.k, ratio, exchange, residual }
            }
        }
    }
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
    Independent,
    Mixture { covariance: Covariance },
}

pub(super) fn write(core: &Core, input: FittedInput<'_>) -> (String, Vec<Tensor>) {
    let Core { recipe, scorer, threshold, stream_threshold, baselines, density, coding, distribution, report } = core;
    let Scorer { ensemble, detector, slots: _ } = scorer;
    let CalibratedThreshold { calibration, decision } = threshold;
    let (members, online) = (&ensemble.members, stream_threshold);
    let mut tensors = Vec::new();
    for (m, params) in members.iter().enumerate() {
        for entry in params.entries() {
            tensors.push(Tensor::f32(weight_name(members.len(), m, entry.name), entry.shape, entry.data));
        }
    }
    tensors.push(Tensor::f64("calibration.scores", &[calibration.scores.len()], &calibration.scores));
    tensors.push(Tensor::f64("calibration.training", &[calibration.training.len()], &calibration.training));
    if let Some(online) = online {
        let scores = &online.calibration.scores;
        tensors.push(Tensor::f64("online.calibration.scores", &[scores.len()], scores));
        let training = &online.calibration.training;
        tensors.push(Tensor::f64("online.calibration.training", &[training.len()], training));
    }
    if let Some(proximity) = &detector.neighbours {
        let (rows, width) = (proximity.index.rows(), proximity.index.width());
        tensors.push(Tensor::f32("neighbours.reference", &[rows.len() / width, width], rows));
        if let References::Views(views) = &proximity.index {
            tensors.push(Tensor::f32("neighbours.weights", &[width], views.weights()));
            tensors.push(Tensor::f64("neighbours.reach", &[views.n_references()], views.reach()));
        }
        if let Some(GlobalProximity { overview, .. }) = &proximity.global {
            let (members, size) = (overview.draw().members(), overview.draw().size());
            tensors.push(Tensor::u32("neighbours.subsamples", &[members.len() / size, size], members));
        }
    }
    if let Some((gaussian, _)) = &detector.gaussian {
        let width = gaussian.mean.len();
        tensors.push(Tensor::f64("gaussian.mean", &[width], &gaussian.mean));
        tensors.push(Tensor::f64("gaussian.whitening", &[width, width], &gaussian.whitening));
    }
    tensors.extend(pca_tensors("pca", &baselines.pca));
    let memory = match input {
        FittedInput::Images(images) => images.memory.as_deref(),
        FittedInput::Table(_) | FittedInput::Series(_) => None,
    };
    tensors.extend(memory.into_iter().flat_map(patches::tensors));
    let forest = &baselines.isolation_forest;
    tensors.push(Tensor::u32("isolation_forest.roots", &[forest.roots.len()], &forest.roots));
    tensors.push(Tensor::u32("isolation_forest.feature", &[forest.feature.len()], &forest.feature));
    tensors.push(Tensor::f32("isolation_forest.threshold", &[forest.threshold.len()], &forest.threshold));
    tensors.push(Tensor::u32("isolation_forest.left", &[forest.left.len()], &forest.left));
    tensors.push(Tensor::u32("isolation_forest.size", &[forest.size.len()], &forest.size));
    tensors.extend(density_tensors(density));
    if let Some(coding) = coding {
        tensors.extend(coding::tensors(coding));
    }
    let (pipeline, series, images) = input_notes(input);
    let document = FittedDocument {
        format: FORMAT,
        library: env!("CARGO_PKG_VERSION").to_owned(),
        recipe: recipe.clone(),
        schema: input.schema(),
        pipeline,
        grains: match input {
            FittedInput::Table(table) => table.grains.clone(),
            FittedInput::Series(_) | FittedInput::Images(_) => Vec::new(),
        },
        form: match input {
            FittedInput::Table(table) => table.form.clone(),
            FittedInput::Series(_) | FittedInput::Images(_) => None,
        },
        noise: match input {
            FittedInput::Table(table) => table.noise.clone(),
            FittedInput::Series(_) | FittedInput::Images(_) => None,
        },
        invariants: match input {
            FittedInput::Table(table) => table.invariants.clone(),
            FittedInput::Series(series) => series.invariants.clone(),
            FittedInput::Images(_) => None,
        },
        series,
        images,
        patches: memory.map(patches::PatchNote::of),
        members: detector.members.clone(),
        neighbours: detector.neighbours.as_ref().map(ProximityNote::of),
        gaussian: detector.gaussian.as_ref().map(|(g, ratio)| GaussianNote { shrinkage: g.shrinkage, ratio: *ratio }),
        exponent: detector.exponent,
        decision: decision.clone(),
        blocks: (calibration.blocks < calibration.scores.len()).then_some(calibration.blocks),
        online: online
            .as_ref()
            .map(|online| OnlineNote { blocks: online.calibration.blocks, decision: online.decision.clone() }),
        pca: PcaNote { total_variance: baselines.pca.total_variance },
        isolation_forest: ForestNote { width: forest.width, subsample: forest.subsample },
        density: match density {
            CodeDensity::Standard => DensityNote::Standard,
            CodeDensity::Normal { .. } => DensityNote::Normal,
            CodeDensity::Independent { .. } => DensityNote::Independent,
            CodeDensity::Mixture { covariance, .. } => DensityNote::Mixture { covariance: *covariance },
        },
        coding: coding.as_ref().map(coding::CodingNote::of),
        distribution: distribution.clone(),
        report: report.clone(),
    };
    (serde_json::to_string(&document).expect("a model is plain data"), tensors)
}

pub(super) fn pca_tensors(name: &str, pca: &Pca) -> [Tensor; 3] {
    let variances = &pca.explained_variance;
    [
        Tensor::f32(format!("{name}.mean"), &[pca.width()], &pca.mean),
        Tensor::f32(format!("{name}.components"), &[pca.n_components(), pca.width()], &pca.components),
        Tensor::f64(format!("{name}.explained_variance"), &[variances.len()], variances),
    ]
}

fn density_tensors(density: &CodeDensity) -> Vec<Tensor> {
    let vector = |name: &str, values: &[f32]| Tensor::f32(format!("density.{name}"), &[values.len()], values);
    match density {
        CodeDensity::Standard => Vec::new(),
        CodeDensity::Normal { mean, factor, lowest, highest } => vec![
            vector("mean", mean),
            Tensor::f32("density.factor", &[mean.len(), mean.len()], factor),
            vector("lowest", lowest),
            vector("highest", highest),
        ],
        CodeDensity::Independent { mean, spread, lowest, highest } => {
            vec![vector("mean", mean), vector("spread", spread), vector("lowest", lowest), vector("highest", highest)]
        }
        CodeDensity::Mixture { covariance, weights, means, roots, lowest, highest } => {
            let (m, k) = (weights.len(), lowest.len());
            let roots = match covariance {
                Covariance::Diagonal => Tensor::f32("density.spread", &[m, k], roots),
                Covariance::Full => Tensor::f32("density.factor", &[m, k, k], roots),
            };
            let means = Tensor::f32("density.mean", &[m, k], means);
            vec![vector("weights", weights), means, roots, vector("lowest", lowest), vector("highest", highest)]
        }
    }
}

/// Weight names as in PyTorch: `encoder.0.weight`, in an ensemble `members.2.encoder.0.weight`.
fn weight_name(n_members: usize, member: usize, name: &str) -> String {
    if n_members == 1 { name.to_owned() } else { format!("members.{member}.{name}") }
}

/// Checks version and checksum, and returns the kind of the document; `None` for a model with a code.
pub(super) fn check(container: &Container<'_>) -> Result<Option<String>, String> {
    let kind = check_version(&container.document)?;
    container.check()?;
    Ok(kind)
}

/// Reads a model with a code from a [`check`]ed document.
pub(super) fn read(container: &Container<'_>, file_size: usize) -> Result<Model, String> {
    let mut document: FittedDocument =
        serde_json::from_str(&container.document).map_err(|error| format!("the document is damaged: {error}"))?;
    document.recipe.check().map_err(|error| error.to_string())?;
    let FittedDocument { schema, pipeline, series, images, grains, noise, form, invariants, .. } = &document;
    let notes = (pipeline.clone(), series.clone(), *images);
    let invariants = invariants.clone();
    if let Some(invariants) = &invariants {
        invariants.check(schema).map_err(|error| error.to_string())?;
    }
    if let Some(distribution) = &document.distribution {
        let is_measure = |name: &str| images.is_some() && MEASURES.contains(&name);
        distribution.check(|name| schema.get(name).is_some() || is_measure(name))?;
    }
    match input(&document.recipe, schema.clone(), notes)? {
        EncoderInput::Table(table) => {
            table.pipeline.check_grains(grains).map_err(|error| error.to_string())?;
            if !noise.as_ref().is_none_or(|noise| noise.is_sound(table.pipeline.width())) {
                return Err("the noise of decoded numbers does not follow from the columns".to_owned());
            }
            if !form.as_ref().is_none_or(|form| form.is_sound(schema)) {
                return Err("the columns of new rows do not follow from those of the network".to_owned());
            }
            let (grains, noise, form) = (grains.clone(), noise.clone(), form.clone());
            let adapter = TableAdapter { grains, noise, form, invariants, ..Arc::unwrap_or_clone(table) };
            let core = core(container, file_size, document, &adapter)?;
            Ok(Model::Table(Fitted::new(adapter, core)))
        }
        EncoderInput::Series(series) => {
            let adapter = SeriesAdapter { invariants, ..Arc::unwrap_or_clone(series) };
            let core = core(container, file_size, document, &adapter)?;
            Ok(Model::Series(Fitted::new(adapter, core)))
        }
        EncoderInput::Images(images) => {
            let note = document.patches.take();
            let memory = note.map(|note| note.read(container, images.layout.channels)).transpose()?.map(Arc::new);
            let mut adapter = Arc::unwrap_or_clone(images);
            adapter.memory = memory;
            let core = core(container, file_size, document, &adapter)?;
            Ok(Model::Images(Fitted::new(adapter, core)))
        }
    }
}

/// The state shared by all kinds of models.
fn core(
    container: &Container<'_>,
    file_size: usize,
    document: FittedDocument,
    adapter: &dyn Adapter,
) -> Result<Core, String> {
    let FittedDocument { recipe, .. } = document;
    let (blocks, slots) = (adapter.blocks(), adapter.slots());
    let width = slots.width();
    let network = model::build(recipe.axes(), blocks, adapter.shape()).map_err(|error| error.to_string())?;
    let n_members = recipe.corruptions().len();
    let bytes = network.n_params().saturating_mul(4).saturating_mul(n_members);
    if bytes > file_size {
        return Err(format!("expected at least {bytes} bytes of weights, got a file of {file_size}"));
    }
    let members = (0..n_members)
        .map(|m| read_weights(container, &network, n_members, m))
        .collect::<Result<Vec<Params>, String>>()?;

    let neighbours = document.neighbours.map(|note| proximity(container, note)).transpose()?;
    let gaussian = document.gaussian.map(|note| gaussian(container, note)).transpose()?;
    let (score, scales, exponent) = (recipe.detect.score, document.members, document.exponent);
    let detector = Detector { score, members: scales, neighbours, gaussian, exponent };
    detector.check(n_members, slots.n_columns())?;
    let distances_to = match detector.score {
        Score::Neighbour => network.code_size(),
        _ => width,
    };
    if let Some(proximity) = &detector.neighbours {
        expect("reference rows", distances_to, proximity.index.width())?;
    }
    if let Some((gaussian, _)) = &detector.gaussian {
        expect("the distribution's mean", width + network.code_size(), gaussian.mean.len())?;
    }

    let training = container.f64("calibration.training")?.1;
    let calibration = calibration(container.f64("calibration.scores")?.1, training.clone(), document.blocks)?;
    let online = match document.online {
        Some(OnlineNote { blocks, decision }) => {
            let scores = container.f64("online.calibration.scores")?.1;
            // Before format 5 those of all windows stood in.
            let training = if document.format < 5 { training } else { container.f64("online.calibration.training")?.1 };
            let calibration = self::calibration(scores, training, Some(blocks))?;
            Some(CalibratedThreshold { calibration, decision })
        }
        None => None,
    };
    let baselines = Baselines {
        pca: pca(container, "pca", document.pca.total_variance)?,
        isolation_forest: isolation_forest(container, document.isolation_forest)?,
    };
    expect("PCA's mean", width, baselines.pca.width())?;
    expect("the isolation forest", width, baselines.isolation_forest.width)?;
    let density = density(container, document.density, network.code_size())?;
    let coding = document.coding.map(|note| note.read(container, &recipe, network.code_size())).transpose()?;
    let ensemble = Ensemble::new(network, members, Compute::default());
    let scorer = Scorer { ensemble, detector, slots };
    let threshold = CalibratedThreshold { calibration, decision: document.decision };
    let (stream_threshold, distribution, report) = (online, document.distribution, document.report);
    Ok(Core { recipe, scorer, threshold, stream_threshold, baselines, density, coding, distribution, report })
}

/// The input of a model, from the notes of its document.
pub(super) fn input(recipe: &Recipe, schema: Schema, notes: InputNotes) -> Result<EncoderInput, String> {
    match (&recipe.data, notes) {
        (Data::Table, (Some(pipeline), None, None)) => {
            pipeline.check(&schema).map_err(|error| error.to_string())?;
            Ok(EncoderInput::Table(Arc::new(TableAdapter {
                schema,
                pipeline,
                grains: Vec::new(),
                noise: None,
                form: None,
                invariants: None,
            })))
        }
        (Data::Series(_), (None, Some(note), None)) => {
            let SeriesNote { layout, columns, step, pipeline, stride, by_observed, errors, runs, levels, judgement } =
                note;
            let adapter = SeriesAdapter {
                schema,
                layout,
                columns,
                step,
                pipeline,
                stride,
                by_observed,
                errors,
                runs,
                levels,
                judgement,
                invariants: None,
            };
            adapter.check().map_err(|error| error.to_string())?;
            Ok(EncoderInput::Series(Arc::new(adapter)))
        }
        (Data::Images(_), (None, None, Some(layout))) => {
            layout.check()?;
            Ok(EncoderInput::Images(Arc::new(ImageAdapter::new(layout))))
        }
        _ => Err("the document holds another kind of data than its recipe says".to_owned()),
    }
}

fn calibration(scores: Vec<f64>, training: Vec<f64>, blocks: Option<usize>) -> Result<Calibration, String> {
    let calibration = Calibration::new(scores, training).map_err(|error| error.to_string())?;
    Ok(match blocks {
        Some(blocks) => calibration.in_blocks(blocks),
        None => calibration,
    })
}

/// Reads only the version, so that a file of a newer version is rejected by its number.
fn check_version(document: &str) -> Result<Option<String>, String> {
    #[derive(Deserialize)]
    struct Version {
        format: u32,
        library: String,
        #[serde(default)]
        kind: Option<String>,
    }
    let version: Version =
        serde_json::from_str(document).map_err(|error| format!("the document is damaged: {error}"))?;
    if (OLDEST..=FORMAT).contains(&version.format) {
        return Ok(version.kind);
    }
    Err(format!(
        "expected a format from {OLDEST} to {FORMAT}, got {} as written by version {} of Narrows",
        version.format, version.library
    ))
}

pub(super) fn read_weights(
    container: &Container<'_>,
    network: &Network,
    n_members: usize,
    member: usize,
) -> Result<Params, String> {
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
    Ok(match note {
        ProximityNote::Views { views, floor, near, residual, global } => {
            let (weights, reach) = (container.f32("neighbours.weights")?.1, container.f64("neighbours.reach")?.1);
            expect("weights of distances", width, weights.len())?;
            let index = Neighbourhood::checked(reference, weights, reach, floor, near)?;
            let global = global.map(|note| self::global(container, note, &index)).transpose()?;
            Proximity { index: References::Views(index), terms: views, residual, global }
        }
        ProximityNote::Kth { k, ratio, exchange, residual } => {
            let index = Neighbours { reference, width, k }.checked().map_err(|error| error.to_string())?;
            Proximity {
                index: References::Kth(index),
                terms: vec![DistanceTerm { ratio, exchange }],
                residual,
                global: None,
            }
        }
    })
}

fn global(container: &Container<'_>, note: GlobalNote, known: &Neighbourhood) -> Result<GlobalProximity, String> {
    let (shape, members) = container.u32("neighbours.subsamples")?;
    let [_, size] = shape[..] else {
        return Err(format!("subsamples: expected a matrix, got the shape {shape:?}"));
    };
    let overview = Overview::checked(known.reference(), known.weights(), members, size)?;
    Ok(GlobalProximity { overview, terms: note.terms, weight: note.weight })
}

fn gaussian(container: &Container<'_>, note: GaussianNote) -> Result<(Gaussian, LogRatio), String> {
    let gaussian = Gaussian {
        mean: container.f64("gaussian.mean")?.1,
        whitening: container.f64("gaussian.whitening")?.1,
        shrinkage: note.shrinkage,
    };
    Ok((gaussian.checked().map_err(|error| error.to_string())?, note.ratio))
}

pub(super) fn pca(container: &Container<'_>, name: &str, total_variance: f64) -> Result<Pca, String> {
    let pca = Pca {
        mean: container.f32(&format!("{name}.mean"))?.1,
        components: container.f32(&format!("{name}.components"))?.1,
        explained_variance: container.f64(&format!("{name}.explained_variance"))?.1,
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
    let vector = |name: &str, length: usize| -> Result<Vec<f32>, String> {
        let values = container.f32(name)?.1;
        expect(name, length, values.len())?;
        Ok(values)
    };
    let density = match note {
        DensityNote::Standard => CodeDensity::Standard,
        DensityNote::Normal => CodeDensity::Normal {
            mean: vector("density.mean", k)?,
            factor: vector("density.factor", k * k)?,
            lowest: vector("density.lowest", k)?,
            highest: vector("density.highest", k)?,
        },
        DensityNote::Independent => CodeDensity::Independent {
            mean: vector("density.mean", k)?,
            spread: vector("density.spread", k)?,
            lowest: vector("density.lowest", k)?,
            highest: vector("density.highest", k)?,
        },
        DensityNote::Mixture { covariance } => {
            let weights = container.f32("density.weights")?.1;
            let m = weights.len();
            if m == 0 {
                return Err("density.weights: expected at least one component, got none".to_owned());
            }
            let roots = match covariance {
                Covariance::Diagonal => vector("density.spread", m.saturating_mul(k))?,
                Covariance::Full => vector("density.factor", m.saturating_mul(k).saturating_mul(k))?,
            };
            CodeDensity::Mixture {
                covariance,
                weights,
                means: vector("density.mean", m.saturating_mul(k))?,
                roots,
                lowest: vector("density.lowest", k)?,
                highest: vector("density.highest", k)?,
            }
        }
    };
    density.check()?;
    Ok(density)
}

fn expect(what: &str, expected: usize, got: usize) -> Result<(), String> {
    if expected == got { Ok(()) } else { Err(format!("{what}: expected a width of {expected}, got {got}")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_in_two_views_were_means_over_five() {
        let note = r#"{"views":[],"floor":0.1}"#;
        let ProximityNote::Views { near, residual, global, .. } = serde_json::from_str(note).unwrap() else {
            panic!("no views")
        };
        assert!(near == 5 && residual == 0.5 && global.is_none());
    }
}
