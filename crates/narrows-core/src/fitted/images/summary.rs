//! The part of the report specific to images.

use narrows_images::{Sheet, Store};

use super::adapter::ImageAdapter;
use super::model::heat_map;
use super::quality::{Reconstructed, ReconstructionPass};
use super::roles::ImageRoles;
use super::scorer::ImageScorer;
use crate::error::Result;
use crate::fitted::scoring::{CalibratedThreshold, ScoreDetail};
use crate::fitted::split::Split;
use crate::fitted::summary::{KindReport, ReportInputs};
use crate::report::{AlbumReport, ImagesReport, Label, RowCounts, WorstImage};

/// Most held-out images used to measure the quality.
const MEASURED: usize = 500;
/// Rows of a contact sheet.
const SHEET_ROWS: usize = 6;
/// Number of top-scoring images.
const WORST: usize = 12;
/// Most images scored to find them.
const SCORED: usize = 2_000;

/// Intermediate results of the fit.
pub(super) struct ImageFindings<'a> {
    pub(super) images: &'a Store,
    pub(super) adapter: &'a ImageAdapter,
    /// By image.
    pub(super) split: &'a Split,
    pub(super) anomalous: &'a [u32],
    pub(super) roles: &'a ImageRoles,
}

pub(super) fn describe(inputs: &ReportInputs<'_>, found: &ImageFindings<'_>) -> Result<KindReport> {
    let ImageFindings { images, adapter, split, anomalous, roles } = found;
    let (train, validation) = (split.train.len() as u64, split.validation.len() as u64);
    let calibration = split.calibration.len() as u64;
    let pass = ReconstructionPass::new(inputs.recipe, adapter, inputs.scorer, inputs.pca)?;
    let measured = &split.calibration[..split.calibration.len().min(MEASURED)];
    let (worst, worst_sheet) = worst(inputs, found)?;
    let images_report = ImagesReport {
        album: AlbumReport { calibration, ..AlbumReport::of(images, adapter.layout.channels, train, validation) },
        view: adapter.layout.describe(),
        stride: adapter.layout.stride,
        backbone: inputs.recipe.backbone.describe(),
        quality: pass.quality(images, measured)?,
        sheet: sheet(&pass, images, &split.calibration)?.to_base64(),
        worst,
        worst_sheet,
    };
    let label = (!roles.normal.is_empty()).then(|| Label {
        column: "folder".to_owned(),
        normal: Some(roles.normal.join(", ")),
        ..Default::default()
    });
    let not_normal = anomalous.len() as u64;
    let read = images.len() as u64;
    Ok(KindReport {
        population: None,
        source: images.source().to_owned(),
        label,
        rows: RowCounts { read, not_normal, unlabelled: 0, train, validation, calibration },
        columns: Vec::new(),
        notes: vec![images_report.view.clone()],
        top: Vec::new(),
        series: None,
        images: Some(images_report),
    })
}

/// A contact sheet of some images and their reconstructions.
pub(super) fn sheet(pass: &ReconstructionPass<'_>, images: &Store, which: &[u32]) -> Result<Sheet> {
    let mut sheet = Sheet::new(&["input", "output", "truth", "difference"]);
    for image in which.iter().take(SHEET_ROWS) {
        let Reconstructed { clean, input, output } = pass.reconstructed(images, *image as usize)?;
        let difference = output.difference(&clean);
        sheet.row(vec![input, output, clean, difference]);
    }
    Ok(sheet)
}

/// The top-scoring images, with the location of the error.
fn worst(inputs: &ReportInputs<'_>, found: &ImageFindings<'_>) -> Result<(Vec<WorstImage>, String)> {
    let scorer = ImageScorer::new(found.adapter, inputs.scorer);
    let which: Vec<u32> = found.anomalous.iter().chain(&found.split.calibration).copied().take(SCORED).collect();
    let scores = scorer.scores(found.images, &which)?;
    worst_of(&scorer, found.images, which, &scores, inputs.threshold)
}

/// The images with the highest of these scores, and a sheet of the first with their heat maps.
pub(super) fn worst_of(
    scorer: &ImageScorer<'_>,
    images: &Store,
    mut which: Vec<u32>,
    scores: &[f64],
    threshold: &CalibratedThreshold,
) -> Result<(Vec<WorstImage>, String)> {
    let mut order: Vec<usize> = (0..which.len()).collect();
    order.sort_by(|a, b| scores[*b].total_cmp(&scores[*a]).then(which[*a].cmp(&which[*b])));
    order.truncate(WORST);
    let scores: Vec<f64> = order.iter().map(|i| scores[*i]).collect();
    which = order.iter().map(|i| which[*i]).collect();
    let mut sheet = Sheet::new(&["image", "heat map"]);
    for i in which.iter().take(SHEET_ROWS) {
        let image = images.get(*i as usize)?;
        let heat = scorer.score_with(std::slice::from_ref(&image), ScoreDetail::Trace).remove(0).heat;
        let over = heat_map(&image, &heat);
        sheet.row(vec![image, over]);
    }
    let images = which.iter().zip(&scores).map(|(i, score)| WorstImage {
        name: images.name(*i as usize),
        score: *score,
        p_value: threshold.p_value(*score),
        is_anomaly: threshold.is_anomaly(*score),
    });
    Ok((images.collect(), sheet.to_base64()))
}
