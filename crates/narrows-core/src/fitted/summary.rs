//! Builds the report of a fit.

use narrows_engine::{Direction, Layer, Map, Network};

use super::generation::bottleneck;
use super::invariants::{Evidence, Invariants};
use super::scoring::{CalibratedThreshold, Scorer};
use super::selection::ColumnSelection;
use super::split::Split;
use crate::baseline::{Components, Pca};
use crate::data::Column;
use crate::detect::Reason;
use crate::error::Result;
use crate::model::{Corruption, Latent, Sparsity};
use crate::prep::{Block, CYCLES_LEFT_OUT, ColumnPrep, PrepReport, Prepared};
use crate::recipe::Recipe;
use crate::report::{
    CodePoint, ColumnReport, Detection, Histogram, ImagesReport, Label, LayerReport, NetworkPart, NetworkReport,
    PcaComparison, Population, Report, Role, RowCounts, SeriesReport, TopRow, Training,
};

/// Number of explained rows in the report.
const TOP_ROWS: usize = 20;
/// Most rows scored to find them.
const SCORED_ROWS: usize = 20_000;
/// Points on the code map.
const MAP_POINTS: usize = 1_500;
/// Bins of the score histogram.
const BINS: usize = 48;

/// The inputs common to all reports, whatever the kind of data.
pub(super) struct ReportInputs<'a> {
    pub(super) recipe: &'a Recipe,
    pub(super) scorer: &'a Scorer,
    /// All samples.
    pub(super) prepared: &'a Prepared,
    pub(super) split: &'a Split,
    /// Samples eligible for training.
    pub(super) normal: &'a [u32],
    /// Samples labelled anomalous.
    pub(super) anomalous: &'a [u32],
    /// Scores of the samples labelled anomalous.
    pub(super) anomalous_scores: &'a [f64],
    /// What the samples say of the invariants.
    pub(super) evidence: &'a Evidence,
    pub(super) threshold: &'a CalibratedThreshold,
    pub(super) pca: &'a Pca,
}

impl ReportInputs<'_> {
    /// The scores of samples, by their numbers.
    pub(super) fn scores(&self, samples: &[u32]) -> Vec<f64> {
        self.evidence.judged(samples.iter().copied(), self.scorer.score(&self.prepared.take(samples)))
    }
}

/// Warnings about a network before training.
pub(super) fn cautions(recipe: &Recipe, network: &Network, n_calibration: usize) -> Vec<String> {
    let mut cautions = Vec::new();
    let restrained = recipe.sparsity != Sparsity::None
        || recipe.latent != Latent::Point
        || recipe.corruptions().iter().all(|corruption| *corruption != Corruption::None);
    if network.code_size() >= network.inputs() && !restrained {
        cautions.push(format!(
            "the code ({}) is not narrower than the input ({}) and nothing else restrains it: the network may copy its input, \
             anomalies included; choose a smaller backbone.code_size, a corruption, a sparsity or a gaussian latent",
            network.code_size(),
            network.inputs()
        ));
    }
    if n_calibration < 30 {
        cautions.push(format!(
            "only {n_calibration} rows calibrate the threshold: p-values are no finer than 1/{}",
            n_calibration + 1
        ));
    }
    cautions
}

/// The calibration rows and the model's outputs for them.
pub(super) struct HeldOut {
    pub(super) rows: Prepared,
    /// `[n, width]`
    pub(super) output: Vec<f32>,
}

impl HeldOut {
    pub(super) fn of(inputs: &ReportInputs<'_>) -> HeldOut {
        let rows = inputs.prepared.take(&inputs.split.calibration);
        let output = inputs.scorer.ensemble.output(&rows.input);
        HeldOut { rows, output }
    }
}

/// The part of the report specific to a kind of data.
pub(super) struct KindReport {
    pub(super) source: String,
    pub(super) label: Option<Label>,
    pub(super) rows: RowCounts,
    pub(super) population: Option<Population>,
    pub(super) columns: Vec<ColumnReport>,
    pub(super) notes: Vec<String>,
    pub(super) top: Vec<TopRow>,
    pub(super) series: Option<SeriesReport>,
    pub(super) images: Option<ImagesReport>,
}

/// The report of a fit.
pub(super) fn report(
    inputs: &ReportInputs<'_>,
    held_out: &HeldOut,
    kind: KindReport,
    blocks: &[Block],
    training: Vec<Training>,
    warnings: Vec<String>,
) -> Result<Report> {
    let KindReport { source, label, rows, population, columns, notes, top, series, images } = kind;
    let same_size = pca_of_the_codes_size(inputs)?;
    let is_narrower = inputs.scorer.ensemble.code_size() < inputs.prepared.width;
    let (code_map, code_axes) = code_map(inputs)?;
    Ok(Report {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        source,
        label,
        rows,
        population,
        columns,
        notes,
        warnings,
        network: network(inputs.recipe, inputs.scorer, blocks),
        training,
        detection: detection(inputs.threshold, inputs.anomalous_scores),
        pca: pca_comparison(&same_size, &held_out.rows, &held_out.output),
        bottleneck: Some(bottleneck(inputs, blocks, is_narrower.then_some(&same_size))),
        top,
        code_map,
        code_axes: Some(code_axes),
        // Filled in once the model is complete, as it has to generate.
        generation: None,
        series,
        images,
        recipe: inputs.recipe.clone(),
    })
}

/// Row counts by role, if each row is a sample.
pub(super) fn rows(input: &ColumnSelection, split: &Split) -> RowCounts {
    RowCounts {
        read: input.table.n_rows() as u64,
        not_normal: input.anomalous.len() as u64,
        unlabelled: input.unlabelled,
        train: split.train.len() as u64,
        validation: split.validation.len() as u64,
        calibration: split.calibration.len() as u64,
    }
}

/// Notes on the selection and the preparation.
pub(super) fn notes(input: &ColumnSelection, prep: &PrepReport) -> Vec<String> {
    input.notes.iter().cloned().chain(prep_notes(prep)).collect()
}

fn prep_notes(prep: &PrepReport) -> Vec<String> {
    let infinite = prep
        .infinite
        .iter()
        .map(|(column, n)| format!("column `{column}`: {n} infinite cells taken as missing while training"));
    let clipped = prep
        .clipped
        .iter()
        .map(|(column, n)| format!("column `{column}`: {n} training cells clipped at the limit of prep.clip"));
    let constant = prep.constant.iter().map(|column| format!("column `{column}` is the same in every training row"));
    let unseen = prep.columns.iter().filter_map(|column| {
        let remark =
            column.what.split("; ").find(|part| CYCLES_LEFT_OUT.iter().any(|left_out| part.starts_with(left_out)))?;
        Some(format!("column `{}`: {remark}", column.name))
    });
    infinite.chain(clipped).chain(constant).chain(unseen).collect()
}

/// All input columns; `quality` is the reconstruction quality of a feature.
pub(super) fn columns(
    input: &ColumnSelection,
    features: &[&ColumnPrep],
    invariants: Option<&Invariants>,
    quality: impl Fn(&str) -> Option<f64>,
) -> Vec<ColumnReport> {
    let is_read = |name: &str| features.iter().any(|prep| prep.name == name) && !input.nothing_varies;
    let invariant = |name: &str| invariants.filter(|_| !is_read(name)).and_then(|found| found.constant(name));
    let column = |Column { name, kind, format, .. }: &Column| {
        let mut column = ColumnReport {
            name: name.clone(),
            kind: kind.to_string(),
            role: Role::Feature,
            words: String::new(),
            missing: 0,
            quality: None,
        };
        if input.label.as_ref().is_some_and(|label| label.column == *name) {
            column.role = Role::Label;
            column.words = "tells which rows are normal; never a feature".to_owned();
        } else if let Some(constant) = invariant(name) {
            column.role = Role::Invariant;
            column.words = constant.describe();
        } else if let Some(unchanging) = input.unchanging.iter().find(|unchanging| unchanging.column.name == *name) {
            column.role = Role::Dropped;
            column.words = unchanging.reason.to_string();
        } else if let Some(dropped) = input.dropped.iter().find(|dropped| dropped.column == *name) {
            column.role = Role::Dropped;
            column.words = dropped.reason.to_string();
        } else if let Some((_, words)) = input.special.iter().find(|(special, _)| special == name) {
            column.role = Role::Ignored;
            column.words.clone_from(words);
        } else if let Some(prep) = features.iter().find(|prep| prep.name == *name) {
            let written = format.as_ref().map_or_else(String::new, |format| format!("written {format}; "));
            column.words = format!("{written}{}", prep.what);
            column.missing = prep.missing;
            column.quality = quality(name);
        } else {
            column.role = Role::Ignored;
            column.words = "left out as asked".to_owned();
        }
        column
    };
    input.all.columns.iter().map(column).collect()
}

/// The network from input to output; activations and norms are merged into the layer they follow.
fn network(recipe: &Recipe, scorer: &Scorer, blocks: &[Block]) -> NetworkReport {
    let network = &scorer.ensemble.network;
    let map = network.encoder.first().and_then(|layer| match layer {
        Layer::Conv(conv) => pixels(conv.input),
        _ => None,
    });
    let mut layers =
        vec![LayerReport { part: NetworkPart::Input, width: network.inputs(), words: "input".to_owned(), map }];
    let sides = [
        (&network.encoder, NetworkPart::Encoder, NetworkPart::Code),
        (&network.decoder, NetworkPart::Decoder, NetworkPart::Output),
    ];
    for (side, part, last) in sides {
        let n_layers = side.iter().filter(|layer| layer_description(layer).is_some()).count();
        let mut seen = 0;
        for layer in side {
            match layer_description(layer) {
                Some((width, words)) => {
                    seen += 1;
                    let part = if seen == n_layers { last } else { part };
                    // A Gaussian code consists of mean and log-variance, twice as wide as the code.
                    let (width, words) = match part {
                        NetworkPart::Code if matches!(recipe.latent, Latent::Gaussian(_)) => {
                            (network.code_size(), format!("dense {}", network.code_size()))
                        }
                        _ => (width, words),
                    };
                    let map = match layer {
                        Layer::Conv(conv) => pixels(conv.output()),
                        Layer::ConvTranspose(conv) => pixels(conv.output()),
                        _ => None,
                    }
                    .filter(|map| map.iter().product::<usize>() == width);
                    layers.push(LayerReport { part, width, words, map });
                }
                None => {
                    if let Some(report) = layers.last_mut() {
                        report.words.push_str(&format!(", {}", layer.to_string().to_lowercase()));
                    }
                }
            }
        }
        if last == NetworkPart::Code
            && let Some(code) = layers.last_mut()
        {
            code.words.push_str(match recipe.latent {
                Latent::Point => "",
                Latent::Gaussian(_) => ", gaussian: mean and log-variance",
                Latent::Quantised(_) => ", to be rounded",
            });
        }
    }
    NetworkReport {
        inputs: network.inputs(),
        code_size: network.code_size(),
        layers,
        parameters: network.n_params(),
        members: scorer.ensemble.members.len(),
        loss: crate::model::loss::describe(&recipe.loss, blocks),
    }
}

/// Width and description of a layer that changes the representation; for a sequence, the width of a step.
fn layer_description(layer: &Layer) -> Option<(usize, String)> {
    match layer {
        Layer::Dense(dense) => Some((dense.outputs, format!("dense {}", dense.outputs))),
        Layer::Lstm(lstm) => {
            let ways = if lstm.direction == Direction::Bidirectional { ", both ways" } else { "" };
            Some((lstm.hidden, format!("lstm {} over {} steps{ways}", lstm.hidden, lstm.steps)))
        }
        Layer::Repeat(repeat) => Some((repeat.width, format!("the code at each of {} steps", repeat.steps))),
        Layer::TimeDense(time) => {
            let width = time.steps * time.dense.outputs;
            Some((width, format!("dense {} at each of {} steps", time.dense.outputs, time.steps)))
        }
        Layer::Conv(conv) => Some((conv.output().size(), format!("convolution to {}", map_description(conv.output())))),
        Layer::ConvTranspose(conv) => {
            Some((conv.output().size(), format!("transposed convolution to {}", map_description(conv.output()))))
        }
        _ => None,
    }
}

/// Height, width and channels of a pixel map; `None` for a series.
fn pixels(map: Map) -> Option<[usize; 3]> {
    (map.height > 1).then_some([map.height, map.width, map.channels])
}

fn map_description(map: Map) -> String {
    if map.height == 1 {
        format!("{} steps of {}", map.width, map.channels)
    } else {
        format!("{} x {} pixels of {}", map.height, map.width, map.channels)
    }
}

pub(super) fn detection(threshold: &CalibratedThreshold, anomalous: &[f64]) -> Detection {
    let CalibratedThreshold { calibration, decision } = threshold;
    let all = || calibration.scores.iter().chain(anomalous).copied().filter(|s| s.is_finite() && *s > 0.0);
    let lowest = all().fold(f64::INFINITY, f64::min).min(decision.threshold.max(1e-9));
    // A few infinite scores must not squeeze the others into one bin.
    let highest = all().fold(0.0, f64::max).max(decision.threshold).min(lowest * 1e6);
    let (low, high) = (lowest.ln(), (highest.ln()).max(lowest.ln() + 1e-3));
    let edges: Vec<f64> = (0..=BINS).map(|i| (low + (high - low) * i as f64 / BINS as f64).exp()).collect();
    let histogram = |scores: &[f64]| {
        let mut counts = vec![0; BINS];
        for score in scores {
            let place = ((score.max(f64::MIN_POSITIVE).ln() - low) / (high - low) * BINS as f64) as usize;
            counts[place.min(BINS - 1)] += 1;
        }
        Histogram { edges: edges.clone(), counts }
    };
    Detection {
        rule: decision.rule.clone(),
        threshold: decision.threshold,
        promised_rate: decision.promised_rate,
        set_aside: decision.set_aside,
        trimmed: threshold.trimmed(),
        pieces: (calibration.blocks < calibration.scores.len()).then_some(calibration.blocks as u64),
        histogram: histogram(&calibration.scores),
        anomalies: (!anomalous.is_empty()).then(|| histogram(anomalous)),
    }
}

/// Held-out error of the model and of PCA with as many components as the code has units.
fn pca_comparison(same_size: &Pca, held_out: &Prepared, output: &[f32]) -> PcaComparison {
    let (mut sum, mut seen) = (0.0, 0_u64);
    for (t, o) in held_out.target.iter().zip(output).filter(|(t, _)| t.is_finite()) {
        sum += f64::from(t - o).powi(2);
        seen += 1;
    }
    let errors = same_size.error(&held_out.finite());
    PcaComparison {
        components: same_size.n_components(),
        pca_error: errors.iter().sum::<f64>() / errors.len().max(1) as f64,
        model_error: sum / seen.max(1) as f64,
    }
}

/// PCA with as many components as the code has units; the stored PCA has fewer if so many would copy the rows.
fn pca_of_the_codes_size(inputs: &ReportInputs<'_>) -> Result<Pca> {
    let code_size = inputs.scorer.ensemble.code_size();
    if code_size < inputs.prepared.width {
        return Ok(inputs.pca.clone());
    }
    let train = inputs.prepared.take(&inputs.split.train);
    Pca::fit(&train.finite(), train.n, train.width, Components::Count(code_size), inputs.recipe.seed)
}

/// The samples with the highest scores, in descending order.
pub(super) fn top_samples(inputs: &ReportInputs<'_>) -> Vec<u32> {
    let mut rows: Vec<u32> = inputs.anomalous.iter().copied().take(SCORED_ROWS).collect();
    rows.extend(spread(inputs.normal, SCORED_ROWS));
    let scores = inputs.scores(&rows);
    let mut order: Vec<usize> = (0..rows.len()).filter(|i| !scores[*i].is_nan()).collect();
    order.sort_by(|a, b| scores[*b].total_cmp(&scores[*a]).then(rows[*a].cmp(&rows[*b])));
    order.into_iter().take(TOP_ROWS).map(|i| rows[i]).collect()
}

/// A top-scoring row of the report.
pub(super) fn top_row(threshold: &CalibratedThreshold, row: u64, score: f64, reasons: Vec<Reason>) -> TopRow {
    TopRow { row, score, p_value: threshold.p_value(score), is_anomaly: threshold.is_anomaly(score), reasons }
}

/// Codes on their first two principal axes, with rows of every class; and these axes.
fn code_map(inputs: &ReportInputs<'_>) -> Result<(Vec<CodePoint>, Pca)> {
    let scorer = inputs.scorer;
    let mut rows = spread(inputs.normal, MAP_POINTS);
    rows.extend(spread(inputs.anomalous, MAP_POINTS / 3));
    let prepared = inputs.prepared.take(&rows);
    let codes = scorer.ensemble.codes(&prepared.input);
    let k = scorer.ensemble.code_size();
    let axes = Pca::fit(&codes, prepared.n, k, Components::Count(2.min(k)), inputs.recipe.seed)?;
    let places = axes.encode(&codes);
    let d = axes.n_components();
    let scores = inputs.scores(&rows);
    let axis = |row: usize, axis: usize| if axis < d { f64::from(places[row * d + axis]) } else { 0.0 };
    let points = (0..prepared.n).map(|row| CodePoint {
        x: axis(row, 0),
        y: axis(row, 1),
        score: scores[row],
        is_anomaly: inputs.threshold.is_anomaly(scores[row]),
    });
    Ok((points.collect(), axes))
}

/// At most `most` of the rows, evenly spaced.
pub(super) fn spread(rows: &[u32], most: usize) -> Vec<u32> {
    let step = rows.len().div_ceil(most.max(1)).max(1);
    rows.iter().copied().step_by(step).collect()
}
