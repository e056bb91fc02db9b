//! The report of a fit to images.

use narrows_engine::Threads;
use narrows_images::{Sheet, Store};

use super::adapter::ImageAdapter;
use super::fit_images::ImageRoles;
use super::images::{self, ImageScorer};
use super::images_quality::ReconstructionPass;
use super::scorer::ScoreDetail;
use super::split::Split;
use super::summary::{self, HeldOut, KindReport, ReportInputs};
use crate::error::Result;
use crate::report::{AlbumReport, ImagesReport, Label, Report, RowCounts, Training, WorstImage};

/// Most held-out images that the quality is measured on.
const MEASURED: usize = 500;
/// RowCounts of a contact sheet.
const SHEET_ROWS: usize = 6;
/// Images that score highest.
const WORST: usize = 12;
/// Most images scored to find them.
const SCORED: usize = 2_000;

/// What was found on the way.
pub(super) struct ImageFindings<'a> {
    pub(super) images: &'a Store,
    pub(super) adapter: &'a ImageAdapter,
    /// By image.
    pub(super) split: &'a Split,
    pub(super) anomalous: &'a [u32],
    pub(super) roles: &'a ImageRoles,
}

pub(super) fn report(
    told: &ReportInputs<'_>,
    found: &ImageFindings<'_>,
    training: Vec<Training>,
    warnings: Vec<String>,
    threads: &Threads,
) -> Result<Report> {
    let ImageFindings { images, adapter, split, anomalous, roles } = found;
    let held_out = HeldOut::of(told, threads);
    let (train, validation) = (split.train.len() as u64, split.validation.len() as u64);
    let calibration = split.calibration.len() as u64;
    let passing = ReconstructionPass::new(told.recipe, adapter, told.scorer, told.pca)?;
    let measured = &split.calibration[..split.calibration.len().min(MEASURED)];
    let (worst, worst_sheet) = worst(told, found, threads)?;
    let images_report = ImagesReport {
        album: AlbumReport { calibration, ..AlbumReport::of(images, adapter.layout.channels, train, validation) },
        view: adapter.layout.describe(),
        stride: adapter.layout.stride,
        backbone: told.recipe.backbone.describe(),
        quality: passing.quality(images, measured, threads)?,
        sheet: sheet(&passing, images, &split.calibration, threads)?.to_base64(),
        worst,
        worst_sheet,
    };
    let label = (!roles.normal.is_empty())
        .then(|| Label { column: "folder".to_owned(), normal: Some(roles.normal.join(", ")) });
    let not_normal = anomalous.len() as u64;
    let read = images.len() as u64;
    let particulars = KindReport {
        source: images.source().to_owned(),
        label,
        rows: RowCounts { read, not_normal, unlabelled: 0, train, validation, calibration },
        columns: Vec::new(),
        notes: vec![images_report.view.clone()],
        top: Vec::new(),
        series: None,
        images: Some(images_report),
    };
    summary::report(told, &held_out, particulars, adapter.blocks(), training, warnings, threads)
}

/// Some images on their way through the code.
pub(super) fn sheet(
    passing: &ReconstructionPass<'_>,
    images: &Store,
    which: &[u32],
    threads: &Threads,
) -> Result<Sheet> {
    let mut sheet = Sheet::new(&["input", "output", "truth", "difference"]);
    for image in which.iter().take(SHEET_ROWS) {
        let coder = passing.coder(images, *image as usize, threads)?;
        let difference = coder.output.difference(&coder.clean);
        sheet.row(vec![coder.input, coder.output, coder.clean, difference]);
    }
    Ok(sheet)
}

/// The images that score highest, and where.
fn worst(told: &ReportInputs<'_>, found: &ImageFindings<'_>, threads: &Threads) -> Result<(Vec<WorstImage>, String)> {
    let scorer = ImageScorer::new(found.adapter, told.scorer, threads);
    let mut which: Vec<u32> = found.anomalous.iter().chain(&found.split.calibration).copied().take(SCORED).collect();
    let scores = scorer.scores(found.images, &which)?;
    let mut order: Vec<usize> = (0..which.len()).collect();
    order.sort_by(|a, b| scores[*b].total_cmp(&scores[*a]).then(which[*a].cmp(&which[*b])));
    order.truncate(WORST);
    let scores: Vec<f64> = order.iter().map(|i| scores[*i]).collect();
    which = order.iter().map(|i| which[*i]).collect();
    let mut sheet = Sheet::new(&["image", "heat map"]);
    for i in which.iter().take(SHEET_ROWS) {
        let image = found.images.get(*i as usize)?;
        let heat = scorer.score_with(std::slice::from_ref(&image), ScoreDetail::Trace).remove(0).heat;
        let over = images::heat_map(&image, &heat);
        sheet.row(vec![image, over]);
    }
    let told = which.iter().zip(&scores).map(|(i, score)| WorstImage {
        name: found.images.name(*i as usize),
        score: *score,
        p_value: told.calibration.p_value(*score),
        is_anomaly: *score > told.decision.threshold,
    });
    Ok((told.collect(), sheet.to_base64()))
}
